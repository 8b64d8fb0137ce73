//! Why a field is untyped, from the schema that declares it.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::{Deserializer, Map, Value};
use twyla_build::explain::FieldExplanation;

/// References are followed at most this far.
const MOST_REFERENCES: usize = 16;

/// The cause of fields whose schema has a type: other branches declare them differently, or not at all.
const BY_ITSELF: &str = "declared in branches: typed by itself";

/// Keywords that say nothing about a value.
const ANNOTATIONS: [&str; 12] = [
    "$comment",
    "$id",
    "default",
    "deprecated",
    "description",
    "example",
    "examples",
    "id",
    "readOnly",
    "title",
    "writeOnly",
    "$schema",
];

/// The texts of a folder's schemas.
pub(crate) struct Sources {
    folder: PathBuf,
    shown: String,
    texts: Mutex<HashMap<PathBuf, String>>,
}

/// A schema and the file that it is in.
struct Schema {
    file: PathBuf,
    value: Value,
}

impl Sources {
    pub(crate) fn new(folder: &Path, shown: &str) -> Self {
        Self { folder: folder.to_owned(), shown: format!("{shown}/"), texts: Mutex::default() }
    }

    /// Names the cause: what the schema says, and the shape of the schema that no type is found for.
    pub(crate) fn cause(&self, field: &FieldExplanation) -> String {
        let Some(file) = field.place.file.strip_prefix(&self.shown) else { return "a file elsewhere".to_owned() };
        let file = self.folder.join(file);
        let value = self.text(&file).and_then(|text| at(&text, field.place.line, field.place.column));
        match value {
            Some(Value::String(_)) => "required, and declared nowhere".to_owned(),
            Some(value) => self.shape(&Schema { file, value }, 0),
            None => "a schema that isn't JSON".to_owned(),
        }
    }

    fn text(&self, file: &Path) -> Option<String> {
        let mut texts = self.texts.lock().ok()?;
        if let Some(text) = texts.get(file) {
            return Some(text.clone());
        }
        let text = fs::read_to_string(file).ok()?;
        texts.insert(file.to_owned(), text.clone());
        Some(text)
    }

    fn shape(&self, schema: &Schema, depth: usize) -> String {
        let Value::Object(members) = &schema.value else {
            return if schema.value == Value::Bool(true) { "any value" } else { "no value" }.to_owned();
        };
        let within = |value: &Value, what: &str| {
            let inner = Schema { file: schema.file.clone(), value: value.clone() };
            format!("{what}: {}", self.shape(&inner, depth + 1))
        };
        let rules: Vec<&str> = members
            .keys()
            .map(String::as_str)
            .filter(|it| !ANNOTATIONS.contains(it) && !it.starts_with("x-"))
            .collect();
        if rules.is_empty() {
            return "any value".to_owned();
        }
        if let Some(Value::String(target)) = members.get("$ref") {
            let beside = if rules.len() > 1 { " with siblings" } else { "" };
            return match self.target(schema, target).filter(|_| depth < MOST_REFERENCES) {
                Some(target) => format!("$ref{beside}: {}", self.shape(&target, depth + 1)),
                None => format!("$ref{beside}"),
            };
        }
        for keyword in ["enum", "const"] {
            if let Some(values) = members.get(keyword) {
                let words = values.is_string() || values.as_array().is_some_and(|all| all.iter().all(Value::is_string));
                return if words { BY_ITSELF.to_owned() } else { format!("`{keyword}` of values of several types") };
            }
        }
        for keyword in ["oneOf", "anyOf"] {
            if let Some(Value::Array(branches)) = members.get(keyword) {
                return self.branches(schema, keyword, branches, depth);
            }
        }
        if members.contains_key("allOf") {
            return "`allOf`".to_owned();
        }
        match members.get("type") {
            Some(Value::Array(kinds)) if kinds.iter().filter(|kind| **kind != "null").count() > 1 => {
                let mut kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
                kinds.sort_unstable();
                format!("several types: {}", kinds.join(", "))
            }
            None => format!("rules without a type: {}", rules.join(", ")),
            Some(kind) => match (has_kind(kind, "array"), has_kind(kind, "object")) {
                (true, _) if members.contains_key("prefixItems") => "items by position".to_owned(),
                (true, _) => match members.get("items") {
                    None => "an array without `items`".to_owned(),
                    Some(Value::Array(_)) => "items by position".to_owned(),
                    Some(items) => within(items, "items"),
                },
                (_, true) => match members.get("additionalProperties") {
                    Some(members @ Value::Object(_)) => within(members, "members"),
                    _ if is_bare(members) => "an object that declares nothing".to_owned(),
                    _ => BY_ITSELF.to_owned(),
                },
                _ => BY_ITSELF.to_owned(),
            },
        }
    }

