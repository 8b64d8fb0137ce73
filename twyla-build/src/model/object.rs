//! Objects: structs of their declared properties, or maps if none are declared.

use std::collections::HashSet;

use super::declared::{Declared, Required};
use super::possible::Possible;
use super::reader::{SchemaReader, docs};
use super::rules::{Check, is_limit};
use super::shape::{ReplacedType, Shape, ValueType};
use super::types::{Body, Field, FieldDocs, Others, SchemaDefault};
use super::union::shape_of;
use crate::markdown::code;
use crate::schema::load::{Json, Node, size};
use crate::schema::names;
use crate::schema::null;
use crate::schema::schemas::Loc;

impl<'a> SchemaReader<'a> {
    /// Reads the objects of a schema that allows only objects, or null too if `nullable`.
    pub(super) fn object(&mut self, loc: &Loc, nullable: bool) -> ValueType {
        let held = if self.is_map(loc) {
            self.map(loc)
        } else {
            // a rule that null could break stays with the value: it isn't a rule of the object's type
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

    /// Returns whether an object is a map: it declares no properties and allows others.
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

    /// Leaves `enum` and `const` of objects to a tree.
    pub(super) fn leave_constants(&mut self, loc: &Loc) {
        for keyword in ["enum", "const"] {
            if self.has(loc, keyword) {
                self.leave(loc, keyword, format!("`{keyword}` of objects"));
            }
        }
    }

    /// Returns `Refused` if the schema, or a schema merged with it, closes the object, else `Ignored`. It never returns
    /// `Kept`.
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

    /// Leaves to a tree the rules of objects that neither a struct nor a map can express.
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

    /// Returns whether undeclared members are sensitive.
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

    /// Returns the schema of all members if `patternProperties` has one pattern and no other names are allowed.
    fn only_pattern(&self, loc: &Loc) -> Option<Loc> {
        let no_others = matches!(self.get(loc, "additionalProperties").map(|node| &node.json), Some(Json::Bool(false)));
        match self.get(loc, "patternProperties")?.members() {
            [only] if no_others => Some(loc.step("patternProperties").step(&only.key)),
            _ => None,
        }
    }

    /// Returns the type of a property whose schema differs by alternative: the only JSON type that the alternatives allow,
    /// else any value.
    fn common_type(&self, branches: &[Loc]) -> ValueType {
        let possible = branches.iter().map(|at| self.possible(at)).reduce(Possible::or).unwrap_or(Possible::ALL);
        let shape = match possible.types()[..] {
            [type_] => shape_of(&possible, type_),
            _ => return ValueType::plain(Shape::Any),
        };
        let held = ValueType::plain(shape);
        if possible.null { ValueType::plain(Shape::Nullable(Box::new(held))) } else { held }
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
        // unless the schemas merge, a tree evaluates all of them
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
                constant: None,
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
                constant: None,
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
