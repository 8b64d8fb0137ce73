//! Generates the code that only unions have: the choice of the variant on reading, the conversions from each variant, and
//! docs.

use std::collections::HashMap;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::codegen::type_names::{TypeWriter, ident};
use crate::json_type::JsonType;
use crate::markdown::{code, text};
use crate::model::{Body, Choice, Discriminator, Shape, Type, ValueType, Variant};

/// Returns the body of `read`: it looks ahead only as far as what selects the variant.
pub(crate) fn read(by: &Discriminator, variants: &[Variant]) -> TokenStream {
    match by {
        Discriminator::JsonType => by_type(variants),
        Discriminator::Member(name) => match variants.iter().map(Variant::words).collect::<Option<Vec<_>>>() {
            Some(words) => by_word(name, variants, &words),
            None => by_value(name, variants),
        },
        Discriminator::OwnMember => by_own_member(variants),
        Discriminator::RequiredMember(_) => by_required_member(variants),
    }
}

/// Returns the expression that reads a variant.
fn reads(variant: &Variant) -> TokenStream {
    let name = ident(&variant.name);
    if variant.held.is_none() {
        return quote!(__twyla::nothing_but(reader, &TAG).map(|()| Self::#name));
    }
    let is_replaced = variant.held.as_ref().is_some_and(|held| held.shape.is_replaced());
    let read = if is_replaced { quote!(foreign) } else { quote!(Read::read) };
    quote!(__twyla::#read(reader).map(Self::#name))
}

fn by_type(variants: &[Variant]) -> TokenStream {
    let words = variants.iter().filter_map(|variant| {
        let (word, name) = (variant.word()?, ident(&variant.name));
        Some(quote!((#word, Self::#name)))
    });
    let words: Vec<TokenStream> = words.collect();
    let word = (!words.is_empty()).then(|| quote!(__twyla::Token::String => __twyla::word(reader, &[#(#words),*]),));
    let arms = variants.iter().filter(|variant| variant.held.is_some()).map(|variant| {
        let types = variant.choices.iter().filter_map(|choice| match choice {
            Choice::Type(type_) => Some(ident(type_.name())),
            _ => None,
        });
        let reads = reads(variant);
        quote!(#(__twyla::Token::#types)|* => #reads,)
    });
    let wanted = wanted(variants);
    quote! {
        match reader.peek()? {
            #(#arms)*
            #word
            _ => ::std::result::Result::Err(reader.mismatch(#wanted)),
        }
    }
}

fn by_word(tag: &str, variants: &[Variant], words: &[Vec<&str>]) -> TokenStream {
    let arms = variants.iter().zip(words).map(|(variant, words)| {
        let reads = reads(variant);
        quote!(::std::option::Option::Some(#(#words)|*) => #reads,)
    });
    let words = words.iter().flatten();
    let names = variants
        .iter()
        .any(|variant| variant.held.is_none())
        .then(|| quote!(static TAG: __twyla::Names = __twyla::Names::new(&[#tag]);));
    quote! {
        #names
        match reader.tag(#tag)?.as_deref() {
            #(#arms)*
            _ => ::std::result::Result::Err(__twyla::no_variant(reader, #tag, &[#(#words),*])),
        }
    }
}

fn by_value(member: &str, variants: &[Variant]) -> TokenStream {
    let arms = variants.iter().map(|variant| {
        let patterns = variant.choices.iter().map(|choice| match choice {
            Choice::Type(type_) => {
                let type_ = format_ident!("{}", type_.name());
                quote!(__twyla::MemberValue::#type_ { .. })
            }
            Choice::Boolean(value) => quote!(__twyla::MemberValue::Boolean { value: #value }),
            Choice::Integer(value) => {
                let value = proc_macro2::Literal::i64_unsuffixed(*value);
                quote!(__twyla::MemberValue::Number { integer: ::std::option::Option::Some(#value) })
            }
            Choice::Word(word) => quote!(__twyla::MemberValue::String { text: #word }),
            // only unions by own members have this choice
            Choice::Has(_) => quote!(_),
        });
        let reads = reads(variant);
        quote!(::std::option::Option::Some(#(#patterns)|*) => #reads,)
    });
    let wanted = wanted(variants);
    quote! {
        let mut text = ::std::option::Option::None;
        match reader.member_value(#member, &mut text)? {
            #(#arms)*
            _ => ::std::result::Result::Err(__twyla::no_variant_of_value(reader, #member, #wanted)),
        }
    }
}

fn by_own_member(variants: &[Variant]) -> TokenStream {
    let has = |variant: &Variant| match variant.choices.first() {
        Some(Choice::Has(name)) => Some(name.clone()),
        _ => None,
    };
    let names: Vec<String> = variants.iter().filter_map(has).collect();
    let arms = variants.iter().filter(|variant| has(variant).is_some()).enumerate().map(|(index, variant)| {
        let (index, reads) = (proc_macro2::Literal::usize_unsuffixed(index), reads(variant));
        quote!(::std::option::Option::Some(#index) => #reads,)
    });
    let rest = match variants.iter().find(|variant| has(variant).is_none()) {
        Some(variant) => reads(variant),
        None => quote!(::std::result::Result::Err(__twyla::no_own_member(NAMES))),
    };
    quote! {
        const NAMES: &[&str] = &[#(#names),*];
        match reader.first_of(NAMES)? {
            #(#arms)*
            _ => #rest,
        }
    }
}

fn by_required_member(variants: &[Variant]) -> TokenStream {
    let alternatives = variants.iter().flat_map(|variant| {
        let reads = reads(variant);
        variant.choices.iter().filter_map(move |choice| match choice {
            Choice::Has(name) => Some(quote!((#name, |reader| #reads))),
            _ => None,
        })
    });
    quote!(__twyla::one_of(reader, &[#(#alternatives),*]))
}

/// Describes the choices of all variants, for the error of a value that matches none.
fn wanted(variants: &[Variant]) -> String {
    let wanted = |variant: &Variant| match variant.word() {
        // the error of another string lists the words
        Some(_) => vec![JsonType::String.with_article().to_owned()],
        None => variant.wanted(),
    };
    let mut all: Vec<String> = variants.iter().flat_map(wanted).collect();
    all.dedup();
    match all.pop() {
        Some(last) if all.is_empty() => last,
        Some(last) => format!("{} or {last}", all.join(", ")),
        None => String::new(),
    }
}

/// Returns the docs of a variant, as paragraphs.
pub(crate) fn variant_docs(by: &Discriminator, variant: &Variant) -> [String; 2] {
    let choice = match (by, variant.word()) {
        (Discriminator::JsonType, Some(word)) => code(word),
        _ => choice_docs(by, variant),
    };
    [text(&variant.docs), choice]
}

fn choice_docs(by: &Discriminator, variant: &Variant) -> String {
    let choices: Vec<String> = match by {
        Discriminator::JsonType => variant.wanted(),
        _ => variant.choices.iter().map(shown).collect(),
    };
    let choices = choices.join(" or ");
    match by {
        _ if variant.choices.is_empty() => "Any other.".to_owned(),
        Discriminator::JsonType => match variant.held.as_ref().map(|held| &held.shape) {
            Some(Shape::Format(format)) => sentence(&format!("{} string", with_article(format.format()))),
            _ => sentence(&choices),
        },
        Discriminator::Member(name) => format!("Where {} is {choices}.", code(name)),
        Discriminator::OwnMember | Discriminator::RequiredMember(_) => format!("Where it has {choices}."),
    }
}

/// Returns the name of a format as code, with an article.
fn with_article(format: &str) -> String {
    format!("{} {}", if format.starts_with('i') { "an" } else { "a" }, code(format))
}

fn sentence(text: &str) -> String {
    let (first, rest) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
    format!("{}{rest}.", first.to_uppercase())
}

fn shown(choice: &Choice) -> String {
    match choice {
        Choice::Type(type_) => type_.with_article().to_owned(),
        Choice::Word(text) | Choice::Has(text) => code(text),
        Choice::Boolean(_) | Choice::Integer(_) => code(&choice.to_string()),
    }
}

/// Returns the variants whose type converts into the union, with that type: no other variant has it. A replacing type
/// doesn't convert: its path may be another name for the type of another variant.
fn conversions<'a>(writer: &TypeWriter<'_>, type_: &'a Type) -> Vec<(&'a Variant, &'a ValueType)> {
    let Body::Union { variants, .. } = &type_.body else { return Vec::new() };
    let mut counts: HashMap<String, usize> = HashMap::new();
    for held in type_.body.holds() {
        *counts.entry(writer.shape(held).to_string()).or_default() += 1;
    }
    let union = ident(&type_.name);
    let converts = |held: &ValueType| {
        let ty = writer.shape(held).to_string();
        counts.get(&ty) == Some(&1) && union != ty && !held.shape.is_replaced()
    };
    variants
        .iter()
        .filter_map(|variant| Some((variant, variant.held.as_ref()?)))
        .filter(|(_, held)| converts(held))
        .collect()
}

/// Returns the other types that convert into a value's type: those of a union's variants, and `&str` for a `String`.
pub(crate) fn converted(writer: &TypeWriter<'_>, held: &ValueType, boxed: bool) -> Vec<String> {
    match &held.shape {
        Shape::String => vec!["&str".to_owned()],
        Shape::Named(id) if !boxed => {
            let sources = conversions(writer, &writer.model.types[*id]);
            let of_text = sources.iter().any(|(_, held)| held.shape == Shape::String).then(|| "&str".to_owned());
            of_text.into_iter().chain(sources.iter().map(|(_, held)| writer.shape(held).to_string())).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns an impl of `From` for each type that converts into a union.
pub(crate) fn froms(writer: &TypeWriter<'_>, type_: &Type) -> TokenStream {
    let union = ident(&type_.name);
    let from = conversions(writer, type_).into_iter().map(|(variant, held)| {
        let (name, ty, value) = (ident(&variant.name), writer.shape(held), boxed(held, variant.boxed));
        let text = (held.shape == Shape::String).then(|| {
            quote! {
                impl ::std::convert::From<&str> for #union {
                    fn from(value: &str) -> Self {
                        Self::#name(value.to_owned())
                    }
                }
            }
        });
        quote! {
            impl ::std::convert::From<#ty> for #union {
                fn from(value: #ty) -> Self {
                    Self::#name(#value)
                }
            }
            #text
        }
    });
    from.collect()
}

/// Returns `as_slice`, `iter` and `IntoIterator` of a union of a value and an array of such values.
pub(crate) fn list(writer: &TypeWriter<'_>, type_: &Type) -> Option<TokenStream> {
    let Body::Union { variants, .. } = &type_.body else { return None };
    let [one, many] = variants.as_slice() else { return None };
    let one_held = one.held.as_ref()?;
    let Shape::Array(item) = &many.held.as_ref()?.shape else { return None };
    let ty = writer.shape(item);
    if many.boxed || one_held.shape.is_replaced() || writer.shape(one_held).to_string() != ty.to_string() {
        return None;
    }
    let (union, one_name, many_name) = (ident(&type_.name), ident(&one.name), ident(&many.name));
    let value = if one.boxed { quote!(&**value) } else { quote!(value) };
    Some(quote! {
        impl #union {
            /// Returns the values, or the only one, as a slice.
            #[must_use]
            pub fn as_slice(&self) -> &[#ty] {
                match self {
                    Self::#one_name(value) => ::std::slice::from_ref(#value),
                    Self::#many_name(values) => values,
                }
            }
            /// Iterates over the values, or over the only one.
            pub fn iter(&self) -> ::std::slice::Iter<'_, #ty> {
                self.as_slice().iter()
            }
        }
        impl<'a> ::std::iter::IntoIterator for &'a #union {
            type Item = &'a #ty;
            type IntoIter = ::std::slice::Iter<'a, #ty>;
            fn into_iter(self) -> ::std::slice::Iter<'a, #ty> {
                self.iter()
            }
        }
    })
}

/// Returns the expression that puts `value` into a box, if its variant has one.
fn boxed(held: &ValueType, boxed: bool) -> TokenStream {
    match &held.shape {
        _ if !boxed => quote!(value),
        Shape::Nullable(_) => quote!(value.map(::std::boxed::Box::new)),
        _ => quote!(::std::boxed::Box::new(value)),
    }
}
