//! How the objects of several schemas are distinguished: by the values of a member, or by a member of their own.

use std::collections::BTreeSet;

use super::branches::Branches;
use super::members::applied;
use super::possible::{Possible, Values};
use super::reader::SchemaReader;
use super::variant::{Choice, Discriminator};
use crate::json_type::JsonType;
use crate::schema::load::Node;
use crate::schema::schemas::Loc;

/// The maximum number of variants that are compared pairwise.
const MOST_PAIRS: usize = 100;

/// The maximum number of members that are considered to distinguish variants. Of more members, the first ones in
/// alphabetical order are considered.
const MOST_NAMES: usize = 100;

/// How objects are distinguished, with the choices of each schema.
pub(super) struct DiscriminatedObjects {
    pub(super) by: Discriminator,
    /// The members that the surrounding schema requires of all objects.
    pub(super) required: Vec<String>,
    /// The surrounding schema, if the variants need fields for its members.
    pub(super) base: Option<Loc>,
    pub(super) branches: Vec<(Loc, Possible, Vec<Choice>)>,
}

impl<'a> SchemaReader<'a> {
    /// Finds how the objects of these schemas are distinguished; `None` if they can't be.
    pub(super) fn discriminated(
        &self,
        loc: &Loc,
        around: &Branches<'_>,
        branches: Vec<(Loc, Possible)>,
    ) -> Option<DiscriminatedObjects> {
        let is_typed = around.possible.types() == [JsonType::Object];
        if branches.len() < 2 || !branches.iter().all(|(_, it)| is_typed || it.types() == [JsonType::Object]) {
            return None;
        }
        let parts: Vec<Vec<Loc>> = branches.iter().map(|(at, _)| applied(self, at)).collect();
        let mut base = None;
        if !around.beside.is_empty() {
            // each variant needs a field for the members that the rules beside the union are about
            let named = self.get(loc, "properties").map_or(&[][..], Node::members).iter().map(|member| &*member.key);
            let names: Vec<&str> = named.chain(self.required_at(loc)).collect();
            let declares = |parts: &Vec<Loc>| names.iter().all(|name| !self.members_at(parts, name).is_empty());
            if !parts.iter().all(declares) {
                if !parts.iter().all(|parts| self.fits_base(parts, loc)) {
                    return None;
                }
                base = Some(loc.clone());
            }
        }
        let by_member = self.by_member(loc, &parts).or_else(|| self.by_own_member(&parts));
        // a value of `anyOf` may have the members of several alternatives
        let by_rules = || (around.keyword == "oneOf").then(|| self.by_required_member(loc, &parts)).flatten();
        let choices = by_member.or_else(by_rules)?;
        let (by, choices) = choices;
        let branches = branches.into_iter().zip(choices).map(|((at, possible), choices)| (at, possible, choices));
        let required = self.required_at(loc).map(str::to_owned).collect();
        Some(DiscriminatedObjects { by, required, base, branches: branches.collect() })
    }

    /// Finds the member whose values distinguish the objects. Of several such members, it returns the first in alphabetical
    /// order, but prefers members with only words. So the order of the properties doesn't matter.
    fn by_member(&self, loc: &Loc, parts: &[Vec<Loc>]) -> Option<(Discriminator, Vec<Vec<Choice>>)> {
        let first = parts.first()?;
        let names: BTreeSet<&str> = first
            .iter()
            .flat_map(|at| self.get(at, "properties").map_or(&[][..], Node::members))
            .map(|member| &*member.key)
            .collect();
        let around = [loc.clone()];
        let values = |parts: &[Loc], name: &str| {
            let is_required = parts.iter().chain(&around).any(|at| self.required_at(at).any(|it| it == name));
            let all = self.members_at(parts, name).into_iter().chain(self.members_at(&around, name));
            let possible = all.map(|at| self.possible(&at)).reduce(Possible::and);
            possible.filter(|possible| is_required && !possible.is_none())
        };
        let mut other = None;
        let candidates = names.into_iter().filter(|name| values(first, name).is_some());
        for name in candidates.take(MOST_NAMES) {
            let Some(all) = discriminated_by(parts.iter().map(|parts| values(parts, name))) else { continue };
            let by_words = all.iter().flatten().all(|choice| matches!(choice, Choice::Word(_)));
            if by_words {
                return Some((Discriminator::Member(name.to_owned()), all));
            }
            other = other.or_else(|| Some((Discriminator::Member(name.to_owned()), all)));
        }
        other
    }

