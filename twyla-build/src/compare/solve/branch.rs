//! Search among alternatives for values of one type: propagates the literals that must hold, then tries the open
//! alternatives.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::array::Items;
use super::members::MemberSearch;
use super::number::Numbers;
use super::string::Texts;
use super::{Answer, LITERALS, Obstacle, Solver};
use crate::compare::formula::{Atom, Formula, Lit};
use crate::json_type::JsonType;

/// The maximum depth to which nested formulas are expanded before a choice.
const LOOKED: usize = 6;

/// A clause: a condition on how many of its literals hold.
#[derive(Clone, Debug)]
enum Clause {
    /// At least one literal holds.
    Any(Rc<[Lit]>),
    /// Exactly one literal holds.
    One(Rc<[Lit]>),
    /// None of the literals holds, or more than one.
    NotOne(Rc<[Lit]>),
}

/// The assumptions about a value of one type, and the open choices.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    type_: JsonType,
    pub(super) atoms: BTreeSet<Lit>,
    clauses: Vec<Clause>,
    /// The references that were followed.
    seen: BTreeSet<Lit>,
}

/// The assumptions of a branch's atoms, combined by type.
pub(super) enum Facts {
    Null,
    Boolean(Option<bool>),
    Numbers(Numbers),
    Texts(Texts),
    Items(Items),
    Members(MemberSearch),
}

