//! The `jsonschema` crate, as another implementation that says whether a value is valid.

use jsonschema::{Draft, Validator};
use serde_json::Value;

/// A schema's validator, to which formats only tell something; none where the crate finds it to be no schema.
#[must_use]
pub fn validator(draft: &str, schema: &Value) -> Option<Validator> {
    built(draft, schema, false)
}

/// The same, to which formats are rules.
#[must_use]
pub fn with_formats(draft: &str, schema: &Value) -> Option<Validator> {
    built(draft, schema, true)
}

fn built(draft: &str, schema: &Value, formats: bool) -> Option<Validator> {
    let mut options = jsonschema::options().should_validate_formats(formats);
    if schema.get("$schema").is_none() {
        options = options.with_draft(match crate::cases::draft(draft) {
            twyla_build::Draft::Draft4 => Draft::Draft4,
            twyla_build::Draft::Draft6 => Draft::Draft6,
            twyla_build::Draft::Draft7 => Draft::Draft7,
            twyla_build::Draft::Draft201909 => Draft::Draft201909,
            twyla_build::Draft::Draft202012 => Draft::Draft202012,
        });
    }
    options.build(schema).ok()
}

/// Whether a value is valid under one schema and not under the other; none where the crate takes one of them for none.
#[must_use]
pub fn refutes(draft: &str, inner: &str, outer: &str, value: &Value) -> Option<bool> {
    let of = |schema: &str| validator(draft, &serde_json::from_str(schema).ok()?);
    Some(of(inner)?.is_valid(value) && !of(outer)?.is_valid(value))
}
