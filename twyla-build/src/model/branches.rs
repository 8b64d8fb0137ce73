//! The schemas in a `oneOf` or `anyOf`, with their possible values.

use super::possible::Possible;
use super::reader::SchemaReader;
use crate::json_type::JsonType;
use crate::schema::schemas::Loc;

/// The maximum number of variants; with more, comparing their tags would take too long.
const MOST_VARIANTS: usize = 500;

/// The schemas of `oneOf` or `anyOf`.
pub(super) struct Branches<'a> {
    pub(super) keyword: &'a str,
    /// The rules beside the keyword, without `type`.
    pub(super) beside: Vec<&'a str>,
    /// Each schema with its possible values.
    pub(super) all: Vec<(Loc, Possible)>,
    /// The values that the whole schema may allow.
    pub(super) possible: Possible,
}

impl Branches<'_> {
    /// Returns the schemas that may allow values of a type.
    pub(super) fn of_type(&self, type_: JsonType) -> Vec<(Loc, Possible)> {
        self.all.iter().filter(|(_, possible)| possible.has(type_)).cloned().collect()
    }
}

impl<'a> SchemaReader<'a> {
    pub(super) fn branches(&self, loc: &Loc) -> Option<Branches<'a>> {
        let rules: Vec<&str> = self.rules_of(loc).filter(|rule| *rule != "type").collect();
        let (keywords, beside): (Vec<&str>, Vec<&str>) =
            rules.into_iter().partition(|rule| matches!(*rule, "anyOf" | "oneOf"));
        let [keyword] = keywords[..] else { return None };
        if !beside.iter().all(|rule| matches!(*rule, "properties" | "required")) || self.dynamic.contains(loc) {
            return None;
        }
        let count = self.get(loc, keyword)?.items().len();
        if !(2..=MOST_VARIANTS).contains(&count) {
            return None;
        }
        let possible = self.possible(loc);
        if !beside.is_empty() && possible.types() != [JsonType::Object] {
            return None;
        }
        let all = self.listed(loc, keyword).map(|at| (self.possible(&self.referred(&at)), at));
        let all: Vec<(Loc, Possible)> = all.filter(|(it, _)| !it.is_none()).map(|(it, at)| (at, it)).collect();
        Some(Branches { keyword, beside, all, possible })
    }
}
