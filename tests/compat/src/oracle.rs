//! The `jsonschema` crate as an independent validator.

use jsonschema::{Draft, Validator};
use serde_json::Value;

use crate::cases;

/// A schema's validator with formats as annotations; none if the crate refuses the schema.
#[must_use]
pub fn validator(draft: &str, schema: &Value) -> Option<Validator> {
    built(draft, schema, false)
}

/// The same with asserted formats.
#[must_use]
pub fn with_formats(draft: &str, schema: &Value) -> Option<Validator> {
    built(draft, schema, true)
}

fn built(draft: &str, schema: &Value, formats: bool) -> Option<Validator> {
    let mut options = jsonschema::options().should_validate_formats(formats);
    if schema.get("$schema").is_none() {
        options = options.with_draft(self::draft(draft));
    }
    options.build(schema).ok()
}

/// The draft of this name, as [`cases::draft`] reads it.
#[must_use]
pub fn draft(name: &str) -> Draft {
    match cases::draft(name) {
        twyla_build::Draft::Draft4 => Draft::Draft4,
        twyla_build::Draft::Draft6 => Draft::Draft6,
        twyla_build::Draft::Draft7 => Draft::Draft7,
        twyla_build::Draft::Draft201909 => Draft::Draft201909,
        twyla_build::Draft::Draft202012 => Draft::Draft202012,
    }
}

/// Whether one schema accepts a value and the other refuses it; none if the crate refuses one of the schemas.
#[must_use]
pub fn refutes(draft: &str, inner: &str, outer: &str, value: &Value) -> Option<bool> {
    let of = |schema: &str| validator(draft, &serde_json::from_str(schema).ok()?);
    Some(of(inner)?.is_valid(value) && !of(outer)?.is_valid(value))
}
