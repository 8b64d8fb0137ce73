//! The properties that the schemas of one object declare and require.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::members::applied;
use super::reader::SchemaReader;
use crate::json_type::JsonType;
use crate::schema::load::{Member, Node};
use crate::schema::schemas::Loc;

/// The maximum number of chained references that are searched for the default of a property.
const MOST_REFERENCES: usize = 100;

/// The maximum number of alternatives whose properties are compared.
const MOST_ALTERNATIVES: usize = 100;

/// A declared property of an object.
pub(super) struct Declared<'a> {
    pub(super) wire: &'a str,
    /// The property's schema; `None` if several schemas differ.
    pub(super) schema: Option<Loc>,
    pub(super) member: &'a Member,
    pub(super) file: usize,
    /// Whether the schema of the object itself declares it.
    pub(super) own: bool,
    /// The other schemas that apply to the property's values.
    pub(super) also: Vec<Loc>,
    /// All schemas that apply, or may apply, to the property's values.
    pub(super) all: Vec<Loc>,
    /// The property's schemas in each alternative, if one of the alternatives applies to every value.
    pub(super) branches: Vec<Loc>,
}

/// The properties that all schemas of one object declare. Each schema is read once.
#[derive(Default)]
struct Declarations<'a> {
    asked: HashSet<Loc>,
    names: HashMap<&'a str, usize>,
    all: Vec<Declared<'a>>,
}

/// The properties that all schemas of one object require. Each schema is read once.
#[derive(Default)]
pub(super) struct Required<'a> {
    asked: HashSet<Loc>,
    pub(super) names: HashSet<&'a str>,
    pub(super) all: Vec<(&'a str, &'a Node, usize)>,
}

