//! The singular of English nouns: an item of `lines` is a `line`.

/// Endings of plurals, each with the ending of the singular. The first that a word has decides; `None` for an ending of words that aren't plurals.
const ENDINGS: [(&str, Option<&str>); 34] = [
    ("people", Some("person")),
    ("children", Some("child")),
    ("indices", Some("index")),
    ("vertices", Some("vertex")),
    ("matrices", Some("matrix")),
    ("criteria", Some("criterion")),
    ("movies", Some("movie")),
    ("cookies", Some("cookie")),
    ("series", None),
    ("species", None),
    ("ies", Some("y")),
    ("leaves", Some("leaf")),
    ("shelves", Some("shelf")),
    ("statuses", Some("status")),
    ("bonuses", Some("bonus")),
    ("campuses", Some("campus")),
    ("viruses", Some("virus")),
    ("buses", Some("bus")),
    ("aliases", Some("alias")),
    ("canvases", Some("canvas")),
    ("lenses", Some("lens")),
    ("analyses", Some("analysis")),
    ("caches", Some("cache")),
    ("sses", Some("ss")),
    ("shes", Some("sh")),
    ("ches", Some("ch")),
    ("xes", Some("x")),
    ("oes", Some("o")),
    ("news", None),
    ("ss", None),
    ("us", None),
    ("is", None),
    ("as", None),
    ("s", Some("")),
];

/// Least length of a plural, in bytes.
const LEAST: usize = 4;

/// Returns the singular of a name in Rust whose last word is a plural; none if it seems to be none.
pub(crate) fn singular(name: &str) -> Option<String> {
    let last = name.rfind(|c: char| c.is_uppercase() || c == '_').unwrap_or_default();
    let word = name.get(last..)?;
    if word.len() < LEAST || !word.is_ascii() {
        return None;
    }
    let end = |length: usize| word.len().checked_sub(length).and_then(|at| word.get(at..));
    let ends = |ending: &str| end(ending.len()).is_some_and(|end| end.eq_ignore_ascii_case(ending));
    let (plural, ending) = ENDINGS.into_iter().find(|(plural, _)| ends(plural))?;
    let ending = ending?;
    let stem = name.get(..name.len() - plural.len())?;
    // a whole word keeps its capital
    let begins = stem.is_empty() || stem.len() == last;
    let mut out = stem.to_owned();
    let mut rest = ending.chars();
    if begins && let Some(first) = rest.next() {
        out.extend(first.to_uppercase());
    }
    out.extend(rest);
    (!out.is_empty()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_becomes_a_singular() {
        for (plural, one) in [
            ("Lines", "Line"),
            ("OrderLines", "OrderLine"),
            ("Categories", "Category"),
            ("Addresses", "Address"),
            ("Boxes", "Box"),
            ("Batches", "Batch"),
            ("Sizes", "Size"),
            ("Purchases", "Purchase"),
            ("Statuses", "Status"),
            ("People", "Person"),
            ("TeamChildren", "TeamChild"),
            ("Pets", "Pet"),
        ] {
            assert_eq!(singular(plural).as_deref(), Some(one), "{plural}");
        }
    }

    #[test]
    fn a_word_that_is_no_plural_has_no_singular() {
        for word in ["Data", "Status", "Analysis", "Series", "Address", "OrderId", "Is", "Größen", "", "A"] {
            assert_eq!(singular(word), None, "{word}");
        }
    }
}
