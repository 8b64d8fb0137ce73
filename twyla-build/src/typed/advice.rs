//! Advice for a type that doesn't satisfy its contract, in terms of serde and schemars.

use crate::compare::Witness;

/// Returns advice on a refused witness; `None` if its keyword has no advice.
pub(super) fn of(name: &str, emits: bool, witness: &Witness) -> Option<String> {
    let attribute = match &*witness.keyword {
        "minLength" | "maxLength" | "minItems" | "maxItems" => "#[schemars(length(min = …, max = …))]",
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => "#[schemars(range(min = …, max = …))]",
        "pattern" => "#[schemars(regex(pattern = r\"…\"))]",
        _ => "",
    };
    Some(match (&*witness.keyword, emits) {
        ("required", true) => format!("give `{name}` the field that the contract requires, without `Option`"),
        ("required", false) => "make the field an `Option`, or give it `#[serde(default)]`".to_owned(),
        ("type", true) => "leave a `null` out with `#[serde(skip_serializing_if = \"Option::is_none\")]`".to_owned(),
        ("type", false) => "give the field a type that accepts the value (for `null`, an `Option`)".to_owned(),
        ("enum" | "const" | "oneOf" | "anyOf", true) => "remove the variants that the contract doesn't have".to_owned(),
        ("enum" | "const" | "oneOf" | "anyOf", false) => {
            "give the enum all variants of the contract, or one with `#[serde(other)]`".to_owned()
        }
        ("additionalProperties" | "unevaluatedProperties", false) => {
            "remove `#[serde(deny_unknown_fields)]`".to_owned()
        }
        ("format", true) => {
            "give the field a type whose values have this format, such as `uuid::Uuid` or `chrono::DateTime`".to_owned()
        }
        (_, true) if !attribute.is_empty() => {
            format!("if the code ensures this rule, declare it on the field: `{attribute}`")
        }
        (_, false) if !attribute.is_empty() => format!("widen the rule that the field declares: `{attribute}`"),
        _ => return None,
    })
}
