//! The words, and where they are still allowed.

/// A word or phrase that the project doesn't use.
pub(super) struct Word {
    /// The word, in lower case.
    pub(super) old: &'static str,
    /// The words to write instead.
    pub(super) new: &'static str,
    /// The word is allowed before one of these words.
    pub(super) except_before: &'static [&'static str],
    /// The word is allowed after one of these words.
    pub(super) except_after: &'static [&'static str],
}

const fn word(old: &'static str, new: &'static str) -> Word {
    Word { old, new, except_before: &[], except_after: &[] }
}

/// The words that texts may not contain.
pub(super) const WORDS: &[Word] = &[
    word("anew", "`again`, or name what is new"),
    word("told", "the noun (report, message), or `reported`, `known`, `given`"),
    word("tells of", "`reports`, `describes` or `lists`"),
    word("tell of", "`report`, `describe` or `list`"),
    word("whoever", "the noun: the caller, the sender, the user"),
    word("nobody", "the noun, or `not`: no consumer, is not read"),
    word("somebody", "the noun: another program, the user, the sender"),
    Word {
        old: "is no ",
        new: "`is not a`, `is not valid` or `isn't`",
        except_before: &["better", "longer", "one", "more", "less"],
        except_after: &["there"],
    },
    Word {
        old: "is none",
        new: "`isn't one`, or what it is instead",
        except_before: &["of"],
        except_after: &["there"],
    },
    word("rooms", "`modules`"),
    word("a room", "`a module`"),
];

/// The words that the name of an item or of a file may not contain.
pub(super) const NAMES: &[Word] = &[
    word("anew", "`again`, or name what is new"),
    word("aside", "`kept` or `requeued`"),
    word("came", "the outcome: `verdict`, `received`"),
    word("grown", "`increase`, or the structure: an append-only map"),
    word("lane", "`key_order`"),
    word("lanes", "`key_order`"),
    word("nobody", "the fact: `no_listener`, `unused`"),
    word("tally", "`counts` or `metrics`"),
    word("told", "`reported`, `described` or `distinguished`"),
    word("trunk", "`stream`"),
    word("underway", "`progress`"),
    word("whoever", "the noun: `caller`, `sender`"),
];

/// The lines that may contain a word: the file, and a part of the line.
pub(super) const ALLOWED: &[(&str, &str)] = &[("CHANGELOG.md", "`Told` and `told` are `Message` and `messages`")];
