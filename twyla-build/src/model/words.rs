//! The words of `oneOf` or `anyOf`: an enum, or the variants of a union that stand for one word each.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::branches::Branches;
use super::possible::{Possible, Values};
use super::reader::{SchemaReader, docs};
use super::shape::{Shape, ValueType};
use super::types::Body;
use super::variant::{Choice, Variant};
use crate::json_type::JsonType;
use crate::schema::load::Node;
use crate::schema::names;
use crate::schema::schemas::Loc;

/// The maximum number of words in an enum, for the sake of the compiler.
const MOST_WORDS: usize = 1000;

/// Words that schemas list, in their order.
#[derive(Debug)]
pub(super) struct WordList {
    pub(super) words: Vec<String>,
    /// The descriptions of single words in the schemas.
    pub(super) docs: BTreeMap<String, String>,
    /// Whether the schemas allow each of the words, and have no further rules.
    is_exact: bool,
}

impl<'a> SchemaReader<'a> {
    /// Reads words as an enum; `None` if the possible words aren't listed, or are too many.
    pub(super) fn words(&mut self, loc: &Loc, branches: &Branches<'a>) -> Option<ValueType> {
        let Values::Listed(all) = &branches.possible.strings else { return None };
        if all.len() > MOST_WORDS {
            return None;
        }
        let mut list = self.word_list(branches.keyword, &branches.all, all, |own| own.len() == 1);
        let known: HashSet<&String> = list.words.iter().collect();
        let more: Vec<String> = all.iter().filter(|word| !known.contains(word)).cloned().collect();
        list.words.extend(more);
        if list.words.is_empty() {
            return None;
        }
        if !list.is_exact {
            self.leave(loc, branches.keyword, format!("`{}`", branches.keyword));
        }
        let shape = self.word_enum(loc, list, None);
        Some(ValueType::plain(shape))
    }

    /// Returns the words of the schemas in a union that allow strings (`those`), if they do nothing but list words. A
    /// single schema that is a reference, or has a replacing type, keeps its own type instead.
    pub(super) fn words_beside(&mut self, branches: &Branches<'a>, those: &[(Loc, Possible)]) -> Option<WordList> {
        let Values::Listed(all) = &branches.possible.strings else { return None };
        let is_typed = match those {
            [(only, _)] => self.schemas.refs.contains_key(only) || self.replacer.replaces(self.schemas, only),
            _ => false,
        };
        let only_strings = those.iter().all(|(_, possible)| possible.types() == [JsonType::String]);
        if all.len() > MOST_WORDS || is_typed || !only_strings {
            return None;
        }
        // each word becomes a variant, so the description of a schema with several words holds for each of them
        let list = self.word_list(branches.keyword, those, all, |_| true);
        Some(list).filter(|list| list.is_exact && !list.words.is_empty())
    }

    /// Returns the variants of a union for words: one for each word, or one for all words if one of `others` has the name
    /// of a word.
    pub(super) fn word_variants(&mut self, loc: &Loc, list: WordList, others: &[Variant]) -> Vec<Variant> {
        let names = names::variants(&list.words);
        let is_taken = |name: &str| others.iter().any(|other| names::look(&other.name) == names::look(name));
        if names.iter().any(|name| is_taken(name)) {
            let (mut name, mut number) = ("String".to_owned(), 1);
            while is_taken(&name) {
                name = if number == 1 { "Word".to_owned() } else { format!("Word_{number}") };
                number += 1;
            }
            let shape = self.word_enum(loc, list, Some("String"));
            return vec![Variant::new(name, vec![Choice::Type(JsonType::String)], ValueType::plain(shape))];
        }
        let WordList { words, mut docs, .. } = list;
        let variant = |(name, word): (String, String)| {
            let docs = docs.remove(&word).unwrap_or_default();
            Variant::of_word(name, word, docs)
        };
        names.into_iter().zip(words).map(variant).collect()
    }

    /// Adds an enum of words. A suffix distinguishes its name from that of the schema's own type.
    fn word_enum(&mut self, loc: &Loc, list: WordList, suffix: Option<&'static str>) -> Shape {
        let WordList { words, docs, .. } = list;
        let variants = names::variants(&words);
        let id = self.type_with(loc, Body::Enum { words, variants });
        self.suffixes.extend(suffix.map(|suffix| (id, suffix)));
        if let Some(Some(type_)) = self.types.get_mut(id) {
            type_.word_docs = docs;
        }
        Shape::Named(id)
    }

    /// Returns the words that schemas list. `describes` gets the words of one schema, and decides whether its description
    /// holds for each of them.
    fn word_list(
        &self,
        keyword: &str,
        branches: &[(Loc, Possible)],
        all: &BTreeSet<String>,
        describes: impl Fn(&[&str]) -> bool,
    ) -> WordList {
        let (mut words, mut known) = (Vec::new(), HashSet::new());
        let (mut docs_of, mut exact) = (BTreeMap::new(), true);
        for (at, possible) in branches {
            let target = self.referred(at);
            let only_words = self.rules_of(&target).all(|rule| matches!(rule, "const" | "enum" | "type"));
            exact &= only_words && !self.schemas.refs.contains_key(&target);
            let values = match (self.get(&target, "const"), self.get(&target, "enum")) {
                // if an `enum` beside `const` excludes the word, `is_allowed` drops it
                (Some(only), _) => std::slice::from_ref(only),
                (None, Some(values)) => values.items(),
                (None, None) => &[],
            };
            let is_allowed = |word: &&str| matches!(&possible.strings, Values::Listed(words) if words.contains(*word));
            let mut seen = HashSet::new();
            let own = values.iter().filter_map(Node::str).filter(is_allowed);
            let own: Vec<&str> = own.filter(|word| seen.insert(*word)).collect();
            // the list is exact only if it has every word that the schema allows
            exact &= matches!(&possible.strings, Values::Listed(words) if words.len() == own.len());
            let said = [at, &target].into_iter().map(|at| docs(self.node(at))).find(|said| !said.is_empty());
            for word in &own {
                if !known.insert((*word).to_owned()) {
                    exact &= keyword == "anyOf";
                } else if all.contains(*word) {
                    words.push((*word).to_owned());
                    docs_of.extend(said.clone().filter(|_| describes(&own)).map(|said| ((*word).to_owned(), said)));
                }
            }
        }
        WordList { words, docs: docs_of, is_exact: exact }
    }
}

impl WordList {
    /// Returns a list of words without descriptions.
    pub(super) fn of(words: Vec<String>) -> Self {
        Self { words, docs: BTreeMap::new(), is_exact: true }
    }
}
