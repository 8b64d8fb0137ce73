//! The checks of single values; each is read from a keyword for one JSON type.

use std::fmt;

use crate::markdown::code;
use crate::number::Number;

/// A check of a single value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Check {
    MinLength(u64),
    MaxLength(u64),
    Pattern(String),
    /// The variant of `twyla_runtime`'s `Format`, and the name in the schema.
    Format(&'static str, String),
    Minimum(i128),
    Maximum(i128),
    MultipleOf(i128),
    /// A limit for a number, with the name of the function that checks it.
    Number(&'static str, f64),
    Integers(Vec<i128>),
    Numbers(Vec<f64>),
    Booleans(Vec<bool>),
    MinItems(u64),
    MaxItems(u64),
    UniqueItems,
    MinProperties(u64),
    MaxProperties(u64),
    Required(String),
}

impl fmt::Display for Check {
    /// Writes the rule in the schema's words, for docs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MinLength(limit) => write!(f, "`minLength` {limit}"),
            Self::MaxLength(limit) => write!(f, "`maxLength` {limit}"),
            Self::Pattern(written) => write!(f, "`pattern` {}", code(written)),
            Self::Format(_, name) => write!(f, "`format` {name}"),
            Self::Minimum(limit) => write!(f, "`minimum` {limit}"),
            Self::Maximum(limit) => write!(f, "`maximum` {limit}"),
            Self::MultipleOf(factor) => write!(f, "`multipleOf` {factor}"),
            Self::Number(rule, limit) => write!(f, "`{}` {limit}", keyword(rule)),
            Self::Integers(values) => f.write_str(&listed(values)),
            Self::Numbers(values) => f.write_str(&listed(values)),
            Self::Booleans(values) => f.write_str(&listed(values)),
            Self::MinItems(limit) => write!(f, "`minItems` {limit}"),
            Self::MaxItems(limit) => write!(f, "`maxItems` {limit}"),
            Self::UniqueItems => f.write_str("`uniqueItems`"),
            Self::MinProperties(limit) => write!(f, "`minProperties` {limit}"),
            Self::MaxProperties(limit) => write!(f, "`maxProperties` {limit}"),
            Self::Required(name) => write!(f, "{} is required", code(name)),
        }
    }
}

/// Returns the values without brackets: rustdoc takes `[3]` for a link.
fn listed<T: fmt::Display>(values: &[T]) -> String {
    let texts: Vec<String> = values.iter().map(T::to_string).collect();
    if let [only] = &texts[..] { format!("`const` {only}") } else { format!("one of {}", texts.join(", ")) }
}

fn keyword(rule: &str) -> &str {
    match rule {
        "minimum_number" => "minimum",
        "maximum_number" => "maximum",
        "exclusive_minimum_number" => "exclusiveMinimum",
        _ => "exclusiveMaximum",
    }
}

/// Below 2^53 one decimal, the shortest, is written for an `f64`.
pub(crate) const ONE_NOTATION: f64 = 9_007_199_254_740_992.0;

/// Returns a limit as `f64` if comparisons of `f64` values with it are exact: it is the number that the `f64` is written
/// as, and below 2^53, where there is no other.
pub(crate) fn float(number: &Number<'_>) -> Option<f64> {
    number.shortest().filter(|value| value.abs() < ONE_NOTATION)
}

/// Returns whether a size is a limit that a value can exceed.
pub(crate) fn is_limit(size: &u64) -> bool {
    *size < u64::MAX
}
