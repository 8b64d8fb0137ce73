//! Reads the schema files of a folder: JSON, YAML and files without an extension. Files that can't be read are left out, with
//! the reason.

use std::fs;
use std::path::Path;

use super::lines::Text;
use super::loose::{Loose, SkippedFile};
use super::yaml;
use crate::support::json::Json;

/// The extensions of schema files.
const JSON: [&str; 3] = [".json", ".jsonschema", ".schema"];
const YAML: [&str; 2] = [".yaml", ".yml"];

/// The files that were found.
#[derive(Debug, Default)]
pub(super) struct SchemaFiles {
    pub(super) files: Vec<Loose>,
    pub(super) left: Vec<SkippedFile>,
}

/// Reads every schema file below a folder.
pub(super) fn folder(root: &Path) -> Result<SchemaFiles, (std::path::PathBuf, std::io::Error)> {
    let mut found = SchemaFiles::default();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| (folder.clone(), error))? {
            let path = entry.map_err(|error| (folder.clone(), error))?.path();
            let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if hidden || path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let shown = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            match file(&path, &shown) {
                Some(Ok((json, text))) => found.files.push(Loose { path: shown, json, text: Some(text) }),
                Some(Err(why)) => found.left.push(SkippedFile::whole(shown, why)),
                None => {}
            }
        }
    }
    found.left.sort_by(|a, b| a.path.cmp(&b.path));
    found.files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// Reads a file; `None` if its name and its beginning aren't those of a schema file.
fn file(path: &Path, shown: &str) -> Option<Result<(Json, Text), String>> {
    let ends = |extensions: &[&str]| extensions.iter().any(|it| shown.ends_with(it));
    let (json, yaml) = (ends(&JSON), ends(&YAML));
    let name = shown.rsplit('/').next().unwrap_or(shown);
    // no extension, as in `1-0-0`, `1.0.0` and `order`
    let bare = !name.rsplit_once('.').is_some_and(|(_, last)| last.starts_with(|c: char| c.is_ascii_alphabetic()));
    if !json && !yaml && !bare {
        return None;
    }
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return Some(Err(format!("can't be read: {error}"))),
    };
    if !json && !yaml && !bytes.trim_ascii_start().starts_with(b"{") {
        return None;
    }
    let read = decoded(bytes).and_then(|text| {
        let json = if yaml { yaml::parse(&text) } else { Json::parse(&text) };
        Ok((json?, if yaml { Text::yaml(text) } else { Text::json(text) }))
    });
    let read = read.and_then(|(json, text)| match &json {
        Json::Object(members) if members.is_empty() || has_keyword(members) => Ok((json, text)),
        Json::Bool(_) => Ok((json, text)),
        Json::Object(_) => Err("is not a schema: it has no keyword of JSON Schema".to_owned()),
        Json::Array(_) => Err("is not a schema: it is an array".to_owned()),
        _ => Err("is not a schema: it is a single value".to_owned()),
    });
    Some(read)
}

/// Returns a file's text, which must be UTF-8.
pub(super) fn decoded(bytes: Vec<u8>) -> Result<String, String> {
    if bytes.starts_with(b"\xfe\xff") || bytes.starts_with(b"\xff\xfe") || bytes.iter().take(2).any(|byte| *byte == 0) {
        return Err("is UTF-16, but schemas are UTF-8: save it as UTF-8".to_owned());
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let line =
            error.as_bytes().iter().take(error.utf8_error().valid_up_to()).filter(|it| **it == b'\n').count() + 1;
        format!("is not valid UTF-8 from line {line} on")
    })?;
    Ok(text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned))
}

/// Returns whether an object has a keyword of JSON Schema.
fn has_keyword(members: &[(String, Json)]) -> bool {
    let is_keyword = |name: &str| match name {
        "type" | "enum" | "const" | "format" | "pattern" | "minimum" | "maximum" | "minLength" | "maxLength"
        | "multipleOf" => true,
        "properties" | "patternProperties" | "required" | "items" | "definitions" => true,
        "additionalProperties" | "allOf" | "anyOf" | "oneOf" | "not" | "if" | "title" | "description" | "id" => true,
        name => name.starts_with('$'),
    };
    members.iter().any(|(name, _)| is_keyword(name))
}
