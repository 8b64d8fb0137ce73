//! Every schema of the folder under its URI, and where each `$ref` leads. Nothing is fetched from anywhere.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use twyla_contract::similar;

use crate::draft::{Draft, HOLDERS, Holds, is_meta};
use crate::load::{At, File, Json, Node, Role, step};
use crate::problem::{Problem, What};
use crate::uri::{self, Unresolved};

/// Where a schema is: its file, by index, and the JSON Pointer in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Loc {
    pub(crate) file: usize,
    pub(crate) pointer: String,
}

impl Loc {
    pub(crate) fn root(file: usize) -> Self {
        Self { file, pointer: String::new() }
    }

    pub(crate) fn step(&self, key: &str) -> Self {
        Self { file: self.file, pointer: step(&self.pointer, key) }
    }
}

/// What holds for a schema by its surroundings.
#[derive(Clone, Debug)]
pub(crate) struct Info {
    pub(crate) base: String,
    pub(crate) draft: Draft,
}

/// All schemas of the folder.
#[derive(Debug)]
pub(crate) struct Schemas {
    pub(crate) files: Vec<File>,
    pub(crate) infos: BTreeMap<Loc, Info>,
    resources: HashMap<String, Loc>,
    anchors: HashMap<(String, String), Loc>,
    pub(crate) refs: HashMap<Loc, Loc>,
    default_draft: Draft,
}

impl Schemas {
    pub(crate) fn new(files: Vec<File>, default_draft: Draft, problems: &mut Vec<Problem>) -> Self {
        let (infos, resources, anchors, refs) = Default::default();
        let mut schemas = Self { files, infos, resources, anchors, refs, default_draft };
        for file in 0..schemas.files.len() {
            // rpc contracts are not compiled yet; their schemas may be referred to
            let base = uri::of_file(&schemas.files[file].path);
            schemas.resources.insert(base.clone(), Loc::root(file));
            let info = Info { base, draft: default_draft };
            schemas.register(Loc::root(file), &info, problems);
        }
        schemas.follow(problems);
        schemas.circles(problems);
        schemas
    }

    pub(crate) fn node(&self, loc: &Loc) -> Option<&Node> {
        self.files.get(loc.file)?.root.pointer(&loc.pointer)
    }

    pub(crate) fn problem(&self, loc: &Loc, at: At, what: What) -> Problem {
        self.files[loc.file].problem(at, what)
    }

    pub(crate) fn draft(&self, loc: &Loc) -> Draft {
        self.infos.get(loc).map_or(self.default_draft, |info| info.draft)
    }

    pub(crate) fn default_draft(&self) -> Draft {
        self.default_draft
    }

    /// The file at that path, with its index.
    pub(crate) fn of_role(&self, role: impl Fn(&Role) -> bool) -> impl Iterator<Item = (usize, &File)> {
        self.files.iter().enumerate().filter(move |(_, file)| role(&file.role))
    }

    /// Notes a schema and all schemas in it.
    fn register(&mut self, loc: Loc, outer: &Info, problems: &mut Vec<Problem>) {
        let Some(node) = self.node(&loc).cloned() else { return };
        let mut info = outer.clone();
        if let Some(member) = node.member("$schema")
            && let Some(uri) = member.value.str()
        {
            match Draft::of(uri) {
                Some(draft) => info.draft = draft,
                None => {
                    let near = similar::nearest(uri, Draft::uris()).map(str::to_owned);
                    problems.push(self.problem(
                        &loc,
                        member.value.at,
                        What::UnknownDraft { uri: uri.to_owned(), near },
                    ));
                }
            }
        }
        let alone = info.draft.ref_stands_alone() && node.get("$ref").is_some_and(|node| node.str().is_some());
        if !alone {
            self.name(&loc, &node, &mut info, problems);
        }
        self.infos.insert(loc.clone(), info.clone());
        for member in node.members() {
            let Some((_, holds)) = HOLDERS.iter().find(|(name, _)| *name == member.key) else { continue };
            let at = loc.step(&member.key);
            match (holds, &member.value.json) {
                (Holds::One | Holds::OneOrMany, Json::Object(_) | Json::Bool(_)) => self.register(at, &info, problems),
                (Holds::Many | Holds::OneOrMany, Json::Array(items)) => {
                    for index in 0..items.len() {
                        self.register(at.step(&index.to_string()), &info, problems);
                    }
                }
                (Holds::Named, Json::Object(members)) => {
                    for member in members.iter().filter(|member| !matches!(member.value.json, Json::Array(_))) {
                        self.register(at.step(&member.key), &info, problems);
                    }
                }
                _ => {}
            }
        }
    }

