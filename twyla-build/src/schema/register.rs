//! Registers every schema under its place and its identifiers, and follows every reference.
//!
//! Problems of a document, and of a file that is left out, count only if something refers to it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use twyla_contract::similar;

use crate::schema::cycles;
use crate::schema::draft::{Dialects, Draft, HOLDERS, Subschemas, Vocabularies};
use crate::schema::load::{At, File, FileRole, Json, Node};
use crate::schema::meta;
use crate::schema::problem::{Problem, ProblemKind};
use crate::schema::schemas::{Info, Loc, Schemas};
use crate::schema::settings;
use crate::schema::uri;

/// Size limit of the JSON Pointers and URIs of all schemas together, in bytes: deep places below long names could take many
/// times the size of their file.
const MAX_NAMES: usize = 32 << 20;

/// The maximum length of a URI in bytes; it is bounded because the URIs of nested resources begin with it.
const MAX_URI: usize = 2 << 10;

/// Registers the schemas of these files, and follows all references.
pub(crate) fn schemas(
    files: Vec<File>,
    default_draft: Draft,
    dialects: Dialects,
    problems: &mut Vec<Problem>,
) -> Schemas {
    let mut schemas = Schemas::of_files(files, default_draft, dialects);
    all(&mut schemas, problems);
    cycles::report(&schemas, problems);
    schemas
}

fn all(schemas: &mut Schemas, problems: &mut Vec<Problem>) {
    let documents = root_uris(&schemas.files);
    let mut register = Register {
        schemas,
        documents,
        fresh: Vec::new(),
        waiting: HashMap::new(),
        problems: Vec::new(),
        twice: Vec::new(),
        asked: HashSet::new(),
        bytes: 0,
    };
    // the URI of a file takes precedence over its `$id`
    for file in 0..register.schemas.files.len() {
        let base = uri::of_file(&register.schemas.files[file].path);
        register.schemas.resources.insert(base.into(), Loc::root(file));
    }
    let mut open = Vec::new();
    for file in 0..register.schemas.files.len() {
        register.file(file);
        let fresh = std::mem::take(&mut register.fresh);
        if matches!(register.schemas.files[file].role, FileRole::Document | FileRole::LeftOut(_)) {
            register.waiting.insert(file, fresh);
        } else {
            open.extend(fresh);
        }
    }
    while let Some(loc) = open.pop() {
        for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
            register.follow(&loc, keyword);
        }
        open.append(&mut register.fresh);
    }
    // a URI that two schemas have is an error only if a reference uses it
    let Register { problems: found, twice, asked, .. } = &mut register;
    found.extend(twice.drain(..).filter(|it| it.matters(asked)).map(|it| (it.file, it.problem)));
    let unused: BTreeSet<usize> = register.waiting.into_keys().collect();
    let said = register.problems.into_iter().filter(|(file, _)| !unused.contains(file));
    problems.extend(said.map(|(_, problem)| problem));
    schemas.infos.remove_files(&unused);
}

/// Returns the files by their URI and by the `$id` of their root.
fn root_uris(files: &[File]) -> HashMap<String, usize> {
    let mut out = HashMap::new();
    for (index, file) in files.iter().enumerate() {
        let base = uri::of_file(&file.path);
        let ids = ["$id", "id"].into_iter().filter_map(|keyword| file.root.get(keyword)?.str());
        for id in ids.filter_map(|id| uri::resolve(&base, uri::split(id).0).ok()) {
            out.entry(id).or_insert(index);
        }
        out.insert(base, index);
    }
    out
}

struct Register<'a> {
    schemas: &'a mut Schemas,
    /// The files that a `$schema` may name, by URI.
    documents: HashMap<String, usize>,
    /// The schemas whose references aren't followed yet.
    fresh: Vec<Loc>,
    /// The schemas whose references aren't followed yet, by the document or left-out file to which nothing refers yet.
    waiting: HashMap<usize, Vec<Loc>>,
    problems: Vec<(usize, Problem)>,
    /// The URIs of more than one schema.
    twice: Vec<DuplicateUri>,
    /// The URIs that references have used, each with the referring file, if that embeds the resource.
    asked: HashSet<(Option<usize>, Arc<str>)>,
    /// The current size of all names, in bytes.
    bytes: usize,
}

