//! Objects: structs of their declared properties, or maps where none are declared.

use std::collections::HashSet;

use super::read::{Reader, docs};
use super::rules::{self, Check};
use super::{Body, Field, Held, Shape};
use crate::load::{Json, Member, Node};
use crate::names;
use crate::problem::What;
use crate::resolve::Loc;

/// A property that some schema declares for the object.
struct Declared<'a> {
    wire: &'a str,
    /// Its schema, and the file that declares it; none where its values are of different schemas.
    schema: Option<Loc>,
    member: &'a Member,
    file: usize,
}

/// How deep schemas that hold for one object are followed.
const DEEPEST: usize = 32;

impl<'a> Reader<'a> {
    /// An object inside of a content.
    pub(super) fn object(&mut self, loc: &Loc) -> Held {
        let declared = self.declared(loc);
        if declared.is_empty() && !self.is_closed(loc) {
            return self.map(loc);
        }
        Held::plain(Shape::Named(self.type_at(loc, |reader| reader.fields(loc))))
    }

    /// A whole content or context.
    pub(super) fn object_root(&mut self, loc: &Loc) -> Body {
        self.combinators(loc);
        let typed = matches!(self.get(loc, "additionalProperties").map(|node| &node.json), Some(Json::Object(members)) if !members.is_empty());
        if typed && self.declared(loc).is_empty() {
            return Body::Map(self.map(loc));
        }
        self.fields(loc)
    }

    /// Whether members that aren't declared are refused, which a struct can do itself.
    fn is_closed(&self, loc: &Loc) -> bool {
        let no = |keyword| matches!(self.get(loc, keyword).map(|node| &node.json), Some(Json::Bool(false)));
        let plain = ["patternProperties", "allOf", "anyOf", "oneOf", "if", "dependentSchemas", "dependencies", "$ref"];
        let plain = plain.into_iter().all(|keyword| !self.has(loc, keyword));
        plain && (no("additionalProperties") || (no("unevaluatedProperties") && !self.has(loc, "additionalProperties")))
    }

    /// Rules of objects that neither a struct nor a map can tell.
    fn object_reasons(&mut self, loc: &Loc) {
        for keyword in ["patternProperties", "propertyNames", "dependencies", "dependentRequired", "dependentSchemas"] {
            if self
                .get(loc, keyword)
                .is_some_and(|node| !matches!(&node.json, Json::Object(members) if members.is_empty()))
            {
                self.reason(loc, keyword, format!("`{keyword}`"));
            }
        }
        let harmless =
            matches!(self.get(loc, "unevaluatedProperties").map(|node| &node.json), None | Some(Json::Bool(true)));
        if !harmless && !self.is_closed(loc) {
            self.reason(loc, "unevaluatedProperties", "`unevaluatedProperties`");
        }
    }

    fn map(&mut self, loc: &Loc) -> Held {
        self.object_reasons(loc);
        let mut checks = Vec::new();
        let value = match self.get(loc, "additionalProperties").map(|node| &node.json) {
            Some(Json::Object(_)) if !self.has(loc, "patternProperties") => {
                self.held(&loc.step("additionalProperties"))
            }
            Some(Json::Object(_) | Json::Bool(false)) => {
                self.reason(loc, "additionalProperties", "`additionalProperties` beside other rules for members");
                Held::plain(Shape::Any)
            }
            _ => Held::plain(Shape::Any),
        };
        checks.extend(rules::size(self.get(loc, "minProperties")).filter(|limit| *limit > 0).map(Check::MinProperties));
        checks.extend(rules::size(self.get(loc, "maxProperties")).map(Check::MaxProperties));
        let required = self.get(loc, "required").map_or(&[][..], Node::items);
        checks.extend(required.iter().filter_map(Node::str).map(|name| Check::Required(name.to_owned())));
        Held { shape: Shape::Map(Box::new(value)), checks }
    }