    /// Notes the names that a schema gives itself.
    fn name(&mut self, loc: &Loc, node: &Node, info: &mut Info, problems: &mut Vec<Problem>) {
        if let Some(member) = node.member(info.draft.id_keyword())
            && let Some(id) = member.value.str()
        {
            let (absolute, fragment) = uri::split(id);
            if !absolute.is_empty() {
                if let Ok(uri) = uri::resolve(&info.base, absolute) {
                    let taken = self.resources.get(&uri).is_some_and(|other| other != loc);
                    if taken {
                        problems.push(self.problem(loc, member.value.at, What::DuplicateId { uri: uri.clone() }));
                    } else {
                        self.resources.insert(uri.clone(), loc.clone());
                    }
                    info.base = uri;
                } else {
                    problems.push(self.problem(loc, member.value.at, What::BadReference { reference: id.to_owned() }));
                }
            }
            if !fragment.is_empty() && info.draft <= Draft::Draft7 {
                self.anchors.insert((info.base.clone(), fragment.to_owned()), loc.clone());
            }
        }
        for keyword in ["$anchor", "$dynamicAnchor"] {
            if info.draft.has(keyword)
                && let Some(anchor) = node.get(keyword).and_then(Node::str)
            {
                self.anchors.insert((info.base.clone(), anchor.to_owned()), loc.clone());
            }
        }
    }

