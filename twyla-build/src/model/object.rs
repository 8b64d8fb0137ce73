//! Objects: structs of their declared properties, or maps if none are declared.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::possible::Possible;
use super::reader::{SchemaReader, docs};
use super::rules::{Check, is_limit};
use super::types::{Body, Field, FieldDocs, JsonType, Others, ReplacedType, SchemaDefault, Shape, ValueType};
use super::union::{applied, shape_of};
use crate::markdown::code;
use crate::schema::load::size;
use crate::schema::load::{Json, Member, Node};
use crate::schema::names;
use crate::schema::null;
use crate::schema::schemas::Loc;

/// Limit of chained references that are searched for the default of a property.
const MOST_REFERENCES: usize = 100;

/// Limit of alternatives whose properties are compared.
const MOST_ALTERNATIVES: usize = 100;

/// A declared property of an object.
struct Declared<'a> {
    wire: &'a str,
    /// Its schema and the file that declares it; none if several schemas differ.
    schema: Option<Loc>,
    member: &'a Member,
    file: usize,
    /// Whether the schema of the object itself declares it.
    own: bool,
    /// The other schemas that apply to its values.
    also: Vec<Loc>,
    /// Those, and the schemas that may apply.
    all: Vec<Loc>,
    /// The schemas in each of the alternatives, if one of them applies to every value.
    branches: Vec<Loc>,
}

/// The properties that all schemas of one object declare. Each schema is read once.
#[derive(Default)]
struct Declarations<'a> {
    asked: HashSet<Loc>,
    names: HashMap<&'a str, usize>,
    all: Vec<Declared<'a>>,
}

/// The same for required properties.
#[derive(Default)]
struct Required<'a> {
    asked: HashSet<Loc>,
    names: HashSet<&'a str>,
    all: Vec<(&'a str, &'a Node, usize)>,
}

impl<'a> SchemaReader<'a> {
    /// Reads an object within a content.
    pub(super) fn object(&mut self, loc: &Loc, nullable: bool) -> ValueType {
        let held = if self.is_map(loc) {
            self.map(loc)
        } else {
            // a rule that null may break isn't a rule of the object's type
            let trees = if nullable && self.allows_null(loc) != Some(true) { Vec::new() } else { self.take_trees() };
            let at = loc.clone();
            let id = self.type_at(loc, trees, move |reader| reader.struct_of(&at));
            ValueType::plain(Shape::Named(id))
        };
        if nullable { ValueType::plain(Shape::Nullable(Box::new(held))) } else { held }
    }

    /// Reads the objects of a schema that allows other types too.
    pub(super) fn object_named(&mut self, loc: &Loc, suffix: &'static str) -> ValueType {
        if self.is_map(loc) {
            return self.map(loc);
        }
        let id = self.objects.get(loc).copied().unwrap_or_else(|| {
            let at = loc.clone();
            let id = self.type_named(loc, suffix, move |reader| reader.struct_of(&at));
            self.objects.insert(loc.clone(), id);
            id
        });
        ValueType::plain(Shape::Named(id))
    }

    /// Reads the struct of a schema's properties.
    pub(super) fn struct_of(&mut self, loc: &Loc) -> Body {
        let declared = self.declared(loc);
        self.fields(loc, &declared)
    }

    /// Whether an object is a map: it declares no properties and allows others.
    pub(super) fn is_map(&self, loc: &Loc) -> bool {
        let declared = self.declared(loc);
        declared.is_empty() && self.others(loc, &declared) != Others::Refused
    }

    /// Reads a whole content or context.
    pub(super) fn object_root(&mut self, loc: &Loc) -> Body {
        if let Some(body) = self.union_body(loc) {
            return body;
        }
        self.combinators(loc);
        self.leave_constants(loc);
        for keyword in ["$dynamicRef", "$recursiveRef"] {
            if self.has(loc, keyword) {
                self.leave(loc, "", format!("`{keyword}`"));
            }
        }
        let declared = self.declared(loc);
        let typed = matches!(self.get(loc, "additionalProperties").map(|node| &node.json), Some(Json::Object(members)) if !members.is_empty());
        if typed && declared.is_empty() && self.get(loc, "required").is_none() {
            return Body::Map(self.map(loc));
        }
        self.fields(loc, &declared)
    }

