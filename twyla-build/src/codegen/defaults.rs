//! Generates the methods that return the value of a property, or its default if it is absent.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use crate::codegen::type_names::{TypeWriter, ident, path};
use crate::codegen::types::docs_of;
use crate::markdown::code;
use crate::model::{Accessor, Body, Field, FormatType, Model, Shape, Type, ValueType, shown};
use crate::number::Number;
use crate::schema::load::{Json, Node};

/// Returns the accessors of a struct.
pub(crate) fn accessors(model: &Model, type_: &Type) -> TokenStream {
    let Body::Struct { fields, .. } = &type_.body else { return TokenStream::new() };
    let writer = TypeWriter { model, module: type_.module.as_deref() };
    let with = fields.iter().filter_map(|field| Some((field, field.accessor.as_ref()?)));
    with.map(|(field, given)| accessor(&writer, field, given)).collect()
}

/// How an accessor returns a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReturnKind {
    Copied,
    Text,
    Items,
    Whole,
}

/// Returns how an accessor returns a value of a shape.
pub(crate) fn returned(model: &Model, shape: &Shape) -> ReturnKind {
    match shape {
        Shape::Boolean | Shape::Integer { .. } | Shape::Number => ReturnKind::Copied,
        // a `DateTime` may contain a string
        Shape::Format(FormatType::DateTime) => ReturnKind::Whole,
        Shape::Format(_) => ReturnKind::Copied,
        Shape::Named(id) if matches!(model.types[*id].body, Body::Enum { .. }) => ReturnKind::Copied,
        Shape::String => ReturnKind::Text,
        Shape::Array(_) => ReturnKind::Items,
        _ => ReturnKind::Whole,
    }
}

fn accessor(
    writer: &TypeWriter<'_>,
    field: &Field,
    Accessor { name: accessor, value, text }: &Accessor,
) -> TokenStream {
    let (inner, nullable) = match &field.held.shape {
        Shape::Nullable(inner) => (&**inner, true),
        _ => (&field.held, false),
    };
    let returned = returned(writer.model, &inner.shape);
    let in_box = field.boxed && !matches!(inner.shape, Shape::Nullable(_));
    let whole = if in_box { writer.shape(inner) } else { writer.boxed(inner, field.boxed) };
    let ty = match (returned, &inner.shape) {
        (ReturnKind::Copied, _) => whole.clone(),
        (ReturnKind::Text, _) => quote!(&str),
        (ReturnKind::Items, Shape::Array(item)) => {
            let item = writer.shape(item);
            quote!(&[#item])
        }
        _ => quote!(&#whole),
    };
    let is_null = nullable && matches!(value.json, Json::Null);
    let constant = constant(writer, inner, value);
    let known = (!is_null && constant.is_none()).then(|| {
        quote! {
            static DEFAULT: ::std::sync::LazyLock<#whole> = ::std::sync::LazyLock::new(|| __twyla::default(#text));
        }
    });
    let default = constant.unwrap_or_else(|| match returned {
        ReturnKind::Copied => quote!(*DEFAULT),
        ReturnKind::Items => quote!(DEFAULT.as_slice()),
        ReturnKind::Text | ReturnKind::Whole => quote!(&*DEFAULT),
    });
    let seen = match returned {
        ReturnKind::Copied => None,
        ReturnKind::Whole if !in_box => Some(quote!(.as_ref())),
        ReturnKind::Text | ReturnKind::Items | ReturnKind::Whole => Some(quote!(.as_deref())),
    };
    let name = ident(&field.name);
    let (ty, body) = if nullable {
        let default =
            if is_null { quote!(::std::option::Option::None) } else { quote!(::std::option::Option::Some(#default)) };
        let there = match returned {
            ReturnKind::Copied => quote!(*value),
            ReturnKind::Text => quote!(value.as_str()),
            ReturnKind::Items => quote!(value.as_slice()),
            ReturnKind::Whole if in_box => quote!(&**value),
            ReturnKind::Whole => quote!(value),
        };
        let body = quote! {
            match &self.#name {
                __twyla::Nullable::Absent => #default,
                __twyla::Nullable::Null => ::std::option::Option::None,
                __twyla::Nullable::Value(value) => ::std::option::Option::Some(#there),
            }
        };
        (quote!(::std::option::Option<#ty>), body)
    } else if known.is_some() {
        (ty, quote!(self.#name #seen.unwrap_or_else(|| #default)))
    } else {
        (ty, quote!(self.#name #seen.unwrap_or(#default)))
    };
    let docs = docs_of([format!("{}, or its default where it is absent: {}.", code(&field.wire), shown(text))]);
    let accessor = ident(accessor);
    quote! {
        #docs
        #[must_use]
        pub fn #accessor(&self) -> #ty {
            #known
            #body
        }
    }
}

/// Returns a default as a constant expression; `None` if it must be parsed at run time.
fn constant(writer: &TypeWriter<'_>, held: &ValueType, value: &Node) -> Option<TokenStream> {
    Some(match (&held.shape, &value.json) {
        (Shape::Boolean, Json::Bool(value)) => quote!(#value),
        (Shape::Integer { .. }, Json::Number(text)) => {
            let value = Literal::i128_unsuffixed(Number::new(text).whole()?);
            quote!(#value)
        }
        (Shape::Number, Json::Number(text)) => {
            let value = Literal::f64_unsuffixed(text.parse().ok().filter(|value: &f64| value.is_finite())?);
            quote!(#value)
        }
        (Shape::String, Json::String(text)) => quote!(#text),
        (Shape::Array(_), Json::Array(items)) if items.is_empty() => quote!(&[]),
        (Shape::Named(id), Json::String(text)) => {
            let type_ = &writer.model.types[*id];
            let Body::Enum { words, variants } = &type_.body else { return None };
            let (path, variant) =
                (path(type_, writer.module), ident(variants.get(words.iter().position(|it| it == text)?)?));
            quote!(#path::#variant)
        }
        _ => return None,
    })
}
