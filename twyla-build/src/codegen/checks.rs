//! Generates `impl Validate` for each type: one call per check, and one per rule tree.

use std::collections::BTreeMap;

use proc_macro2::{Ident, Literal, TokenStream, TokenTree};
use quote::{format_ident, quote};

use crate::codegen::trees::Trees;
use crate::codegen::type_names::{self, ident};
use crate::model::{Body, Check, Field, FormatType, Model, Others, Shape, Tree, Type, TypeId, ValueType, Variant};
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

/// The expressions for a value in its checks.
struct Subject {
    /// A reference to the value.
    reference: TokenStream,
    /// The value, for a type that is `Copy`.
    value: TokenStream,
    /// The value as the receiver of a method.
    receiver: TokenStream,
    /// Where the value is.
    at: TokenStream,
}

impl Subject {
    /// The variables `value`, a reference, and `at`.
    fn variable() -> Self {
        Self { reference: quote!(value), value: quote!(*value), receiver: quote!(value), at: quote!(at) }
    }

    /// A member of `self`, without variables: this compiles faster where a member has only one check.
    fn member(name: &Ident, wire: &str) -> Self {
        let value = quote!(self.#name);
        Self { reference: quote!(&#value), value: value.clone(), receiver: value, at: quote!(&at.key(#wire)) }
    }
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
                    let variable = &Subject::variable();
                    let (values, rules) = (writer.own(&field.held, variable), writer.held(inner, variable));
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
                let rules = writer.held(&field.held, &Subject::variable());
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
                    writer.member(field)
                });
            }
            if let Others::Kept { name, held, .. } = others {
                nests = true;
                let (name, wires) = (ident(name), fields.iter().map(|field| &field.wire));
                let rules = writer.held(held, &Subject::variable());
                body.extend(quote! {
                    rules::undeclared(&self.#name, &[#(#wires),*], at, out);
                });
                if !rules.is_empty() {
                    body.extend(quote!(for (key, value) in &self.#name { let at = &at.key(key); #rules }));
                }
            }
        }
        Body::Map(held) => {
            let rules = writer.held(held, &Subject::variable());
            if !rules.is_empty() {
                nests = true;
                body.extend(quote!(let value = &self.0; #rules));
            }
        }
        Body::Union { variants, .. } => {
            let all: Vec<TokenStream> = {
                let variable = &Subject::variable();
                let held = |variant: &Variant| variant.held.as_ref().map(|held| writer.held(held, variable));
                variants.iter().map(held).map(Option::unwrap_or_default).collect()
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
    let whole = Subject { reference: quote!(self), ..Subject::variable() };
    body.extend(type_.trees.iter().map(|tree| writer.tree(tree, &whole)).collect::<TokenStream>());
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

/// Returns whether the checks of a value are a single call.
fn is_one_call(held: &ValueType) -> bool {
    let own = held.checks.len() + held.trees.len();
    match held.shape {
        Shape::Array(_) | Shape::Map(_) | Shape::Nullable(_) | Shape::Named(_) => false,
        Shape::Number | Shape::Any | Shape::Format(FormatType::Date | FormatType::DateTime) => own == 0,
        Shape::Format(_)
        | Shape::Null
        | Shape::Boolean
        | Shape::Integer { .. }
        | Shape::String
        | Shape::Replaced(_) => own == 1,
    }
}

fn nested(shape: &Shape) -> bool {
    matches!(shape, Shape::Named(_) | Shape::Array(_) | Shape::Map(_) | Shape::Nullable(_))
}

impl CheckWriter<'_, '_> {
    /// Returns the checks of a value itself, without the checks of its items and members.
    fn own(&mut self, held: &ValueType, subject: &Subject) -> TokenStream {
        let checks: TokenStream = held.checks.iter().map(|check| self.check(check, subject)).collect();
        let trees: TokenStream = held.trees.iter().map(|tree| self.tree(tree, subject)).collect();
        quote!(#checks #trees)
    }

    /// Returns the checks of a member that is always present.
    fn member(&mut self, field: &Field) -> TokenStream {
        let (name, wire) = (ident(&field.name), &field.wire);
        if is_one_call(&field.held) {
            return self.held(&field.held, &Subject::member(&name, wire));
        }
        let rules = self.held(&field.held, &Subject::variable());
        quote!({ let (value, at) = (&self.#name, &at.key(#wire)); #rules })
    }

    /// Returns the checks of a value.
    fn held(&mut self, held: &ValueType, subject: &Subject) -> TokenStream {
        let mut out = self.own(held, subject);
        let Subject { reference, value, at, .. } = subject;
        let variable = &Subject::variable();
        match &held.shape {
            Shape::Number => out.extend(quote!(rules::finite(#value, #at, out);)),
            Shape::Any => out.extend(quote!(rules::shallow_value(#reference, #at, out);)),
            Shape::Named(id) if matches!(self.model.types[*id].body, Body::Enum { .. }) => {}
            Shape::Named(_) => out.extend(quote!(__twyla::Validate::validate(#reference, #at, out);)),
            Shape::Array(item) => {
                let rules = self.held(item, variable);
                if self.only_nests(item) {
                    out.extend(quote!(__twyla::nested_items(#reference, #at, out);));
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
                let rules = self.held(item, variable);
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
                let rules = self.held(inner, variable);
                if !rules.is_empty() {
                    out.extend(quote!(if let ::std::option::Option::Some(value) = value { #rules }));
                }
            }
            Shape::Format(FormatType::Date) => out.extend(quote!(rules::writable_date(#reference, #at, out);)),
            Shape::Format(FormatType::DateTime) => out.extend(quote!(rules::writable_date_time(#reference, #at, out);)),
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

    /// Returns the call of a rule tree for a value.
    fn tree(&mut self, tree: &Tree, Subject { reference, at, .. }: &Subject) -> TokenStream {
        let keywords: Vec<&str> = tree.keywords.iter().map(String::as_str).collect();
        let name =
            if keywords.is_empty() { self.trees.whole(&tree.loc) } else { self.trees.only(&tree.loc, &keywords) };
        let root = &self.root;
        quote!(__twyla::schema::holds(#reference, &#root __rules::#name, #at, out);)
    }

    fn check(&mut self, check: &Check, Subject { reference, value, receiver, at }: &Subject) -> TokenStream {
        let size = |limit: &u64| Literal::u64_unsuffixed(*limit);
        let integer = |value: &i128| Literal::i128_unsuffixed(*value);
        match check {
            Check::MinLength(limit) => {
                let limit = size(limit);
                quote!(rules::min_length(#reference, #limit, #at, out);)
            }
            Check::MaxLength(limit) => {
                let limit = size(limit);
                quote!(rules::max_length(#reference, #limit, #at, out);)
            }
            Check::Pattern(written) => {
                let name = self.patterns.name(written);
                let root = &self.root;
                quote!(rules::pattern(#reference, &#root __patterns::#name, #at, out);)
            }
            Check::Format(variant, _) => {
                let variant = ident(variant);
                quote!(rules::format(#reference, rules::Format::#variant, #at, out);)
            }
            Check::Minimum(limit) => {
                let limit = integer(limit);
                quote!(rules::minimum(#value, #limit, #at, out);)
            }
            Check::Maximum(limit) => {
                let limit = integer(limit);
                quote!(rules::maximum(#value, #limit, #at, out);)
            }
            Check::MultipleOf(factor) => {
                let factor = integer(factor);
                quote!(rules::multiple_of(#value, #factor, #at, out);)
            }
            Check::Number(rule, limit) => {
                let (rule, limit) = (ident(rule), Literal::f64_unsuffixed(*limit));
                quote!(rules::#rule(#value, #limit, #at, out);)
            }
            Check::Integers(values) => {
                let values = values.iter().map(integer);
                quote!(rules::one_of_integers(#value, &[#(#values),*], #at, out);)
            }
            Check::Numbers(values) => {
                let values = values.iter().map(|value| Literal::f64_unsuffixed(*value));
                quote!(rules::one_of_numbers(#value, &[#(#values),*], #at, out);)
            }
            Check::Booleans(values) => quote!(rules::one_of_booleans(#value, &[#(#values),*], #at, out);),
            Check::MinItems(limit) => {
                let limit = size(limit);
                quote!(rules::min_items(#receiver.len(), #limit, #at, out);)
            }
            Check::MaxItems(limit) => {
                let limit = size(limit);
                quote!(rules::max_items(#receiver.len(), #limit, #at, out);)
            }
            Check::UniqueItems => quote!(rules::unique_items(#reference, #at, out);),
            Check::MinProperties(limit) => {
                let limit = size(limit);
                quote!(rules::min_properties(#receiver.len(), #limit, #at, out);)
            }
            Check::MaxProperties(limit) => {
                let limit = size(limit);
                quote!(rules::max_properties(#receiver.len(), #limit, #at, out);)
            }
            Check::Required(name) => quote!(rules::required(#reference, #name, #at, out);),
        }
    }
}
