//! Patterns that a format implies: the type of the format needs no check of them.

use std::collections::BTreeSet;

use super::format_type::FormatType;
use crate::compare::language::{Automaton, Budget, Condition, Language, Query, SearchResult, bounds};

/// The maximum number of search steps for one pattern; above it, the pattern is checked separately.
const MOST_STEPS: u64 = 20_000;

/// Returns whether every text of a format matches a pattern of ECMA-262.
pub(super) fn implies(format: FormatType, pattern: &str) -> bool {
    let texts = bounds(format.variant()).outer.and_then(Language::of_regex);
    let (Some(texts), Some(matching)) = (texts, Language::of_pattern(pattern)) else { return false };
    let condition = |language, holds| Condition { parts: parts(language), holds };
    let conditions = vec![condition(&texts, true), condition(&matching, false)];
    let query = Query { conditions, min: 0, max: None, not: BTreeSet::new() };
    query.run(&mut Budget::of_steps(MOST_STEPS)) == SearchResult::Nothing
}

fn parts(language: &Language) -> Vec<(&Automaton, bool)> {
    language.parts.iter().map(|(automaton, holds)| (automaton, *holds)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_implied_if_every_text_of_the_format_matches_it() {
        let uuid = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$";
        for (format, pattern) in [
            (FormatType::Uuid, uuid),
            (FormatType::Uuid, "^[0-9a-f-]{36}$|[A-F]"),
            (FormatType::Uuid, "^.{36}$"),
            (FormatType::Date, r"^\d{4}-\d{2}-\d{2}$"),
            (FormatType::Date, r"^(?!x)\d"),
            (FormatType::Ipv4, r"^(\d{1,3}\.){3}\d{1,3}$"),
            (FormatType::DateTime, r"^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}"),
            (FormatType::Ipv6, "[0-9A-Fa-f:.]"),
        ] {
            assert!(implies(format, pattern), "{format:?} {pattern}");
        }
    }

    #[test]
    fn a_pattern_that_refuses_a_text_of_the_format_is_a_rule() {
        for (format, pattern) in [
            (FormatType::Uuid, "^[0-9a-f-]{36}$"),
            (FormatType::Uuid, "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-4"),
            (FormatType::Date, "^20"),
            (FormatType::DateTime, r"^\d{4}-\d{2}-\d{2}T"),
            (FormatType::DateTime, "Z$"),
            (FormatType::Ipv4, r"^10\."),
            (FormatType::Ipv6, "::"),
            (FormatType::Uuid, "("),
            (FormatType::Uuid, r"^(.)\1"),
        ] {
            assert!(!implies(format, pattern), "{format:?} {pattern}");
        }
    }
}
