//! The methods that return the value of a property, or its default where it is absent.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use crate::codegen::types::{Writer, docs_of, ident, path};
use crate::markdown::code;
use crate::model::{Accessor, Body, Field, Held, Model, Real, Shape, Type, shown};
use crate::number::Number;
use crate::schema::load::{Json, Node};

/// The accessors of a struct, for its `impl`.
pub(crate) fn accessors(model: &Model, type_: &Type) -> TokenStream {
    let Body::Struct { fields, .. } = &type_.body else { return TokenStream::new() };
    let writer = Writer { model, module: type_.module.as_deref() };
    let with = fields.iter().filter_map(|field| Some((field, field.accessor.as_ref()?)));
    with.map(|(field, given)| accessor(&writer, field, given)).collect()
}

/// How a value is returned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Returned {
    Copied,
    Text,
    Items,
    Whole,
}

fn returned(model: &Model, shape: &Shape) -> Returned {
    match shape {
        Shape::Boolean | Shape::Integer { .. } | Shape::Number => Returned::Copied,
        // it may have a text of its own
        Shape::Real(Real::DateTime) => Returned::Whole,
        Shape::Real(_) => Returned::Copied,
        Shape::Named(id) if matches!(model.types[*id].body, Body::Enum { .. }) => Returned::Copied,
        Shape::String => Returned::Text,
        Shape::Array(_) => Returned::Items,
        _ => Returned::Whole,
    }
}

fn accessor(writer: &Writer<'_>, field: &Field, Accessor { name: accessor, value, text }: &Accessor) -> TokenStream {
    let (inner, nullable) = match &field.held.shape {
        Shape::Nullable(inner) => (&**inner, true),
        _ => (&field.held, false),
    };
    let returned = returned(writer.model, &inner.shape);
    let in_box = field.boxed && !matches!(inner.shape, Shape::Nullable(_));
    let whole = if in_box { writer.shape(inner) } else { writer.boxed(inner, field.boxed) };
    let ty = match (returned, &inner.shape) {
        (Returned::Copied, _) => whole.clone(),
        (Returned::Text, _) => quote!(&str),
        (Returned::Items, Shape::Array(item)) => {
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
        Returned::Copied => quote!(*DEFAULT),
        Returned::Items => quote!(DEFAULT.as_slice()),
        Returned::Text | Returned::Whole => quote!(&*DEFAULT),
    });
    let seen = match returned {
        Returned::Copied => None,
        Returned::Whole if !in_box => Some(quote!(.as_ref())),
        Returned::Text | Returned::Items | Returned::Whole => Some(quote!(.as_deref())),
    };
    let name = ident(&field.name);
    let (ty, body) = if nullable {
        let default =
            if is_null { quote!(::std::option::Option::None) } else { quote!(::std::option::Option::Some(#default)) };
        let there = if seen.is_some() { quote!(value #seen) } else { quote!(*value) };
        let body = quote! {
            match &self.#name {
                ::std::option::Option::Some(value) => #there,
                ::std::option::Option::None => #default,
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

/// A default as the compiler knows it; none where it has to be read from its text.
fn constant(writer: &Writer<'_>, held: &Held, value: &Node) -> Option<TokenStream> {
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
