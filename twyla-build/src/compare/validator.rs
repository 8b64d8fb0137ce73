//! Holding values to a contract one by one.

use serde_json::Value;

use super::bundle::Bundle;
use super::evaluate::{Broken, Unknown};
use super::verdict::{Mode, SchemaPath};
use super::witness::Judge;
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
            Ok(Some(Broken { pointer, keyword, path, rule })) => {
                Validity::Invalid(Refusal { pointer, keyword, path, rule })
            }
            Err(Unknown) => Validity::Unknown,
        }
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