    fn branches(&self, schema: &Schema, keyword: &str, branches: &[Value], depth: usize) -> String {
        let mut kinds: Vec<String> = branches
            .iter()
            .map(|branch| self.kind(&Schema { file: schema.file.clone(), value: branch.clone() }, depth))
            .collect();
        let count = kinds.len();
        kinds.sort_unstable();
        kinds.dedup();
        let objects = kinds.iter().filter(|kind| *kind == "object").count();
        let what = match (kinds.len(), objects) {
            (1, 1) => format!("{count} objects"),
            _ if kinds.iter().any(|kind| kind == "?") => "without types".to_owned(),
            (distinct, _) if distinct == count => format!("of different types: {}", kinds.join(", ")),
            _ => format!("some of one type: {}", kinds.join(", ")),
        };
        format!("`{keyword}` {what}")
    }

    /// The JSON type of a branch.
    fn kind(&self, schema: &Schema, depth: usize) -> String {
        let Value::Object(members) = &schema.value else { return "?".to_owned() };
        if let (Some(Value::String(target)), true) = (members.get("$ref"), depth < MOST_REFERENCES) {
            return self.target(schema, target).map_or("?".to_owned(), |target| self.kind(&target, depth + 1));
        }
        match members.get("type") {
            Some(Value::String(kind)) => kind.clone(),
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("+"),
            _ if members.contains_key("properties") || members.contains_key("required") => "object".to_owned(),
            _ => match members.get("enum").and_then(Value::as_array).or(members.get("allOf").and_then(Value::as_array))
            {
                Some(all) if members.contains_key("enum") => all.first().map_or("?", kind_of).to_owned(),
                Some(all) => all
                    .iter()
                    .map(|part| self.kind(&Schema { file: schema.file.clone(), value: part.clone() }, depth + 1))
                    .find(|kind| kind != "?")
                    .unwrap_or("?".to_owned()),
                None => members.get("const").map_or("?", kind_of).to_owned(),
            },
        }
    }

    /// The target of a reference to a file or into one.
    fn target(&self, schema: &Schema, reference: &str) -> Option<Schema> {
        let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let file = if file.is_empty() { schema.file.clone() } else { schema.file.parent()?.join(file) };
        let root: Value = serde_json::from_str(&self.text(&file)?).ok()?;
        let value = root.pointer(pointer)?.clone();
        Some(Schema { file, value })
    }
}

fn has_kind(kinds: &Value, kind: &str) -> bool {
    kinds == kind || kinds.as_array().is_some_and(|kinds| kinds.iter().any(|it| it == kind))
}

fn is_bare(members: &Map<String, Value>) -> bool {
    ["properties", "patternProperties", "propertyNames", "additionalProperties", "required"]
        .iter()
        .all(|keyword| members.get(*keyword).is_none_or(|value| *value == true))
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The value at a place; for a member's key, the value of the member.
fn at(text: &str, line: u32, column: u32) -> Option<Value> {
    let index = usize::try_from(line).ok()?.checked_sub(1)?;
    let before: usize = text.split_inclusive('\n').take(index).map(str::len).sum();
    let line = text.split_inclusive('\n').nth(index)?;
    let offset = line.char_indices().nth(usize::try_from(column).ok()?.checked_sub(1)?)?.0;
    let rest = text.get(before + offset..)?;
    let mut values = Deserializer::from_str(rest).into_iter::<Value>();
    let value = values.next()?.ok()?;
    let behind = rest.get(values.byte_offset()..)?.trim_start();
    match behind.strip_prefix(':') {
        Some(value) => Deserializer::from_str(value).into_iter().next()?.ok(),
        None => Some(value),
    }
}
