//! Formulas over the properties of a value: the meaning of schemas of any draft. Each formula is stored once.
//!
//! A formula is an atom, which is about values of one type and holds for every value of another; or *all of*, *exactly
//! one of*, or a reference to a formula that may contain the reference. A literal is a formula or its negation. *Any
//! of* is the negation of *all of* negations.

use std::collections::HashMap;
use std::rc::Rc;

use crate::decimal::Decimal;
use crate::json_type::{JsonType, JsonTypes};

/// A literal: a formula by index, or its negation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Lit(u32);

impl Lit {
    /// Holds for every value.
    pub(crate) const TRUE: Self = Self(0);
    /// Holds for no value.
    pub(crate) const FALSE: Self = Self(1);

    pub(crate) fn is_negated(self) -> bool {
        self.0 & 1 == 1
    }

    fn index(self) -> usize {
        (self.0 >> 1) as usize
    }
}

impl std::ops::Not for Lit {
    type Output = Self;

    fn not(self) -> Self {
        Self(self.0 ^ 1)
    }
}

/// The index of a pattern, a format or an opaque keyword in its table.
pub(crate) type Index = u32;

/// The name of a member, interned.
pub(crate) type Name = Rc<str>;

/// An atom: a property of values of one type. It holds for all values of other types.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Atom {
    /// Any value: it is of one of these types.
    Types(JsonTypes),
    /// Booleans: the value is this boolean.
    Is(bool),
    /// Numbers: at least `limit`, or above it if `exclusive`.
    AtLeast { limit: Decimal, exclusive: bool },
    /// Numbers: at most `limit`, or below it if `exclusive`.
    AtMost { limit: Decimal, exclusive: bool },
    /// Numbers: a whole multiple of this number.
    MultipleOf(Decimal),
    /// Numbers: one of these, sorted.
    NumberIn(Rc<[Decimal]>),
    /// Numbers: an `f64` represents the number exactly as written. Only for large integers there may be no such `f64`,
    /// because whatever is sent is an `f64` or an integer within 64 bits.
    Double,
    /// Strings: at least this number of characters.
    MinLength(u64),
    /// Strings: at most this number of characters.
    MaxLength(u64),
    /// Strings: a match of the pattern.
    Pattern(Index),
    /// Strings: of the format.
    Format(Index),
    /// Strings: one of these, sorted.
    StringIn(Rc<[Name]>),
    /// Arrays: at least this number of items.
    MinItems(u64),
    /// Arrays: at most this number of items.
    MaxItems(u64),
    /// Arrays: no two items are equal.
    Unique,
    /// Arrays: the item at `index`, if it exists, satisfies `lit`.
    Item { index: u64, lit: Lit },
    /// Arrays: all items from index `from` on satisfy `lit`.
    Items { from: u64, lit: Lit },
    /// Arrays: `min` to `max` items satisfy `lit`.
    Count { lit: Lit, min: u64, max: Option<u64> },
    /// Objects: at least this number of members.
    MinMembers(u64),
    /// Objects: at most this number of members.
    MaxMembers(u64),
    /// Objects: the member exists.
    Required(Name),
    /// Objects: the member of this name, if it exists, satisfies `lit`.
    Member { name: Name, lit: Lit },
    /// Objects: all members whose names match the pattern satisfy `lit`.
    Matching { pattern: Index, lit: Lit },
    /// Objects: all members satisfy `lit`, except those with one of these names or with a name that matches one of these
    /// patterns.
    Others { names: Rc<[Name]>, patterns: Rc<[Index]>, lit: Lit },
    /// Objects: the names of all members satisfy the formula.
    Names(Lit),
    /// An opaque property: it is unknown which values have it, but equal indexes mean the same property.
    Opaque(Index),
}

impl Atom {
    /// Returns the type that the atom is about; `None` if it is about all types.
    pub(crate) fn json_type(&self) -> Option<JsonType> {
        Some(match self {
            Self::Types(_) | Self::Opaque(_) => return None,
            Self::Is(_) => JsonType::Boolean,
            Self::AtLeast { .. } | Self::AtMost { .. } | Self::MultipleOf(_) | Self::NumberIn(_) | Self::Double => {
                JsonType::Number
            }
            Self::MinLength(_) | Self::MaxLength(_) | Self::Pattern(_) | Self::Format(_) | Self::StringIn(_) => {
                JsonType::String
            }
            Self::MinItems(_)
            | Self::MaxItems(_)
            | Self::Unique
            | Self::Item { .. }
            | Self::Items { .. }
            | Self::Count { .. } => JsonType::Array,
            Self::MinMembers(_)
            | Self::MaxMembers(_)
            | Self::Required(_)
            | Self::Member { .. }
            | Self::Matching { .. }
            | Self::Others { .. }
            | Self::Names(_) => JsonType::Object,
        })
    }
}

