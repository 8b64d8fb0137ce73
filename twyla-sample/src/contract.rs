//! A contract: the schema that values are made of and held to.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use twyla_build::compare::{Bundle, Changes, Checker, Mode, Refusal, Schema, SchemaPath};

use crate::dice::Dice;
use crate::make::{self, Choices, Extent};
use crate::simpler;
use crate::view::{Below, View};
use crate::violation::Violation;

/// Tries at a nice value before it is given up.
const TRIES: usize = 400;
/// Tries at a random value before a nice one is taken.
const THROWS: u64 = 24;
/// Broken rules of a value that are looked at to see whether they are one.
const SEEN: usize = 64;
/// Valid values that are enough to break each rule of a contract.
const SEVERAL: usize = 12;

/// A contract: the schema that values are made of and held to.
pub struct Contract<'a> {
    root: Schema<'a>,
    checker: Checker,
    objects: bool,
}

impl<'a> Contract<'a> {
    /// The contract whose schema is `root`, which values are made of, and that holds values as `bundle` by itself does: it is of
    /// the same schema.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn new(root: Schema<'a>, bundle: &Bundle) -> std::io::Result<Self> {
        Ok(Self { root, checker: Checker::new(bundle, Mode::Contract)?, objects: false })
    }

    /// Whether its values have to be objects besides, as contents, contexts and requests have to. They don't unless this says so.
    #[must_use]
    pub fn objects(mut self, objects: bool) -> Self {
        self.objects = objects;
        self
    }

    /// Whether a value breaks nothing.
    #[must_use]
    pub fn is_valid(&self, value: &Value) -> bool {
        (!self.objects || value.is_object()) && self.checker.is_valid(value) == Some(true)
    }

    /// Everything that a value breaks, each thing once, in the value's order.
    #[must_use]
    pub fn violations(&self, value: &Value) -> Vec<Violation> {
        self.some_violations(value, usize::MAX)
    }

    fn some_violations(&self, value: &Value, most: usize) -> Vec<Violation> {
        self.seen(self.checker.refusals(value, most), Some(value).filter(|it| !it.is_object()))
    }

    /// The violations of a value; `other` if it isn't an object.
    fn seen(&self, refusals: Option<Vec<Refusal>>, other: Option<&Value>) -> Vec<Violation> {
        let Some(refusals) = refusals else { return vec![Violation::unknown(self.root.path())] };
        // a rule that is come to in two ways says the same twice, and `required` of each member that is missing something else
        let mut found: BTreeMap<(String, SchemaPath, String), Violation> = BTreeMap::new();
        for violation in refusals.into_iter().map(Violation::from) {
            let what = (violation.pointer.clone(), violation.rule.clone(), violation.message.clone());
            found.insert(what, violation);
        }
        if let Some(value) = other.filter(|_| found.is_empty() && self.objects) {
            return vec![Violation::no_object(value, self.root.path())];
        }
        found.into_values().collect()
    }

    /// What a value breaks, where that is one thing; of what it breaks more often than anybody looks at it may be one of several.
    #[must_use]
    pub fn only_violation(&self, value: &Value) -> Option<Violation> {
        self.only(self.some_violations(value, SEEN), value.is_object())
    }

    /// A valid value of which one part after the other is changed.
    pub(crate) fn changes(&self, value: &Value) -> Changes<'_> {
        self.checker.changes(value.clone())
    }

    /// As [`Self::only_violation`], of the value with another part behind a pointer.
    pub(crate) fn only_violation_of(&self, changes: &mut Changes<'_>, pointer: &str, part: Value) -> Option<Violation> {
        let other = Some(&part).filter(|it| pointer.is_empty() && !it.is_object()).cloned();
        self.only(self.seen(changes.refusals(pointer, part, SEEN), other.as_ref()), other.is_none())
    }

    fn only(&self, violations: Vec<Violation>, is_object: bool) -> Option<Violation> {
        let mut violations = violations.into_iter();
        let first = violations.next().filter(|it| !it.keyword.is_empty())?;
        // a value that isn't an object breaks that too
        if self.objects && !is_object && (!first.pointer.is_empty() || first.keyword != "type") {
            return None;
        }
        violations.all(|other| other.rule == first.rule && other.pointer == first.pointer).then_some(first)
    }

    /// Its schema, for who wants to look into it.
    #[must_use]
    pub fn root(&self) -> Below<'a> {
        Below::new(self.root.clone())
    }

    /// All that holds for its values.
    fn view(&self) -> View<'a> {
        if self.objects { self.root().view_of_object() } else { self.root().view() }
    }

    /// Valid values that are good to look at, the best first: examples, defaults and the values of an `enum` before others.
    /// There are none where none was found in 400 tries, though there may be some.
    pub fn nice(&self, extent: Extent) -> impl Iterator<Item = Value> + '_ {
        let view = self.view();
        let mut choices = Some(Choices::default());
        let tries = std::iter::from_fn(move || {
            let mut tried = choices.take()?;
            let made = make::make(&view, extent, &mut tried);
            // what is broken says which choice was a bad one; where nothing is, another choice makes another value
            let broken = made.as_ref().and_then(|value| self.violations(value).into_iter().next());
            choices = match &broken {
                Some(broken) => tried.clone().next(Some(&broken.pointer)).or_else(|| tried.next(None)),
                None => tried.next(None),
            };
            Some(made.filter(|_| broken.is_none()))
        });
        tries.take(TRIES).flatten()
    }

    /// Valid values that are each another choice of the schema's, `first` before them.
    #[must_use]
    pub fn several(&self, first: Option<Value>) -> Vec<Value> {
        let mut values = Vec::from_iter(first);
        let lean = self.nice(Extent::Lean).take(SEVERAL);
        for value in self.nice(Extent::Whole).take(5 * SEVERAL).chain(lean) {
            if values.len() < SEVERAL && !values.contains(&value) {
                values.push(value);
            }
        }
        values
    }

    /// A random valid value: the same for the same seed. A nice one where chance finds none.
    #[must_use]
    pub fn random(&self, seed: u64) -> Option<Value> {
        let view = self.view();
        let thrown = (0..THROWS).find_map(|i| {
            let mut choices = Choices::thrown(Dice::new(seed ^ (i << 56)));
            make::make(&view, Extent::Any, &mut choices).filter(|value| self.is_valid(value))
        });
        thrown.or_else(|| self.nice(Extent::Lean).next()).or_else(|| self.nice(Extent::Whole).next())
    }

    /// Values that have less than a valid one and are valid too, in the order in which they are worth a try.
    pub fn simpler(&self, value: &Value) -> impl Iterator<Item = Value> + use<'_, 'a> {
        simpler::simpler(value).into_iter().filter(|value| self.is_valid(value))
    }
}

impl fmt::Debug for Contract<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Contract").field(self.root.path()).finish()
    }
}
