//! All schemas of a folder by their place and by their URI, and the target of each reference.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use twyla_contract::similar;

use crate::schema::draft::{Dialects, Draft, Vocabularies};
use crate::schema::format;
use crate::schema::load::{At, File, FileRole, Node, step};
use crate::schema::problem::{Problem, ProblemKind};
use crate::schema::uri;

/// The place of a schema: the index of its file, and the JSON Pointer in it.
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

/// The properties that a schema inherits from the schemas around it.
#[derive(Clone, Debug)]
pub(crate) struct Info {
    /// The URI of the schema's resource.
    pub(crate) base: Arc<str>,
    /// The name of the resource: its URI, with its file if an earlier file embeds a resource of the same URI.
    pub(crate) resource: Arc<str>,
    pub(crate) draft: Draft,
    pub(crate) vocabularies: Vocabularies,
}

impl Info {
    /// Returns whether a keyword is in force.
    pub(crate) fn knows(&self, keyword: &str) -> bool {
        self.draft.has(keyword) && self.vocabularies.has(keyword)
    }
}

/// The properties of all schemas, by place.
#[derive(Debug, Default)]
pub(crate) struct Infos {
    by_place: HashMap<Loc, Info>,
    order: BTreeSet<Loc>,
}

impl Infos {
    pub(super) fn insert(&mut self, loc: Loc, info: Info) {
        self.order.insert(loc.clone());
        self.by_place.insert(loc, info);
    }

    /// Removes the schemas of these files.
    pub(super) fn remove_files(&mut self, files: &BTreeSet<usize>) {
        self.order.retain(|loc| !files.contains(&loc.file));
        self.by_place.retain(|loc, _| !files.contains(&loc.file));
    }

    pub(crate) fn get(&self, loc: &Loc) -> Option<&Info> {
        self.by_place.get(loc)
    }

    pub(crate) fn contains_key(&self, loc: &Loc) -> bool {
        self.by_place.contains_key(loc)
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// Returns the places, in order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Loc> + Clone {
        self.order.iter()
    }

    /// Returns the schemas in the order of their places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Loc, &Info)> {
        self.order.iter().filter_map(|loc| Some((loc, self.by_place.get(loc)?)))
    }

    /// Returns the places from `first` on, in order.
    pub(super) fn at_or_after(&self, first: &Loc) -> impl Iterator<Item = &Loc> {
        self.order.range(first..)
    }
}

/// All schemas of the folder, and the schemas of the documents that they refer to.
#[derive(Debug)]
pub(crate) struct Schemas {
    pub(crate) files: Vec<File>,
    pub(crate) infos: Infos,
    /// The target of each `$ref`.
    pub(crate) refs: HashMap<Loc, Loc>,
    /// The initial target of each `$dynamicRef` and `$recursiveRef`; dynamic anchors in scope may replace it.
    pub(crate) dynamic: HashMap<Loc, Loc>,
    /// The roots of resources, by name.
    pub(crate) resources: HashMap<Arc<str>, Loc>,
    /// The names of embedded resources, by file and URI. A reference prefers the resources of its own file.
    pub(crate) own: HashMap<(usize, Arc<str>), Arc<str>>,
    /// The anchors of each resource.
    pub(crate) anchors: HashMap<Arc<str>, BTreeMap<String, Loc>>,
    pub(crate) dynamic_anchors: HashMap<Arc<str>, BTreeMap<String, Loc>>,
    pub(crate) recursive_anchors: HashSet<Loc>,
    /// The schemas with another draft than the schema around them.
    pub(crate) embedded: BTreeSet<Loc>,
    default_draft: Draft,
    dialects: Dialects,
    formats: bool,
    /// The formats that are asserted in every draft.
    asserted: BTreeSet<String>,
    /// The patterns of properties for which `null` means the same as absence.
    pub(crate) null_is_absent: Vec<String>,
    /// The number of names that may still be compared for a did-you-mean.
    patience: AtomicUsize,
}

/// Limit of names compared for the did-you-means of a folder, so that many mistakes don't take long.
pub(super) const PATIENCE: usize = 50_000;

impl Schemas {
    /// Creates an empty register of these files.
    pub(super) fn of_files(files: Vec<File>, default_draft: Draft, dialects: Dialects) -> Self {
        Self {
            files,
            infos: Infos::default(),
            refs: HashMap::new(),
            dynamic: HashMap::new(),
            resources: HashMap::new(),
            own: HashMap::new(),
            anchors: HashMap::new(),
            dynamic_anchors: HashMap::new(),
            recursive_anchors: HashSet::new(),
            embedded: BTreeSet::new(),
            default_draft,
            dialects,
            formats: true,
            asserted: BTreeSet::new(),
            null_is_absent: Vec::new(),
            patience: AtomicUsize::new(PATIENCE),
        }
    }

    /// Sets whether `format` is a rule or an annotation.
    pub(crate) fn with_formats(self, formats: bool) -> Self {
        Self { formats, ..self }
    }

    /// Sets the formats that are asserted in every draft.
    pub(crate) fn with_asserted(self, asserted: BTreeSet<String>) -> Self {
        Self { asserted, ..self }
    }

    /// Sets the patterns of properties for which `null` means the same as absence.
    pub(crate) fn with_null_is_absent(self, null_is_absent: Vec<String>) -> Self {
        Self { null_is_absent, ..self }
    }

