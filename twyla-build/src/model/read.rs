//! From schemas to the model. What isn't understood here exactly is a reason for the residue, never a guess.

use std::collections::{BTreeMap, HashMap};

use twyla_contract::Place;

use super::{Body, Held, Model, Reason, Shape, Type, TypeId};
use crate::draft::{Draft, is_annotation};
use crate::load::{Json, Node, Role};
use crate::names;
use crate::problem::{Problem, What};
use crate::resolve::{Loc, Schemas};

/// Makes the model of a folder that was found free of errors.
pub(crate) fn read(schemas: &Schemas, problems: &mut Vec<Problem>) -> Option<Model> {
    let mut reader =
        Reader { schemas, types: Vec::new(), by_loc: HashMap::new(), open: Vec::new(), owner: Vec::new(), problems };
    let (context, _) = schemas.of_role(|role| *role == Role::Context).next()?;
    let context = reader.root(context);
    let mut events: Vec<_> = Vec::new();
    for (file, found) in schemas.of_role(|role| matches!(role, Role::Event(_))) {
        if let Role::Event(name) = &found.role {
            events.push((name.clone(), reader.root(file)));
        }
    }
    events.sort();
    let types: Vec<Type> = reader.types.into_iter().flatten().collect();
    clashes(&types, reader.problems);
    Some(Model { types, context, events })
}

fn clashes(types: &[Type], problems: &mut Vec<Problem>) {
    let mut seen: BTreeMap<String, &Place> = BTreeMap::new();
    for type_ in types {
        let path = type_.path();
        if let Some(other) = seen.get(&path) {
            let (first, second) = if **other < type_.place { (*other, &type_.place) } else { (&type_.place, *other) };
            let at = crate::load::At { line: second.line, column: second.column };
            let what = What::TypeClash { path, other: first.to_string() };
            problems.push(Problem { file: second.file.clone(), at: Some(at), what });
        } else {
            seen.insert(path, &type_.place);
        }
    }
}