/// A formula.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Formula {
    /// Holds for every value.
    True,
    Atom(Atom),
    /// All of these hold: at least two, sorted.
    All(Rc<[Lit]>),
    /// Exactly one of these holds: at least two formulas, sorted. The same formula may be listed twice.
    One(Rc<[Lit]>),
    /// A reference to a formula that may contain this one.
    Reference(Index),
}

/// All formulas, interned.
#[derive(Debug)]
pub(crate) struct Formulas {
    list: Vec<Formula>,
    known: HashMap<Formula, u32>,
    /// The target of each reference, once known.
    targets: Vec<Option<Lit>>,
    names: HashMap<Name, ()>,
}

impl Formulas {
    pub(crate) fn new() -> Self {
        Self {
            list: vec![Formula::True],
            known: HashMap::from([(Formula::True, 0)]),
            targets: Vec::new(),
            names: HashMap::new(),
        }
    }

    pub(crate) fn get(&self, lit: Lit) -> &Formula {
        self.list.get(lit.index()).unwrap_or(&Formula::True)
    }

    fn put(&mut self, formula: Formula) -> Lit {
        let next = u32::try_from(self.list.len()).unwrap_or(u32::MAX >> 1);
        let index = *self.known.entry(formula).or_insert_with_key(|formula| {
            self.list.push(formula.clone());
            next
        });
        Lit(index << 1)
    }

    /// Interns a name.
    pub(crate) fn name(&mut self, name: &str) -> Name {
        if let Some((known, ())) = self.names.get_key_value(name) {
            return known.clone();
        }
        let name: Name = name.into();
        self.names.insert(name.clone(), ());
        name
    }

    /// Interns an atom, unless it holds for every value.
    pub(crate) fn atom(&mut self, atom: Atom) -> Lit {
        let trivial = match &atom {
            Atom::Types(types) => *types == JsonTypes::ALL,
            Atom::Item { lit, .. }
            | Atom::Items { lit, .. }
            | Atom::Member { lit, .. }
            | Atom::Matching { lit, .. }
            | Atom::Others { lit, .. }
            | Atom::Names(lit) => *lit == Lit::TRUE,
            Atom::MinLength(limit) | Atom::MinItems(limit) | Atom::MinMembers(limit) => *limit == 0,
            Atom::Count { min, max, .. } => *min == 0 && max.is_none(),
            _ => false,
        };
        if trivial {
            return Lit::TRUE;
        }
        match atom {
            Atom::Types(JsonTypes::NONE) => Lit::FALSE,
            atom => self.put(Formula::Atom(atom)),
        }
    }

    /// Returns the formula: the value is of one of these types.
    pub(crate) fn types(&mut self, types: JsonTypes) -> Lit {
        self.atom(Atom::Types(types))
    }

    /// Returns the formula: all of these hold.
    pub(crate) fn all(&mut self, lits: impl IntoIterator<Item = Lit>) -> Lit {
        let mut parts: Vec<Lit> = Vec::new();
        for lit in lits {
            match self.get(lit) {
                Formula::True if lit.is_negated() => return Lit::FALSE,
                Formula::True => {}
                Formula::All(inner) if !lit.is_negated() => parts.extend(inner.iter()),
                _ => parts.push(lit),
            }
        }
        parts.sort_unstable();
        parts.dedup();
        if parts.windows(2).any(|pair| matches!(pair, [a, b] if *a == !*b)) {
            return Lit::FALSE;
        }
        match parts[..] {
            [] => Lit::TRUE,
            [only] => only,
            _ => self.put(Formula::All(parts.into())),
        }
    }

    /// Returns the formula: at least one of these holds.
    pub(crate) fn any(&mut self, lits: impl IntoIterator<Item = Lit>) -> Lit {
        !self.all(lits.into_iter().map(|lit| !lit).collect::<Vec<_>>())
    }

    /// Returns the formula: exactly one of these holds.
    pub(crate) fn one(&mut self, lits: impl IntoIterator<Item = Lit>) -> Lit {
        let mut parts: Vec<Lit> = lits.into_iter().filter(|lit| *lit != Lit::FALSE).collect();
        parts.sort_unstable();
        match parts[..] {
            [] => Lit::FALSE,
            [only] => only,
            _ => self.put(Formula::One(parts.into())),
        }
    }

    /// Returns the formula: if `test` holds, `then` holds.
    pub(crate) fn implies(&mut self, test: Lit, then: Lit) -> Lit {
        self.any([!test, then])
    }

    /// Creates a reference whose target is set later.
    pub(crate) fn reference(&mut self) -> (Index, Lit) {
        let index = u32::try_from(self.targets.len()).unwrap_or(u32::MAX);
        self.targets.push(None);
        (index, self.put(Formula::Reference(index)))
    }

    pub(crate) fn lead(&mut self, reference: Index, to: Lit) {
        if let Some(target) = self.targets.get_mut(reference as usize) {
            *target = Some(to);
        }
    }

    pub(crate) fn target(&self, reference: Index) -> Option<Lit> {
        self.targets.get(reference as usize).copied().flatten()
    }
}
