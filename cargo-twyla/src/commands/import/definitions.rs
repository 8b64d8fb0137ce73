//! Moves definitions to files of their own below `shared/`, if other files refer to them or several files contain them.

use std::collections::{BTreeMap, BTreeSet};

use twyla_contract::rust::field_name;

use super::references::{FilePointer, MARK, plain};
use crate::support::json::{Json, step, within};

/// The keywords that contain definitions.
const HOLDERS: [&str; 2] = ["definitions", "$defs"];
/// The draft of schemas that don't name one.
const DEFAULT: &str = "//json-schema.org/draft/2020-12/schema";

/// The moved definitions, with their new places.
#[derive(Debug, Default)]
pub(super) struct Definitions(BTreeMap<FilePointer, String>);

impl Definitions {
    /// Returns whether a schema has definitions and nothing else.
    pub(super) fn only(json: &Json) -> bool {
        let annotation = |name: &str| {
            matches!(name, "$schema" | "$id" | "id" | "$comment" | "title" | "description" | "$vocabulary" | "self")
                || name.starts_with("x-")
        };
        let holds = |name: &str| HOLDERS.contains(&name);
        json.members().iter().any(|(name, value)| holds(name) && !value.members().is_empty())
            && json.members().iter().all(|(name, _)| holds(name) || annotation(name))
    }

    /// Moves each definition of these files that another file refers to, together with the definitions that it refers to.
    pub(super) fn alone(
        &mut self,
        texts: &BTreeMap<usize, Json>,
        is_movable: &impl Fn(usize) -> bool,
        taken: &BTreeSet<String>,
    ) {
        let mut open: Vec<FilePointer> = Vec::new();
        for json in texts.values() {
            let marked = references(json).into_iter().filter_map(|reference| {
                let (file, pointer) = reference.strip_prefix(MARK)?.split_once('#')?;
                let (file, pointer) = (file.parse().ok()?, definition_of(&crate::support::uri::decoded(pointer))?);
                Some(FilePointer { file, pointer })
            });
            open.extend(marked.filter(|place| is_movable(place.file)));
        }
        open.sort();
        open.reverse();
        let mut used: BTreeSet<String> = self.0.values().cloned().collect();
        while let Some(place) = open.pop() {
            if self.0.contains_key(&place) {
                continue;
            }
            let Some(json) = texts.get(&place.file).and_then(|it| it.pointer(&place.pointer)) else { continue };
            let name = place.pointer.rsplit('/').next().map(name_of).unwrap_or_default();
            let free = |path: &String| !taken.contains(path) && !used.contains(path);
            let numbered = (2..).map(|number| format!("shared/{name}_{number}.json"));
            let Some(path) = std::iter::once(format!("shared/{name}.json")).chain(numbered).find(free) else {
                continue;
            };
            let own = references(json)
                .into_iter()
                .filter_map(|it| definition_of(&crate::support::uri::decoded(it.strip_prefix('#')?)));
            open.extend(own.map(|pointer| FilePointer { file: place.file, pointer }));
            used.insert(path.clone());
            self.0.insert(place, path);
        }
    }

    /// Moves definitions that are equal in several files. A name with different definitions stays, and so does a definition
    /// that refers to one that stays.
    pub(super) fn several(
        &mut self,
        texts: &BTreeMap<usize, Json>,
        is_movable: &impl Fn(usize) -> bool,
        taken: &BTreeSet<String>,
    ) {
        // by name, content and draft
        let mut seen: BTreeMap<String, BTreeMap<(String, String), Vec<FilePointer>>> = BTreeMap::new();
        for (file, json) in texts.iter().filter(|(file, _)| is_movable(**file)) {
            for holder in HOLDERS {
                for (name, definition) in json.get(holder).map_or(&[][..], Json::members) {
                    let place = FilePointer { file: *file, pointer: format!("/{holder}{}", step(name)) };
                    if !self.0.contains_key(&place) {
                        let what = (dialect(definition, json), definition.line());
                        seen.entry(field_name(name)).or_default().entry(what).or_default().push(place);
                    }
                }
            }
        }
        let free = |path: &String| !taken.contains(path) && !self.0.values().any(|other| other == path);
        let mut moved: BTreeMap<FilePointer, String> = BTreeMap::new();
        for (name, kinds) in &seen {
            let path = format!("shared/{name}.json");
            if let Some(places) = kinds.values().next().filter(|it| kinds.len() == 1 && it.len() > 1 && free(&path)) {
                moved.extend(places.iter().map(|place| (place.clone(), path.clone())));
            }
        }
        loop {
            let stays = |place: &FilePointer| {
                let json = texts.get(&place.file).and_then(|json| json.pointer(&place.pointer));
                let own = json.map(references).unwrap_or_default();
                own.iter().filter_map(|it| it.strip_prefix('#')).any(|pointer| {
                    let pointer = crate::support::uri::decoded(pointer);
                    within(&pointer, &place.pointer).is_none()
                        && definition_of(&pointer)
                            .is_none_or(|pointer| !moved.contains_key(&FilePointer { file: place.file, pointer }))
                })
            };
            let stay: BTreeSet<String> =
                moved.iter().filter(|(place, _)| stays(place)).map(|(_, path)| path.clone()).collect();
            if stay.is_empty() {
                break;
            }
            moved.retain(|_, path| !stay.contains(path));
        }
        self.0.extend(moved);
    }

