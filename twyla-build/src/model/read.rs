//! From schemas to the model. What isn't understood here exactly is a reason for the residue, never a guess.

use std::collections::{BTreeMap, HashMap};

use twyla_contract::Place;

use super::rules::{self, Check, FORMATS};
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
    types: Vec<Option<Type>>,
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
                reader.beside_ref(&at);
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
        if self.schemas.draft(loc).has(keyword) { self.node(loc).get(keyword) } else { None }
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
            self.beside_ref(loc);
            return self.held(target);
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

    /// Members beside a `$ref` hold too, from 2019-09 on.
    fn beside_ref(&mut self, loc: &Loc) {
        if self.schemas.draft(loc).ref_stands_alone() {
            return;
        }
        let others: Vec<&str> = self.rules_of(loc).filter(|keyword| *keyword != "$ref").collect();
        for keyword in others {
            self.reason(loc, keyword, format!("`{keyword}` beside `$ref`"));
        }
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

    /// `enum` and `const`.
    fn values(&mut self, loc: &Loc) -> Held {
        let any = || Held::plain(Shape::Any);
        let beside: Vec<&str> = self.rules_of(loc).filter(|rule| !matches!(*rule, "enum" | "const" | "type")).collect();
        for keyword in &beside {
            self.reason(loc, keyword, format!("`{keyword}` beside `enum` or `const`"));
        }
        let values: Vec<&Node> = match (self.get(loc, "const"), self.get(loc, "enum")) {
            (Some(only), None) => vec![only],
            (None, Some(values)) => values.items().iter().collect(),
            _ => {
                self.reason(loc, "const", "`const` beside `enum`");
                return any();
            }
        };
        let kinds = self.kinds(loc);
        let allowed = |kind: &str| kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind));
        let mut nullable = false;
        let (mut words, mut integers, mut booleans, mut other) = (Vec::new(), Vec::new(), Vec::new(), false);
        for value in values {
            match &value.json {
                Json::Null if allowed("null") => nullable = true,
                Json::String(word) if allowed("string") && !words.contains(word) => words.push(word.clone()),
                Json::Bool(value) if allowed("boolean") => booleans.push(*value),
                Json::Number(text) if allowed("number") || allowed("integer") => match rules::whole(text) {
                    Some(value) => integers.push(value),
                    None => other |= allowed("number"),
                },
                Json::Array(_) => other |= allowed("array"),
                Json::Object(_) => other |= allowed("object"),
                // a value of another type than the schema's is never allowed
                _ => {}
            }
        }
        let kinds = [!words.is_empty(), !integers.is_empty(), !booleans.is_empty(), other];
        let held = match kinds {
            [true, false, false, false] => {
                let id = self.type_at(loc, |_| {
                    let variants = names::variants(&words);
                    Body::Enum { words, variants }
                });
                // a place already has a type: an enum below a root that is one, too
                Held::plain(Shape::Named(id))
            }
            // an integer that may be beyond 64 bits can't be told from its neighbours
            [false, true, false, false] if integers.iter().all(|value| value.unsigned_abs() < 1 << 63) => {
                integers.sort_unstable();
                integers.dedup();
                let (minimum, maximum) = (integers.first().copied(), integers.last().copied());
                let unsigned = minimum.is_some_and(|minimum| minimum >= 0);
                let shape = Shape::Integer { unsigned, minimum, maximum };
                Held { shape, checks: vec![Check::Integers(integers)] }
            }
            [false, false, true, false] => Held { shape: Shape::Boolean, checks: vec![Check::Booleans(booleans)] },
            [false, false, false, false] if nullable => return Held::plain(Shape::Null),
            _ => {
                let keyword = if self.has(loc, "enum") { "enum" } else { "const" };
                self.reason(
                    loc,
                    keyword,
                    format!("`{keyword}` of values of several types, or of none that is allowed"),
                );
                return any();
            }
        };
        if nullable { Held::plain(Shape::Nullable(Box::new(held))) } else { held }
    }

    fn string(&mut self, loc: &Loc) -> Held {
        let mut checks = Vec::new();
        checks.extend(rules::size(self.get(loc, "minLength")).filter(|limit| *limit > 0).map(Check::MinLength));
        checks.extend(rules::size(self.get(loc, "maxLength")).map(Check::MaxLength));
        if let Some(written) = self.get(loc, "pattern").and_then(Node::str) {
            match rules::translated(written) {
                Some(translated) => checks.push(Check::Pattern { written: written.to_owned(), translated }),
                None => self.reason(loc, "pattern", "a pattern with a lookaround or a backreference"),
            }
        }
        if let Some(name) = self.get(loc, "format").and_then(Node::str)
            && asserted(self.schemas.draft(loc), name)
        {
            match FORMATS.into_iter().find(|(known, _)| *known == name) {
                Some((name, variant)) => checks.push(Check::Format(variant, name)),
                None => self.reason(loc, "format", format!("the format `{name}`")),
            }
        }
        for keyword in ["contentEncoding", "contentMediaType"] {
            if self.rules_of(loc).any(|rule| rule == keyword) {
                self.reason(loc, keyword, format!("`{keyword}`"));
            }
        }
        Held { shape: Shape::String, checks }
    }

    fn number_text(&self, loc: &Loc, keyword: &str) -> Option<&'a str> {
        match self.get(loc, keyword).map(|node| &node.json) {
            Some(Json::Number(text)) => Some(text),
            _ => None,
        }
    }

    /// Draft 4's `exclusiveMinimum: true`, which makes the limit itself fall outside.
    fn flag(&self, loc: &Loc, keyword: &str) -> bool {
        matches!(self.get(loc, keyword).map(|node| &node.json), Some(Json::Bool(true)))
    }

    fn integer(&mut self, loc: &Loc) -> Held {
        let mut bounds = [None, None];
        for (side, inclusive, exclusive) in [(0, "minimum", "exclusiveMinimum"), (1, "maximum", "exclusiveMaximum")] {
            let low = side == 0;
            let inward = if low { 1 } else { -1 };
            let flagged = self.flag(loc, exclusive);
            let limits = [(inclusive, flagged), (exclusive, true)];
            for (keyword, outside) in limits {
                let Some(text) = self.number_text(loc, keyword) else { continue };
                let Some(limit) = rules::bound(text, low) else {
                    // beyond 10^38 on the side that matters not, or never to be reached
                    self.reason(loc, keyword, format!("`{keyword}` beyond 128 bits"));
                    continue;
                };
                let reached = rules::whole(text).is_some();
                let limit = if outside && reached { limit + inward } else { limit };
                let tighter = |old: i128| if low { old.max(limit) } else { old.min(limit) };
                bounds[side] = Some(bounds[side].map_or(limit, tighter));
            }
        }
        let [minimum, maximum] = bounds;
        let unsigned = minimum.is_some_and(|minimum| minimum >= 0);
        let (least, most) =
            if unsigned { (0, i128::from(u64::MAX)) } else { (i128::from(i64::MIN), i128::from(i64::MAX)) };
        let mut checks = Vec::new();
        checks.extend(minimum.filter(|limit| *limit > least).map(Check::Minimum));
        checks.extend(maximum.filter(|limit| *limit < most).map(Check::Maximum));
        if let Some(text) = self.number_text(loc, "multipleOf") {
            match rules::whole(text) {
                Some(1) => {}
                Some(factor) if factor > 0 => checks.push(Check::MultipleOf(factor)),
                _ => self.reason(loc, "multipleOf", "`multipleOf` a fraction"),
            }
        }
        Held { shape: Shape::Integer { unsigned, minimum, maximum }, checks }
    }

    fn number(&mut self, loc: &Loc) -> Held {
        let mut checks = Vec::new();
        for (keyword, exclusive, rule, exclusive_rule) in [
            ("minimum", "exclusiveMinimum", "minimum_number", "exclusive_minimum_number"),
            ("maximum", "exclusiveMaximum", "maximum_number", "exclusive_maximum_number"),
        ] {
            let flagged = self.flag(loc, exclusive);
            let limits = [(keyword, if flagged { exclusive_rule } else { rule }), (exclusive, exclusive_rule)];
            for (keyword, rule) in limits {
                let Some(text) = self.number_text(loc, keyword) else { continue };
                match rules::float(text) {
                    Some(limit) => checks.push(Check::Number(rule, limit)),
                    None => self.reason(loc, keyword, format!("`{keyword}` beyond 2^53")),
                }
            }
        }
        if self.has(loc, "multipleOf") {
            self.reason(loc, "multipleOf", "`multipleOf` of a number that is no integer");
        }
        Held { shape: Shape::Number, checks }
    }

    fn array(&mut self, loc: &Loc) -> Held {
        let mut checks = Vec::new();
        let any = || Held::plain(Shape::Any);
        let item = match self.get(loc, "items").map(|node| &node.json) {
            Some(Json::Object(_) | Json::Bool(_)) if !self.has(loc, "prefixItems") => self.held(&loc.step("items")),
            Some(Json::Array(_)) => {
                self.reason(loc, "items", "`items` that differ by their place");
                any()
            }
            Some(_) => {
                self.reason(loc, "items", "`items` behind `prefixItems`");
                any()
            }
            None => any(),
        };
        for keyword in ["prefixItems", "contains", "unevaluatedItems"] {
            if self.has(loc, keyword) {
                self.reason(loc, keyword, format!("`{keyword}`"));
            }
        }
        checks.extend(rules::size(self.get(loc, "minItems")).filter(|limit| *limit > 0).map(Check::MinItems));
        checks.extend(rules::size(self.get(loc, "maxItems")).map(Check::MaxItems));
        if self.flag(loc, "uniqueItems") {
            let enumerable = |id: TypeId| matches!(&self.types[id], Some(Type { body: Body::Enum { .. }, .. }));
            match item.shape {
                Shape::String | Shape::Boolean | Shape::Integer { .. } => checks.push(Check::UniqueItems),
                Shape::Named(id) if enumerable(id) => checks.push(Check::UniqueItems),
                _ => self.reason(loc, "uniqueItems", "`uniqueItems` of more than strings, integers and booleans"),
            }
        }
        Held { shape: Shape::Array(Box::new(item)), checks }
    }
}

/// Whether a format is a rule: of these drafts all that the `jsonschema` crate knows are.
fn asserted(draft: Draft, name: &str) -> bool {
    jsonschema::options().is_known_format(draft.known(), name)
}

/// What the schema says to people.
pub(super) fn docs(node: &Node) -> String {
    let text = |keyword| node.get(keyword).and_then(Node::str).map(str::trim).filter(|text| !text.is_empty());
    text("description").or_else(|| text("title")).unwrap_or_default().to_owned()
}
