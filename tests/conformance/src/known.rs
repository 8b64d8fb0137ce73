//! Where an optional file of the suite is disagreed with, and why. Required files have no such list.

use std::fmt;

/// Cases of optional files that come out otherwise than the suite says.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// The drafts; none: all.
    pub drafts: &'static [&'static str],
    /// The file, below the draft's folder.
    pub file: &'static str,
    /// The group; `*`: all.
    pub group: &'static str,
    /// The case; `*`: all.
    pub case: &'static str,
    /// Why.
    pub why: &'static str,
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {} / {}", self.file, self.group, self.case)
    }
}

/// The entry for a case, given as file, group and case.
#[must_use]
pub fn find(draft: &str, [file, group, case]: [&str; 3]) -> Option<&'static Known> {
    KNOWN.iter().find(|known| {
        (known.drafts.is_empty() || known.drafts.contains(&draft))
            && known.file == file
            && (known.group == "*" || known.group == group)
            && (known.case == "*" || case == "*" || known.case == case)
    })
}

/// A typed integer has 64 bits, and one that needs more is refused rather than changed.
const BITS: &str = "an integer that doesn't fit in 64 bits is refused in words, where the event's type is an integer";

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
    Known {
        drafts: &["draft4"],
        file: "optional/zeroTerminatedFloats",
        group: "some languages do not distinguish between different types of numeric value",
        case: "a float is not an integer even without fractional part",
        why: "`1.0` is an integer in every draft here, as it is from draft 6 on",
    },
];
