//! Corrects the schema that schemars derives for a type, so that it describes what serde does.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::Problems;
use crate::compare::Bundle;
use crate::schema::draft::{Draft, HOLDERS, Subschemas};
use crate::schema::format;

/// The derived schema of what a type sends or reads.
pub(super) struct DerivedSchema {
    pub(super) bundle: Bundle,
    /// The first custom format in the schema, which a comparison can't decide.
    pub(super) unknown_format: Option<String>,
}

/// Returns the name of the type in its schema.
pub(super) fn name<T: JsonSchema>() -> String {
    T::schema_name().into_owned()
}

pub(super) fn of<T: JsonSchema>(emits: bool) -> Result<DerivedSchema, Problems> {
    let settings = SchemaSettings::draft2020_12();
    let settings = if emits { settings.for_serialize() } else { settings.for_deserialize() };
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    let mut unknown_format = None;
    exact(&mut schema, emits, &mut unknown_format);
    let bundle = Bundle::value(&schema, Draft::Draft202012)?.formats(true);
    Ok(DerivedSchema { bundle, unknown_format })
}

/// Replaces Rust-specific formats with keywords and, if `emits`, removes `null` from properties that aren't required.
fn exact(schema: &mut Value, emits: bool, unknown: &mut Option<String>) {
    let Value::Object(members) = schema else { return };
    if emits {
        left_out(members);
    }
    if let Some(name) = members.get("format").and_then(Value::as_str).map(str::to_owned) {
        number_or_word(&name, members, unknown);
    }
    for (keyword, holds) in HOLDERS {
        let Some(inner) = members.get_mut(*keyword) else { continue };
        match (holds, inner) {
            (Subschemas::Named, Value::Object(inner)) => {
                inner.values_mut().for_each(|inner| exact(inner, emits, unknown))
            }
            (Subschemas::Many | Subschemas::OneOrMany, Value::Array(inner)) => {
                inner.iter_mut().for_each(|inner| exact(inner, emits, unknown));
            }
            (Subschemas::One | Subschemas::OneOrMany, inner) => exact(inner, emits, unknown),
            _ => {}
        }
    }
}

/// Removes `null` from the schemas of properties that are sent but not required: they have a `skip_serializing_if`, so that
/// `None` is never sent as `null`.
fn left_out(members: &mut Map<String, Value>) {
    let required = members.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let properties = members.get_mut("properties").and_then(Value::as_object_mut);
    for (name, property) in properties.into_iter().flatten() {
        if required.iter().all(|it| it != name) {
            not_null(property);
        }
    }
}

/// Removes `null` from the schema of an `Option`.
fn not_null(schema: &mut Value) {
    let is_null = |schema: &Value| schema.get("type").is_some_and(|it| it == "null");
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|it| it != "null");
    }
    if let Some(Value::Array(words)) = schema.get_mut("enum") {
        words.retain(|it| !it.is_null());
    }
    if let Some(Value::Array(any)) = schema.get_mut("anyOf") {
        any.retain(|it| !is_null(it));
    }
}

fn number_or_word(name: &str, members: &mut Map<String, Value>, unknown: &mut Option<String>) {
    let bounds = match name {
        "int32" => Some((json!(i32::MIN), json!(i32::MAX))),
        "uint32" => Some((json!(0), json!(u32::MAX))),
        // `isize` and `usize` count as 64 bits, their largest width
        "int64" | "int" => Some((json!(i64::MIN), json!(i64::MAX))),
        "uint64" | "uint" => Some((json!(0), json!(u64::MAX))),
        _ => None,
    };
    if let Some((least, most)) = bounds {
        members.remove("format");
        members.entry("minimum").or_insert(least);
        members.entry("maximum").or_insert(most);
        return;
    }
    match name {
        "int8" | "uint8" | "int16" | "uint16" | "int128" | "uint128" | "float" | "double" => {
            members.remove("format");
        }
        "ip" => {
            members.remove("format");
            members.insert("anyOf".to_owned(), json!([{ "format": "ipv4" }, { "format": "ipv6" }]));
        }
        name if format::names().any(|known| known == name) => {}
        name => *unknown = unknown.take().or_else(|| Some(name.to_owned())),
    }
}