    /// Returns the variant of the runtime's `Format` for a format that is a rule in a draft; `None` for any other
    /// format.
    pub(crate) fn format(&self, draft: Draft, name: &str) -> Option<&'static str> {
        let asserted = || format::variant(Draft::default(), name).filter(|_| self.asserted.contains(name));
        format::variant(draft, name).or_else(asserted).filter(|_| self.formats)
    }

    /// Returns whether a format is a rule in a draft only because it is asserted.
    pub(crate) fn asserts(&self, draft: Draft, name: &str) -> bool {
        self.format(draft, name).is_some() && format::variant(draft, name).is_none()
    }

    /// Returns whether `format` is a rule.
    pub(crate) fn formats(&self) -> bool {
        self.formats
    }

    pub(crate) fn node(&self, loc: &Loc) -> Option<&Node> {
        self.files.get(loc.file)?.root.pointer(&loc.pointer)
    }

    pub(crate) fn problem(&self, loc: &Loc, at: At, kind: ProblemKind) -> Problem {
        self.files[loc.file].problem(at, kind)
    }

    pub(crate) fn draft(&self, loc: &Loc) -> Draft {
        self.infos.get(loc).map_or(self.default_draft, |info| info.draft)
    }

    /// Returns whether a keyword is in force for a schema, by its draft and its vocabularies.
    pub(crate) fn knows(&self, loc: &Loc, keyword: &str) -> bool {
        self.infos.get(loc).map_or_else(|| self.default_draft.has(keyword), |info| info.knows(keyword))
    }

    /// Returns the name of a schema's resource, which is unique.
    pub(crate) fn base(&self, loc: &Loc) -> &str {
        self.infos.get(loc).map_or("", |info| &info.resource)
    }

    /// Returns the root of a resource.
    pub(crate) fn resource(&self, base: &str) -> Option<&Loc> {
        self.resources.get(base)
    }

    /// Returns the name of the resource that a URI means in a file, which prefers the resources that it embeds.
    pub(crate) fn named<'a>(&'a self, file: usize, uri: &'a str) -> &'a str {
        self.own.get(&(file, Arc::from(uri))).map_or(uri, |name| name)
    }

    /// Returns the dynamic anchors of a resource.
    pub(crate) fn dynamic_anchors(&self, base: &str) -> impl Iterator<Item = (&str, &Loc)> {
        let anchors = self.dynamic_anchors.get(base).into_iter().flatten();
        anchors.map(|(name, loc)| (name.as_str(), loc))
    }

    /// Returns whether the schema has `$recursiveAnchor: true`.
    pub(crate) fn recursive_anchor(&self, loc: &Loc) -> bool {
        self.recursive_anchors.contains(loc)
    }

    /// Returns the draft of a `$schema` by its URI: a known draft, or one that was set for the URI.
    pub(crate) fn set_draft(&self, uri: &str) -> Option<Draft> {
        Draft::of(uri).or_else(|| self.dialects.set(uri))
    }

    /// Returns the draft of a `$schema` as [`set_draft`](Self::set_draft) does, or that of a built-in dialect if no document has
    /// its URI. Needs all resources to be registered.
    pub(crate) fn draft_of(&self, uri: &str) -> Option<Draft> {
        let given = || uri::of_document(uri).is_some_and(|uri| self.resources.contains_key(uri.as_str()));
        self.set_draft(uri).or_else(|| Dialects::known(uri).filter(|_| !given()))
    }

    pub(crate) fn default_draft(&self) -> Draft {
        self.default_draft
    }

    /// Returns whether the schemas of a file are used: something refers to the file, or its role needs no reference.
    /// `shown` is the file's name in messages.
    pub(crate) fn reads(&self, shown: &str) -> bool {
        let file = self.files.iter().position(|file| file.shown == shown);
        file.is_some_and(|file| self.infos.contains_key(&Loc::root(file)))
    }

    /// Returns the files of a role, with their indexes.
    pub(crate) fn of_role(&self, role: impl Fn(&FileRole) -> bool) -> impl Iterator<Item = (usize, &File)> {
        self.files.iter().enumerate().filter(move |(_, file)| role(&file.role))
    }

    /// Returns the nearest name for a did-you-mean; `None` after too many comparisons.
    pub(crate) fn nearest<'a>(&self, name: &str, names: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
        let patient = self.patient(1) && self.patient(names.clone().take(PATIENCE).count());
        patient.then(|| similar::nearest(name, names)).flatten()
    }

    /// Takes this number of comparisons from the budget. Returns false if there aren't enough.
    pub(super) fn patient(&self, names: usize) -> bool {
        let left = |patience: usize| patience.checked_sub(names.max(1));
        let taken = self.patience.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
        if taken.is_err() {
            self.patience.store(0, Ordering::Relaxed);
        }
        taken.is_ok()
    }

    /// Returns the pointer of a schema relative to the root of a resource; `None` if the schema isn't below that root.
    pub(crate) fn within<'a>(&self, resource: &Loc, loc: &'a Loc) -> Option<&'a str> {
        let rest = loc.pointer.strip_prefix(&resource.pointer).filter(|_| loc.file == resource.file)?;
        rest.starts_with('/').then_some(rest)
    }

    /// Returns the schemas that lead to one of these: these themselves, the schemas around them, and the schemas that
    /// refer to them.
    pub(crate) fn leading_to(&self, these: impl Iterator<Item = Loc>) -> HashSet<Loc> {
        let mut from: HashMap<&Loc, Vec<&Loc>> = HashMap::new();
        for (loc, target) in self.refs.iter().chain(&self.dynamic) {
            from.entry(target).or_default().push(loc);
        }
        let mut open: Vec<Loc> = these.collect();
        let mut found = HashSet::new();
        while let Some(loc) = open.pop() {
            if !found.insert(loc.clone()) {
                continue;
            }
            open.extend(from.get(&loc).into_iter().flatten().map(|loc| (*loc).clone()));
            if let Some(end) = loc.pointer.rfind('/') {
                open.push(Loc { file: loc.file, pointer: loc.pointer[..end].into() });
            }
        }
        found
    }
}
