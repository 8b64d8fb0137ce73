//! Generates what is special to unions: the choice of the variant on reading, the conversions from each variant, and docs.

use std::collections::HashMap;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::codegen::type_names::{TypeWriter, ident};
use crate::markdown::{code, text};
use crate::model::{Choice, Discriminator, JsonType, Shape, Type, ValueType, Variant};

/// Returns the body of `read`: it looks at the value no further than to what chooses the variant.
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
    quote! {
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
            // only of unions by own members
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

/// Describes what a variant is chosen by, for errors of values that match none.
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
    let choice = match variant.word() {
        Some(word) => code(word),
        None => choice_docs(by, variant),
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
        Discriminator::JsonType => format!("Where it is {choices}."),
        Discriminator::Member(name) => format!("Where {} is {choices}.", code(name)),
        Discriminator::OwnMember | Discriminator::RequiredMember(_) => format!("Where it has {choices}."),
    }
}

fn shown(choice: &Choice) -> String {
    match choice {
        Choice::Type(type_) => type_.with_article().to_owned(),
        Choice::Word(text) | Choice::Has(text) => code(text),
        Choice::Boolean(_) | Choice::Integer(_) => code(&choice.to_string()),
    }
}

/// Returns `From` for each variant whose type no other variant has. A replacing type has none: it may be the type of another
/// variant by another name.
pub(crate) fn froms(writer: &TypeWriter<'_>, type_: &Type, variants: &[Variant]) -> TokenStream {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for held in type_.body.holds() {
        *counts.entry(writer.shape(held).to_string()).or_default() += 1;
    }
    let union = ident(&type_.name);
    let from = variants.iter().filter_map(|variant| {
        let held = variant.held.as_ref()?;
        let (name, ty) = (ident(&variant.name), writer.shape(held));
        let is_itself = union == ty.to_string();
        if counts.get(&ty.to_string()) != Some(&1) || is_itself || held.shape.is_replaced() {
            return None;
        }
        let value = boxed(held, variant.boxed);
        let text = (held.shape == Shape::String).then(|| {
            quote! {
                impl ::std::convert::From<&str> for #union {
                    fn from(value: &str) -> Self {
                        Self::#name(value.to_owned())
                    }
                }
            }
        });
        Some(quote! {
            impl ::std::convert::From<#ty> for #union {
                fn from(value: #ty) -> Self {
                    Self::#name(#value)
                }
            }
            #text
        })
    });
    from.collect()
}

/// Returns the expression that puts `value` into a box, if its variant has one.
fn boxed(held: &ValueType, boxed: bool) -> TokenStream {
    match &held.shape {
        _ if !boxed => quote!(value),
        Shape::Nullable(_) => quote!(value.map(::std::boxed::Box::new)),
        _ => quote!(::std::boxed::Box::new(value)),
    }
}

/// Returns whether `Debug` hides the whole union: it has a sensitive value that the type of no variant hides by itself.
pub(crate) fn is_hidden(type_: &Type) -> bool {
    let is_typed = type_.body.holds().into_iter().all(|held| held.shape.is_typed());
    let untyped = |pointer: &String| !is_typed || pointer.split('/').skip(1).all(|step| step == "*");
    type_.sensitive.iter().any(untyped)
}
