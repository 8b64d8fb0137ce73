//! A contract: generates values from a schema and validates them.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use twyla_build::compare::{Bundle, Changes, Checker, Mode, Refusal, Schema, SchemaPath};

use crate::make::{self, Choices, Extent};
use crate::rng::Rng;
use crate::simpler;
use crate::view::{Subschema, View};
use crate::violation::Violation;

/// The number of attempts at a readable value.
const TRIES: usize = 400;
/// The number of attempts at a random value, before a readable one is used.
const THROWS: u64 = 24;
/// The maximum number of violations that are examined to find out whether they have one cause.
const SEEN: usize = 64;
/// The maximum number of valid values that are changed to break the rules.
const SEVERAL: usize = 12;

/// A contract: the schema from which values are generated and by which they are validated.
pub struct Contract<'a> {
    root: Schema<'a>,
    checker: Checker,
    objects: bool,
}

impl<'a> Contract<'a> {
    /// Creates a contract that generates values from `root` and validates them by `bundle`, which has the same schema.
    ///
    /// # Errors
    /// The operating system can't start a thread.
    pub fn new(root: Schema<'a>, bundle: &Bundle) -> std::io::Result<Self> {
        Ok(Self { root, checker: Checker::new(bundle, Mode::Contract)?, objects: false })
    }

    /// Sets whether values must also be objects, as events, contexts and requests must. Default: off.
    #[must_use]
    pub fn objects(mut self, objects: bool) -> Self {
        self.objects = objects;
        self
    }

    /// Returns whether a value is valid.
    #[must_use]
    pub fn is_valid(&self, value: &Value) -> bool {
        (!self.objects || value.is_object()) && self.checker.is_valid(value) == Some(true)
    }

    /// Returns all violations of a value, without duplicates, sorted by JSON Pointer.
    #[must_use]
    pub fn violations(&self, value: &Value) -> Vec<Violation> {
        self.some_violations(value, usize::MAX)
    }

    /// Returns all violations of a value that was read from a text, like [`violations`](Self::violations), with numbers beyond 2^53
    /// as the text has them; see [`Checker::refusals_in`].
    #[must_use]
    pub fn violations_in(&self, text: &str, value: &Value) -> Vec<Violation> {
        self.seen(self.checker.refusals_in(text, value, usize::MAX), Some(value).filter(|it| !it.is_object()))
    }

    fn some_violations(&self, value: &Value, most: usize) -> Vec<Violation> {
        self.seen(self.checker.refusals(value, most), Some(value).filter(|it| !it.is_object()))
    }

    /// Returns the violations of a value from its refusals; `other` is the value if it is not an object.
    fn seen(&self, refusals: Option<Vec<Refusal>>, other: Option<&Value>) -> Vec<Violation> {
        let Some(refusals) = refusals else { return vec![Violation::unknown(self.root.path())] };
        // a schema that is reached by two paths reports a violation twice; `required` reports each missing member with
        // another message
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

    /// Returns the violation of a value that breaks exactly one rule, at one place; `None` for any other value.
    #[must_use]
    pub fn only_violation(&self, value: &Value) -> Option<Violation> {
        self.only(self.some_violations(value, SEEN), value.is_object())
    }

    /// Prepares a valid value for changes of single parts.
    pub(crate) fn changes(&self, value: &Value) -> Changes<'_> {
        self.checker.changes(value.clone())
    }

    /// Returns the only violation of the value with the part at a pointer replaced; see [`Self::only_violation`].
    pub(crate) fn only_violation_of(&self, changes: &mut Changes<'_>, pointer: &str, part: Value) -> Option<Violation> {
        let other = Some(&part).filter(|it| pointer.is_empty() && !it.is_object()).cloned();
        self.only(self.seen(changes.refusals(pointer, part, SEEN), other.as_ref()), other.is_none())
    }

    fn only(&self, violations: Vec<Violation>, is_object: bool) -> Option<Violation> {
        let mut violations = violations.into_iter();
        let first = violations.next().filter(|it| !it.keyword.is_empty())?;
        // a value that is not an object breaks the rule that it must be one, besides the rule of `first`
        if self.objects && !is_object && (!first.pointer.is_empty() || first.keyword != "type") {
            return None;
        }
        violations.all(|other| other.rule == first.rule && other.pointer == first.pointer).then_some(first)
    }

    /// Returns the contract's schema.
    #[must_use]
    pub fn root(&self) -> Subschema<'a> {
        Subschema::new(self.root.clone())
    }

    /// Returns the view of the contract's values.
    fn view(&self) -> View<'a> {
        if self.objects { self.root().view_of_object() } else { self.root().view() }
    }

    /// Returns readable valid values, the best first: examples, defaults and `enum` members come before others. Stops
    /// after 400 attempts, so it may miss valid values.
    pub fn nice(&self, extent: Extent) -> impl Iterator<Item = Value> + '_ {
        let view = self.view();
        let mut choices = Some(Choices::default());
        let tries = std::iter::from_fn(move || {
            let mut tried = choices.take()?;
            let made = make::make(&view, extent, &mut tried);
            // a violation leads to the choice to change; without a violation, the next choice gives another value
            let broken = made.as_ref().and_then(|value| self.violations(value).into_iter().next());
            choices = match &broken {
                Some(broken) => tried.clone().next(Some(&broken.pointer)).or_else(|| tried.next(None)),
                None => tried.next(None),
            };
            Some(made.filter(|_| broken.is_none()))
        });
        tries.take(TRIES).flatten()
    }

    /// Returns valid values that differ in the schema's choices, starting with `first`.
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

    /// Returns a random valid value, the same for the same seed; a readable one if no random one is found.
    #[must_use]
    pub fn random(&self, seed: u64) -> Option<Value> {
        let view = self.view();
        let thrown = (0..THROWS).find_map(|i| {
            let mut choices = Choices::thrown(Rng::new(seed ^ (i << 56)));
            make::make(&view, Extent::Any, &mut choices).filter(|value| self.is_valid(value))
        });
        thrown.or_else(|| self.nice(Extent::Lean).next()).or_else(|| self.nice(Extent::Whole).next())
    }

    /// Returns valid values smaller than a valid one, most promising first.
    pub fn simpler(&self, value: &Value) -> impl Iterator<Item = Value> + use<'_, 'a> {
        simpler::simpler(value).into_iter().filter(|value| self.is_valid(value))
    }
}

impl fmt::Debug for Contract<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Contract").field(self.root.path()).finish()
    }
}