    /// Finds where each `$ref` leads; a place that no keyword made a schema is one when it is referred to.
    fn follow(&mut self, problems: &mut Vec<Problem>) {
        let mut done = BTreeSet::new();
        loop {
            let open: Vec<Loc> = self.infos.keys().filter(|loc| !done.contains(*loc)).cloned().collect();
            if open.is_empty() {
                return;
            }
            for loc in open {
                for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
                    self.follow_one(&loc, keyword, problems);
                }
                done.insert(loc);
            }
        }
    }

    fn follow_one(&mut self, loc: &Loc, keyword: &str, problems: &mut Vec<Problem>) {
        let Some(info) = self.infos.get(loc).cloned().filter(|info| info.draft.has(keyword)) else { return };
        let Some(member) = self.node(loc).and_then(|node| node.member(keyword)).cloned() else { return };
        let Some(reference) = member.value.str() else { return };
        match self.resolve(&info.base, reference) {
            Ok(target) => {
                if !self.infos.contains_key(&target) {
                    let outer = self.surroundings(&target);
                    self.register(target.clone(), &outer, problems);
                }
                if keyword == "$ref" {
                    self.refs.insert(loc.clone(), target);
                }
            }
            Err(what) => problems.push(self.problem(loc, member.value.at, what)),
        }
    }

    /// The info of the nearest schema around a place.
    fn surroundings(&self, loc: &Loc) -> Info {
        let mut pointer = loc.pointer.as_str();
        while let Some(end) = pointer.rfind('/') {
            pointer = &pointer[..end];
            if let Some(info) = self.infos.get(&Loc { file: loc.file, pointer: pointer.to_owned() }) {
                return info.clone();
            }
        }
        Info { base: uri::of_file(&self.files[loc.file].path), draft: self.default_draft }
    }

    fn resolve(&self, base: &str, reference: &str) -> Result<Loc, What> {
        let owned = || reference.to_owned();
        let (absolute, fragment) = uri::split(reference);
        let document = uri::resolve(base, absolute).map_err(|error| match error {
            Unresolved::Leaves => What::LeavesFolder { reference: owned() },
            Unresolved::Bad => What::BadReference { reference: owned() },
        })?;
        let Some(resource) = self.resources.get(&document) else {
            if is_meta(&document) {
                return Err(What::MetaSchema { reference: owned() });
            }
            return Err(match uri::file_of(&document) {
                Some(path) => What::DanglingFile { reference: owned(), near: self.near_file(base, &path) },
                None if document.starts_with("file:") => What::LeavesFolder { reference: owned() },
                None => What::WantsNetwork { reference: owned(), uri: document },
            });
        };
        let fragment = uri::decoded(fragment).ok_or_else(|| What::BadReference { reference: owned() })?;
        if fragment.is_empty() {
            return Ok(resource.clone());
        }
        let found = if fragment.starts_with('/') {
            let loc = Loc { file: resource.file, pointer: format!("{}{fragment}", resource.pointer) };
            self.node(&loc).is_some_and(|node| matches!(node.json, Json::Object(_) | Json::Bool(_))).then_some(loc)
        } else {
            self.anchors.get(&(document.clone(), fragment.clone())).cloned()
        };
        found.ok_or_else(|| What::DanglingPointer {
            reference: owned(),
            near: self.near_fragment(resource, &document, &fragment).map(|near| format!("{absolute}#{near}")),
        })
    }

    fn near_file(&self, base: &str, path: &str) -> Option<String> {
        let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
        let paths = || self.files.iter().map(|file| file.path.as_str());
        // the right name in the wrong folder, or nearly the right path
        let same = paths().find(|other| name(other) == name(path));
        let near = same.or_else(|| similar::nearest(path, paths()))?;
        Some(uri::file_of(base).map_or_else(|| near.to_owned(), |from| relative(&from, near)))
    }

    fn near_fragment(&self, resource: &Loc, document: &str, fragment: &str) -> Option<String> {
        let prefix = format!("{}/", resource.pointer);
        let pointers: Vec<&str> = self
            .infos
            .keys()
            .filter(|loc| loc.file == resource.file && loc.pointer.starts_with(&prefix))
            .map(|loc| &loc.pointer[resource.pointer.len()..])
            .collect();
        let anchors = self.anchors.keys().filter(|(base, _)| base == document).map(|(_, anchor)| anchor.as_str());
        let last = fragment.rsplit('/').next().unwrap_or(fragment);
        let same = pointers.iter().find(|pointer| pointer.rsplit('/').next() == Some(last)).copied();
        let near = same.or_else(|| similar::nearest(fragment, pointers.iter().copied().chain(anchors)));
        // `#/definitions/adress` where `#/$defs/address` is
        let by_name = || {
            let names = pointers.iter().filter_map(|pointer| pointer.rsplit('/').next());
            let name = similar::nearest(last, names)?;
            pointers.iter().find(|pointer| pointer.rsplit('/').next() == Some(name)).copied()
        };
        near.or_else(by_name).map(str::to_owned)
    }

    /// The schemas that hold for the same value as the schema there.
    fn in_place(&self, loc: &Loc) -> Vec<Loc> {
        let Some(node) = self.node(loc) else { return Vec::new() };
        let mut out = Vec::new();
        if let Some(target) = self.refs.get(loc) {
            out.push(target.clone());
            if self.draft(loc).ref_stands_alone() {
                return out;
            }
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let count = node.get(keyword).map_or(0, |node| node.items().len());
            out.extend((0..count).map(|index| loc.step(keyword).step(&index.to_string())));
        }
        for keyword in ["not", "if", "then", "else"] {
            out.extend(node.get(keyword).filter(|node| node.is_object()).map(|_| loc.step(keyword)));
        }
        out
    }

    /// Reports each ring of schemas that hold for one value and lead to nothing but each other.
    fn circles(&self, problems: &mut Vec<Problem>) {
        let mut state: HashMap<Loc, bool> = HashMap::new();
        for start in self.infos.keys() {
            if state.contains_key(start) {
                continue;
            }
            // depth first without recursion: a chain of references may be long
            let mut way = vec![(start.clone(), self.in_place(start))];
            state.insert(start.clone(), true);
            while let Some((_, next)) = way.last_mut() {
                let Some(loc) = next.pop() else {
                    if let Some((loc, _)) = way.pop() {
                        state.insert(loc, false);
                    }
                    continue;
                };
                match state.get(&loc) {
                    Some(true) => {
                        let from = way.iter().position(|(other, _)| *other == loc).unwrap_or(0);
                        self.report_circle(way[from..].iter().map(|(loc, _)| loc), problems);
                    }
                    Some(false) => {}
                    None => {
                        state.insert(loc.clone(), true);
                        let next = self.in_place(&loc);
                        way.push((loc, next));
                    }
                }
            }
        }
    }

    fn report_circle<'a>(&self, ring: impl Iterator<Item = &'a Loc>, problems: &mut Vec<Problem>) {
        let refs: Vec<(&Loc, &crate::load::Member)> = ring
            .filter_map(|loc| Some((loc, self.node(loc)?.member("$ref")?)))
            .filter(|(loc, _)| self.refs.contains_key(loc))
            .collect();
        let Some((loc, first)) = refs.first() else { return };
        let shown = |member: &crate::load::Member| format!("`{}`", member.value.str().unwrap_or_default());
        let mut chain: Vec<String> = refs.iter().map(|(_, member)| shown(member)).collect();
        chain.push(shown(first));
        let what =
            What::Circular { reference: first.value.str().unwrap_or_default().to_owned(), chain: chain.join(" -> ") };
        problems.push(self.problem(loc, first.value.at, what));
    }

    /// The files that a file's schemas lead to, itself included.
    pub(crate) fn reach(&self, file: usize) -> BTreeSet<usize> {
        let mut seen = BTreeSet::from([file]);
        let mut open = vec![file];
        while let Some(file) = open.pop() {
            for (loc, target) in &self.refs {
                if loc.file == file && seen.insert(target.file) {
                    open.push(target.file);
                }
            }
        }
        seen
    }
}

/// A path as it is written in a file that refers to it.
fn relative(from: &str, to: &str) -> String {
    let (from, to): (Vec<&str>, Vec<&str>) = (from.split('/').collect(), to.split('/').collect());
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count().min(from.len() - 1).min(to.len() - 1);
    let mut out = "../".repeat(from.len() - 1 - common);
    out.push_str(&to[common..].join("/"));
    out
}
