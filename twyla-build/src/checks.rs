//! The generated `impl Validate` of each type: one call of a rule for each thing that is checked.

use std::collections::BTreeMap;

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use crate::model::{Body, Check, Held, Model, Shape, Type};
use crate::types::ident;

/// The patterns of all types, each compiled once.
#[derive(Debug, Default)]
pub(crate) struct Patterns(BTreeMap<(String, String), usize>);

impl Patterns {
    fn name(&mut self, written: &str, translated: &str) -> proc_macro2::Ident {
        let next = self.0.len();
        let index = *self.0.entry((written.to_owned(), translated.to_owned())).or_insert(next);
        format_ident!("PATTERN_{index}")
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn statics(&self) -> Vec<TokenStream> {
        let mut all: Vec<_> = self.0.iter().collect();
        all.sort_by_key(|(_, index)| **index);
        let statics = all.into_iter().map(|((written, translated), index)| {
            let name = format_ident!("PATTERN_{index}");
            quote! {
                pub static #name: ::twyla_runtime::__private::Pattern =
                    ::twyla_runtime::__private::Pattern::plain(#written, #translated);
            }
        });
        statics.collect()
    }
}

struct Writer<'a> {
    model: &'a Model,
    patterns: &'a mut Patterns,
    /// The way from the type's module to the one that includes the contracts.
    up: TokenStream,
}

/// The impl for one type.
pub(crate) fn validate(model: &Model, type_: &Type, patterns: &mut Patterns) -> TokenStream {
    let up = type_.module.as_ref().map_or_else(|| quote!(self), |_| quote!(super));
    let mut writer = Writer { model, patterns, up };
    let mut body = TokenStream::new();
    let mut nests = false;
    match &type_.body {
        Body::Struct { fields, .. } => {
            for field in fields {
                let rules = writer.held(&field.held);
                if rules.is_empty() {
                    continue;
                }
                nests |= nested(&field.held.shape);
                let (name, wire) = (ident(&field.name), &field.wire);
                body.extend(if field.required {
                    quote!({ let (value, at) = (&self.#name, &at.key(#wire)); #rules })
                } else {
                    quote!(if let ::std::option::Option::Some(value) = &self.#name { let at = &at.key(#wire); #rules })
                });
            }
        }
        Body::Map(held) => {
            nests = true;
            let rules = writer.held(held);
            body.extend(quote!(let value = &self.0; #rules));
        }
        Body::Enum { .. } => return TokenStream::new(),
    }
    let guard = nests.then(|| {
        quote!(if !rules::shallow(at, out) {
            return;
        })
    });
    let unused = body.is_empty().then(|| quote!(let _ = (at, out);));
    // only structs inside of a struct leave it nothing of its own to check
    let calls = guard.is_some() || body.to_string().contains("rules ::");
    let rules = calls.then(|| {
        quote!(
            use ::twyla_runtime::__private::rules;
        )
    });
    let name = ident(&type_.name);
    quote! {
        impl ::twyla_runtime::__private::Validate for #name {
            fn validate(
                &self,
                at: &::twyla_runtime::__private::Path<'_>,
                out: &mut ::twyla_runtime::__private::Violations,
            ) {
                #rules
                #unused
                #guard
                #body
            }
        }
    }
}

fn nested(shape: &Shape) -> bool {
    matches!(shape, Shape::Named(_) | Shape::Array(_) | Shape::Map(_) | Shape::Nullable(_))
}

impl Writer<'_> {
    /// The rules for `value`, a reference, at `at`.
    fn held(&mut self, held: &Held) -> TokenStream {
        let mut out = TokenStream::new();
        for check in &held.checks {
            out.extend(self.check(check));
        }
        match &held.shape {
            Shape::Number => out.extend(quote!(rules::finite(*value, at, out);)),
            Shape::Any => out.extend(quote!(rules::shallow_value(value, at, out);)),
            Shape::Named(id) => {
                if !matches!(self.model.types[*id].body, Body::Enum { .. }) {
                    out.extend(quote!(::twyla_runtime::__private::Validate::validate(value, at, out);));
                }
            }
            Shape::Array(item) => {
                let rules = self.held(item);
                if !rules.is_empty() {
                    out.extend(quote! {
                        for (index, value) in value.iter().enumerate() {
                            let at = &at.index(index);
                            #rules
                        }
                    });
                }
            }
            Shape::Map(item) => {
                let rules = self.held(item);
                if !rules.is_empty() {
                    out.extend(quote! {
                        for (key, value) in value {
                            let at = &at.key(key);
                            #rules
                        }
                    });
                }
            }
            Shape::Nullable(inner) => {
                let rules = self.held(inner);
                if !rules.is_empty() {
                    out.extend(quote!(if let ::std::option::Option::Some(value) = value { #rules }));
                }
            }
            Shape::Null | Shape::Boolean | Shape::Integer { .. } | Shape::String => {}
        }
        out
    }

    fn check(&mut self, check: &Check) -> TokenStream {
        let size = |limit: &u64| Literal::u64_unsuffixed(*limit);
        let integer = |value: &i128| Literal::i128_unsuffixed(*value);
        match check {
            Check::MinLength(limit) => {
                let limit = size(limit);
                quote!(rules::min_length(value, #limit, at, out);)
            }
            Check::MaxLength(limit) => {
                let limit = size(limit);
                quote!(rules::max_length(value, #limit, at, out);)
            }
            Check::Pattern { written, translated } => {
                let (up, name) = (&self.up, self.patterns.name(written, translated));
                quote!(rules::pattern(value, &#up::__patterns::#name, at, out);)
            }
            Check::Format(variant, _) => {
                let variant = ident(variant);
                quote!(rules::format(value, rules::Format::#variant, at, out);)
            }
            Check::Minimum(limit) => {
                let limit = integer(limit);
                quote!(rules::minimum(*value, #limit, at, out);)
            }
            Check::Maximum(limit) => {
                let limit = integer(limit);
                quote!(rules::maximum(*value, #limit, at, out);)
            }
            Check::MultipleOf(factor) => {
                let factor = integer(factor);
                quote!(rules::multiple_of(*value, #factor, at, out);)
            }
            Check::Number(rule, limit) => {
                let (rule, limit) = (ident(rule), Literal::f64_unsuffixed(*limit));
                quote!(rules::#rule(*value, #limit, at, out);)
            }
            Check::Integers(values) => {
                let values = values.iter().map(integer);
                quote!(rules::one_of_integers(*value, &[#(#values),*], at, out);)
            }
            Check::Booleans(values) => quote!(rules::one_of_booleans(*value, &[#(#values),*], at, out);),
            Check::MinItems(limit) => {
                let limit = size(limit);
                quote!(rules::min_items(value.len(), #limit, at, out);)
            }
            Check::MaxItems(limit) => {
                let limit = size(limit);
                quote!(rules::max_items(value.len(), #limit, at, out);)
            }
            Check::UniqueItems => quote!(rules::unique_items(value, at, out);),
            Check::MinProperties(limit) => {
                let limit = size(limit);
                quote!(rules::min_properties(value.len(), #limit, at, out);)
            }
            Check::MaxProperties(limit) => {
                let limit = size(limit);
                quote!(rules::max_properties(value.len(), #limit, at, out);)
            }
            Check::Required(name) => quote!(rules::required(value, #name, at, out);),
        }
    }
}
