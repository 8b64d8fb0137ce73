//! Generates methods of unions that return a member that all variants have with the same name and type.

use proc_macro2::TokenStream;
use quote::quote;

use crate::codegen::defaults::{ReturnKind, returned};
use crate::codegen::type_names::{TypeWriter, ident};
use crate::codegen::types::docs_of;
use crate::markdown::{code, text};
use crate::model::{Body, Field, Model, Shape, Type, Variant};
use crate::schema::names;

/// The maximum number of variants in a union with such methods: each method matches all variants.
const MOST_VARIANTS: usize = 50;

/// Returns the methods of a union of structs; `None` if it has none.
pub(crate) fn methods(model: &Model, type_: &Type) -> Option<TokenStream> {
    let Body::Union { variants, .. } = &type_.body else { return None };
    let writer = &TypeWriter { model, module: type_.module.as_deref() };
    let fields = |variant: &Variant| match &variant.held.as_ref()?.shape {
        Shape::Named(id) => match &writer.model.types[*id].body {
            Body::Struct { fields, .. } => Some(fields),
            _ => None,
        },
        _ => None,
    };
    let structs: Vec<&Vec<Field>> = variants.iter().map(fields).collect::<Option<_>>()?;
    let (first, others) = structs.split_first().filter(|_| structs.len() <= MOST_VARIANTS)?;
    let is_alike = |field: &&Field| {
        let ty = writer.field(field).to_string();
        let same = |it: &Field| {
            it.constant.is_none()
                && it.wire == field.wire
                && it.name == field.name
                && writer.field(it).to_string() == ty
        };
        others.iter().all(|fields| fields.iter().any(same))
    };
    let stored = first.iter().filter(|field| field.constant.is_none());
    let alike = stored.filter(|field| field.accessor.is_none() && !names::is_common_method(&field.name));
    let methods: Vec<TokenStream> = alike.filter(is_alike).map(|field| method(writer, field, variants)).collect();
    let union = ident(&type_.name);
    (!methods.is_empty()).then(|| quote!(impl #union { #(#methods)* }))
}

fn method(writer: &TypeWriter<'_>, field: &Field, variants: &[Variant]) -> TokenStream {
    let (inner, is_option) = match &field.held.shape {
        Shape::Nullable(inner) => (&**inner, true),
        _ => (&field.held, field.may_be_absent()),
    };
    let (whole, option) = (writer.field(field), quote!(::std::option::Option));
    let plain = writer.shape(inner);
    let items = match &inner.shape {
        Shape::Array(item) => writer.shape(item),
        _ => TokenStream::new(),
    };
    let (ty, seen) = match (returned(writer.model, &inner.shape), is_option) {
        _ if field.nullable().is_some() => (quote!(&#whole), None),
        (ReturnKind::Copied, _) => (whole, None),
        (ReturnKind::Text, false) => (quote!(&str), None),
        (ReturnKind::Items, false) => (quote!(&[#items]), None),
        (ReturnKind::Whole, false) => (quote!(&#plain), None),
        (ReturnKind::Text, true) => (quote!(#option<&str>), Some(quote!(.as_deref()))),
        (ReturnKind::Items, true) => (quote!(#option<&[#items]>), Some(quote!(.as_deref()))),
        (ReturnKind::Whole, true) if field.boxed => (quote!(#option<&#plain>), Some(quote!(.as_deref()))),
        (ReturnKind::Whole, true) => (quote!(#option<&#plain>), Some(quote!(.as_ref()))),
    };
    let is_copied = field.nullable().is_none() && returned(writer.model, &inner.shape) == ReturnKind::Copied;
    let by_reference = (seen.is_none() && !is_copied).then(|| quote!(&));
    let name = ident(&field.name);
    let arms = variants.iter().map(|variant| {
        let variant = ident(&variant.name);
        quote!(Self::#variant(value) => #by_reference value.#name #seen,)
    });
    let docs = docs_of([format!("{}, which every variant has.", code(&field.wire)), text(&field.docs.said)]);
    quote! {
        #docs
        #[must_use]
        pub fn #name(&self) -> #ty {
            match self { #(#arms)* }
        }
    }
}