pub(super) struct Reader<'a> {
    pub(super) schemas: &'a Schemas,
    pub(super) types: Vec<Option<Type>>,
    by_loc: HashMap<Loc, TypeId>,
    /// The schemas that are being read, to notice those that hold themselves without a type between.
    open: Vec<Loc>,
    /// The types whose bodies are being read, each with the reasons found so far.
    owner: Vec<Vec<Reason>>,
    pub(super) problems: &'a mut Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn node(&self, loc: &Loc) -> &'a Node {
        const NOTHING: &Node = &Node { at: crate::load::At { line: 1, column: 1 }, json: Json::Bool(true) };
        self.schemas.node(loc).unwrap_or(NOTHING)
    }

    pub(super) fn place(&self, loc: &Loc) -> Place {
        self.schemas.files[loc.file].place(self.node(loc).at)
    }

    /// Notes why the contract that is being read can't be told by its type.
    pub(super) fn reason(&mut self, loc: &Loc, keyword: &str, why: impl Into<String>) {
        let node = self.node(loc);
        let at = node.member(keyword).map_or(node.at, |member| member.key_at);
        let reason = Reason { place: self.schemas.files[loc.file].place(at), why: why.into() };
        if let Some(reasons) = self.owner.last_mut()
            && !reasons.contains(&reason)
        {
            reasons.push(reason);
        }
    }

    /// The type of a whole content or context: always one of its own, whatever its schema refers to.
    fn root(&mut self, file: usize) -> TypeId {
        let loc = Loc::root(file);
        if let Some(id) = self.by_loc.get(&loc) {
            return *id;
        }
        self.type_at(&loc, |reader| {
            let mut at = loc.clone();
            let mut steps = 0;
            while let Some(target) = reader.schemas.refs.get(&at) {
                if reader.beside_ref(&at) {
                    break;
                }
                at = target.clone();
                steps += 1;
                if steps > reader.schemas.infos.len() {
                    break;
                }
            }
            for keyword in ["enum", "const"] {
                if reader.has(&at, keyword) {
                    reader.reason(&at, keyword, format!("`{keyword}` of objects"));
                }
            }
            reader.object_root(&at)
        })
    }

    /// Makes a type; its id is known while its body is read, so that the body may have it in it.
    pub(super) fn type_at(&mut self, loc: &Loc, body: impl FnOnce(&mut Self) -> Body) -> TypeId {
        if let Some(id) = self.by_loc.get(loc) {
            return *id;
        }
        let id = self.types.len();
        self.types.push(None);
        self.by_loc.insert(loc.clone(), id);
        self.owner.push(Vec::new());
        let open = std::mem::take(&mut self.open);
        let body = body(self);
        self.open = open;
        let reasons = self.owner.pop().unwrap_or_default();
        let (module, name) = names::at(self.schemas, loc);
        let docs = docs(self.node(loc));
        self.types[id] = Some(Type { module, name, place: self.place(loc), docs, file: loc.file, body, reasons });
        id
    }

    /// Whether the schema there has a keyword that its draft knows.
    pub(super) fn has(&self, loc: &Loc, keyword: &str) -> bool {
        self.get(loc, keyword).is_some()
    }

    pub(super) fn get(&self, loc: &Loc, keyword: &str) -> Option<&'a Node> {
        if self.schemas.knows(loc, keyword) { self.node(loc).get(keyword) } else { None }
    }

    /// Any schema, wherever it stands.
    pub(super) fn held(&mut self, loc: &Loc) -> Held {
        if let Some(id) = self.by_loc.get(loc) {
            return Held::plain(Shape::Named(*id));
        }
        if self.open.contains(loc) {
            self.reason(loc, "", "the schema holds itself with no object between");
            return Held::plain(Shape::Any);
        }
        self.open.push(loc.clone());
        let held = self.fresh(loc);
        self.open.pop();
        held
    }

    fn fresh(&mut self, loc: &Loc) -> Held {
        let any = || Held::plain(Shape::Any);
        if let Json::Bool(value) = self.node(loc).json {
            if !value {
                self.reason(loc, "", "no value is allowed");
            }
            return any();
        }
        if let Some(target) = self.schemas.refs.get(loc) {
            let extended = self.beside_ref(loc) && self.has(loc, "properties") && self.implies_object(loc, 0);
            return if extended { self.object(loc) } else { self.held(target) };
        }
        for keyword in ["$dynamicRef", "$recursiveRef"] {
            if self.has(loc, keyword) {
                self.reason(loc, keyword, format!("`{keyword}`"));
                return any();
            }
        }
        if let Some(held) = self.or_null(loc).or_else(|| self.only_one(loc)) {
            return held;
        }
        self.combinators(loc);
        if self.has(loc, "enum") || self.has(loc, "const") {
            return self.values(loc);
        }
        let Some(kinds) = self.kinds(loc) else {
            if self.implies_object(loc, 0) {
                return self.object(loc);
            }
            if self.rules_of(loc).next().is_some() {
                self.reason(loc, "", "rules without a `type`: values of other types are allowed");
            }
            return any();
        };
        let nullable = kinds.contains(&"null");
        let others: Vec<&str> = kinds.into_iter().filter(|kind| *kind != "null").collect();
        let held = match others[..] {
            [] => return Held::plain(Shape::Null),
            ["integer", "number"] | ["number", "integer"] | ["number"] => self.number(loc),
            ["boolean"] => Held::plain(Shape::Boolean),
            ["integer"] => self.integer(loc),
            ["string"] => self.string(loc),
            ["array"] => self.array(loc),
            ["object"] => self.object(loc),
            _ => {
                self.reason(loc, "type", "several types");
                return any();
            }
        };
        if nullable { Held::plain(Shape::Nullable(Box::new(held))) } else { held }
    }

    /// The keywords that are more than annotations.
    pub(super) fn rules_of(&self, loc: &Loc) -> impl Iterator<Item = &'a str> + use<'a> {
        let (draft, node) = (self.schemas.draft(loc), self.node(loc));
        let keywords = node.members().iter().map(|member| member.key.as_str());
        keywords.filter(move |keyword| {
            let inert = match *keyword {
                "format" => !node.get("format").and_then(Node::str).is_some_and(|name| asserted(draft, name)),
                // these are rules only in drafts 6 and 7, and only to some; held by whoever holds them
                "contentEncoding" | "contentMediaType" => draft > Draft::Draft7,
                "contentSchema" => true,
                "if" => node.get("then").is_none() && node.get("else").is_none(),
                "then" | "else" => node.get("if").is_none(),
                "minContains" | "maxContains" => node.get("contains").is_none(),
                keyword => is_annotation(keyword),
            };
            draft.has(keyword) && !inert
        })
    }

    /// Members beside a `$ref` hold too, from 2019-09 on; whether there are some.
    fn beside_ref(&mut self, loc: &Loc) -> bool {
        if self.schemas.draft(loc).ref_stands_alone() {
            return false;
        }
        let others: Vec<&str> = self.rules_of(loc).filter(|keyword| *keyword != "$ref").collect();
        for keyword in &others {
            self.reason(loc, keyword, format!("`{keyword}` beside `$ref`"));
        }
        !others.is_empty()
    }

    /// Notes the keywords that combine schemas.
    pub(super) fn combinators(&mut self, loc: &Loc) {
        for keyword in ["allOf", "anyOf", "oneOf", "not", "if"] {
            if self.rules_of(loc).any(|rule| rule == keyword) {
                self.reason(loc, keyword, format!("`{keyword}`"));
            }
        }
    }

    /// `anyOf` or `oneOf` of one schema and null.
    fn or_null(&mut self, loc: &Loc) -> Option<Held> {
        let mut rules = self.rules_of(loc);
        let (Some(keyword @ ("anyOf" | "oneOf")), None) = (rules.next(), rules.next()) else { return None };
        let [first, second] = self.get(loc, keyword)?.items() else { return None };
        let null =
            |node: &Node| matches!(node.members(), [only] if only.key == "type" && only.value.str() == Some("null"));
        let index = match (null(first), null(second)) {
            (true, false) => "1",
            (false, true) => "0",
            _ => return None,
        };
        let held = self.held(&loc.step(keyword).step(index));
        Some(match held.shape {
            Shape::Any | Shape::Null | Shape::Nullable(_) => {
                if keyword == "oneOf" {
                    self.reason(loc, keyword, "`oneOf` of schemas that both may allow null");
                }
                if held.shape == Shape::Any { Held::plain(Shape::Any) } else { held }
            }
            _ => Held::plain(Shape::Nullable(Box::new(held))),
        })
    }

    /// `allOf` of one schema, with nothing beside.
    fn only_one(&mut self, loc: &Loc) -> Option<Held> {
        let mut rules = self.rules_of(loc);
        let (Some(keyword @ ("allOf" | "anyOf" | "oneOf")), None) = (rules.next(), rules.next()) else { return None };
        let [_] = self.get(loc, keyword)?.items() else { return None };
        Some(self.held(&loc.step(keyword).step("0")))
    }

    /// The names in `type`.
    pub(super) fn kinds(&self, loc: &Loc) -> Option<Vec<&'a str>> {
        let node = self.get(loc, "type")?;
        node.str().map(|kind| vec![kind]).or_else(|| Some(node.items().iter().filter_map(Node::str).collect()))
    }

    /// Whether only an object can hold, by the schema or by one of those that hold too.
    pub(super) fn implies_object(&self, loc: &Loc, depth: usize) -> bool {
        if depth > 32 {
            return false;
        }
        if self.kinds(loc).is_some_and(|kinds| kinds == ["object"]) {
            return true;
        }
        if let Some(target) = self.schemas.refs.get(loc)
            && self.implies_object(target, depth + 1)
        {
            return true;
        }
        let count = self.get(loc, "allOf").map_or(0, |node| node.items().len());
        (0..count).any(|index| self.implies_object(&loc.step("allOf").step(&index.to_string()), depth + 1))
    }
}

/// Whether a format is a rule: each one is that the draft knows.
pub(super) fn asserted(draft: Draft, name: &str) -> bool {
    crate::pattern::format(draft, name).is_some()
}

/// What the schema says to people.
pub(super) fn docs(node: &Node) -> String {
    let text = |keyword| node.get(keyword).and_then(Node::str).map(str::trim).filter(|text| !text.is_empty());
    text("description").or_else(|| text("title")).unwrap_or_default().to_owned()
}
