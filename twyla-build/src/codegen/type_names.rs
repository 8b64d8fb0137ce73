//! The names by which generated code refers to types.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};

use crate::model::{Field, FormatType, Model, Others, Shape, Type, ValueType, checked};

/// Writes the names of types for one module of the generated code.
pub(crate) struct TypeWriter<'a> {
    pub(crate) model: &'a Model,
    pub(crate) module: Option<&'a str>,
}

impl TypeWriter<'_> {
    /// Returns the type of a field.
    pub(crate) fn field(&self, field: &Field) -> TokenStream {
        if let Some(inner) = field.nullable() {
            let inner = self.boxed(inner, field.boxed);
            return quote!(__twyla::Nullable<#inner>);
        }
        let ty = self.boxed(&field.held, field.boxed);
        if field.may_be_absent() { quote!(::std::option::Option<#ty>) } else { ty }
    }

    /// Returns the name and the type of the field for undeclared members.
    pub(crate) fn others(&self, others: &Others) -> Option<(Ident, TokenStream)> {
        let Others::Kept { name, held, .. } = others else { return None };
        Some((ident(name), self.map(held)))
    }

    /// Returns the type of a value, boxed if needed.
    pub(crate) fn boxed(&self, held: &ValueType, boxed: bool) -> TokenStream {
        if !boxed {
            return self.shape(held);
        }
        if let Shape::Nullable(inner) = &held.shape {
            let inner = self.boxed(inner, true);
            return quote!(::std::option::Option<#inner>);
        }
        let ty = self.shape(held);
        quote!(::std::boxed::Box<#ty>)
    }

    pub(crate) fn shape(&self, held: &ValueType) -> TokenStream {
        match &held.shape {
            Shape::Any => quote!(__twyla::serde_json::Value),
            Shape::Null => quote!(()),
            Shape::Boolean => quote!(bool),
            Shape::Integer { type_, .. } => ident(type_.name()).into_token_stream(),
            Shape::Number => quote!(f64),
            Shape::String => quote!(::std::string::String),
            Shape::Format(real) => match real {
                FormatType::Date => quote!(__twyla::chrono::NaiveDate),
                FormatType::DateTime => quote!(__twyla::DateTime),
                FormatType::Uuid => quote!(__twyla::uuid::Uuid),
                FormatType::Ipv4 => quote!(::std::net::Ipv4Addr),
                FormatType::Ipv6 => quote!(::std::net::Ipv6Addr),
            },
            Shape::Named(id) => path(&self.model.types[*id], self.module),
            Shape::Array(item) => {
                let item = self.shape(item);
                quote!(::std::vec::Vec<#item>)
            }
            Shape::Map(value) => self.map(value),
            Shape::Nullable(inner) => {
                let inner = self.shape(inner);
                quote!(::std::option::Option<#inner>)
            }
            Shape::Replaced(replaced) => {
                let path = checked(&replaced.path);
                let parameters = replaced.parameters.iter().map(|parameter| self.shape(parameter));
                if replaced.parameters.is_empty() { path } else { quote!(#path<#(#parameters),*>) }
            }
        }
    }

    fn map(&self, value: &ValueType) -> TokenStream {
        if value.shape == Shape::Any {
            return quote!(__twyla::serde_json::Map<::std::string::String, __twyla::serde_json::Value>);
        }
        let value = self.shape(value);
        quote!(::std::collections::BTreeMap<::std::string::String, #value>)
    }
}

/// Returns the path to a type from a module of the generated code.
pub(crate) fn path(type_: &Type, from: Option<&str>) -> TokenStream {
    let name = ident(&type_.name);
    if type_.module.as_deref() == from {
        return quote!(#name);
    }
    let (root, to) = (root(from), type_.module.iter().flat_map(|module| module.split("::")).map(ident));
    quote!(#root #(#to::)* #name)
}

/// Returns the path from a module of the generated code to the module that includes the contracts.
pub(crate) fn root(from: Option<&str>) -> TokenStream {
    let ups = from.map_or(0, |module| module.split("::").count());
    "super::".repeat(ups).parse().unwrap_or_default()
}

pub(crate) fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}
