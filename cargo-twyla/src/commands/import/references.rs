//! Finds the targets of references between files: by `$id`, also of embedded resources, and by path.

use std::collections::{BTreeMap, BTreeSet};

use twyla_build::Draft;

use super::loose::Loose;
use crate::support::json::{Json, step};
use crate::support::schemas::beside;
use crate::support::uri::{self, decoded};

/// A character that no written reference contains.
pub(super) const MARK: char = '\0';

/// A place in an imported file: the index of the file, and a JSON Pointer, which is empty for the whole file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FilePointer {
    pub(super) file: usize,
    pub(super) pointer: String,
}

/// The target of a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A place in one of the files.
    Found(FilePointer),
    /// A URI that none of the files has.
    Outside(String),
    /// A missing file, or a missing place in a file.
    Nothing { near: Option<String> },
    /// A place that is missing within the surrounding `$id`, but exists in the whole file.
    Beside { id: String },
}

/// A reference as it is written, and the JSON Pointer of its keyword.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) text: String,
    pub(super) pointer: String,
}

/// The resource that contains a schema.
#[derive(Clone, Debug)]
struct Resource {
    /// The base URI of the resource, if it has one.
    base: Option<String>,
    pointer: String,
}

/// The possible targets of references.
pub(super) struct Resources<'a> {
    files: &'a [Loose],
    by_path: BTreeMap<&'a str, usize>,
    by_uri: BTreeMap<String, Vec<FilePointer>>,
    /// The JSON Pointers of anchors, by their resource and their name.
    anchors: BTreeMap<(FilePointer, String), String>,
    /// The files that are kept unchanged.
    kept: BTreeSet<usize>,
}

impl<'a> Resources<'a> {
    pub(super) fn of(files: &'a [Loose]) -> Self {
        let mut all = Self {
            files,
            by_path: files.iter().enumerate().map(|(index, file)| (&*file.path, index)).collect(),
            by_uri: BTreeMap::new(),
            anchors: BTreeMap::new(),
            kept: BTreeSet::new(),
        };
        let mut dialects = BTreeSet::new();
        for (index, file) in files.iter().enumerate() {
            let (mut dynamic, mut embeds) = (false, false);
            let mut names = Vec::new();
            each(&file.json, |members, pointer, resource, named| {
                let text =
                    |keyword: &str| members.iter().find(|(name, _)| name == keyword).and_then(|(_, it)| it.str());
                dynamic |= ["$dynamicRef", "$recursiveRef"].into_iter().any(|it| text(it).is_some());
                embeds |= named && !pointer.is_empty();
                dialects.extend(text("$schema").filter(|uri| !is_draft(uri)).map(|uri| plain(uri).to_owned()));
                let place = FilePointer { file: index, pointer: pointer.to_owned() };
                if named && let Some(uri) = &resource.base {
                    all.by_uri.entry(uri.clone()).or_default().push(place);
                }
                let of = FilePointer { file: index, pointer: resource.pointer.clone() };
                let anchor = text("$anchor").or_else(|| text("$dynamicAnchor"));
                let anchor = anchor.or_else(|| text("$id").or_else(|| text("id")).and_then(|id| id.strip_prefix('#')));
                names.extend(anchor.map(|name| ((of, name.to_owned()), pointer.to_owned())));
            });
            all.anchors.extend(names);
            if dynamic && embeds {
                all.kept.insert(index);
            }
        }
        // a meta-schema is found only by its URI, so its file is kept unchanged
        let named = all.by_uri.iter().filter(|(uri, _)| dialects.contains(plain(uri)));
        let named: Vec<usize> = named.flat_map(|(_, places)| places.iter().map(|it| it.file)).collect();
        all.kept.extend(named);
        let mut open: Vec<usize> = all.kept.iter().copied().collect();
        while let Some(file) = open.pop() {
            for (_, target) in all.references(file) {
                if let Target::Found(place) = target
                    && all.kept.insert(place.file)
                {
                    open.push(place.file);
                }
            }
        }
        all
    }

    /// Returns the index of the file with this path.
    pub(super) fn index(&self, path: &str) -> Option<usize> {
        self.by_path.get(path).copied()
    }

    /// Returns whether a file keeps its names and references, because dynamic references or other files depend on them.
    pub(super) fn is_kept(&self, file: usize) -> bool {
        self.kept.contains(&file)
    }

