//! Finds the most similar of several names, for a "did you mean".

use std::fmt;

/// Returns the candidate that `name` most likely means, or `None` if none is similar: case and separators don't count, and
/// of the rest up to a third may differ (insertions, deletions, replacements, swaps of neighbours).
///
/// ```
/// let events = ["api.user_input", "bot.reply"];
/// assert_eq!(twyla_contract::similar::nearest("api.user_imput", events), Some("api.user_input"));
/// assert_eq!(twyla_contract::similar::nearest("billing.paid", events), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = folded(name);
    // a name with one letter isn't similar to any other name
    let bound = (name.len() / 3).max(usize::from(name.len() > 1));
    candidates
        .into_iter()
        .map(|candidate| (distance(&name, &folded(candidate)), candidate))
        .filter(|(distance, _)| *distance <= bound)
        .min_by_key(|(distance, candidate)| (*distance, candidate.len()))
        .map(|(_, candidate)| candidate)
}

/// The end of a message about an unknown name: ``; did you mean `name`?``, or nothing if no name is similar.
///
/// ```
/// use twyla_contract::similar::DidYouMean;
///
/// assert_eq!(format!("no `sting`{}", DidYouMean(Some("string"))), "no `sting`; did you mean `string`?");
/// assert_eq!(format!("no `date`{}", DidYouMean(None)), "no `date`");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DidYouMean<'a>(pub Option<&'a str>);

impl fmt::Display for DidYouMean<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |name| write!(f, "; did you mean `{name}`?"))
    }
}

/// Longer names are cut: this bounds the quadratic table, and names that only differ later are similar anyway.
const LONGEST: usize = 100;

fn folded(name: &str) -> Vec<char> {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).take(LONGEST).collect()
}

/// Returns the Damerau-Levenshtein distance, restricted (optimal string alignment). Needs three rows of the table.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replace = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replace.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_slips_of_the_finger() {
        let names = ["string", "integer", "number", "boolean", "object", "array", "null"];
        for (typed, meant) in [
            ("sting", "string"),
            ("interger", "integer"),
            ("Boolean", "boolean"),
            ("ojbect", "object"),
            ("arry", "array"),
        ] {
            assert_eq!(nearest(typed, names), Some(meant), "{typed}");
        }
        assert_eq!(nearest("date", names), None);
        assert_eq!(nearest("", names), None);
        assert_eq!(nearest("a", ["b"]), None);
    }

    #[test]
    fn counts_a_swap_once() {
        let chars = |s: &str| s.chars().collect::<Vec<_>>();
        assert_eq!(distance(&chars("ab"), &chars("ba")), 1);
        assert_eq!(distance(&chars(""), &chars("abc")), 3);
        assert_eq!(distance(&chars("kitten"), &chars("sitting")), 3);
    }
}
