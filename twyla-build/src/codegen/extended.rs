//! Generates the conversion of a struct into a type that its schema extends by `allOf` or beside a `$ref`.

use std::collections::{BTreeSet, HashMap};

use proc_macro2::TokenStream;
use quote::quote;

use crate::codegen::type_names::{TypeWriter, ident, path};
use crate::model::{Body, Field, Model, Others, Type, TypeId};
use crate::schema::load::Node;
use crate::schema::schemas::{Loc, Schemas};

/// The structs of a model, by their schemas.
pub(crate) struct Structs<'a> {
    schemas: &'a Schemas,
    model: &'a Model,
    by_schema: HashMap<&'a Loc, TypeId>,
}

impl<'a> Structs<'a> {
    pub(crate) fn of(schemas: &'a Schemas, model: &'a Model) -> Self {
        let all = model.types.iter().enumerate();
        let structs = all.filter(|(_, type_)| matches!(type_.body, Body::Struct { .. }) && !type_.is_plain());
        Self { schemas, model, by_schema: structs.map(|(id, type_)| (&type_.loc, id)).collect() }
    }

    /// Returns an impl of `From` for each type that a struct extends, if the struct has all fields of that type, with the
    /// same types. A field that is optional there may be required in the struct.
    pub(crate) fn conversions(&self, type_: &Type) -> TokenStream {
        let Body::Struct { fields, .. } = &type_.body else { return TokenStream::new() };
        let bases: BTreeSet<TypeId> = self.references(&type_.loc).filter_map(|at| self.find(at)).collect();
        bases.into_iter().filter_map(|base| self.conversion(type_, fields, &self.model.types[base])).collect()
    }

    fn conversion(&self, type_: &Type, fields: &[Field], base: &Type) -> Option<TokenStream> {
        let Body::Struct { fields: wanted, others } = &base.body else { return None };
        // undeclared members that a base keeps may be declared fields of this struct
        if base.loc == type_.loc || matches!(others, Others::Kept { .. }) {
            return None;
        }
        let writer = TypeWriter { model: self.model, module: type_.module.as_deref() };
        let mut values = Vec::new();
        for field in wanted.iter().filter(|field| field.constant.is_none()) {
            let same = fields.iter().find(|it| it.wire == field.wire && it.constant.is_none())?;
            // a value that this struct hides must not be shown by the base
            if (same.hidden || type_.hidden) && !(field.hidden || base.hidden) {
                return None;
            }
            let (name, value) = (ident(&field.name), ident(&same.name));
            if writer.field(same).to_string() == writer.field(field).to_string() {
                values.push(quote!(#name: value.#value));
            } else if is_required_here(&writer, same, field) {
                values.push(quote!(#name: ::std::option::Option::Some(value.#value)));
            } else {
                return None;
            }
        }
        if values.is_empty() {
            return None;
        }
        let (name, base) = (ident(&type_.name), path(base, type_.module.as_deref()));
        Some(quote! {
            impl ::std::convert::From<#name> for #base {
                fn from(value: #name) -> Self {
                    Self { #(#values),* }
                }
            }
        })
    }

    /// Returns the references by which further schemas apply to the values of a schema.
    fn references(&self, at: &Loc) -> impl Iterator<Item = &'a Loc> {
        let own = self.schemas.refs.get(at);
        let alone = own.is_some() && self.schemas.draft(at).ref_stands_alone();
        let all = self.schemas.node(at).filter(|_| !alone && self.schemas.knows(at, "allOf"));
        let count = all.and_then(|node| node.get("allOf")).map_or(0, |node| Node::items(node).len());
        let all_of = at.step("allOf");
        let listed = (0..count).filter_map(move |index| self.schemas.refs.get(&all_of.step(&index.to_string())));
        own.into_iter().chain(listed)
    }

    /// Returns the struct of a schema, or of the one that it refers to.
    fn find(&self, at: &'a Loc) -> Option<TypeId> {
        let mut at = at;
        // references may form a cycle
        for _ in 0..=self.schemas.infos.len() {
            match self.by_schema.get(at) {
                Some(id) => return Some(*id),
                None => at = self.schemas.refs.get(at)?,
            }
        }
        None
    }
}

/// Returns whether a field differs from the base's field only in being required.
fn is_required_here(writer: &TypeWriter<'_>, here: &Field, base: &Field) -> bool {
    let held = |field: &Field| writer.boxed(&field.held, field.boxed).to_string();
    let is_option = base.may_be_absent() && !base.null_is_absent && base.nullable().is_none();
    here.required && is_option && held(here) == held(base)
}