    /// Returns the references of a file and the meta-schemas that it names: each as it is written, with its target.
    pub(super) fn references(&self, file: usize) -> Vec<(Written, Target)> {
        let mut found = Vec::new();
        let Some(loose) = self.files.get(file) else { return found };
        each(&loose.json, |members, pointer, resource, _| {
            let written =
                |text: &str, keyword: &str| Written { text: text.to_owned(), pointer: format!("{pointer}/{keyword}") };
            let references = members.iter().filter(|(name, _)| name == "$ref").filter_map(|(_, value)| value.str());
            found.extend(references.map(|it| (written(it, "$ref"), self.target(file, resource, it))));
            // a meta-schema that is one of the imported files
            let dialects = members.iter().filter(|(name, _)| name == "$schema").filter_map(|(_, value)| value.str());
            found.extend(dialects.filter(|uri| !is_draft(uri)).filter_map(|uri| {
                let (_, places) = self.by_uri.iter().find(|(named, _)| plain(named) == plain(uri))?;
                Some((written(uri, "$schema"), Target::Found(places.first()?.clone())))
            }));
        });
        found
    }

    fn target(&self, file: usize, from: &Resource, reference: &str) -> Target {
        let (document, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let resource = match self.document(file, from, document) {
            Ok(resource) => resource,
            Err(target) => return target,
        };
        let fragment = decoded(fragment);
        let pointer = match fragment.as_str() {
            "" => Some(resource.pointer.clone()),
            pointer if pointer.starts_with('/') => Some(format!("{}{pointer}", resource.pointer)),
            name => self.anchors.get(&(resource.clone(), name.to_owned())).cloned(),
        };
        let root = self.files.get(resource.file).map(|it| &it.json);
        match pointer.filter(|pointer| root.is_some_and(|root| root.pointer(pointer).is_some())) {
            Some(pointer) => Target::Found(FilePointer { file: resource.file, pointer }),
            None => match from.base.clone().filter(|_| document.is_empty() && !resource.pointer.is_empty()) {
                Some(id) if root.is_some_and(|root| root.pointer(&fragment).is_some()) => Target::Beside { id },
                _ => Target::Nothing { near: None },
            },
        }
    }

    /// Returns the resource that a reference leads to, without its fragment.
    fn document(&self, file: usize, from: &Resource, document: &str) -> Result<FilePointer, Target> {
        if document.is_empty() {
            return Ok(FilePointer { file, pointer: from.pointer.clone() });
        }
        let absolute = |uri: &str| uri.contains("://") || uri.starts_with("urn:");
        let uri = match &from.base {
            Some(base) => resolved(base, document),
            None => Some(document.to_owned()).filter(|it| absolute(it)),
        };
        let by_uri = |uri: &str| {
            let places = self.by_uri.get(uri).or_else(|| self.by_uri.get(uri.trim_end_matches('#')))?;
            // resources of the same file come first; the draft itself is preferred to another file's copy of it
            let other = || places.first().filter(|_| !is_draft(uri));
            places.iter().find(|place| place.file == file).or_else(other).cloned()
        };
        if let Some(place) = uri.as_deref().and_then(by_uri).or_else(|| by_uri(document)) {
            return Ok(place);
        }
        if absolute(document) {
            return Err(Target::Outside(document.to_owned()));
        }
        // many files have an `$id` but refer to each other by path
        let path = self.files.get(file).and_then(|it| beside(&it.path, &decoded(document)));
        let names = ["", ".json", ".yaml", ".yml", ".schema.json"];
        let found = path.iter().flat_map(|path| names.map(|end| format!("{path}{end}")));
        let found = found.filter_map(|path| self.by_path.get(path.as_str())).next();
        if let Some(file) = found {
            return Ok(FilePointer { file: *file, pointer: String::new() });
        }
        if let Some(uri) = uri {
            return Err(Target::Outside(uri));
        }
        let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
        let paths = || self.by_path.keys().copied();
        let same = paths().find(|path| name(path) == name(document));
        let near = same.or_else(|| twyla_contract::similar::nearest(&path.unwrap_or_default(), paths()));
        Err(Target::Nothing { near: near.map(str::to_owned) })
    }

    /// Returns a file without any `$id`, with the text that `with` returns for each reference.
    pub(super) fn rewritten(&self, file: usize, with: &mut impl FnMut(&FilePointer) -> String) -> Json {
        let Some(loose) = self.files.get(file) else { return Json::Bool(true) };
        let mut targets = Vec::new();
        let mut names = BTreeSet::new();
        each(&loose.json, |members, pointer, resource, named| {
            if named {
                names.insert(pointer.to_owned());
            }
            let reference = members.iter().find(|(name, _)| name == "$ref").and_then(|(_, value)| value.str());
            if let Some(Target::Found(place)) = reference.map(|it| self.target(file, resource, it)) {
                targets.push((pointer.to_owned(), with(&place)));
            }
        });
        let mut json = loose.json.clone();
        for (pointer, reference) in targets {
            if let Some(Json::Object(members)) = json.pointer_mut(&pointer)
                && let Some((_, value)) = members.iter_mut().find(|(name, _)| name == "$ref")
            {
                *value = Json::String(reference);
            }
        }
        for pointer in names {
            if let Some(Json::Object(members)) = json.pointer_mut(&pointer) {
                members.retain(|(name, value)| !(name == "$id" || name == "id" && value.str().is_some()));
            }
        }
        json
    }
}

/// Calls `see` for each schema of a file with its pointer, its resource, and whether it is the root of that resource.
fn each(root: &Json, mut see: impl FnMut(&[(String, Json)], &str, &Resource, bool)) {
    let draft = root.get("$schema").and_then(Json::str).unwrap_or_default();
    let old = draft.contains("draft-04") || draft.contains("//iglucentral.com/");
    let alone = old || draft.contains("draft-06") || draft.contains("draft-07");
    let resource = Resource { base: None, pointer: String::new() };
    walk(root, &mut String::new(), &resource, (old, alone), &mut see);
}

fn walk(
    json: &Json,
    pointer: &mut String,
    resource: &Resource,
    (old, alone): (bool, bool),
    see: &mut impl FnMut(&[(String, Json)], &str, &Resource, bool),
) {
    let end = pointer.len();
    match json {
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointer.push_str(&format!("/{index}"));
                walk(item, pointer, resource, (old, alone), see);
                pointer.truncate(end);
            }
        }
        Json::Object(members) => {
            let keyword = |keyword: &str| json.get(keyword).and_then(Json::str);
            // up to draft 7, siblings of a reference are ignored
            let ignored = alone && keyword("$ref").is_some();
            let id = keyword("$id").or_else(|| keyword("id").filter(|_| old || pointer.is_empty()));
            let id = id.map(|id| id.split_once('#').map_or(id, |(id, _)| id)).filter(|id| !id.is_empty() && !ignored);
            let own = id.map(|id| {
                let base = match &resource.base {
                    Some(base) => resolved(base, id),
                    None => Some(id.to_owned()),
                };
                Resource { base, pointer: pointer.clone() }
            });
            let resource = own.as_ref().unwrap_or(resource);
            see(members, pointer, resource, own.is_some());
            for (name, value) in members {
                pointer.push_str(&step(name));
                match (name.as_str(), value) {
                    ("enum" | "const" | "default" | "example" | "examples", _) => {}
                    (
                        "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas"
                        | "dependencies",
                        Json::Object(named),
                    ) => {
                        let end = pointer.len();
                        for (name, value) in named {
                            pointer.push_str(&step(name));
                            walk(value, pointer, resource, (old, alone), see);
                            pointer.truncate(end);
                        }
                    }
                    (_, value) => walk(value, pointer, resource, (old, alone), see),
                }
                pointer.truncate(end);
            }
        }
        _ => {}
    }
}

