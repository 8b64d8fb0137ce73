//! Adds the members that are declared beside a union to the struct of each variant: a base that all variants share.

use super::members::applied;
use super::object::field_docs;
use super::possible::Possible;
use super::reader::{SchemaReader, docs};
use super::shape::{Shape, ValueType};
use super::types::{Body, Field, Others, SchemaDefault};
use crate::markdown::code;
use crate::number::Number;
use crate::schema::load::{Json, Member, Node};
use crate::schema::names;
use crate::schema::null;
use crate::schema::schemas::Loc;

impl<'a> SchemaReader<'a> {
    /// Reads the objects of an alternative, with the members that the base declares and requires.
    pub(super) fn object_on_base(&mut self, loc: &Loc, base: &Loc) -> ValueType {
        let (at, base) = (self.referred(loc), base.clone());
        let id = self.type_at(loc, Vec::new(), move |reader| {
            reader.combinators(&at);
            reader.leave_constants(&at);
            let mut body = reader.struct_of(&at);
            if let Body::Struct { fields, others } = &mut body {
                reader.add_base(&at, &base, fields, others);
            }
            body
        });
        ValueType::plain(Shape::Named(id))
    }

    /// Returns whether these schemas allow the members that `base` declares, and each member that `base` requires is
    /// declared by `base` or by one of these schemas.
    pub(super) fn fits_base(&self, parts: &[Loc], base: &Loc) -> bool {
        let allows_others = |at: &Loc| {
            let is_true =
                |keyword| matches!(self.get(at, keyword).map(|node| &node.json), None | Some(Json::Bool(true)));
            is_true("additionalProperties")
                && is_true("unevaluatedProperties")
                && !self.has(at, "patternProperties")
                && !self.has(at, "propertyNames")
        };
        let is_declared = |name: &str| [base].into_iter().chain(parts).any(|at| self.declares(at, name));
        let declares_all =
            || self.base_members(base).iter().all(|it| parts.iter().any(|at| self.declares(at, &it.key)));
        self.required_at(base).all(is_declared) && (declares_all() || parts.iter().all(allows_others))
    }

    fn base_members(&self, base: &Loc) -> &'a [Member] {
        self.get(base, "properties").map_or(&[], Node::members)
    }

    fn declares(&self, at: &Loc, name: &str) -> bool {
        self.get(at, "properties").is_some_and(|node| node.get(name).is_some())
    }

    fn add_base(&mut self, loc: &Loc, base: &Loc, fields: &mut Vec<Field>, others: &mut Others) {
        let properties = base.step("properties");
        let required: Vec<&str> = self.required_at(base).collect();
        let declared = self.all_declared_names(loc);
        let mut all = Vec::new();
        for member in self.base_members(base) {
            let schema = properties.step(&member.key);
            let own = fields.iter().position(|field| field.wire == member.key);
            match own.and_then(|index| fields.get_mut(index)).filter(|_| declared.contains(member.key.as_str())) {
                Some(field) => self.narrow(loc, field, member, &schema),
                None => {
                    // a member that the alternative only requires
                    let required = own.map(|index| fields.remove(index)).is_some_and(|field| field.required);
                    let mut field = self.base_field(base, member, schema);
                    field.required = required;
                    field.default = field.default.filter(|_| !required);
                    all.push(field);
                }
            }
        }
        all.append(fields);
        let wires: Vec<&str> = all.iter().map(|field| field.wire.as_str()).collect();
        let names = names::fields(&wires);
        for (field, name) in all.iter_mut().zip(&names) {
            field.name.clone_from(name);
            if required.contains(&field.wire.as_str()) {
                (field.required, field.default) = (true, None);
            }
        }
        if let Others::Kept { name, .. } = others {
            *name = names::extra(&names);
        }
        *fields = all;
    }

    /// Adds the rules, docs and sensitive values of the base's member to a field of an alternative.
    fn narrow(&self, loc: &Loc, field: &mut Field, member: &Member, schema: &Loc) {
        if !self.is_implied(loc, &member.key, schema) {
            field.held.trees.extend(self.tree(schema, format!("{} in several schemas", code(&member.key))));
        }
        field.hidden |=
            self.sensitive.whole(schema, field.held.shape.is_typed()) || self.hides_more(loc, member, schema);
        field.null_is_absent |= null::is_absent(self.schemas, schema);
        if field.docs.said.is_empty() {
            field.docs.said = docs(&member.value);
        }
        if let Some(default) = &mut field.default {
            default.schemas.push(schema.clone());
        }
    }

    /// Returns whether the base has sensitive values within a member that the type of the alternative's member doesn't hide.
    fn hides_more(&self, loc: &Loc, member: &Member, schema: &Loc) -> bool {
        let own = self.members_at(&applied(self, loc), &member.key);
        let own: Vec<String> = own.iter().flat_map(|at| self.sensitive.within(at)).collect();
        self.sensitive.within(schema).iter().any(|pointer| !own.contains(pointer))
    }

    /// Returns whether the base only lists values, and the alternative allows only listed ones.
    fn is_implied(&self, loc: &Loc, name: &str, schema: &Loc) -> bool {
        let of_base = self.possible(schema);
        let own = self.members_at(&applied(self, loc), name).into_iter().map(|at| self.possible(&at));
        let only_lists = self.rules_of(schema).all(|rule| matches!(rule, "type" | "enum" | "const"));
        let values = self.get(schema, "enum").map_or(&[][..], Node::items).iter().chain(self.get(schema, "const"));
        // possible numbers are listed only if all are integers
        let is_listed = |node: &Node| !matches!(&node.json, Json::Number(text) if Number::new(text).whole().is_none());
        let only_lists = only_lists && values.into_iter().all(is_listed);
        let is_exact = !of_base.array && !of_base.object && only_lists && !self.schemas.refs.contains_key(schema);
        is_exact && own.reduce(Possible::and).is_some_and(|own| own.clone().and(of_base) == own)
    }

    fn base_field(&mut self, base: &Loc, member: &Member, schema: Loc) -> Field {
        let held = self.held(&schema);
        let mut docs = field_docs(&member.value, &held);
        docs.notes.extend(self.narrower_rules(&held));
        let default =
            self.default_at(&schema).map(|at| SchemaDefault { at, schemas: self.surely([&schema].into_iter()) });
        Field {
            wire: member.key.clone(),
            name: String::new(),
            required: false,
            default,
            accessor: None,
            constant: None,
            docs,
            hidden: self.sensitive.whole(&schema, held.shape.is_typed()),
            held,
            null_is_absent: null::is_absent(self.schemas, &schema),
            boxed: false,
            place: self.schemas.files[base.file].place(member.key_at),
        }
    }
}
