//! Unions: `oneOf` and `anyOf` of objects with a constant tag become an enum with a variant for each.

use std::collections::HashSet;

use super::reader::SchemaReader;
use super::types::{Body, Shape, ValueType, Variant};
use crate::schema::load::{Json, Node};
use crate::schema::names;
use crate::schema::schemas::Loc;

/// More variants than these are not looked for: the comparison of tags would be long.
const MOST_VARIANTS: usize = 500;

/// Of more properties that may be the tag, the first ones in alphabetical order are looked at.
const MOST_NAMES: usize = 100;

impl<'a> SchemaReader<'a> {
    /// A union inside of a content.
    pub(super) fn union(&mut self, loc: &Loc) -> Option<ValueType> {
        let (keyword, tag, words) = self.tagged(loc)?;
        let at = loc.clone();
        let id = self.type_at(loc, Vec::new(), move |reader| reader.variants(&at, keyword, tag, words));
        Some(ValueType::plain(Shape::Named(id)))
    }

    /// Whether a property tells the schemas of `oneOf` or `anyOf` apart.
    pub(super) fn is_union(&self, loc: &Loc) -> bool {
        self.tagged(loc).is_some()
    }

    /// A whole content or context that is a union.
    pub(super) fn union_body(&mut self, loc: &Loc) -> Option<Body> {
        let (keyword, tag, words) = self.tagged(loc)?;
        Some(self.variants(loc, keyword, tag, words))
    }

    fn variants(&mut self, loc: &Loc, keyword: &str, tag: &str, words: Vec<Vec<String>>) -> Body {
        let firsts: Vec<String> = words.iter().map(|words| words.first().cloned().unwrap_or_default()).collect();
        let variants = names::variants(&firsts).into_iter().zip(words).enumerate().map(|(index, (name, words))| {
            let at = loc.step(keyword).step(&index.to_string());
            let held = self.held(&at);
            self.alternatives.insert(at, name.clone());
            Variant { name, words, held, boxed: false }
        });
        Body::Union { tag: tag.to_owned(), variants: variants.collect() }
    }

    /// The keyword, the tag and the words of each schema, where they tell the schemas apart. Of several tags it is the first
    /// in alphabetical order: the order of the properties changes nothing.
    fn tagged(&self, loc: &Loc) -> Option<(&'a str, &'a str, Vec<Vec<String>>)> {
        let mut rules = self.rules_of(loc).filter(|rule| *rule != "type");
        let (Some(keyword @ ("anyOf" | "oneOf")), None) = (rules.next(), rules.next()) else { return None };
        if self.kinds(loc).is_some_and(|kinds| kinds != ["object"]) {
            return None;
        }
        let count = self.get(loc, keyword)?.items().len();
        if !(2..=MOST_VARIANTS).contains(&count) {
            return None;
        }
        let all: Vec<Loc> = (0..count).map(|index| self.behind(&loc.step(keyword).step(&index.to_string()))).collect();
        let first = all.first()?;
        let names = self.get(first, "properties").map_or(&[][..], Node::members).iter().map(|member| &*member.key);
        let mut names: Vec<&str> = names.filter(|name| self.tag_words(first, name).is_some()).collect();
        names.sort_unstable();
        names.into_iter().take(MOST_NAMES).find_map(|name| {
            let words: Option<Vec<Vec<String>>> = all.iter().map(|one| self.tag_words(one, name)).collect();
            let words = words?;
            let mut seen = HashSet::new();
            words.iter().flatten().all(|word| seen.insert(word.as_str())).then_some((keyword, name, words))
        })
    }

    /// The words of a property that every such object has, where it has nothing but words.
    fn tag_words(&self, loc: &Loc, tag: &str) -> Option<Vec<String>> {
        if self.kinds(loc)? != ["object"] || self.schemas.refs.contains_key(loc) {
            return None;
        }
        let required = self.get(loc, "required")?.items();
        if !required.iter().any(|name| name.str() == Some(tag)) {
            return None;
        }
        self.get(loc, "properties")?.get(tag)?;
        let at = self.behind(&loc.step("properties").step(tag));
        let values = match (self.get(&at, "const"), self.get(&at, "enum")) {
            (Some(only), None) => std::slice::from_ref(only),
            (None, Some(values)) => values.items(),
            _ => return None,
        };
        let words: Option<Vec<String>> = values.iter().map(|value| value.str().map(str::to_owned)).collect();
        words.filter(|words| !words.is_empty())
    }

    /// The schema behind references with nothing beside them.
    fn behind(&self, loc: &Loc) -> Loc {
        let mut at = loc.clone();
        for _ in 0..32 {
            let Some(target) = self.schemas.refs.get(&at) else { break };
            if self.extends(&at) || matches!(self.node(target).json, Json::Bool(_)) {
                break;
            }
            at = target.clone();
        }
        at
    }
}