    /// Removes the moved definitions from a file.
    pub(super) fn take_out(&self, file: usize, json: &mut Json) {
        let Json::Object(members) = json else { return };
        let mut emptied = Vec::new();
        for (holder, value) in members.iter_mut().filter(|(name, _)| HOLDERS.contains(&name.as_str())) {
            let Json::Object(definitions) = value else { continue };
            let before = definitions.len();
            definitions.retain(|(name, _)| {
                let pointer = format!("/{holder}{}", step(name));
                !self.0.contains_key(&FilePointer { file, pointer })
            });
            if definitions.is_empty() && before > 0 {
                emptied.push(holder.clone());
            }
        }
        members.retain(|(name, _)| !emptied.contains(name));
    }

    /// Returns each new file with the definitions that it replaces.
    pub(super) fn moved(&self) -> BTreeMap<String, Vec<FilePointer>> {
        let mut all: BTreeMap<String, Vec<FilePointer>> = BTreeMap::new();
        for (place, path) in &self.0 {
            all.entry(path.clone()).or_default().push(place.clone());
        }
        all
    }

    /// Returns the new file of the definition that a pointer leads to or into, and the rest of the pointer in it; `None` if
    /// the definition stays.
    pub(super) fn place<'p>(&self, file: usize, pointer: &'p str) -> Option<(&str, &'p str)> {
        let definition = definition_of(pointer)?;
        let rest = within(pointer, &definition)?;
        let path = self.0.get(&FilePointer { file, pointer: definition })?;
        Some((path, rest))
    }

    /// Returns a definition with the draft of the file that it comes from.
    pub(super) fn with_dialect(json: Json, root: Option<&Json>) -> Json {
        let uri = root.and_then(|root| root.get("$schema")?.str()).filter(|uri| plain(uri) != DEFAULT);
        match (json, uri) {
            (Json::Object(mut members), Some(uri)) if !members.iter().any(|(name, _)| name == "$schema") => {
                members.insert(0, ("$schema".to_owned(), Json::String(uri.to_owned())));
                Json::Object(members)
            }
            (json, _) => json,
        }
    }
}

/// Returns the draft of a definition: its own `$schema`, or the draft of its file.
fn dialect(definition: &Json, root: &Json) -> String {
    let uri = definition.get("$schema").or_else(|| root.get("$schema")).and_then(Json::str);
    uri.map_or(DEFAULT, plain).to_owned()
}

/// Returns the pointer of the definition that a pointer leads to or into; `None` if it leads elsewhere.
fn definition_of(pointer: &str) -> Option<String> {
    let mut steps = pointer.splitn(4, '/').skip(1);
    let (holder, name) = (steps.next()?, steps.next()?);
    HOLDERS.contains(&holder).then(|| format!("/{holder}/{name}"))
}

/// Returns a file name for a definition.
fn name_of(step: &str) -> String {
    field_name(&step.replace("~1", "/").replace("~0", "~"))
}

fn references(json: &Json) -> Vec<String> {
    let mut found = Vec::new();
    json.clone().each_schema(&mut |members| {
        let named = members.iter().filter(|(name, _)| name == "$ref");
        found.extend(named.filter_map(|(_, value)| value.str()).map(str::to_owned));
    });
    found
}