impl<'a> SchemaReader<'a> {
    /// Collects the properties that the schema declares, then those of the schemas that apply to the same object.
    pub(super) fn declared(&self, loc: &Loc) -> Vec<Declared<'a>> {
        let mut out = Declarations::default();
        self.declare(loc, true, true, &mut out);
        if out.all.iter().any(|declared| declared.schema.is_none()) {
            self.declare_common(loc, &mut out.all);
        }
        out.all
    }

    /// Returns the names of the properties that the schema, or one that always applies with it, declares.
    pub(super) fn declared_names(&self, loc: &Loc) -> HashSet<&'a str> {
        let sure = |declared: Declared<'a>| declared.schema.map(|_| declared.wire);
        self.declared(loc).into_iter().filter_map(sure).collect()
    }

    /// Returns the names of all declared properties, including those of schemas that apply only to some values.
    pub(super) fn all_declared_names(&self, loc: &Loc) -> HashSet<&'a str> {
        self.declared(loc).into_iter().map(|declared| declared.wire).collect()
    }

    /// Finds the schemas of the properties that each alternative declares or excludes. One of the alternatives applies to
    /// every value.
    fn declare_common(&self, loc: &Loc, all: &mut [Declared<'a>]) {
        for alternatives in self.alternatives_of(loc) {
            let open = all.iter_mut().filter(|declared| declared.schema.is_none() && declared.branches.is_empty());
            for declared in open {
                let mut schemas = Vec::new();
                let is_known = alternatives.iter().all(|parts| {
                    let own = self.members_at(parts, declared.wire);
                    let is_known = !own.is_empty() || self.excludes(parts, declared.wire);
                    schemas.extend(own);
                    is_known
                });
                if !is_known {
                    continue;
                }
                if let Some(first) =
                    schemas.first().filter(|first| schemas.iter().all(|other| self.alike(first, other)))
                {
                    declared.schema = Some(first.clone());
                }
                declared.branches = schemas;
            }
        }
    }

    /// Returns, for each `anyOf`, `oneOf` and `if` of a schema, its alternatives for objects: each is a list of schemas
    /// that apply together.
    fn alternatives_of(&self, loc: &Loc) -> Vec<Vec<Vec<Loc>>> {
        let mut out = Vec::new();
        for at in applied(self, loc) {
            for keyword in ["anyOf", "oneOf"] {
                let branches: Vec<Loc> = self.listed(&at, keyword).collect();
                if (1..=MOST_ALTERNATIVES).contains(&branches.len()) {
                    let objects = branches.iter().filter(|at| self.possible(at).has(JsonType::Object));
                    out.push(objects.map(|at| applied(self, at)).collect());
                }
            }
            if ["if", "then", "else"].into_iter().all(|keyword| self.has(&at, keyword)) {
                out.push(["then", "else"].map(|keyword| applied(self, &at.step(keyword))).to_vec());
            }
        }
        out
    }

    /// Returns whether two schemas are the same, apart from annotations.
    fn alike(&self, one: &Loc, other: &Loc) -> bool {
        let (one, other) = (self.referred(one), self.referred(other));
        if one == other {
            return true;
        }
        let rules = |loc: &Loc| -> BTreeMap<&str, String> {
            self.rules_of(loc).filter_map(|rule| Some((rule, self.get(loc, rule)?.text()))).collect()
        };
        self.schemas.base(&one) == self.schemas.base(&other)
            && self.schemas.draft(&one) == self.schemas.draft(&other)
            && [&one, &other].into_iter().all(|at| self.node(at).is_object() && !self.dynamic.contains(at))
            && rules(&one) == rules(&other)
    }

    /// Collects the properties that a schema declares. `sure` means that the schema applies to every such object.
    fn declare(&self, loc: &Loc, sure: bool, own: bool, out: &mut Declarations<'a>) {
        if !out.asked.insert(loc.clone()) {
            return;
        }
        if let Some(target) = self.schemas.refs.get(loc) {
            self.declare(target, sure, false, out);
            if self.schemas.draft(loc).ref_stands_alone() {
                return;
            }
        }
        let properties = loc.step("properties");
        for member in self.get(loc, "properties").map_or(&[][..], Node::members) {
            let at = properties.step(&member.key);
            let schema = sure.then(|| at.clone());
            match out.names.entry(&member.key) {
                Entry::Occupied(first) => {
                    if let Some(declared) = out.all.get_mut(*first.get()) {
                        declared.also.extend(schema);
                        declared.all.push(at);
                    }
                }
                Entry::Vacant(new) => {
                    new.insert(out.all.len());
                    let (wire, file, also, all, branches) = (&member.key, loc.file, Vec::new(), vec![at], Vec::new());
                    out.all.push(Declared { wire, schema, member, file, own, also, all, branches });
                }
            }
        }
        for (keyword, sure_there) in [("allOf", true), ("anyOf", false), ("oneOf", false)] {
            let count = self.get(loc, keyword).map_or(0, |node| node.items().len());
            for index in 0..count {
                self.declare(&loc.step(keyword).step(&index.to_string()), sure && sure_there, false, out);
            }
        }
        for keyword in ["then", "else"] {
            if self.has(loc, "if") && self.has(loc, keyword) {
                self.declare(&loc.step(keyword), false, false, out);
            }
        }
    }

    /// Collects the names that are required.
    pub(super) fn required(&self, loc: &Loc, out: &mut Required<'a>) {
        if !out.asked.insert(loc.clone()) {
            return;
        }
        if let Some(target) = self.schemas.refs.get(loc) {
            self.required(target, out);
            if self.schemas.draft(loc).ref_stands_alone() {
                return;
            }
        }
        let names = self.get(loc, "required").map_or(&[][..], Node::items);
        for node in names {
            if let Some(name) = node.str()
                && out.names.insert(name)
            {
                out.all.push((name, node, loc.file));
            }
        }
        let count = self.get(loc, "allOf").map_or(0, |node| node.items().len());
        (0..count).for_each(|index| self.required(&loc.step("allOf").step(&index.to_string()), out));
        for keyword in ["anyOf", "oneOf"] {
            self.required_by_all(loc, keyword, out);
        }
    }

    /// Collects the names that each alternative requires.
    fn required_by_all(&self, loc: &Loc, keyword: &str, out: &mut Required<'a>) {
        let objects = self.listed(loc, keyword).take(MOST_ALTERNATIVES + 1);
        let objects: Vec<Loc> = objects.filter(|at| self.possible(at).has(JsonType::Object)).collect();
        let [first, others @ ..] = objects.as_slice() else { return };
        if others.len() >= MOST_ALTERNATIVES {
            return;
        }
        let names = |at: &Loc| applied(self, at).iter().flat_map(|at| self.required_at(at)).collect::<HashSet<_>>();
        let mut common = names(first);
        others.iter().map(names).for_each(|names| common.retain(|name| names.contains(name)));
        for at in applied(self, first) {
            for node in self.get(&at, "required").map_or(&[][..], Node::items) {
                if let Some(name) = node.str().filter(|name| common.contains(name))
                    && out.names.insert(name)
                {
                    out.all.push((name, node, at.file));
                }
            }
        }
    }

    /// Returns these schemas, or an empty list if one of them depends on the dynamic scope.
    pub(super) fn surely<'l>(&self, all: impl Iterator<Item = &'l Loc> + Clone) -> Vec<Loc> {
        if all.clone().any(|loc| self.dynamic.contains(loc)) { Vec::new() } else { all.cloned().collect() }
    }

    /// Returns the schema with the default of a property: its own, or one that it refers to.
    pub(super) fn default_at(&self, schema: &Loc) -> Option<Loc> {
        let mut at = schema;
        for _ in 0..MOST_REFERENCES {
            if self.node(at).get("default").is_some() {
                return Some(at.clone());
            }
            at = self.schemas.refs.get(at)?;
        }
        None
    }
}
