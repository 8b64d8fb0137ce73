//! Enums of words, from the schemas of `oneOf` or `anyOf`.

use std::collections::HashSet;

use super::branches::Branches;
use super::possible::Values;
use super::reader::{SchemaReader, docs};
use super::shape::{Shape, ValueType};
use super::types::Body;
use crate::schema::load::Node;
use crate::schema::names;
use crate::schema::schemas::Loc;

/// Limit of words in an enum, for the sake of the compiler.
const MOST_WORDS: usize = 1000;

impl<'a> SchemaReader<'a> {
    /// Reads words: an enum if the possible ones are listed.
    pub(super) fn words(&mut self, loc: &Loc, branches: &Branches<'a>) -> Option<ValueType> {
        let Values::Listed(all) = &branches.possible.strings else { return None };
        if all.len() > MOST_WORDS {
            return None;
        }
        let (mut words, mut known) = (Vec::new(), HashSet::new());
        let (mut docs_of, mut exact) = (Vec::new(), true);
        for (at, possible) in &branches.all {
            let target = self.referred(at);
            let only_words = self.rules_of(&target).all(|rule| matches!(rule, "const" | "enum" | "type"));
            exact &= only_words && !self.schemas.refs.contains_key(&target);
            let values = match (self.get(&target, "const"), self.get(&target, "enum")) {
                (Some(only), None) => std::slice::from_ref(only),
                (None, Some(values)) => values.items(),
                _ => &[],
            };
            let is_allowed = |word: &&str| matches!(&possible.strings, Values::Listed(words) if words.contains(*word));
            let mut seen = HashSet::new();
            let own = values.iter().filter_map(Node::str).filter(is_allowed);
            let own: Vec<&str> = own.filter(|word| seen.insert(*word)).collect();
            let said = [at, &target].into_iter().map(|at| docs(self.node(at))).find(|said| !said.is_empty());
            for word in &own {
                if !known.insert((*word).to_owned()) {
                    exact &= branches.keyword == "anyOf";
                } else if all.contains(*word) {
                    words.push((*word).to_owned());
                    docs_of.extend(said.clone().filter(|_| own.len() == 1).map(|said| ((*word).to_owned(), said)));
                }
            }
        }
        words.extend(all.iter().filter(|word| !known.contains(*word)).cloned());
        if words.is_empty() {
            return None;
        }
        if !exact {
            self.leave(loc, branches.keyword, format!("`{}`", branches.keyword));
        }
        let variants = names::variants(&words);
        let id = self.type_with(loc, Body::Enum { words, variants });
        if let Some(Some(type_)) = self.types.get_mut(id) {
            type_.word_docs = docs_of.into_iter().collect();
        }
        Some(ValueType::plain(Shape::Named(id)))
    }
}
