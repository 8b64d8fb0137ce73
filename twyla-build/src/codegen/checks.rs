//! Generates `impl Validate` for each type: one call per check, and one per rule tree.

use std::collections::BTreeMap;

use proc_macro2::{Literal, TokenStream, TokenTree};
use quote::{format_ident, quote};

use crate::codegen::trees::Trees;
use crate::codegen::type_names::{self, ident};
use crate::model::{Body, Check, FormatType, Model, Others, Shape, Tree, Type, TypeId, ValueType, Variant};
use crate::schema::pattern::{self, Translated};

/// The patterns of all types, each compiled once.
#[derive(Debug, Default)]
pub(crate) struct PatternStatics(BTreeMap<String, usize>);

impl PatternStatics {
    /// Returns the name of a pattern's static in `__patterns`.
    pub(crate) fn name(&mut self, written: &str) -> proc_macro2::Ident {
        let next = self.0.len();
        let index = *self.0.entry(written.to_owned()).or_insert(next);
        format_ident!("PATTERN_{index}")
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn statics(&self) -> Vec<TokenStream> {
        let mut all: Vec<_> = self.0.iter().collect();
        all.sort_by_key(|(_, index)| **index);
        let statics = all.into_iter().map(|(written, index)| {
            let name = format_ident!("PATTERN_{index}");
            let made = match pattern::translate(written) {
                Some(Translated::Plain(translated)) => quote!(plain(#written, #translated)),
                Some(Translated::Backtracking(translated)) => quote!(backtracking(#written, #translated)),
                // already reported; a pattern that can't be compiled refuses every string
                None => quote!(plain(#written, "(")),
            };
            quote!(pub static #name: Pattern = Pattern::#made;)
        });
        statics.collect()
    }
}

struct CheckWriter<'a, 'b> {
    model: &'a Model,
    /// The path from the type's module to the one that includes the contracts.
    root: TokenStream,
    patterns: &'a mut PatternStatics,
    trees: &'a mut Trees<'b>,
}

/// Returns the impl of one type.
pub(crate) fn validate(
    model: &Model,
    type_: &Type,
    patterns: &mut PatternStatics,
    trees: &mut Trees<'_>,
) -> TokenStream {
    let mut writer = CheckWriter { model, root: type_names::root(type_.module.as_deref()), patterns, trees };
    let mut body = TokenStream::new();
    let mut nests = false;
    match &type_.body {
        Body::Struct { fields, others } => {
            for field in fields.iter().filter(|field| field.constant.is_none()) {
                if let Some(inner) = field.nullable() {
                    let (values, rules) = (writer.own(&field.held), writer.held(inner));
                    nests |= !rules.is_empty() || !values.is_empty();
                    let (name, wire) = (ident(&field.name), &field.wire);
                    if !values.is_empty() {
                        body.extend(quote!(if !self.#name.is_absent() {
                            let (value, at) = (&self.#name, &at.key(#wire));
                            #values
                        }));
                    }
                    if !rules.is_empty() {
                        body.extend(quote!(if let __twyla::Nullable::Value(value) = &self.#name {
                            let at = &at.key(#wire);
                            #rules
                        }));
                    }
                    continue;
                }
                let rules = writer.held(&field.held);
                if rules.is_empty() {
                    continue;
                }
                nests |= nested(&field.held.shape);
                let (name, wire) = (ident(&field.name), &field.wire);
                if writer.only_nests(&field.held) {
                    let check = ident(if field.may_be_absent() { "nested_optional" } else { "nested" });
                    body.extend(quote!(__twyla::#check(#wire, &self.#name, at, out);));
                    continue;
                }
                body.extend(if field.may_be_absent() {
                    quote!(if let ::std::option::Option::Some(value) = &self.#name { let at = &at.key(#wire); #rules })
                } else {
                    quote!({ let (value, at) = (&self.#name, &at.key(#wire)); #rules })
                });
            }
            if let Others::Kept { name, held, .. } = others {
                nests = true;
                let (name, wires) = (ident(name), fields.iter().map(|field| &field.wire));
                let rules = writer.held(held);
                body.extend(quote! {
                    rules::undeclared(&self.#name, &[#(#wires),*], at, out);
                });
                if !rules.is_empty() {
                    body.extend(quote!(for (key, value) in &self.#name { let at = &at.key(key); #rules }));
                }
            }
        }
        Body::Map(held) => {
            let rules = writer.held(held);
            if !rules.is_empty() {
                nests = true;
                body.extend(quote!(let value = &self.0; #rules));
            }
        }
        Body::Union { variants, .. } => {
            let all: Vec<TokenStream> = {
                let rules = |variant: &Variant| variant.held.as_ref().map(|held| writer.held(held)).unwrap_or_default();
                variants.iter().map(rules).collect()
            };
            let arms = variants.iter().zip(&all).filter(|(_, rules)| !rules.is_empty()).map(|(variant, rules)| {
                let name = ident(&variant.name);
                quote!(Self::#name(value) => { #rules })
            });
            let rest = all.iter().any(TokenStream::is_empty).then(|| quote!(_ => {}));
            if all.iter().any(|rules| !rules.is_empty()) {
                // in a union that nests lists of itself, no struct guards the depth
                nests =
                    type_.body.holds().into_iter().any(|it| !matches!(it.shape, Shape::Named(_)) && nested(&it.shape));
                body.extend(quote!(match self { #(#arms)* #rest }));
            }
        }
        Body::Enum { .. } => return TokenStream::new(),
    }
    body.extend(type_.trees.iter().map(|tree| writer.tree(tree, &quote!(self))).collect::<TokenStream>());
    let guard = nests.then(|| {
        quote!(if !rules::shallow(at, out) {
            return;
        })
    });
    // a struct of structs has no checks of its own
    let calls = guard.is_some() || calls_rules(body.clone());
    let rules = calls.then(|| {
        quote!(
            use __twyla::rules;
        )
    });
    // by default there are no rules
    let validate = (!body.is_empty()).then(|| {
        quote! {
            fn validate(&self, at: &__twyla::Path<'_>, out: &mut __twyla::Violations) {
                #rules
                #guard
                #body
            }
        }
    });
    let name = ident(&type_.name);
    let pointers = &type_.sensitive;
    let sensitive =
        (!pointers.is_empty()).then(|| quote!(const SENSITIVE: &'static [&'static str] = &[#(#pointers),*];));
    quote! {
        impl __twyla::Validate for #name {
            #sensitive
            #validate
        }
    }
}

/// Returns whether the code has a path that begins with `rules`. A field may have that name too.
fn calls_rules(code: TokenStream) -> bool {
    let mut tokens = code.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let found = match token {
            TokenTree::Ident(ident) => {
                ident == "rules" && matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == ':')
            }
            TokenTree::Group(group) => calls_rules(group.stream()),
            _ => false,
        };
        if found {
            return true;
        }
    }
    false
}

fn nested(shape: &Shape) -> bool {
    matches!(shape, Shape::Named(_) | Shape::Array(_) | Shape::Map(_) | Shape::Nullable(_))
}

impl CheckWriter<'_, '_> {
    /// Returns the checks of `value` itself, a reference, at `at`, without the checks of its items and members.
    fn own(&mut self, held: &ValueType) -> TokenStream {
        let checks: TokenStream = held.checks.iter().map(|check| self.check(check)).collect();
        let trees: TokenStream = held.trees.iter().map(|tree| self.tree(tree, &quote!(value))).collect();
        quote!(#checks #trees)
    }

    /// Returns the checks of `value`, a reference, at `at`.
    fn held(&mut self, held: &ValueType) -> TokenStream {
        let mut out = self.own(held);
        match &held.shape {
            Shape::Number => out.extend(quote!(rules::finite(*value, at, out);)),
            Shape::Any => out.extend(quote!(rules::shallow_value(value, at, out);)),
            Shape::Named(id) if matches!(self.model.types[*id].body, Body::Enum { .. }) => {}
            Shape::Named(_) => out.extend(quote!(__twyla::Validate::validate(value, at, out);)),
            Shape::Array(item) => {
                let rules = self.held(item);
                if self.only_nests(item) {
                    out.extend(quote!(__twyla::nested_items(value, at, out);));
                } else if !rules.is_empty() {
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
            Shape::Format(FormatType::Date) => out.extend(quote!(rules::writable_date(value, at, out);)),
            Shape::Format(FormatType::DateTime) => out.extend(quote!(rules::writable_date_time(value, at, out);)),
            // a type with replaced parts has other checks
            Shape::Replaced(_) => {}
            Shape::Format(_) | Shape::Null | Shape::Boolean | Shape::Integer { .. } | Shape::String => {}
        }
        out
    }

    /// Returns whether the only checks of a value are those of its type.
    fn only_nests(&self, held: &ValueType) -> bool {
        let has_checks = |id: TypeId| !matches!(self.model.types[id].body, Body::Enum { .. });
        let is_checked_type = matches!(held.shape, Shape::Named(id) if has_checks(id));
        is_checked_type && held.checks.is_empty() && held.trees.is_empty()
    }

    /// Returns the call of a rule tree for `value`, a reference, at `at`.
    fn tree(&mut self, tree: &Tree, value: &TokenStream) -> TokenStream {
        let keywords: Vec<&str> = tree.keywords.iter().map(String::as_str).collect();
        let name =
            if keywords.is_empty() { self.trees.whole(&tree.loc) } else { self.trees.only(&tree.loc, &keywords) };
        let root = &self.root;
        quote!(__twyla::schema::holds(#value, &#root __rules::#name, at, out);)
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
            Check::Pattern(written) => {
                let name = self.patterns.name(written);
                let root = &self.root;
                quote!(rules::pattern(value, &#root __patterns::#name, at, out);)
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
            Check::Numbers(values) => {
                let values = values.iter().map(|value| Literal::f64_unsuffixed(*value));
                quote!(rules::one_of_numbers(*value, &[#(#values),*], at, out);)
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
