//! Removes values that are constant: a required property with one word has no field, and a closed object with only its tag
//! is a variant without a value.

use std::collections::BTreeSet;

use super::shape::{Shape, TypeId, ValueType};
use super::types::{Body, Field, Others, Type};
use super::variant::{Choice, Discriminator};

/// Replaces constant fields and variant values by their words, and then removes the types that are no longer used. The
/// types in `roots` stay. Returns the new index of each type; the index of a removed type has no meaning.
pub(super) fn settle(types: &mut Vec<Type>, roots: &BTreeSet<TypeId>) -> Vec<TypeId> {
    let words: Vec<Option<Word>> = types.iter().map(only_word).collect();
    let mut loose = BTreeSet::new();
    let fields = types.iter_mut().flat_map(|type_| match &mut type_.body {
        Body::Struct { fields, .. } => fields.as_mut_slice(),
        _ => &mut [],
    });
    for field in fields.filter(|field| field.required && field.held.checks.is_empty() && field.held.trees.is_empty()) {
        let Shape::Named(id) = field.held.shape else { continue };
        if let Some(Word { word, docs }) = &words[id] {
            loose.insert(id);
            (field.constant, field.held) = (Some(word.clone()), ValueType::plain(Shape::String));
            field.docs.said = paragraphs([&field.docs.said, docs]);
        }
    }
    let tags: Vec<Option<(String, Word)>> = types.iter().map(only_tag).collect();
    for type_ in types.iter_mut() {
        let Body::Union { by: Discriminator::Member(tag), variants } = &mut type_.body else { continue };
        // words must choose all variants
        if !variants.iter().all(|variant| variant.words().is_some()) {
            continue;
        }
        for variant in variants {
            let Some(id) = variant.held.as_ref().and_then(named_without_rules) else { continue };
            if let Some((name, Word { word, docs })) = &tags[id]
                && name == tag
                && variant.choices == [Choice::Word(word.clone())]
            {
                loose.insert(id);
                (variant.held, variant.docs) = (None, docs.clone());
            }
        }
    }
    remove(types, loose.difference(roots).copied().collect())
}

/// The only word that a value may be, with its docs.
struct Word {
    word: String,
    docs: String,
}

/// Returns the word of an enum with one word.
fn only_word(type_: &Type) -> Option<Word> {
    match &type_.body {
        Body::Enum { words, .. } if type_.trees.is_empty() => match &words[..] {
            [word] => {
                let docs = type_.word_docs.get(word).map_or("", String::as_str);
                Some(Word { word: word.clone(), docs: paragraphs([&type_.docs, docs]) })
            }
            _ => None,
        },
        _ => None,
    }
}

/// Returns the name and the word of a closed object's only member. `None` for an open object: adding a member to it is
/// compatible for its readers, so it must not change the variant.
fn only_tag(type_: &Type) -> Option<(String, Word)> {
    match &type_.body {
        Body::Struct { fields, others: Others::Refused } if type_.trees.is_empty() => match &fields[..] {
            [Field { wire, constant: Some(word), docs, .. }] => {
                Some((wire.clone(), Word { word: word.clone(), docs: paragraphs([&type_.docs, &docs.said]) }))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Returns the texts that aren't empty, each once, as paragraphs.
fn paragraphs(texts: [&str; 2]) -> String {
    match texts {
        [one, ""] => one.to_owned(),
        ["", other] => other.to_owned(),
        [one, other] if one == other => one.to_owned(),
        _ => texts.join("\n\n"),
    }
}

fn named_without_rules(held: &ValueType) -> Option<TypeId> {
    match held.shape {
        Shape::Named(id) if held.checks.is_empty() && held.trees.is_empty() => Some(id),
        _ => None,
    }
}

/// Removes the types in `loose` that no remaining type holds. Returns the new index of each type.
fn remove(types: &mut Vec<Type>, mut loose: BTreeSet<TypeId>) -> Vec<TypeId> {
    let mut held = BTreeSet::new();
    let all = types.iter().enumerate().filter(|(id, _)| !loose.contains(id));
    all.for_each(|(_, type_)| type_.body.holds().into_iter().for_each(|it| it.shape.uses(&mut held)));
    loose.retain(|id| !held.contains(id));
    let mut next = 0;
    let kept = (0..types.len()).map(|id| {
        let index = next;
        next += usize::from(!loose.contains(&id));
        index
    });
    let indexes: Vec<TypeId> = kept.collect();
    let mut id = 0;
    types.retain(|_| {
        id += 1;
        !loose.contains(&(id - 1))
    });
    let held = types.iter_mut().flat_map(|type_| type_.body.holds_mut());
    held.for_each(|held| held.shape.redirect(&|id| indexes[id]));
    indexes
}
