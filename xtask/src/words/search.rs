//! Finds the words in a text.

use super::list::{WORDS, Word};

/// A word in a text.
pub(super) struct Found<'a> {
    /// The number of its line, from 1.
    pub(super) line: usize,
    /// The text of the line.
    pub(super) text: &'a str,
    pub(super) word: &'static Word,
}

/// Returns each occurrence of a word. Of Rust code, the tests at the end of a file are left out.
pub(super) fn all(text: &str, is_rust: bool) -> Vec<Found<'_>> {
    let mut all = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((index, text)) = lines.next() {
        // other items of tests may stand anywhere
        let is_module = |line: &str| line.starts_with("mod ") && line.ends_with('{');
        if is_rust && text == "#[cfg(test)]" && lines.peek().is_some_and(|(_, next)| is_module(next)) {
            break;
        }
        let lower = text.to_lowercase();
        for word in WORDS {
            all.extend(occurrences(&lower, word).map(|()| Found { line: index + 1, text, word }));
        }
    }
    all
}

/// Returns an item for each occurrence of a word in a line.
fn occurrences(line: &str, word: &'static Word) -> impl Iterator<Item = ()> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word.old).filter_map(move |(at, _)| {
        let (before, after) = (&line[..at], &line[at + word.old.len()..]);
        let whole = !before.ends_with(is_part) && (word.old.ends_with(' ') || !after.starts_with(is_part));
        let last = before.trim_end().rsplit(|c| !is_part(c)).next().unwrap_or_default();
        let next = after.trim_start().split(|c| !is_part(c)).next().unwrap_or_default();
        let fine = word.except_before.contains(&next) || word.except_after.contains(&last);
        (whole && !fine).then_some(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(usize, &'static str)> {
        all(text, true).iter().map(|found| (found.line, found.word.old)).collect()
    }

    #[test]
    fn finds_whole_words_in_any_case() {
        assert_eq!(found("Nobody reads it.\nIt is begun anew."), [(1, "nobody"), (2, "anew")]);
        assert_eq!(found("fn retold() {}\nlet is_told_so = 1;\nrenewal"), []);
    }

    #[test]
    fn knows_the_phrases_in_which_a_word_is_plain_english() {
        assert_eq!(found("`{}` is no event's name"), [(1, "is no ")]);
        assert_eq!(found("there is no queue, it is no longer read, and the answer is no."), []);
    }

    #[test]
    fn leaves_out_the_tests_of_a_file() {
        assert_eq!(found("// anew\n#[cfg(test)]\nmod tests {\n    // told\n}"), [(1, "anew")]);
        assert_eq!(found("#[cfg(test)]\nmod order;\n// told"), [(3, "told")]);
    }
}
