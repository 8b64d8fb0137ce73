//! All schemas of a folder by their place and by their URI, and the target of each reference.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use twyla_contract::similar;

use crate::schema::draft::{Dialects, Draft, Vocabularies};
use crate::schema::format;
use crate::schema::load::{At, File, Node, Role, step};
use crate::schema::problem::{Problem, What};
use crate::schema::uri;

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
    /// The URI of the schema resource that it is of.
    pub(crate) base: Arc<str>,
    /// The name of that resource: its URI, or that and its file, where an earlier file embeds a resource of the same URI.
    pub(crate) resource: Arc<str>,
    pub(crate) draft: Draft,
    pub(crate) vocabularies: Vocabularies,
}

impl Info {
    /// Whether a keyword is in force.
    pub(crate) fn knows(&self, keyword: &str) -> bool {
        self.draft.has(keyword) && self.vocabularies.has(keyword)
    }
}

/// All schemas of the folder, and those of the documents that they refer to.
#[derive(Debug)]
pub(crate) struct Schemas {
    pub(crate) files: Vec<File>,
    pub(crate) infos: BTreeMap<Loc, Info>,
    /// Where each `$ref` leads.
    pub(crate) refs: HashMap<Loc, Loc>,
    /// Where each `$dynamicRef` and `$recursiveRef` leads at first; dynamic anchors of the resources that lead there may
    /// take its place.
    pub(crate) dynamic: HashMap<Loc, Loc>,
    /// By the name of the resource.
    pub(crate) resources: HashMap<Arc<str>, Loc>,
    /// The names of the resources that a file embeds, by the file and the URI: a bundle's own come before those of others.
    pub(crate) own: HashMap<(usize, Arc<str>), Arc<str>>,
    /// By the name of the resource, then by their own.
    pub(crate) anchors: HashMap<Arc<str>, BTreeMap<String, Loc>>,
    pub(crate) dynamic_anchors: HashMap<Arc<str>, BTreeMap<String, Loc>>,
    pub(crate) recursive_anchors: HashSet<Loc>,
    /// The schemas in which another draft holds than around them.
    pub(crate) embedded: BTreeSet<Loc>,
    default_draft: Draft,
    dialects: Dialects,
    formats: bool,
    /// The formats that are rules in every draft.
    asserted: BTreeSet<String>,
    /// How many names may still be compared for a did-you-mean.
    patience: Cell<usize>,
}

/// How many names are compared for the did-you-means of a folder, so that one with many mistakes is told of soon.
pub(super) const PATIENCE: usize = 50_000;

impl Schemas {
    /// An empty register of these files.
    pub(super) fn of_files(files: Vec<File>, default_draft: Draft, dialects: Dialects) -> Self {
        Self {
            files,
            infos: BTreeMap::new(),
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
            patience: Cell::new(PATIENCE),
        }
    }

    /// Whether `format` is a rule; otherwise it only tells something.
    pub(crate) fn with_formats(self, formats: bool) -> Self {
        Self { formats, ..self }
    }

    /// Formats that are rules in every draft.
    pub(crate) fn with_asserted(self, asserted: BTreeSet<String>) -> Self {
        Self { asserted, ..self }
    }

    /// The variant of the runtime's `Format` for a format that is a rule in a draft.
    pub(crate) fn format(&self, draft: Draft, name: &str) -> Option<&'static str> {
        let asserted = || format::variant(Draft::default(), name).filter(|_| self.asserted.contains(name));
        format::variant(draft, name).or_else(asserted).filter(|_| self.formats)
    }

    /// Whether a format is a rule in a draft only because it was asserted.
    pub(crate) fn asserts(&self, draft: Draft, name: &str) -> bool {
        self.format(draft, name).is_some() && format::variant(draft, name).is_none()
    }

    /// Whether `format` is a rule.
    pub(crate) fn formats(&self) -> bool {
        self.formats
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

    /// Whether a keyword is in force there: whether the draft has it, and the meta-schema its vocabulary.
    pub(crate) fn knows(&self, loc: &Loc, keyword: &str) -> bool {
        self.infos.get(loc).map_or_else(|| self.default_draft.has(keyword), |info| info.knows(keyword))
    }

    /// The name of the schema resource that a schema is of: no two resources share one.
    pub(crate) fn base(&self, loc: &Loc) -> &str {
        self.infos.get(loc).map_or("", |info| &info.resource)
    }

    /// The root of the resource with that name.
    pub(crate) fn resource(&self, base: &str) -> Option<&Loc> {
        self.resources.get(base)
    }

    /// The name of the resource that a URI means in a file: one that the file embeds, else that of all files.
    pub(crate) fn named<'a>(&'a self, file: usize, uri: &'a str) -> &'a str {
        self.own.get(&(file, Arc::from(uri))).map_or(uri, |name| name)
    }

    /// The schemas of a resource that `$dynamicAnchor` names.
    pub(crate) fn dynamic_anchors(&self, base: &str) -> impl Iterator<Item = (&str, &Loc)> {
        let anchors = self.dynamic_anchors.get(base).into_iter().flatten();
        anchors.map(|(name, loc)| (name.as_str(), loc))
    }

    /// Whether the schema has `$recursiveAnchor: true`.
    pub(crate) fn recursive_anchor(&self, loc: &Loc) -> bool {
        self.recursive_anchors.contains(loc)
    }

    /// The draft that a `$schema` stands for by its URI alone: that of a draft, or one that is set.
    pub(crate) fn set_draft(&self, uri: &str) -> Option<Draft> {
        Draft::of(uri).or_else(|| self.dialects.set(uri))
    }

    /// The same, or what is known of a URI that no document has: once all resources are known.
    pub(crate) fn draft_of(&self, uri: &str) -> Option<Draft> {
        let given = || uri::of_document(uri).is_some_and(|uri| self.resources.contains_key(uri.as_str()));
        self.set_draft(uri).or_else(|| Dialects::known(uri).filter(|_| !given()))
    }

    pub(crate) fn default_draft(&self) -> Draft {
        self.default_draft
    }

    /// The file at that path, with its index.
    pub(crate) fn of_role(&self, role: impl Fn(&Role) -> bool) -> impl Iterator<Item = (usize, &File)> {
        self.files.iter().enumerate().filter(move |(_, file)| role(&file.role))
    }

    /// The nearest of some names, for a did-you-mean; none once there were too many mistakes.
    pub(crate) fn nearest<'a>(&self, name: &str, names: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
        let patient = self.patient(1) && self.patient(names.clone().take(PATIENCE).count());
        patient.then(|| similar::nearest(name, names)).flatten()
    }

    /// Whether so many names more may be compared.
    pub(super) fn patient(&self, names: usize) -> bool {
        let left = self.patience.get().checked_sub(names.max(1));
        self.patience.set(left.unwrap_or(0));
        left.is_some()
    }

    /// The pointer of a schema below another, from there.
    pub(crate) fn within<'a>(&self, resource: &Loc, loc: &'a Loc) -> Option<&'a str> {
        let rest = loc.pointer.strip_prefix(&resource.pointer).filter(|_| loc.file == resource.file)?;
        rest.starts_with('/').then_some(rest)
    }

    /// The schemas that lead to one of these: those around one, and those that refer to these. They are among them.
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