    /// Leaves constants that are objects to a tree.
    pub(super) fn leave_constants(&mut self, loc: &Loc) {
        for keyword in ["enum", "const"] {
            if self.has(loc, keyword) {
                self.leave(loc, keyword, format!("`{keyword}` of objects"));
            }
        }
    }

    /// Returns what happens to undeclared members by `additionalProperties` alone.
    fn others(&self, loc: &Loc, declared: &[Declared<'_>]) -> Others {
        let absent_or_true =
            |keyword| matches!(self.get(loc, keyword).map(|node| &node.json), None | Some(Json::Bool(true)));
        let no = |keyword| matches!(self.get(loc, keyword).map(|node| &node.json), Some(Json::Bool(false)));
        let alone = !self.has(loc, "allOf") && !self.has(loc, "$ref");
        let own = declared.iter().all(|declared| declared.own);
        if no("additionalProperties") && own && alone && !self.has(loc, "patternProperties") {
            return Others::Refused;
        }
        // combined schemas may declare further members
        let simple = [
            "patternProperties",
            "anyOf",
            "oneOf",
            "if",
            "dependentSchemas",
            "dependencies",
            "$dynamicRef",
            "$recursiveRef",
        ];
        if !simple.into_iter().all(|keyword| !self.has(loc, keyword)) {
            return Others::Ignored;
        }
        let merged = || alone || self.merges(loc);
        if !alone && self.merged(loc) == Some(true)
            || no("unevaluatedProperties")
                && absent_or_true("additionalProperties")
                && !self.has(loc, "additionalProperties")
                && merged()
        {
            Others::Refused
        } else {
            Others::Ignored
        }
    }

    /// Leaves the rules of objects that neither a struct nor a map can express to a tree.
    fn leave_object(&mut self, loc: &Loc, refused: bool) {
        for keyword in ["patternProperties", "propertyNames", "dependencies", "dependentRequired", "dependentSchemas"] {
            let empty = |node: &Node| matches!(&node.json, Json::Object(members) if members.is_empty());
            if self.get(loc, keyword).is_some_and(|node| !empty(node)) {
                self.leave(loc, keyword, format!("`{keyword}`"));
            }
        }
        let open =
            matches!(self.get(loc, "unevaluatedProperties").map(|node| &node.json), None | Some(Json::Bool(true)));
        if !open && !refused {
            self.leave(loc, "unevaluatedProperties", "`unevaluatedProperties`");
        }
    }

    /// Whether undeclared members are sensitive.
    fn hides_others(&self, loc: &Loc) -> bool {
        self.sensitive.within(loc).iter().any(|pointer| pointer.is_empty() || pointer.starts_with("/*"))
    }

    fn map(&mut self, loc: &Loc) -> ValueType {
        self.leave_object(loc, false);
        let mut checks = Vec::new();
        let value = match self.get(loc, "additionalProperties").map(|node| &node.json) {
            Some(Json::Object(_)) if !self.has(loc, "patternProperties") => {
                self.held(&loc.step("additionalProperties"))
            }
            Some(Json::Object(_) | Json::Bool(false)) => {
                self.leave(loc, "additionalProperties", "`additionalProperties` beside other rules for members");
                self.only_pattern(loc).map_or_else(|| ValueType::plain(Shape::Any), |only| self.held(&only))
            }
            _ => ValueType::plain(Shape::Any),
        };
        checks.extend(size(self.get(loc, "minProperties")).filter(|limit| *limit > 0).map(Check::MinProperties));
        checks.extend(size(self.get(loc, "maxProperties")).filter(is_limit).map(Check::MaxProperties));
        let required = self.get(loc, "required").map_or(&[][..], Node::items);
        checks.extend(required.iter().filter_map(Node::str).map(|name| Check::Required(name.to_owned())));
        ValueType::checked(Shape::Map(Box::new(value)), checks)
    }

    /// Returns the schema of all members, if one pattern covers all allowed names.
    fn only_pattern(&self, loc: &Loc) -> Option<Loc> {
        let no_others = matches!(self.get(loc, "additionalProperties").map(|node| &node.json), Some(Json::Bool(false)));
        match self.get(loc, "patternProperties")?.members() {
            [only] if no_others => Some(loc.step("patternProperties").step(&only.key)),
            _ => None,
        }
    }

    /// Collects the properties that the schema declares, then those of the schemas that apply to the same object.
    fn declared(&self, loc: &Loc) -> Vec<Declared<'a>> {
        let mut out = Declarations::default();
        self.declare(loc, true, true, &mut out);
        if out.all.iter().any(|declared| declared.schema.is_none()) {
            self.declare_common(loc, &mut out.all);
        }
        out.all
    }

