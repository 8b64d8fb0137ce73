//! Finds the words in a text.

use super::list::{NAMES, WORDS, Word};

/// A word in a text.
pub(super) struct Occurrence<'a> {
    /// The number of the line, from 1.
    pub(super) line: usize,
    /// The text of the line.
    pub(super) text: &'a str,
    pub(super) word: &'static Word,
}

/// Returns each occurrence of a word. Of Rust code, the tests at the end of a file are left out.
pub(super) fn all(text: &str, is_rust: bool) -> Vec<Occurrence<'_>> {
    let mut all = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((index, text)) = lines.next() {
        // stop only at the module of tests: other items for tests may be anywhere
        let is_module = |line: &str| line.starts_with("mod ") && line.ends_with('{');
        if is_rust && text == "#[cfg(test)]" && lines.peek().is_some_and(|(_, next)| is_module(next)) {
            break;
        }
        let lower = text.to_lowercase();
        for word in WORDS {
            all.extend(occurrences(&lower, word).map(|()| Occurrence { line: index + 1, text, word }));
        }
    }
    all
}

/// The keywords before the name of an item.
const ITEMS: [&str; 8] = ["const", "enum", "fn", "mod", "static", "struct", "trait", "type"];

/// Returns each word in the names of a Rust file's items, tests included.
pub(super) fn names(text: &str) -> Vec<Occurrence<'_>> {
    let code = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    code.flat_map(|(index, text)| {
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        let items = words.clone().zip(words.skip(1)).filter(|(keyword, _)| ITEMS.contains(keyword));
        items.filter_map(move |(_, name)| Some(Occurrence { line: index + 1, text, word: in_name(name)? }))
    })
    .collect()
}

/// Returns the first of the words that a name contains, in `snake_case` or `CamelCase`.
pub(super) fn in_name(name: &str) -> Option<&'static Word> {
    let mut parts = vec![String::new()];
    for c in name.chars() {
        if !c.is_alphanumeric()
            || c.is_uppercase() && parts.last().is_some_and(|part| part.ends_with(char::is_lowercase))
        {
            parts.push(String::new());
        }
        parts.last_mut().into_iter().for_each(|part| part.push(c));
    }
    let is_part = |word: &&Word| {
        parts.iter().any(|part| part.trim_matches(|c: char| !c.is_alphanumeric()).eq_ignore_ascii_case(word.old))
    };
    NAMES.iter().find(is_part)
}

/// Returns an empty item for each occurrence of a word in a line.
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
    fn finds_words_in_names_of_items() {
        let found = |text: &str| names(text).iter().map(|found| (found.line, found.word.old)).collect::<Vec<_>>();
        assert_eq!(found("\npub(crate) fn told_apart() {}"), [(2, "told")]);
        assert_eq!(found("struct ToldApart;\nconst SET_ASIDE: u8 = 1;"), [(1, "told"), (2, "aside")]);
        assert_eq!(found("fn retold() {}\n/// fn told\nlet told = 1;\nenum Planes {}"), []);
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