    /// Finds, for each schema, a required member that all others exclude; one schema may have none.
    fn by_own_member(&self, parts: &[Vec<Loc>]) -> Option<(Discriminator, Vec<Vec<Choice>>)> {
        if parts.len() > MOST_PAIRS {
            return None;
        }
        let mut choices = Vec::new();
        for (index, own) in parts.iter().enumerate() {
            let names: BTreeSet<&str> = own.iter().flat_map(|at| self.required_at(at)).collect();
            let others = || parts.iter().enumerate().filter(|(other, _)| *other != index);
            let found = names.into_iter().take(MOST_NAMES).find(|name| {
                !self.members_at(own, name).is_empty() && others().all(|(_, parts)| self.excludes(parts, name))
            });
            choices.push(Vec::from_iter(found.map(|name| Choice::Has(name.to_owned()))));
        }
        (choices.iter().filter(|choices| choices.is_empty()).count() <= 1)
            .then_some((Discriminator::OwnMember, choices))
    }

    /// Finds, for each schema, a member that it requires and no other declares. If an object has such members of several
    /// schemas, the rules of these schemas decide between them.
    fn by_required_member(&self, loc: &Loc, parts: &[Vec<Loc>]) -> Option<(Discriminator, Vec<Vec<Choice>>)> {
        if parts.len() > MOST_PAIRS || self.dynamic.contains(loc) {
            return None;
        }
        let requires = |parts: &[Loc], name: &str| parts.iter().any(|at| self.required_at(at).any(|it| it == name));
        let mut choices = Vec::new();
        for (index, own) in parts.iter().enumerate() {
            let names: BTreeSet<&str> = own.iter().flat_map(|at| self.required_at(at)).collect();
            let others = || parts.iter().enumerate().filter(|(other, _)| *other != index);
            let found = names.into_iter().take(MOST_NAMES).find(|name| {
                let is_others = |parts: &[Loc]| requires(parts, name) || !self.members_at(parts, name).is_empty();
                !self.members_at(own, name).is_empty() && !others().any(|(_, parts)| is_others(parts))
            });
            choices.push(vec![Choice::Has(found?.to_owned())]);
        }
        Some((Discriminator::RequiredMember(loc.clone()), choices))
    }
}

/// Returns the choices of each schema if no two schemas have a value in common.
fn discriminated_by(all: impl Iterator<Item = Option<Possible>>) -> Option<Vec<Vec<Choice>>> {
    let mut before: Option<Possible> = None;
    let mut out = Vec::new();
    for possible in all {
        let possible = possible?;
        if before.as_ref().is_some_and(|before| !before.is_disjoint(&possible)) {
            return None;
        }
        out.push(choices(&possible)?);
        before = Some(match before {
            Some(before) => before.or(possible),
            None => possible,
        });
    }
    Some(out)
}

/// Returns the choices of a member with these values; `None` if one can't be expressed.
fn choices(possible: &Possible) -> Option<Vec<Choice>> {
    let mut out = Vec::new();
    match &possible.strings {
        Values::Listed(words) => out.extend(words.iter().cloned().map(Choice::Word)),
        Values::Any => out.push(Choice::Type(JsonType::String)),
    }
    match &possible.numbers {
        Values::Listed(values) => {
            let values: Option<Vec<i64>> = values.iter().map(|value| i64::try_from(*value).ok()).collect();
            out.extend(values?.into_iter().map(Choice::Integer));
        }
        Values::Any => out.push(Choice::Type(JsonType::Number)),
    }
    match &possible.booleans {
        Values::Listed(values) => out.extend(values.iter().copied().map(Choice::Boolean)),
        Values::Any => out.push(Choice::Type(JsonType::Boolean)),
    }
    let types = [JsonType::Null, JsonType::Array, JsonType::Object];
    out.extend(types.into_iter().filter(|type_| possible.has(*type_)).map(Choice::Type));
    (!out.is_empty()).then_some(out)
}
