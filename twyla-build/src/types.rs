//! The one room where typify is at home: shapes go in as a schema of our own making, structs and enums come out, and get
//! their names, wire names, attributes and docs back.
//!
//! typify sees `T0`, `f0` and `v0` only, so that none of its own naming rules can matter, and no value rule, so that
//! none can be lost. What it decides is the Rust types, and where a type that holds itself is boxed.

use std::collections::BTreeMap;

use proc_macro2::Span;
use quote::quote;
use schemars::schema::Schema;
use serde_json::{Value, json};
use syn::visit_mut::{self, VisitMut};
use syn::{Fields, Ident, Item, ItemStruct, Path, Type as RustType, parse_quote};

use crate::model::{Body, Field, Held, Model, Shape, Type, TypeId};

/// The definition of each type of the model, without its impls.
///
/// # Errors
/// What typify says, where it can't take our shapes: an error in this crate.
pub(crate) fn items(model: &Model) -> Result<Vec<Item>, String> {
    let definitions = model.types.iter().enumerate().map(|(id, type_)| (format!("T{id}"), definition(type_)));
    let definitions: BTreeMap<String, Value> = definitions.collect();
    let schemas: BTreeMap<String, Schema> =
        serde_json::from_value(json!(definitions)).map_err(|error| error.to_string())?;
    let mut settings = typify::TypeSpaceSettings::default();
    settings.with_map_type("::std::collections::BTreeMap");
    let mut space = typify::TypeSpace::new(&settings);
    space.add_ref_types(schemas).map_err(|error| error.to_string())?;
    let file: syn::File = syn::parse2(space.to_stream()).map_err(|error| error.to_string())?;
    let mut made: BTreeMap<String, Item> = BTreeMap::new();
    for item in file.items {
        let ident = match &item {
            Item::Struct(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            // conversions and their error: nobody needs them
            _ => continue,
        };
        made.insert(ident.to_string(), item);
    }
    let finished =
        model.types.iter().enumerate().map(|(id, type_)| match (&type_.body, made.remove(&format!("T{id}"))) {
            (Body::Struct { fields, closed }, Some(Item::Struct(item))) => {
                Ok(Item::Struct(structure(model, type_, fields, *closed, item)))
            }
            (Body::Map(_), Some(Item::Struct(item))) => Ok(Item::Struct(map(model, type_, item))),
            (Body::Enum { words, variants }, Some(Item::Enum(mut item))) => {
                let docs = docs(&format!("{}\n\nSchema: {}:{}", type_.docs, type_.place.file, type_.place.line));
                item.attrs = parse_quote!(#docs #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]);
                item.ident = ident(&type_.name);
                if item.variants.len() != variants.len() {
                    return Err(format!("typify has made {} variants of {}", item.variants.len(), variants.len()));
                }
                for ((variant, name), word) in item.variants.iter_mut().zip(variants).zip(words) {
                    let docs = self::docs(&format!("`{}`", word.escape_debug()));
                    variant.attrs = parse_quote!(#docs);
                    variant.ident = ident(name);
                }
                Ok(Item::Enum(item))
            }
            (_, made) => Err(format!(
                "typify has made {} of {}",
                if made.is_some() { "another thing" } else { "nothing" },
                type_.path()
            )),
        });
    finished.collect()
}

fn definition(type_: &Type) -> Value {
    match &type_.body {
        Body::Struct { fields, closed } => {
            // all are required here: what may be absent becomes an `Option` below, whatever its type is
            let named =
                || fields.iter().enumerate().map(|(index, field)| (format!("f{index:05}"), schema(&field.held)));
            let properties: BTreeMap<String, Value> = named().collect();
            let required: Vec<String> = named().map(|(name, _)| name).collect();
            let mut out = json!({ "type": "object", "properties": properties, "required": required });
            if *closed || fields.is_empty() {
                out["additionalProperties"] = json!(false);
            }
            out
        }
        Body::Enum { words, .. } => {
            let words: Vec<String> = (0..words.len()).map(|index| format!("v{index}")).collect();
            json!({ "type": "string", "enum": words })
        }
        Body::Map(held) => schema(held),
    }
}

/// A shape in the words of JSON Schema as typify reads it.
fn schema(held: &Held) -> Value {
    match &held.shape {
        Shape::Any => json!({}),
        Shape::Null => json!({ "type": "null" }),
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::Integer { unsigned, .. } => {
            json!({ "type": "integer", "format": if *unsigned { "uint64" } else { "int64" } })
        }
        Shape::Number => json!({ "type": "number", "format": "double" }),
        Shape::String => json!({ "type": "string" }),
        Shape::Named(id) => json!({ "$ref": format!("#/definitions/T{id}") }),
        Shape::Array(item) => json!({ "type": "array", "items": schema(item) }),
        Shape::Map(value) => json!({ "type": "object", "additionalProperties": schema(value) }),
        Shape::Nullable(value) => json!({ "oneOf": [schema(value), { "type": "null" }] }),
    }
}

fn structure(model: &Model, type_: &Type, fields: &[Field], closed: bool, mut item: ItemStruct) -> ItemStruct {
    let docs = type_docs(type_);
    let closed = closed.then(|| quote!(, deny_unknown_fields));
    item.attrs = parse_quote! {
        #docs
        #[derive(Clone, Debug, PartialEq, ::twyla_runtime::__private::serde::Serialize, ::twyla_runtime::__private::serde::Deserialize)]
        #[serde(crate = "::twyla_runtime::__private::serde" #closed)]
    };
    item.ident = ident(&type_.name);
    Paths { model, module: type_.module.as_deref() }.visit_fields_mut(&mut item.fields);
    if let Fields::Named(named) = &mut item.fields {
        for made in &mut named.named {
            // `f00007` is the eighth: typify sorts them, we have them in the schema's order
            let index = made.ident.as_ref().and_then(|ident| ident.to_string().get(1..)?.parse::<usize>().ok());
            let Some(field) = index.and_then(|index| fields.get(index)) else { continue };
            *made = finished(field, &made.ty);
        }
    }
    item
}

fn finished(field: &Field, ty: &RustType) -> syn::Field {
    use syn::parse::Parser;
    let docs = docs(&format!("{}\n\nSchema: {}:{}", field.docs, field.place.file, field.place.line));
    let name = ident(&field.name);
    let mut attributes = Vec::new();
    if field.wire != field.name {
        let wire = &field.wire;
        attributes.push(quote!(rename = #wire));
    }
    let ty = if field.required {
        attributes.push(quote!(deserialize_with = "::twyla_runtime::__private::read"));
        ty.clone()
    } else {
        attributes.push(quote!(default));
        attributes.push(quote!(deserialize_with = "::twyla_runtime::__private::present"));
        attributes.push(quote!(skip_serializing_if = "::std::option::Option::is_none"));
        parse_quote!(::std::option::Option<#ty>)
    };
    let tokens = quote!(#docs #[serde(#(#attributes),*)] pub #name: #ty);
    // these tokens are a field, whatever the schema says
    syn::Field::parse_named.parse2(tokens).unwrap_or_else(|error| unreachable!("{error}"))
}

fn map(model: &Model, type_: &Type, mut item: ItemStruct) -> ItemStruct {
    let docs = type_docs(type_);
    item.attrs = parse_quote! {
        #docs
        #[derive(Clone, Debug, PartialEq, ::twyla_runtime::__private::serde::Serialize, ::twyla_runtime::__private::serde::Deserialize)]
        #[serde(crate = "::twyla_runtime::__private::serde", transparent)]
    };
    item.ident = ident(&type_.name);
    Paths { model, module: type_.module.as_deref() }.visit_fields_mut(&mut item.fields);
    for field in &mut item.fields {
        field.attrs = parse_quote!(
            /// The members.
            #[serde(deserialize_with = "::twyla_runtime::__private::read")]
        );
    }
    item
}

fn type_docs(type_: &Type) -> Docs {
    let mut text = format!("{}\n\nSchema: {}:{}", type_.docs, type_.place.file, type_.place.line);
    for reason in &type_.reasons {
        text.push_str(&format!(
            "\n\nHeld to its schema by a validator: {} ({}:{}).",
            reason.why, reason.place.file, reason.place.line
        ));
    }
    docs(&text)
}

struct Docs(Vec<String>);

impl quote::ToTokens for Docs {
    fn to_tokens(&self, tokens: &mut proc_macro2::TokenStream) {
        let lines = &self.0;
        tokens.extend(quote!(#(#[doc = #lines])*));
    }
}

fn docs(text: &str) -> Docs {
    // an indented line would be code, and code a doctest
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let lines = text.trim().split('\n').map(|line| {
        let line: String = line.trim().chars().map(plain).collect();
        format!(" {}", line.replace("```", "\u{2032}\u{2032}\u{2032}"))
    });
    Docs(lines.collect())
}

pub(crate) fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}

/// The path to a type from within a module of the generated code.
pub(crate) fn path(type_: &Type, from: Option<&str>) -> Path {
    let name = ident(&type_.name);
    match (type_.module.as_deref(), from) {
        (to, from) if to == from => parse_quote!(#name),
        (Some(to), None) => {
            let to = ident(to);
            parse_quote!(self::#to::#name)
        }
        (Some(to), Some(_)) => {
            let to = ident(to);
            parse_quote!(super::#to::#name)
        }
        (None, _) => parse_quote!(super::#name),
    }
}

/// Puts our paths for typify's: `T7` and `::serde_json`.
struct Paths<'a> {
    model: &'a Model,
    module: Option<&'a str>,
}

impl VisitMut for Paths<'_> {
    fn visit_path_mut(&mut self, at: &mut Path) {
        visit_mut::visit_path_mut(self, at);
        let Some(first) = at.segments.first().map(|segment| segment.ident.to_string()) else { return };
        if first == "serde_json" {
            let rest = at.segments.iter();
            *at = parse_quote!(::twyla_runtime::__private::#(#rest)::*);
        } else if let Some(id) = first.strip_prefix('T').and_then(|id| id.parse::<TypeId>().ok())
            && let Some(type_) = self.model.types.get(id)
        {
            *at = path(type_, self.module);
        }
    }
}
