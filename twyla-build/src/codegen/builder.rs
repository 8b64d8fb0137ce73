//! Generates the builder of a struct whose `new` takes many arguments, or several of one type.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;

use crate::codegen::type_names::{TypeWriter, ident};
use crate::model::{Body, Field, Model, Shape, Type};

/// The maximum number of arguments, each of a type of its own, of a `new` without a builder beside it.
const MOST_ARGUMENTS: usize = 7;

/// The compiler finds each member in the list of required ones by recursion, of which it allows 128 steps by default.
const MOST_MEMBERS: usize = 100;

/// Returns the builder of a struct; nothing if the arguments of `new` are few, and none can be swapped for another. `fixed` has
/// the fields that nothing is given for, with their values.
pub(crate) fn builder(model: &Model, type_: &Type, fixed: &[(&str, TokenStream)]) -> TokenStream {
    let Body::Struct { fields, .. } = &type_.body else { return TokenStream::new() };
    let writer = TypeWriter { model, module: type_.module.as_deref() };
    let given = || fields.iter().filter(|field| !fixed.iter().any(|(name, _)| *name == field.name));
    let arguments = || given().filter(|field| field.required);
    let types: BTreeSet<String> = arguments().map(|field| writer.boxed(&field.held, field.boxed).to_string()).collect();
    let count = arguments().count();
    let is_clear = count <= MOST_ARGUMENTS && types.len() == count;
    if is_clear || count > MOST_MEMBERS {
        return TokenStream::new();
    }
    let is_text = |field: &&Field| field.held.shape == Shape::String;
    let values = |required: bool| {
        let is_value =
            move |field: &&Field| field.required == required && !is_text(field) && field.nullable().is_none();
        let fields = given().filter(is_value);
        fields.map(|field| {
            let (name, ty) = (ident(&field.name), writer.boxed(&field.held, field.boxed));
            quote!(#name: #ty)
        })
    };
    let texts = |required: bool| {
        given().filter(move |field| field.required == required && is_text(field)).map(|field| ident(&field.name))
    };
    let (required, required_texts, optional, optional_texts) = (values(true), texts(true), values(false), texts(false));
    let nullable = given().filter_map(|field| {
        let (name, ty) = (ident(&field.name), writer.boxed(field.nullable()?, field.boxed));
        Some(quote!(#name: #ty))
    });
    let fixed = fixed.iter().map(|(name, value)| {
        let name = ident(name);
        quote!(#name: #value)
    });
    let (name, builder, build) = (ident(&type_.name), ident(&name(model, type_)), ident(&build(fields)));
    quote! {
        __twyla::builder!(
            #name #builder #build { #(#required),* } { #(#required_texts),* }
            { #(#optional),* } { #(#optional_texts),* } { #(#nullable),* } { #(#fixed),* }
        );
    }
}

/// Returns a name for the builder that no other type of the module has.
fn name(model: &Model, type_: &Type) -> String {
    let module = type_.module.as_deref();
    let mut name = format!("{}Builder", type_.name);
    let is_taken = |name: &str| {
        let types = model.types.iter().any(|other| other.name == name && other.module.as_deref() == module);
        let mut rpcs = model.rpcs.iter().filter(|method| Some(method.module.as_str()) == module);
        types
            || rpcs.any(|method| {
                method.type_ == name || method.carries().any(|(_, carried)| carried.alias.as_deref() == Some(name))
            })
    };
    while is_taken(&name) {
        name.push('_');
    }
    name
}

/// Returns the name of the builder's last method, which is `build` unless a field has that name.
fn build(fields: &[Field]) -> String {
    let is_free = |name: &&str| !fields.iter().any(|field| field.name == *name);
    let free = ["build", "finish", "build_all"].into_iter().find(is_free);
    free.map_or_else(|| "build_".to_owned(), str::to_owned)
}
