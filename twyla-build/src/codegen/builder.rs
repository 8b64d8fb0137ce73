//! Generates the builder of a struct whose `new` takes many arguments.

use proc_macro2::TokenStream;
use quote::quote;

use crate::codegen::type_names::{TypeWriter, ident};
use crate::codegen::union;
use crate::model::{Body, Field, Model, Type};

/// The maximum number of arguments of `new` in a type without a builder.
const MOST_ARGUMENTS: usize = 7;

/// The maximum number of required members in a builder: the compiler finds each one in a list by recursion, which is
/// limited to 128 steps by default.
const MOST_MEMBERS: usize = 100;

/// Returns the builder of a struct. It is empty if `new` has few arguments, or too many for a builder. `fixed` has the
/// fields without an argument, with their values.
pub(crate) fn builder(model: &Model, type_: &Type, fixed: &[(&str, TokenStream)]) -> TokenStream {
    let Body::Struct { fields, .. } = &type_.body else { return TokenStream::new() };
    let writer = TypeWriter { model, module: type_.module.as_deref() };
    let is_given = |field: &&Field| field.constant.is_none() && !fixed.iter().any(|(name, _)| *name == field.name);
    let given = || fields.iter().filter(is_given);
    let count = given().filter(|field| field.required).count();
    if count <= MOST_ARGUMENTS || count > MOST_MEMBERS {
        return TokenStream::new();
    }
    let members = |required: bool, converts: bool| {
        let is_one = |field: &&Field| {
            field.required == required && field.nullable().is_none() && converts_into(&writer, field) == converts
        };
        let member = |field: &Field| {
            let (name, ty) = (ident(&field.name), writer.boxed(&field.held, field.boxed));
            quote!(#name: #ty)
        };
        given().filter(is_one).map(member).collect::<Vec<_>>()
    };
    let (required, required_into) = (members(true, false), members(true, true));
    let (optional, optional_into) = (members(false, false), members(false, true));
    let nullable = given().filter_map(|field| {
        let (name, ty) = (ident(&field.name), writer.boxed(field.nullable()?, field.boxed));
        Some(quote!(#name: #ty))
    });
    let fixed = fixed.iter().map(|(name, value)| {
        let name = ident(name);
        quote!(#name: #value)
    });
    let builder = name(model, type_);
    let members = ident(&format!("__{builder}"));
    let (name, builder, build) = (ident(&type_.name), ident(&builder), ident(&build(fields)));
    quote! {
        __twyla::builder!(
            #name #builder #members #build { #(#required),* } { #(#required_into),* }
            { #(#optional),* } { #(#optional_into),* } { #(#nullable),* } { #(#fixed),* }
        );
    }
}

/// Returns whether other types convert into the type of a field, so that `new` and the builder take any of them.
pub(crate) fn converts_into(writer: &TypeWriter<'_>, field: &Field) -> bool {
    !union::converted(writer, &field.held, field.boxed).is_empty()
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
