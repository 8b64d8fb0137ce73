//! Validates single values against a contract.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::bundle::Bundle;
use super::verdict::Mode;
use super::witness::WitnessCheck;
use crate::schema::evaluate::{Received, Undecidable, Valid, Violation};
use crate::schema::path::SchemaPath;
use crate::stack;

/// A validator of values against a bundle.
pub struct Validator(WitnessCheck);

/// The result of validating a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Validity {
    /// The value is valid.
    Valid,
    /// The value is invalid: the first broken rule.
    Invalid(Refusal),
    /// Unknown: a pattern or a format can't be evaluated, or a limit is reached.
    Unknown,
}

/// A rule that a value breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The place in the value: a JSON Pointer, empty for the whole value.
    pub pointer: String,
    /// The keyword.
    pub keyword: String,
    /// The place of the keyword.
    pub path: SchemaPath,
    /// The rule and the value, as a message.
    pub rule: String,
}

impl Validator {
    /// Validates a value; in contract mode, also checks that the generated types can read it.
    #[must_use]
    pub fn check(&self, value: &Value) -> Validity {
        match self.0.refuses(value) {
            Ok(None) => Validity::Valid,
            Ok(Some(broken)) => Validity::Invalid(broken.into()),
            Err(Undecidable) => Validity::Unknown,
        }
    }
}

/// A validator of values against a contract, for any thread.
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
pub struct Checker(Mutex<WitnessCheck>);

impl Checker {
    /// Creates a checker of a bundle.
    ///
    /// # Errors
    /// Fails if no thread can be started.
    pub fn new(bundle: &Bundle, mode: Mode) -> std::io::Result<Self> {
        stack::large(|| Self(Mutex::new(WitnessCheck::new(bundle, mode))))
    }

    /// Returns whether a value is valid; in contract mode, also whether the generated types can read it. `None` if
    /// unknown, as with [`Validity::Unknown`].
    pub fn is_valid(&self, value: &Value) -> Option<bool> {
        self.with(|judge, shallow| judge.is_read(value, shallow))
    }

    /// Returns the broken rules of a value, in the order of the value and its schemas, up to `most`; empty if it is valid. A
    /// failed `oneOf` or `anyOf` counts as one rule: the rule of the intended alternative, if that can be recognized.
    ///
    /// `None` if it is unknown whether the value is valid.
    pub fn refusals(&self, value: &Value, most: usize) -> Option<Vec<Refusal>> {
        self.refusals_of(value, None, most)
    }

    /// Returns the broken rules of a value that was read from a text, like [`refusals`](Self::refusals). A number beyond 2^53 is
    /// compared as the decimal that the text has, as a service does: a [`Value`] has only its nearest `f64`. In contract mode, a number
    /// that the types would read with other digits is refused.
    ///
    /// ```
    /// use twyla_build::{Draft, compare::{Bundle, Checker, Mode}};
    ///
    /// let schema = Bundle::schema(r#"{ "maximum": 18446744073709551616 }"#, Draft::default())?;
    /// let checker = Checker::new(&schema, Mode::Subsumption)?;
    /// let refused = |text: &str| -> Result<_, Box<dyn std::error::Error>> {
    ///     Ok(checker.refusals_in(text, &serde_json::from_str(text)?, usize::MAX).map(|all| all.len()))
    /// };
    /// assert_eq!(refused("18446744073709551616")?, Some(0));
    /// assert_eq!(refused("18446744073709552000")?, Some(1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn refusals_in(&self, text: &str, value: &Value, most: usize) -> Option<Vec<Refusal>> {
        self.refusals_of(value, Received::new(value, text).as_ref(), most)
    }

    fn refusals_of(&self, value: &Value, received: Option<&Received>, most: usize) -> Option<Vec<Refusal>> {
        let all = self.with(|judge, shallow| judge.all_refused(value, received, most, shallow))?;
        Some(all.into_iter().map(Refusal::from).collect())
    }

    /// Returns a [`Changes`] that validates changes of single parts of the value.
    pub fn changes(&self, value: Value) -> Changes<'_> {
        let value = Box::new(value);
        let valid = self.with(|judge, shallow| judge.valid(&value, shallow)).unwrap_or_default();
        Changes { checker: self, value, valid }
    }

    /// Runs the work on this thread's stack, or on a larger one if values and schemas are nested too deep.
    fn with<T: Send>(&self, work: impl Fn(&mut WitnessCheck, bool) -> Result<T, Undecidable> + Sync) -> Option<T> {
        let mut judge = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let judge = &mut *judge;
        let done = work(judge, true);
        done.or_else(|Undecidable| stack::large(|| work(judge, false)).unwrap_or(Err(Undecidable))).ok()
    }
}

/// A value whose parts are changed one at a time, and validated with each change. If the value is valid, only the
/// changed part is evaluated again.
pub struct Changes<'a> {
    checker: &'a Checker,
    /// Boxed, because `valid` identifies the parts by their addresses.
    value: Box<Value>,
    valid: Valid,
}

impl Changes<'_> {
    /// Returns the broken rules of the value with the part at a JSON Pointer replaced, like [`Checker::refusals`]. Also
    /// `None` if the value has no such part.
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

impl From<Violation> for Refusal {
    fn from(Violation { pointer, keyword, path, rule }: Violation) -> Self {
        Self { pointer, keyword, path, rule }
    }
}

/// Runs work with a validator of a bundle, on a stack that is large enough for deeply nested schemas.
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
/// Fails if no thread can be started.
pub fn validate<T: Send>(bundle: &Bundle, mode: Mode, work: impl FnOnce(&Validator) -> T + Send) -> std::io::Result<T> {
    stack::large(|| work(&Validator(WitnessCheck::new(bundle, mode))))
}
