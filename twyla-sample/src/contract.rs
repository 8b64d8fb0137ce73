//! A contract: the schema that values are made of and held to.

use std::collections::BTreeMap;
use std::fmt;

use jsonschema::{Registry, ValidationError, Validator};
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::make::{self, Choices, Extent};
use crate::simpler;
use crate::view::{Below, View};
use crate::violation::{Violation, rule};

/// What the validator would decode texts by.
const JSON: &str = "application/json";
const BASE64: &str = "base64";

/// Tries at a nice value before it is given up.
const TRIES: usize = 400;
/// Tries at a random value before a nice one is taken.
const THROWS: u64 = 24;
/// Valid values that are enough to break each rule of a contract.
const SEVERAL: usize = 12;

/// A contract: the schema that values are made of and held to.
pub struct Contract<'a> {
    registry: &'a Registry<'static>,
    uri: String,
    validator: Validator,
    objects: bool,
}

impl<'a> Contract<'a> {
    /// The contract whose schema is the resource `uri` of a registry; `base` is what its references are relative to.
    ///
    /// # Errors
    /// As the validator says, where the resource is no schema.
    pub fn new(
        registry: &'a Registry<'static>,
        uri: String,
        base: &str,
        formats: bool,
    ) -> Result<Self, Box<ValidationError<'static>>> {
        Self::asserting(registry, uri, base, formats, [])
    }

    /// The same with formats that are rules though a draft lacks them.
    ///
    /// # Errors
    /// As those of [`new`](Self::new).
    pub fn asserting<'n>(
        registry: &'a Registry<'static>,
        uri: String,
        base: &str,
        formats: bool,
        asserted: impl IntoIterator<Item = &'n str>,
    ) -> Result<Self, Box<ValidationError<'static>>> {
        let mut options =
            jsonschema::options().with_registry(registry).with_base_uri(base).should_validate_formats(formats);
        for name in asserted {
            let latest = jsonschema::options().with_draft(jsonschema::Draft::Draft202012).should_validate_formats(true);
            let of_format = latest.build(&json!({ "format": name })).map_err(Box::new)?;
            options = options.with_format(name.to_owned(), move |text: &str| of_format.is_valid(&text.into()));
        }
        // these keywords assert nothing in a service, whatever the draft
        options = options.without_content_media_type_support(JSON).without_content_encoding_support(BASE64);
        let validator = options.build(&json!({ "$ref": uri })).map_err(Box::new)?;
        Ok(Self { registry, uri, validator, objects: false })
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
        (!self.objects || value.is_object()) && self.validator.is_valid(value)
    }

    /// Everything that a value breaks, each thing once, in the value's order.
    #[must_use]
    pub fn violations(&self, value: &Value) -> Vec<Violation> {
        // a rule that is come to in two ways says the same twice, and `required` of each member that is missing something else
        let mut found: BTreeMap<(String, String, String), Violation> = BTreeMap::new();
        for error in self.validator.iter_errors(value) {
            let violation = Violation::new(&error);
            let what = (violation.pointer.clone(), violation.rule.clone(), violation.message.clone());
            found.insert(what, violation);
        }
        if found.is_empty() && self.objects && !value.is_object() {
            return vec![Violation::no_object(value)];
        }
        found.into_values().collect()
    }

    /// What a value breaks, where that is one thing; it looks no further than the second.
    #[must_use]
    pub fn only_violation(&self, value: &Value) -> Option<Violation> {
        if self.is_valid(value) {
            return None;
        }
        let mut errors = self.validator.iter_errors(value);
        let first = Violation::new(&errors.next()?);
        // of a value that is no object for another reason, that is broken too
        if self.objects && !value.is_object() && (!first.pointer.is_empty() || first.keyword != "type") {
            return None;
        }
        let again = |error: ValidationError<'_>| {
            rule(&error) == first.rule && error.instance_path().to_string() == first.pointer
        };
        errors.all(again).then_some(first)
    }

    /// Its schema, for who wants to look into it.
    #[must_use]
    pub fn root(&self) -> Option<Below<'_>> {
        Below::root(self.registry, &self.uri)
    }

    /// All that holds for its values.
    fn view(&self) -> Option<View<'_>> {
        let root = self.root()?;
        Some(if self.objects { root.view_of_object() } else { root.view() })
    }

    /// Valid values that are good to look at, the best first: examples, defaults and the values of an `enum` before others.
    /// There are none where none was found in 400 tries, though there may be some.
    pub fn nice(&self, extent: Extent) -> impl Iterator<Item = Value> + '_ {
        let view = self.view();
        let mut choices = Some(Choices::default());
        let tries = std::iter::from_fn(move || {
            let mut tried = choices.take()?;
            let made = make::make(view.as_ref()?, extent, &mut tried);
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
        let view = self.view()?;
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
        f.debug_tuple("Contract").field(&self.uri).finish()
    }
}
