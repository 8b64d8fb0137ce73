//! Holding values to a contract one by one.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::bundle::Bundle;
use super::verdict::Mode;
use super::witness::Judge;
use crate::schema::evaluate::{Broken, Unknown, Valid};
use crate::schema::path::SchemaPath;
use crate::stack;

/// Holds values to a bundle, as often as is asked.
pub struct Validator(Judge);

/// What is said of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Validity {
    /// Every rule holds.
    Valid,
    /// A rule is broken: the first that was found.
    Invalid(Refusal),
    /// Nobody knows: a pattern or a format that can't be looked at, or schemas that multiply.
    Unknown,
}

/// A rule that a value breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where in the value: a JSON Pointer, empty for the whole.
    pub pointer: String,
    /// The keyword.
    pub keyword: String,
    /// Where it stands.
    pub path: SchemaPath,
    /// The rule and the value in words.
    pub rule: String,
}

impl Validator {
    /// What a value is; in the contract's mode, to the types that read it.
    #[must_use]
    pub fn check(&self, value: &Value) -> Validity {
        match self.0.refuses(value) {
            Ok(None) => Validity::Valid,
            Ok(Some(broken)) => Validity::Invalid(broken.into()),
            Err(Unknown) => Validity::Unknown,
        }
    }
}

/// Holds values to a contract from any thread.
///
/// ```
/// use serde_json::json;
/// use twyla_build::{Draft, compare::{Bundle, Checker, Mode}};
///
/// let schema = r#"{ "properties": { "a": { "maxLength": 3 }, "b": { "minimum": 7 } } }"#;
/// let checker = Checker::new(&Bundle::schema(schema, Draft::default())?, Mode::Subsumption)?;
/// let refused = checker.refusals(&json!({ "a": "abcd", "b": 1 }), usize::MAX);
/// assert_eq!(refused.map(|all| all.len()), Some(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Checker(Mutex<Judge>);

impl Checker {
    /// What holds values to a bundle.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn new(bundle: &Bundle, mode: Mode) -> std::io::Result<Self> {
        stack::large(|| Self(Mutex::new(Judge::new(bundle, mode))))
    }

    /// Whether a value is accepted; in the contract's mode, by the types that read it. None where that can't be known, as with
    /// [`Validity::Unknown`].
    pub fn is_valid(&self, value: &Value) -> Option<bool> {
        self.with(|judge, shallow| judge.is_read(value, shallow))
    }

    /// Everything that is refused of a value, in the order of the value and its schemas; nothing where it is accepted. After
    /// `most` of it no more is looked for. Of schemas of which one has to hold it is one rule that is broken: that of the one that was meant, where that can be told.
    /// None where it can't be known whether the value is valid.
    pub fn refusals(&self, value: &Value, most: usize) -> Option<Vec<Refusal>> {
        let all = self.with(|judge, shallow| judge.all_refused(value, most, shallow))?;
        Some(all.into_iter().map(Refusal::from).collect())
    }

    /// A value of which one part after the other is changed.
    pub fn changes(&self, value: Value) -> Changes<'_> {
        let valid = self.with(|judge, shallow| judge.valid(&value, shallow)).unwrap_or_default();
        Changes { checker: self, value, valid }
    }

    /// Does the work on this stack, and if values and schemas are too deep for that, on one that is large enough.
    fn with<T: Send>(&self, work: impl Fn(&mut Judge, bool) -> Result<T, Unknown> + Sync) -> Option<T> {
        let mut judge = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let judge = &mut *judge;
        let done = work(judge, true);
        done.or_else(|Unknown| stack::large(|| work(judge, false)).unwrap_or(Err(Unknown))).ok()
    }
}

/// A value of which one part after the other is changed and held to the contract. If it is valid itself, no part but the changed one
/// is held to its schemas again.
pub struct Changes<'a> {
    checker: &'a Checker,
    /// Its parts stay where they are, since `valid` knows them by their addresses.
    value: Value,
    valid: Valid,
}

impl Changes<'_> {
    /// As [`Checker::refusals`], of the value with another part behind a JSON Pointer. None also if the value has no such part.
    ///
    /// ```
    /// use serde_json::json;
    /// use twyla_build::{Draft, compare::{Bundle, Checker, Mode}};
    ///
    /// let schema = r#"{ "properties": { "a": { "maxLength": 3 } } }"#;
    /// let checker = Checker::new(&Bundle::schema(schema, Draft::default())?, Mode::Subsumption)?;
    /// let mut changes = checker.changes(json!({ "a": "abc" }));
    /// assert_eq!(changes.refusals("/a", json!("abcd"), usize::MAX).map(|all| all.len()), Some(1));
    /// assert_eq!(changes.refusals("/a", json!("ab"), usize::MAX).map(|all| all.len()), Some(0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn refusals(&mut self, pointer: &str, mut part: Value, most: usize) -> Option<Vec<Refusal>> {
        if !self.valid.change(&self.value, pointer) {
            return None;
        }
        std::mem::swap(self.value.pointer_mut(pointer)?, &mut part);
        let (value, valid) = (&self.value, &self.valid);
        let all = self.checker.with(|judge, shallow| judge.all_refused_but(valid, value, most, shallow));
        std::mem::swap(self.value.pointer_mut(pointer)?, &mut part);
        Some(all?.into_iter().map(Refusal::from).collect())
    }
}

impl fmt::Debug for Changes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Changes").field(&self.value).finish()
    }
}

impl fmt::Debug for Checker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checker").finish_non_exhaustive()
    }
}

impl From<Broken> for Refusal {
    fn from(Broken { pointer, keyword, path, rule }: Broken) -> Self {
        Self { pointer, keyword, path, rule }
    }
}

/// Does some work with a validator of a bundle, on a stack that is large enough for schemas that lead on and on.
///
/// ```
/// use serde_json::json;
/// use twyla_build::{Draft, compare::{self, Bundle, Mode, Validity}};
///
/// let schema = Bundle::schema(r#"{ "maxLength": 3 }"#, Draft::default())?;
/// let said = compare::validate(&schema, Mode::Subsumption, |validator| validator.check(&json!("abcd")))?;
/// let Validity::Invalid(refusal) = said else { panic!() };
/// assert_eq!(refusal.rule, r#""abcd" has 4 characters, and at most 3 are allowed"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Where no thread can be started.
pub fn validate<T: Send>(bundle: &Bundle, mode: Mode, work: impl FnOnce(&Validator) -> T + Send) -> std::io::Result<T> {
    stack::large(|| work(&Validator(Judge::new(bundle, mode))))
}