impl Solver<'_> {
    /// Searches for a value of a type.
    pub(super) fn of_type(&mut self, type_: JsonType, state: &[Lit]) -> Answer {
        let mut branch = Branch { type_, atoms: BTreeSet::new(), clauses: Vec::new(), seen: BTreeSet::new() };
        for lit in state {
            if !self.assume(&mut branch, *lit) {
                return Answer::Nothing;
            }
        }
        self.choose(branch)
    }

    /// Adds a literal to the branch. Returns false if it contradicts the others.
    fn assume(&mut self, branch: &mut Branch, lit: Lit) -> bool {
        let mut open = vec![lit];
        while let Some(lit) = open.pop() {
            let negated = lit.is_negated();
            match self.formulas.get(lit) {
                Formula::True if negated => return false,
                Formula::True => {}
                Formula::All(parts) if negated => {
                    let any: Rc<[Lit]> = parts.iter().map(|part| !*part).collect();
                    branch.clauses.push(Clause::Any(any));
                }
                Formula::All(parts) => open.extend(parts.iter()),
                Formula::One(parts) => {
                    let parts = parts.clone();
                    branch.clauses.push(if negated { Clause::NotOne(parts) } else { Clause::One(parts) });
                }
                Formula::Reference(reference) => {
                    if branch.seen.insert(lit)
                        && let Some(target) = self.formulas.target(*reference)
                    {
                        open.push(if negated { !target } else { target });
                    }
                }
                Formula::Atom(atom) => {
                    match (atom, atom.json_type()) {
                        (Atom::Types(types), _) if types.has(branch.type_) == negated => return false,
                        (Atom::Types(_), _) => continue,
                        (_, Some(type_)) if type_ != branch.type_ => {
                            if negated {
                                return false;
                            }
                            continue;
                        }
                        (Atom::Count { lit: inner, min, max }, _) if negated => {
                            // the negation of a count: too few items, or too many
                            let (inner, min, max) = (*inner, *min, *max);
                            let few =
                                min.checked_sub(1).map(|most| Atom::Count { lit: inner, min: 0, max: Some(most) });
                            let many = max.and_then(|max| max.checked_add(1)).map(|least| Atom::Count {
                                lit: inner,
                                min: least,
                                max: None,
                            });
                            let any: Vec<Lit> =
                                few.into_iter().chain(many).map(|atom| self.formulas.atom(atom)).collect();
                            branch.clauses.push(Clause::Any(any.into()));
                        }
                        _ => {}
                    }
                    if branch.atoms.contains(&!lit) {
                        return false;
                    }
                    branch.atoms.insert(lit);
                }
            }
        }
        true
    }

    fn facts(&mut self, branch: &Branch) -> Option<Facts> {
        Some(match branch.type_ {
            JsonType::Null => Facts::Null,
            JsonType::Boolean => {
                let mut value = None;
                for lit in &branch.atoms {
                    if let Formula::Atom(Atom::Is(known)) = self.formulas.get(*lit) {
                        let known = *known != lit.is_negated();
                        if value.replace(known).is_some_and(|other| other != known) {
                            return None;
                        }
                    }
                }
                Facts::Boolean(value)
            }
            JsonType::Number => Facts::Numbers(Numbers::new(self.formulas, &branch.atoms, &mut self.budget)?),
            JsonType::String => Facts::Texts(Texts::new(self.formulas, &branch.atoms)?),
            JsonType::Array => Facts::Items(Items::new(self.formulas, &branch.atoms)?),
            JsonType::Object => Facts::Members(MemberSearch::new(self.formulas, &branch.atoms)?),
        })
    }

    /// Propagates the literals that must hold, then tries the alternatives of the smallest clause.
    fn choose(&mut self, mut branch: Branch) -> Answer {
        let size = branch.atoms.len() + branch.clauses.len();
        if !self.take(1 + size as u64 / LITERALS) {
            return Answer::Unknown(Obstacle::Steps);
        }
        let facts = loop {
            let Some(facts) = self.facts(&branch) else { return Answer::Nothing };
            if self.contradicts(&facts) {
                return Answer::Nothing;
            }
            match self.reduce(&mut branch, &facts) {
                None => return Answer::Nothing,
                Some(true) => {}
                Some(false) => break facts,
            }
        };
        let Some(at) = (0..branch.clauses.len()).min_by_key(|at| self.width(&branch.clauses[*at])) else {
            return self.end(&branch, &facts);
        };
        drop(facts);
        let clause = branch.clauses.swap_remove(at);
        let mut unknown = None;
        let mut refuted: Vec<Lit> = Vec::new();
        for choice in choices(&clause) {
            if !self.take(1 + size as u64 / LITERALS) {
                return Answer::Unknown(Obstacle::Steps);
            }
            let mut next = branch.clone();
            // an alternative that was refuted is excluded from the next ones
            let plain = matches!(clause, Clause::Any(_));
            let known = refuted.iter().filter(|_| plain).map(|lit| !*lit);
            if !choice.iter().copied().chain(known.collect::<Vec<_>>()).all(|lit| self.assume(&mut next, lit)) {
                continue;
            }
            match self.choose(next) {
                Answer::Nothing => {
                    if let [only] = choice[..]
                        && self.is_atom(only)
                    {
                        refuted.push(only);
                    }
                }
                Answer::Unknown(reason) => {
                    unknown = unknown.or(Some(reason));
                    if reason == Obstacle::Steps {
                        break;
                    }
                }
                value => return value,
            }
        }
        unknown.map_or(Answer::Nothing, Answer::Unknown)
    }

    fn is_atom(&self, lit: Lit) -> bool {
        matches!(self.formulas.get(lit), Formula::Atom(_))
    }

    fn width(&self, clause: &Clause) -> usize {
        match clause {
            Clause::Any(parts) => 2 * parts.len(),
            Clause::One(parts) => 2 * parts.len() + 1,
            Clause::NotOne(parts) => parts.len() * parts.len(),
        }
    }

    /// Simplifies the clauses by the facts. `None` if a clause is violated; otherwise, whether a literal was added.
    fn reduce(&mut self, branch: &mut Branch, facts: &Facts) -> Option<bool> {
        let clauses = std::mem::take(&mut branch.clauses);
        let mut kept = Vec::with_capacity(clauses.len());
        let mut sure: Vec<Lit> = Vec::new();
        for clause in clauses {
            let (Clause::Any(parts) | Clause::One(parts) | Clause::NotOne(parts)) = &clause;
            let known: Vec<Option<bool>> = parts.iter().map(|part| self.tell(branch, facts, *part, 0)).collect();
            let open: Rc<[Lit]> =
                parts.iter().zip(&known).filter(|(_, known)| **known != Some(false)).map(|(part, _)| *part).collect();
            let holding = known.iter().filter(|known| **known == Some(true)).count();
            match (&clause, holding, &open[..]) {
                (Clause::Any(_), 1.., _) => {}
                (Clause::Any(_), _, []) => return None,
                (Clause::Any(_), _, [only]) => sure.push(*only),
                (Clause::Any(_), ..) => kept.push(Clause::Any(open)),
                (Clause::One(_), 2.., _) | (Clause::One(_), _, []) => return None,
                (Clause::One(_), 1, _) => {
                    let others = parts.iter().zip(&known).filter(|(_, known)| known.is_none());
                    sure.extend(others.map(|(part, _)| !*part));
                }
                (Clause::One(_), _, [only]) => sure.push(*only),
                (Clause::One(_), ..) => kept.push(Clause::One(open)),
                (Clause::NotOne(_), 2.., _) | (Clause::NotOne(_), 0, []) => {}
                (Clause::NotOne(_), 1, [_]) => return None,
                (Clause::NotOne(_), 0, [only]) => sure.push(!*only),
                (Clause::NotOne(_), 1, _) => {
                    // one literal holds, so at least one more must hold
                    let others = parts.iter().zip(&known).filter(|(_, known)| known.is_none());
                    kept.push(Clause::Any(others.map(|(part, _)| *part).collect()));
                }
                (Clause::NotOne(_), ..) => kept.push(Clause::NotOne(open)),
            }
        }
        branch.clauses = kept;
        let more = !sure.is_empty();
        sure.into_iter().all(|lit| self.assume(branch, lit)).then_some(more)
    }

    /// Returns whether a literal follows from the assumptions (true) or its negation does (false); `None` if unknown.
    fn tell(&mut self, branch: &Branch, facts: &Facts, lit: Lit, deep: usize) -> Option<bool> {
        if branch.atoms.contains(&lit) {
            return Some(true);
        }
        if branch.atoms.contains(&!lit) {
            return Some(false);
        }
        if deep > LOOKED || !self.step() {
            return None;
        }
        let negated = lit.is_negated();
        let known = match self.formulas.get(lit) {
            Formula::True => Some(true),
            Formula::All(parts) => {
                let parts = parts.clone();
                let mut all = Some(true);
                for part in parts.iter() {
                    match self.tell(branch, facts, *part, deep + 1) {
                        Some(true) => {}
                        Some(false) => {
                            all = Some(false);
                            break;
                        }
                        None => all = None,
                    }
                }
                all
            }
            Formula::One(parts) => {
                let parts = parts.clone();
                let known: Vec<_> = parts.iter().map(|part| self.tell(branch, facts, *part, deep + 1)).collect();
                let holding = known.iter().filter(|known| **known == Some(true)).count();
                let open = known.iter().filter(|known| known.is_none()).count();
                match (holding, open) {
                    (2.., _) | (0, 0) => Some(false),
                    (1, 0) => Some(true),
                    _ => None,
                }
            }
            Formula::Reference(reference) => {
                let target = self.formulas.target(*reference)?;
                self.tell(branch, facts, target, deep + 1)
            }
            Formula::Atom(Atom::Types(types)) => Some(types.has(branch.type_)),
            Formula::Atom(Atom::Opaque(_)) => None,
            Formula::Atom(atom) if atom.json_type() != Some(branch.type_) => Some(true),
            Formula::Atom(atom) => {
                let atom = atom.clone();
                match facts {
                    Facts::Null => None,
                    Facts::Boolean(value) => match (value, &atom) {
                        (Some(value), Atom::Is(known)) => Some(value == known),
                        _ => None,
                    },
                    Facts::Numbers(numbers) => numbers.tell(&atom, &mut self.budget),
                    Facts::Texts(texts) => self.tell_text(texts, &atom),
                    Facts::Items(items) => self.tell_items(items, &atom),
                    Facts::Members(members) => self.tell_members(members, &atom),
                }
            }
        };
        known.map(|known| known != negated)
    }

    /// Returns whether a required item or member can't exist.
    fn contradicts(&mut self, facts: &Facts) -> bool {
        match facts {
            Facts::Items(items) => self.contradicts_items(items),
            Facts::Members(members) => self.contradicts_members(members),
            _ => false,
        }
    }

    /// Returns a value that satisfies all atoms, once no clause is open.
    fn end(&mut self, branch: &Branch, facts: &Facts) -> Answer {
        let answer = match facts {
            Facts::Null => Answer::value(()),
            Facts::Boolean(value) => Answer::value(value.unwrap_or(false)),
            Facts::Numbers(numbers) => numbers.find(&mut self.budget),
            Facts::Texts(texts) => self.find_text(texts),
            Facts::Items(items) => self.find_items(items),
            Facts::Members(members) => self.find_members(members),
        };
        if answer.is_nothing() {
            return answer;
        }
        // it is unknown whether the value breaks an opaque rule, so the search can't satisfy the rule's negation
        let opaque = branch.atoms.iter().filter(|lit| lit.is_negated()).find_map(|lit| match self.formulas.get(*lit) {
            Formula::Atom(Atom::Opaque(index)) => Some(*index),
            _ => None,
        });
        opaque.map_or(answer, |index| Answer::Unknown(Obstacle::Opaque(index)))
    }
}

/// Returns the alternatives that satisfy a clause.
fn choices(clause: &Clause) -> Vec<Vec<Lit>> {
    match clause {
        Clause::Any(parts) => parts.iter().map(|part| vec![*part]).collect(),
        Clause::One(parts) => {
            let one = |at: usize| {
                let others = parts.iter().enumerate().filter(move |(other, _)| *other != at).map(|(_, part)| !*part);
                parts.get(at).copied().into_iter().chain(others).collect()
            };
            (0..parts.len()).map(one).collect()
        }
        Clause::NotOne(parts) => {
            let mut all = vec![parts.iter().map(|part| !*part).collect::<Vec<_>>()];
            for (at, first) in parts.iter().enumerate() {
                all.extend(parts.iter().skip(at + 1).map(|second| vec![*first, *second]));
            }
            all
        }
    }
}