/// A URI of a schema that is already the URI of another schema.
struct DuplicateUri {
    uri: Arc<str>,
    file: usize,
    /// Whether the other schema with this URI is in the same file. If not, a reference within this file means this file's schema,
    /// and isn't ambiguous.
    within: bool,
    problem: Problem,
}

impl DuplicateUri {
    /// Returns whether a reference may mean either schema.
    fn matters(&self, asked: &HashSet<(Option<usize>, Arc<str>)>) -> bool {
        let by = |file| asked.contains(&(file, self.uri.clone()));
        by(None) || self.within && by(Some(self.file))
    }
}

impl Register<'_> {
    fn file(&mut self, file: usize) {
        let base: Arc<str> = uri::of_file(&self.schemas.files[file].path).into();
        let (draft, vocabularies) = (self.schemas.default_draft(), Vocabularies::ALL);
        let info = Info { resource: base.clone(), base, draft, vocabularies };
        self.place(Loc::root(file), &info, true);
    }

    /// Registers the schema at a place and all schemas in it. Its identifiers are registered only if it is `named`,
    /// which means that a keyword makes it a schema.
    fn place(&mut self, loc: Loc, outer: &Info, named: bool) {
        // take the files out, so that their nodes can be read while the rest is modified
        let files = std::mem::take(&mut self.schemas.files);
        if let Some(node) = files.get(loc.file).and_then(|file| file.root.pointer(&loc.pointer)) {
            self.schema(&files, loc, node, outer, named);
        }
        self.schemas.files = files;
    }

    fn schema(&mut self, files: &[File], loc: Loc, node: &Node, outer: &Info, named: bool) {
        if self.schemas.infos.contains_key(&loc) || !self.affords(loc.pointer.len(), files, &loc, node) {
            return;
        }
        let mut info = outer.clone();
        if let Some(member) = node.member("$schema")
            && let Some(uri) = member.value.str()
        {
            match self.dialect(files, uri) {
                Ok(dialect) => {
                    if dialect.0 != outer.draft && !loc.pointer.is_empty() {
                        self.schemas.embedded.insert(loc.clone());
                    }
                    (info.draft, info.vocabularies) = dialect;
                }
                Err(kind) => {
                    self.report(files, &loc, member.value.at, kind);
                    // the meaning of the schema's keywords is unknown too: report only one error
                    info.vocabularies = Vocabularies::CORE;
                }
            }
        }
        let alone = info.draft.ref_stands_alone() && node.get("$ref").is_some_and(|node| node.str().is_some());
        if !alone {
            self.names(files, &loc, node, &mut info, named);
        }
        for member in node.members() {
            let Some((_, holds)) = HOLDERS.iter().find(|(name, _)| *name == member.key) else { continue };
            if !info.knows(&member.key) || self.full() {
                continue;
            }
            let at = || loc.step(&member.key);
            match (holds, &member.value.json) {
                (Subschemas::One | Subschemas::OneOrMany, Json::Object(_) | Json::Bool(_)) => {
                    self.schema(files, at(), &member.value, &info, true);
                }
                (Subschemas::Many | Subschemas::OneOrMany, Json::Array(items)) => {
                    for (index, item) in items.iter().enumerate() {
                        if self.full() {
                            break;
                        }
                        self.schema(files, at().step(&index.to_string()), item, &info, true);
                    }
                }
                (Subschemas::Named, Json::Object(members)) => {
                    for member in members.iter().filter(|member| !matches!(member.value.json, Json::Array(_))) {
                        if self.full() {
                            break;
                        }
                        self.schema(files, at().step(&member.key), &member.value, &info, true);
                    }
                }
                _ => {}
            }
        }
        self.fresh.push(loc.clone());
        self.schemas.infos.insert(loc, info);
    }

    /// Adds bytes to the size of all names. Reports when the limit is reached, and returns whether the bytes fit.
    fn affords(&mut self, bytes: usize, files: &[File], loc: &Loc, node: &Node) -> bool {
        if !self.full() {
            self.bytes += bytes;
            if self.full() {
                let kind = ProblemKind::TooMuch {
                    subject: "the JSON Pointers and URIs of all schemas together",
                    limit: MAX_NAMES,
                };
                self.report(files, loc, node.at, kind);
            }
        }
        !self.full()
    }

    fn full(&self) -> bool {
        self.bytes > MAX_NAMES
    }

    fn report(&mut self, files: &[File], loc: &Loc, at: At, kind: ProblemKind) {
        self.problems.push((loc.file, files[loc.file].problem(at, kind)));
    }

    /// Returns the draft and the vocabularies of a `$schema`.
    fn dialect(&self, files: &[File], uri: &str) -> Result<(Draft, Vocabularies), ProblemKind> {
        if let Some(draft) = self.schemas.set_draft(uri) {
            return Ok((draft, Vocabularies::ALL));
        }
        let unknown = || {
            let near = similar::nearest(uri, Draft::uris()).map(str::to_owned);
            ProblemKind::UnknownDraft { uri: uri.to_owned(), near, settings: settings::shown(files) }
        };
        let document = |uri: &str| Some(&files.get(*self.documents.get(&uri::of_document(uri)?)?)?.root);
        let Some(own) = document(uri) else {
            return Dialects::known(uri).map(|draft| (draft, Vocabularies::ALL)).ok_or_else(unknown);
        };
        // the draft of a custom meta-schema is that of its own `$schema`, which may name another custom meta-schema; a
        // cycle has no draft
        let (mut draft, mut at) = (None, own);
        for _ in 0..=files.len() {
            let Some(next) = at.get("$schema").and_then(Node::str) else {
                draft = Some(self.schemas.default_draft());
                break;
            };
            draft = self.schemas.set_draft(next);
            if draft.is_some() {
                break;
            }
            let Some(document) = document(next) else {
                draft = Dialects::known(next);
                break;
            };
            at = document;
        }
        let draft = draft.ok_or_else(unknown)?;
        let Some(Json::Object(members)) = own.get("$vocabulary").map(|node| &node.json) else {
            return Ok((draft, Vocabularies::ALL));
        };
        if !draft.has("$vocabulary") {
            return Ok((draft, Vocabularies::ALL));
        }
        let mut all = Vocabularies::CORE;
        for member in members.iter() {
            match all.with(draft, &member.key) {
                Some(more) => all = more,
                None if matches!(member.value.json, Json::Bool(true)) => {
                    return Err(ProblemKind::UnknownVocabulary { uri: member.key.clone(), schema: uri.to_owned() });
                }
                None => {}
            }
        }
        Ok((draft, all))
    }

    /// Registers the identifiers of a schema: its `$id` and its anchors.
    fn names(&mut self, files: &[File], loc: &Loc, node: &Node, info: &mut Info, named: bool) {
        if let Some(member) = node.member(info.draft.id_keyword())
            && let Some(id) = member.value.str()
        {
            let (absolute, fragment) = uri::split(id);
            if !absolute.is_empty() {
                match uri::resolve(&info.base, absolute) {
                    Ok(uri) if uri.len() > MAX_URI => {
                        let kind = ProblemKind::TooMuch { subject: "a URI", limit: MAX_URI };
                        self.report(files, loc, member.value.at, kind);
                    }
                    Ok(uri) if !self.affords(uri.len(), files, loc, node) => {}
                    Ok(uri) => {
                        let uri: Arc<str> = uri.into();
                        info.resource = match named {
                            true => self.resource(files, loc, member.value.at, &uri),
                            false => self.schemas.named(loc.file, &uri).into(),
                        };
                        info.base = uri;
                    }
                    Err(_) => {
                        self.report(files, loc, member.value.at, ProblemKind::BadReference { reference: id.to_owned() })
                    }
                }
            }
            if named && !fragment.is_empty() && info.draft <= Draft::Draft7 {
                let anchors = self.schemas.anchors.entry(info.resource.clone()).or_default();
                anchors.insert(fragment.to_owned(), loc.clone());
            }
        }
        if !named {
            return;
        }
        for keyword in ["$anchor", "$dynamicAnchor"] {
            if let Some(anchor) = node.get(keyword).filter(|_| info.knows(keyword)).and_then(Node::str) {
                let anchors = self.schemas.anchors.entry(info.resource.clone()).or_default();
                anchors.insert(anchor.to_owned(), loc.clone());
                if keyword == "$dynamicAnchor" {
                    let anchors = self.schemas.dynamic_anchors.entry(info.resource.clone()).or_default();
                    anchors.insert(anchor.to_owned(), loc.clone());
                }
            }
        }
        if info.knows("$recursiveAnchor")
            && node.get("$recursiveAnchor").is_some_and(|node| matches!(node.json, Json::Bool(true)))
        {
            self.schemas.recursive_anchors.insert(loc.clone());
        }
    }

    /// Registers a resource under its URI, and returns its name. If another file has a resource with this URI, the new
    /// one is visible only within its own file.
    fn resource(&mut self, files: &[File], loc: &Loc, at: At, uri: &Arc<str>) -> Arc<str> {
        let own = (loc.file, uri.clone());
        let first = self.schemas.resources.get(self.schemas.named(loc.file, uri)).filter(|first| *first != loc);
        let Some(first) = first.cloned() else {
            self.schemas.resources.insert(uri.clone(), loc.clone());
            self.schemas.own.insert(own, uri.clone());
            return uri.clone();
        };
        let within = first.file == loc.file;
        let place = |file: &File| {
            let node = file.root.pointer(&first.pointer)?;
            let named = ["$id", "id"].into_iter().find_map(|keyword| node.get(keyword));
            Some(file.place(named.unwrap_or(node).at))
        };
        let place = files.get(first.file).and_then(place).map(|place| place.to_string()).unwrap_or_default();
        let kind = ProblemKind::DuplicateId { uri: uri.to_string(), first: place };
        let problem = files[loc.file].problem(at, kind);
        self.twice.push(DuplicateUri { uri: uri.clone(), file: loc.file, within, problem });
        if within {
            return self.schemas.named(loc.file, uri).into();
        }
        // a URI contains no control characters, so the name differs from every URI
        let name: Arc<str> = format!("{uri}\0{}", files[loc.file].path).into();
        self.schemas.resources.insert(name.clone(), loc.clone());
        self.schemas.own.insert(own, name.clone());
        name
    }

    /// Resolves a reference. A place that no keyword makes a schema becomes one when something refers to it.
    fn follow(&mut self, loc: &Loc, keyword: &str) {
        let Some(info) = self.schemas.infos.get(loc).filter(|info| info.knows(keyword)) else { return };
        let base = info.base.clone();
        let Some(member) = self.schemas.node(loc).and_then(|node| node.member(keyword)) else { return };
        let (Some(reference), at) = (member.value.str().map(str::to_owned), member.value.at) else { return };
        self.meta_schema(&base, &reference);
        if let Ok(document) = uri::resolve(&base, uri::split(&reference).0) {
            let document: Arc<str> = document.into();
            let own = self.schemas.own.contains_key(&(loc.file, document.clone())).then_some(loc.file);
            self.asked.insert((own, document));
        }
        match self.schemas.resolve(loc.file, &base, &reference) {
            Ok(target) => {
                if let Some(waiting) = self.waiting.remove(&target.file) {
                    self.fresh.extend(waiting);
                }
                if !self.schemas.infos.contains_key(&target) {
                    let outer = self.surroundings(&target);
                    self.place(target.clone(), &outer, false);
                }
                let targets = if keyword == "$ref" { &mut self.schemas.refs } else { &mut self.schemas.dynamic };
                targets.insert(loc.clone(), target);
            }
            Err(kind) => self.problems.push((loc.file, self.schemas.problem(loc, at, kind))),
        }
    }

    /// Loads the meta-schema that a reference leads to, unless it is loaded already.
    fn meta_schema(&mut self, base: &str, reference: &str) {
        let Ok(document) = uri::resolve(base, uri::split(reference).0) else { return };
        if self.schemas.resources.contains_key(document.as_str()) {
            return;
        }
        let Some(file) = meta::document(&document) else { return };
        let known = self.schemas.resources.get(file.path.as_str()).cloned();
        let root = known.unwrap_or_else(|| {
            let index = self.schemas.files.len();
            self.schemas.resources.insert(file.path.as_str().into(), Loc::root(index));
            self.schemas.files.push(file);
            self.file(index);
            Loc::root(index)
        });
        self.schemas.resources.insert(document.into(), root);
    }

    /// Returns the info of the nearest schema around a place.
    fn surroundings(&self, loc: &Loc) -> Info {
        let mut pointer = loc.pointer.as_str();
        while let Some(end) = pointer.rfind('/') {
            pointer = &pointer[..end];
            if let Some(info) = self.schemas.infos.get(&Loc { file: loc.file, pointer: pointer.to_owned() }) {
                return info.clone();
            }
        }
        let base: Arc<str> = uri::of_file(&self.schemas.files[loc.file].path).into();
        Info { resource: base.clone(), base, draft: self.schemas.default_draft(), vocabularies: Vocabularies::ALL }
    }
}
