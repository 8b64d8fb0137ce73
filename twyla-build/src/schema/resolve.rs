//! Finds the target of a reference. Nothing is fetched, and nothing outside the folder is read.

use twyla_contract::similar;

use crate::schema::load::{File, FileRole, Json};
use crate::schema::problem::ProblemKind;
use crate::schema::schemas::{Loc, PATIENCE, Schemas};
use crate::schema::settings;
use crate::schema::uri::{self, Unresolved};

impl Schemas {
    /// Returns the target of a reference in a file, relative to a base URI.
    pub(crate) fn resolve(&self, file: usize, base: &str, reference: &str) -> Result<Loc, ProblemKind> {
        let owned = || reference.to_owned();
        let (absolute, fragment) = uri::split(reference);
        let document = uri::resolve(base, absolute).map_err(|error| match error {
            Unresolved::Leaves => ProblemKind::LeavesFolder { reference: owned() },
            Unresolved::Bad => ProblemKind::BadReference { reference: owned() },
        })?;
        let name = self.named(file, &document);
        let Some(resource) = self.resources.get(name) else {
            return Err(match uri::file_of(&document) {
                Some(path) => ProblemKind::DanglingFile { reference: owned(), near: self.near_file(base, &path) },
                None if document.starts_with("file:") => ProblemKind::LeavesFolder { reference: owned() },
                None => ProblemKind::WantsNetwork {
                    reference: owned(),
                    uri: document,
                    settings: settings::shown(&self.files),
                },
            });
        };
        if self.files.get(resource.file).is_some_and(|file| file.unread) {
            return Ok(resource.clone());
        }
        let fragment = uri::decoded(fragment).ok_or_else(|| ProblemKind::BadReference { reference: owned() })?;
        if fragment.is_empty() {
            return Ok(resource.clone());
        }
        let found = if fragment.starts_with('/') {
            let loc = Loc { file: resource.file, pointer: format!("{}{fragment}", resource.pointer) };
            self.node(&loc).is_some_and(|node| matches!(node.json, Json::Object(_) | Json::Bool(_))).then_some(loc)
        } else {
            self.anchors.get(name).and_then(|anchors| anchors.get(&fragment)).cloned()
        };
        found.ok_or_else(|| ProblemKind::DanglingPointer {
            reference: owned(),
            near: self.near_fragment(resource, name, &fragment).map(|near| format!("{absolute}#{near}")),
        })
    }

    fn near_file(&self, base: &str, path: &str) -> Option<String> {
        if !self.patient(self.files.len()) {
            return None;
        }
        let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
        let own = |file: &&File| !matches!(file.role, FileRole::Document | FileRole::MetaSchema);
        let paths = || self.files.iter().filter(own).map(|file| file.path.as_str());
        // the right name in the wrong folder, or nearly the right path
        let same = paths().find(|other| name(other) == name(path));
        let near = same.or_else(|| similar::nearest(path, paths()))?;
        Some(uri::file_of(base).map_or_else(|| near.to_owned(), |from| relative(&from, near)))
    }

    fn near_fragment(&self, resource: &Loc, document: &str, fragment: &str) -> Option<String> {
        if !self.patient(1) {
            return None;
        }
        let prefix = resource.step("");
        let within = || self.infos.at_or_after(&prefix).map_while(|loc| self.within(resource, loc));
        let names = || self.anchors.get(document).into_iter().flatten().map(|(name, _)| name.as_str());
        if !self.patient(within().take(PATIENCE).count() + names().count()) {
            return None;
        }
        let pointers: Vec<&str> = within().collect();
        let last = fragment.rsplit('/').next().unwrap_or(fragment);
        let same = pointers.iter().find(|pointer| pointer.rsplit('/').next() == Some(last)).copied();
        let near = same.or_else(|| similar::nearest(fragment, pointers.iter().copied().chain(names())));
        // `#/definitions/adress` instead of `#/$defs/address`
        let by_name = || {
            let names = pointers.iter().filter_map(|pointer| pointer.rsplit('/').next());
            let name = similar::nearest(last, names)?;
            pointers.iter().find(|pointer| pointer.rsplit('/').next() == Some(name)).copied()
        };
        near.or_else(by_name).map(str::to_owned)
    }
}

/// Returns a path relative to the file that refers to it.
fn relative(from: &str, to: &str) -> String {
    let (from, to): (Vec<&str>, Vec<&str>) = (from.split('/').collect(), to.split('/').collect());
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count().min(from.len() - 1).min(to.len() - 1);
    let mut out = "../".repeat(from.len() - 1 - common);
    out.push_str(&to[common..].join("/"));
    out
}