    /// Returns the names of the properties that the schema, or one that surely applies too, declares.
    pub(super) fn declared_names(&self, loc: &Loc) -> HashSet<&'a str> {
        let sure = |declared: Declared<'a>| declared.schema.map(|_| declared.wire);
        self.declared(loc).into_iter().filter_map(sure).collect()
    }

    /// The same with the properties that a schema which may apply declares.
    pub(super) fn all_declared_names(&self, loc: &Loc) -> HashSet<&'a str> {
        self.declared(loc).into_iter().map(|declared| declared.wire).collect()
    }

    /// Finds the schemas of the properties that each alternative declares or excludes: one of them applies to every value.
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

    /// Returns the alternatives of objects in each `anyOf`, `oneOf` and `if` of a schema: the schemas that apply together.
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

    /// Whether two schemas are the same, apart from annotations.
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

    /// Returns the type of a property whose alternatives differ: what they have in common.
    fn common_type(&self, branches: &[Loc]) -> ValueType {
        let possible = branches.iter().map(|at| self.possible(at)).reduce(Possible::or).unwrap_or(Possible::ALL);
        let shape = match possible.types()[..] {
            [type_] => shape_of(&possible, type_),
            _ => return ValueType::plain(Shape::Any),
        };
        let held = ValueType::plain(shape);
        if possible.null { ValueType::plain(Shape::Nullable(Box::new(held))) } else { held }
    }

    /// `sure`: the schema applies to every such object.
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
    fn required(&self, loc: &Loc, out: &mut Required<'a>) {
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

    /// Returns the schemas that apply to a value; none if one depends on the dynamic scope.
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

    fn fields(&mut self, loc: &Loc, declared: &[Declared<'a>]) -> Body {
        let mut others = self.others(loc, declared);
        self.leave_object(loc, others == Others::Refused);
        let mut required = Required::default();
        self.required(loc, &mut required);
        let names: HashSet<&str> = declared.iter().map(|declared| declared.wire).collect();
        let mut undeclared: Vec<&(&str, &Node, usize)> =
            required.all.iter().filter(|(wire, ..)| !names.contains(wire)).collect();
        if others == Others::Refused {
            for (wire, ..) in std::mem::take(&mut undeclared) {
                self.leave(loc, "required", format!("{} is required and not allowed", code(wire)));
            }
        }
        let typed = matches!(self.get(loc, "additionalProperties").map(|node| &node.json), Some(Json::Object(members)) if !members.is_empty());
        let typed_alone = typed && !self.has(loc, "patternProperties") && declared.iter().all(|declared| declared.own);
        let hidden = self.hides_others(loc);
        let kept = |held| Others::Kept { name: String::new(), held, hidden };
        match self.get(loc, "additionalProperties").map(|node| &node.json) {
            Some(Json::Object(_)) if typed_alone => others = kept(self.held(&loc.step("additionalProperties"))),
            Some(Json::Object(_)) if typed => {
                self.leave(loc, "additionalProperties", "`additionalProperties` beside other rules for members");
                others = kept(ValueType::plain(Shape::Any));
            }
            Some(Json::Bool(false)) if others != Others::Refused => {
                self.leave(loc, "additionalProperties", "`additionalProperties` beside other rules for members");
                others = kept(ValueType::plain(Shape::Any));
            }
            _ => {}
        }
        let wires: Vec<&str> =
            declared.iter().map(|declared| declared.wire).chain(undeclared.iter().map(|(wire, ..)| *wire)).collect();
        let names = names::fields(&wires);
        if let Others::Kept { name, .. } = &mut others {
            *name = names::extra(&names);
        }
        let mut names = names.into_iter();
        let mut fields = Vec::new();
        // else a tree evaluates all of them
        let merged = self.merges(loc);
        for Declared { wire, schema, member, file, also, all, branches, .. } in declared {
            let mut held = match schema {
                Some(schema) => self.held(schema),
                None => self.common_type(branches),
            };
            let rules = self.surely(schema.iter().chain(also));
            let also = also.iter().filter(|_| merged && schema.is_some());
            held.trees
                .extend(also.filter_map(|schema| self.tree(schema, format!("{} in several schemas", code(wire)))));
            let is_required = required.names.contains(wire);
            let mut docs = field_docs(&member.value, &held);
            docs.notes.extend(self.narrower_rules(&held));
            let default = schema.as_ref().filter(|_| !is_required).and_then(|schema| self.default_at(schema));
            let default = default.map(|at| SchemaDefault { at, schemas: rules });
            fields.push(Field {
                wire: (*wire).to_owned(),
                name: names.next().unwrap_or_default(),
                required: is_required,
                docs,
                default,
                accessor: None,
                hidden: all.iter().any(|schema| self.sensitive.whole(schema, held.shape.is_typed())),
                held,
                null_is_absent: all.iter().any(|schema| null::is_absent(self.schemas, schema)),
                boxed: false,
                place: self.schemas.files[*file].place(member.key_at),
            });
        }
        for (wire, node, file) in undeclared {
            let held = match &others {
                Others::Kept { held, .. } if typed_alone => held.clone(),
                _ => ValueType::plain(Shape::Any),
            };
            fields.push(Field {
                wire: (*wire).to_owned(),
                name: names.next().unwrap_or_default(),
                required: true,
                default: None,
                accessor: None,
                docs: FieldDocs {
                    said: String::new(),
                    notes: vec!["Required, but not declared in `properties`.".to_owned()],
                },
                hidden,
                held,
                null_is_absent: false,
                boxed: false,
                place: self.schemas.files[*file].place(node.at),
            });
        }
        let least = size(self.get(loc, "minProperties"));
        let sizes = [
            ("minProperties", least.is_some_and(|limit| limit > required.all.len() as u64)),
            ("maxProperties", self.has(loc, "maxProperties")),
        ];
        for (keyword, matters) in sizes {
            if matters {
                self.leave(loc, keyword, format!("`{keyword}` of an object with declared properties"));
            }
        }
        Body::Struct { fields, others }
    }
}

/// Returns the docs of a property: its description and its rules.
pub(super) fn field_docs(node: &Node, held: &ValueType) -> FieldDocs {
    let mut notes = Vec::new();
    let (mut shape, mut checks) = (&held.shape, held.checks.clone());
    while let Shape::Nullable(inner) | Shape::Replaced(ReplacedType { held: inner, .. }) = shape {
        checks.extend(inner.checks.iter().cloned());
        shape = &inner.shape;
    }
    let rules: Vec<String> = checks.iter().map(ToString::to_string).collect();
    if !rules.is_empty() {
        notes.push(format!("Rules: {}.", rules.join(", ")));
    }
    if let Shape::Integer { type_, minimum, maximum } = shape {
        let (least, most) = type_.bounds();
        let is_narrower = minimum.is_some_and(|limit| limit >= least) && maximum.is_some_and(|limit| limit <= most);
        if !is_narrower {
            notes.push("An integer that doesn't fit in 64 bits is refused.".to_owned());
        }
    }
    FieldDocs { said: docs(node), notes }
}
