//! Known disagreements with optional files of the suite, and their reasons. There is no such list for required files.

use std::fmt;

use serde_json::Value;

use crate::run::Outcome;

/// Cases of optional files whose result differs from the suite's.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// The drafts; empty means all.
    pub drafts: &'static [&'static str],
    /// The file, below the draft's folder.
    pub file: &'static str,
    /// The group; `*` means all.
    pub group: &'static str,
    /// The case; `*` means all.
    pub case: &'static str,
    /// The reason.
    pub why: &'static str,
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {} / {}", self.file, self.group, self.case)
    }
}

/// The entry for a case, by file, group and case.
#[must_use]
pub fn find(draft: &str, [file, group, case]: [&str; 3]) -> Option<&'static Known> {
    KNOWN.iter().find(|known| {
        (known.drafts.is_empty() || known.drafts.contains(&draft))
            && known.file == file
            && (known.group == "*" || known.group == group)
            && (known.case == "*" || case == "*" || known.case == case)
    })
}

/// Whether a value was refused for an integer whose digits its type can't keep: an error instead of a lost digit.
#[must_use]
pub fn digits(value: &Value, outcome: &Outcome) -> bool {
    let Outcome::Refused(why) = outcome else { return false };
    why.contains("more digits than can be kept") && has_long(value)
}

/// Whether the `jsonschema` crate refuses a value only because it divides integers as doubles, which rounds them:
/// 9007199254740993 is a multiple of 1.5.
#[must_use]
pub fn rounds(value: &Value, mut keywords: impl Iterator<Item = String>) -> bool {
    has_long(value) && keywords.all(|keyword| keyword.ends_with("/multipleOf"))
}

/// Whether the value contains an integer that a double can't represent exactly.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "the function finds out whether the conversion loses digits"
)]
fn has_long(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_i128().is_some_and(|integer| integer as f64 as i128 != integer),
        Value::Array(items) => items.iter().any(has_long),
        Value::Object(members) => members.values().any(has_long),
        _ => false,
    }
}

/// A typed integer has 64 bits; a larger one is refused rather than changed.
const BITS: &str = "an integer that doesn't fit in 64 bits is refused in words, where the event's type is an integer";

/// A `number` is a double; an integer that a double can't represent is refused rather than rounded.
const DOUBLE: &str =
    "an integer with more digits than a double holds is refused in words, where the event's type is a number";

/// Left open by draft 7, defined by 2019-09.
const CONTENT: &str = "`contentMediaType` and `contentEncoding` tell something and assert nothing, as from 2019-09 on";

const KNOWN: &[Known] = &[
    Known { drafts: &[], file: "optional/bignum", group: "integer", case: "a bignum is an integer", why: BITS },
    Known {
        drafts: &[],
        file: "optional/bignum",
        group: "integer",
        case: "a negative bignum is an integer",
        why: BITS,
    },
    Known { drafts: &[], file: "optional/bignum", group: "minimum integer comparison", case: "*", why: BITS },
    Known {
        drafts: &[],
        file: "optional/float-overflow",
        group: "all integers are multiples of 0.5, if overflow is handled",
        case: "valid if optional overflow handling is implemented",
        why: BITS,
    },
    Known { drafts: &[], file: "optional/bignum", group: "number", case: "a bignum is a number", why: DOUBLE },
    Known { drafts: &[], file: "optional/bignum", group: "number", case: "a negative bignum is a number", why: DOUBLE },
    Known { drafts: &["draft7"], file: "optional/content", group: "*", case: "an invalid JSON document", why: CONTENT },
    Known {
        drafts: &["draft7"],
        file: "optional/content",
        group: "*",
        case: "an invalid base64 string (% is not a valid character)",
        why: CONTENT,
    },
    Known {
        drafts: &["draft7"],
        file: "optional/content",
        group: "*",
        case: "a validly-encoded invalid JSON document",
        why: CONTENT,
    },
    Known {
        drafts: &["draft7"],
        file: "optional/content",
        group: "*",
        case: "an invalid base64 string that is valid JSON",
        why: CONTENT,
    },
    Known {
        drafts: &["draft4"],
        file: "optional/zeroTerminatedFloats",
        group: "some languages do not distinguish between different types of numeric value",
        case: "a float is not an integer even without fractional part",
        why: "`1.0` is an integer in every draft here, as it is from draft 6 on",
    },
];
