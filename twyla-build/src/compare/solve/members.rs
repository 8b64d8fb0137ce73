//! The assumptions about the members of an object.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::compare::formula::{Atom, Formula, Formulas, Index, Lit, Name};

/// Excluded names and patterns, and the formula that all other members must satisfy.
type OtherKeys = (Rc<[Name]>, Rc<[Index]>, Lit);

/// A set of members, one of which must satisfy a formula.
#[derive(Clone, Debug)]
pub(super) enum Keys {
    /// Members whose names match the pattern.
    Matching(Index),
    /// All members except these names and those that match one of these patterns.
    Others(std::rc::Rc<[Name]>, std::rc::Rc<[Index]>),
    /// Members whose names satisfy a formula.
    Named(Lit),
}

/// The assumptions about an object.
#[derive(Clone, Debug, Default)]
pub(in crate::compare) struct MemberSearch {
    pub(super) required: BTreeSet<Name>,
    pub(super) absent: BTreeSet<Name>,
    /// The formulas that a member must satisfy if it exists, by name.
    pub(super) by_name: BTreeMap<Name, Vec<Lit>>,
    pub(super) matching: Vec<(Index, Lit)>,
    pub(super) others: Vec<OtherKeys>,
    /// The formulas that each name must satisfy.
    pub(super) names: Vec<Lit>,
    pub(super) min: u64,
    pub(super) max: Option<u64>,
    /// For each pair, one member among the keys must exist and satisfy the literal.
    pub(super) some: Vec<(Keys, Lit)>,
}

impl MemberSearch {
    /// Returns the assumptions that the atoms make; `None` if they contradict each other.
    pub(super) fn new(formulas: &Formulas, atoms: &BTreeSet<Lit>) -> Option<Self> {
        let mut members = Self::default();
        for lit in atoms {
            if let Formula::Atom(atom) = formulas.get(*lit) {
                members.add(atom, lit.is_negated())?;
            }
        }
        let few = members.max.is_some_and(|max| max < members.min.max(members.required.len() as u64));
        (members.required.is_disjoint(&members.absent) && !few).then_some(members)
    }

    fn add(&mut self, atom: &Atom, negated: bool) -> Option<()> {
        match (atom, negated) {
            (Atom::Required(name), false) => drop(self.required.insert(name.clone())),
            (Atom::Required(name), true) => drop(self.absent.insert(name.clone())),
            (Atom::Member { name, lit }, false) => self.by_name.entry(name.clone()).or_default().push(*lit),
            (Atom::Member { name, lit }, true) => {
                self.required.insert(name.clone());
                self.by_name.entry(name.clone()).or_default().push(!*lit);
            }
            (Atom::Matching { pattern, lit }, false) => self.matching.push((*pattern, *lit)),
            (Atom::Matching { pattern, lit }, true) => self.some.push((Keys::Matching(*pattern), !*lit)),
            (Atom::Others { names, patterns, lit }, false) => {
                self.others.push((names.clone(), patterns.clone(), *lit));
            }
            (Atom::Others { names, patterns, lit }, true) => {
                self.some.push((Keys::Others(names.clone(), patterns.clone()), !*lit));
            }
            (Atom::Names(lit), false) => self.names.push(*lit),
            (Atom::Names(lit), true) => self.some.push((Keys::Named(!*lit), Lit::TRUE)),
            (Atom::MinMembers(limit), false) => self.min = self.min.max(*limit),
            (Atom::MaxMembers(limit), true) => self.min = self.min.max(limit.checked_add(1)?),
            (Atom::MaxMembers(limit), false) => self.lower(*limit),
            (Atom::MinMembers(limit), true) => self.lower(limit.checked_sub(1)?),
            _ => {}
        }
        Some(())
    }

    fn lower(&mut self, limit: u64) {
        self.max = Some(self.max.map_or(limit, |max| max.min(limit)));
    }

    /// Returns every name that an assumption mentions.
    pub(super) fn mentioned(&self) -> BTreeSet<Name> {
        let listed = self.others.iter().flat_map(|(names, ..)| names.iter());
        let asked = self.some.iter().flat_map(|(keys, _)| match keys {
            Keys::Others(names, _) => &names[..],
            _ => &[],
        });
        self.required
            .iter()
            .chain(&self.absent)
            .chain(self.by_name.keys())
            .chain(listed)
            .chain(asked)
            .cloned()
            .collect()
    }

    /// Returns whether only required members may exist.
    pub(super) fn is_full(&self) -> bool {
        self.max.is_some_and(|max| max <= self.required.len() as u64)
    }
}