    /// The properties that the schema declares, then those of the schemas that hold for the same object.
    fn declared(&self, loc: &Loc) -> Vec<Declared<'a>> {
        let mut out = Vec::new();
        self.declare(loc, true, 0, &mut out);
        out
    }

    /// `sure` where the schema holds for each such object, so that its properties have its schemas.
    fn declare(&self, loc: &Loc, sure: bool, depth: usize, out: &mut Vec<Declared<'a>>) {
        if depth > DEEPEST {
            return;
        }
        if let Some(target) = self.schemas.refs.get(loc) {
            self.declare(target, sure, depth + 1, out);
            if self.schemas.draft(loc).ref_stands_alone() {
                return;
            }
        }
        let properties = loc.step("properties");
        for member in self.get(loc, "properties").map_or(&[][..], Node::members) {
            if out.iter().any(|declared| declared.wire == member.key) {
                continue;
            }
            let schema = sure.then(|| properties.step(&member.key));
            out.push(Declared { wire: &member.key, schema, member, file: loc.file });
        }
        for (keyword, sure_there) in [("allOf", true), ("anyOf", false), ("oneOf", false)] {
            let count = self.get(loc, keyword).map_or(0, |node| node.items().len());
            for index in 0..count {
                self.declare(&loc.step(keyword).step(&index.to_string()), sure && sure_there, depth + 1, out);
            }
        }
        for keyword in ["then", "else"] {
            if self.has(loc, "if") && self.has(loc, keyword) {
                self.declare(&loc.step(keyword), false, depth + 1, out);
            }
        }
    }

    /// The names that every such object has.
    fn required(&self, loc: &Loc, depth: usize, out: &mut Vec<(&'a str, &'a Node, usize)>) {
        if depth > DEEPEST {
            return;
        }
        if let Some(target) = self.schemas.refs.get(loc) {
            self.required(target, depth + 1, out);
            if self.schemas.draft(loc).ref_stands_alone() {
                return;
            }
        }
        let names = self.get(loc, "required").map_or(&[][..], Node::items);
        for node in names {
            if let Some(name) = node.str()
                && !out.iter().any(|(other, ..)| *other == name)
            {
                out.push((name, node, loc.file));
            }
        }
        let count = self.get(loc, "allOf").map_or(0, |node| node.items().len());
        (0..count).for_each(|index| self.required(&loc.step("allOf").step(&index.to_string()), depth + 1, out));
    }

    fn fields(&mut self, loc: &Loc) -> Body {
        self.object_reasons(loc);
        let closed = self.is_closed(loc);
        let others = self.get(loc, "additionalProperties").map(|node| &node.json);
        match others {
            Some(Json::Object(members)) if !members.is_empty() => {
                self.reason(loc, "additionalProperties", "`additionalProperties` with a schema, beside `properties`");
            }
            Some(Json::Bool(false)) if !closed => {
                self.reason(loc, "additionalProperties", "`additionalProperties` beside other rules for members");
            }
            _ => {}
        }
        let mut required = Vec::new();
        self.required(loc, 0, &mut required);
        let mut fields = Vec::new();
        let mut taken = HashSet::new();
        for Declared { wire, schema, member, file } in self.declared(loc) {
            let name = names::field(wire);
            // one of another schema that clashes is left to the residue; one of this schema was reported
            if !taken.insert(name.clone()) {
                continue;
            }
            let held = schema.as_ref().map_or_else(|| Held::plain(Shape::Any), |schema| self.held(schema));
            let is_required = required.iter().any(|(name, ..)| *name == wire);
            fields.push(Field {
                wire: wire.to_owned(),
                name,
                required: is_required,
                docs: field_docs(&member.value, &held, is_required),
                held,
                place: self.schemas.files[file].place(member.key_at),
            });
        }
        let typed = matches!(others, Some(Json::Object(_)));
        for (wire, node, file) in &required {
            if fields.iter().any(|field| field.wire == *wire) {
                continue;
            }
            if closed || matches!(others, Some(Json::Bool(false))) {
                self.reason(loc, "required", format!("`{wire}` is required and not allowed"));
                continue;
            }
            let name = names::field(wire);
            if let Some(other) = fields.iter().find(|field| field.name == name) {
                let what = What::PropertyClash { name: (*wire).to_owned(), other: other.wire.clone(), field: name };
                self.problems.push(self.schemas.files[*file].problem(node.at, what));
                continue;
            }
            let held = if typed { self.held(&loc.step("additionalProperties")) } else { Held::plain(Shape::Any) };
            fields.push(Field {
                wire: (*wire).to_owned(),
                name,
                required: true,
                docs: "Required, and declared by no `properties`.".to_owned(),
                held,
                place: self.schemas.files[*file].place(node.at),
            });
        }
        let sizes = [
            (
                "minProperties",
                rules::size(self.get(loc, "minProperties")).is_some_and(|limit| limit > required.len() as u64),
            ),
            ("maxProperties", self.has(loc, "maxProperties")),
        ];
        for (keyword, matters) in sizes {
            if matters {
                self.reason(loc, keyword, format!("`{keyword}` of an object with declared properties"));
            }
        }
        Body::Struct { fields, closed }
    }
}

/// What the schema says of a property to people, with its rules.
fn field_docs(node: &Node, held: &Held, required: bool) -> String {
    let mut parts = vec![docs(node)];
    let (mut shape, mut checks) = (&held.shape, held.checks.clone());
    if let Shape::Nullable(inner) = shape {
        checks.extend(inner.checks.iter().cloned());
        shape = &inner.shape;
    }
    let rules: Vec<String> = checks.iter().map(ToString::to_string).collect();
    if !rules.is_empty() {
        parts.push(format!("Rules: {}.", rules.join(", ")));
    }
    if let Shape::Integer { minimum, maximum, .. } = shape
        && (minimum.is_none() || maximum.is_none())
    {
        parts.push("An integer that doesn't fit in 64 bits is refused.".to_owned());
    }
    if let Some(default) = node.get("default").filter(|_| !required) {
        parts.push(format!("Where it is absent, `{}` is meant.", default.value()));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}