/// Returns a reference to a JSON Pointer within the same document.
pub(super) fn fragment(pointer: &str) -> String {
    format!("#{}", uri::fragment(pointer))
}

/// Returns whether a `$schema` is a draft of JSON Schema, which needs no file.
fn is_draft(uri: &str) -> bool {
    let drafts = [Draft::Draft4, Draft::Draft6, Draft::Draft7, Draft::Draft201909, Draft::Draft202012];
    drafts.iter().any(|draft| plain(draft.uri()) == plain(uri))
}

/// Normalizes a `$schema`: `http` and `https`, with and without `#`, are interchangeable in practice.
pub(super) fn plain(uri: &str) -> &str {
    uri.trim_end_matches('#').trim_start_matches("https:").trim_start_matches("http:")
}

/// Resolves a reference against a URI, as far as files need RFC 3986.
fn resolved(base: &str, reference: &str) -> Option<String> {
    if reference.contains("://") || reference.starts_with("urn:") {
        return Some(reference.to_owned());
    }
    let Some((scheme, rest)) = base.split_once("://") else {
        // without `://`, the base is a path or a URN, and nothing can be resolved against a URN
        return if base.starts_with("urn:") { None } else { beside(base, reference) };
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = match reference.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None => beside(path, reference)?,
    };
    Some(format!("{scheme}://{authority}/{path}"))
}
