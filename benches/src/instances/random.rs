//! Reproducible random numbers, words and choices: SplitMix64.

/// A pseudo-random sequence.
pub(crate) struct Random(u64);

const WORDS: [&str; 48] = [
    "please",
    "show",
    "me",
    "the",
    "way",
    "to",
    "nearest",
    "station",
    "I",
    "would",
    "like",
    "another",
    "cup",
    "of",
    "tea",
    "when",
    "does",
    "it",
    "open",
    "tomorrow",
    "and",
    "how",
    "much",
    "is",
    "delivery",
    "Größe",
    "naïve",
    "café",
    "señor",
    "日本語",
    "привет",
    "🙂",
    "don't",
    "re-check",
    "42",
    "really?",
    "order",
    "number",
    "invoice",
    "late",
    "again",
    "wonderful",
    "thanks",
    "Straße",
    "ελληνικά",
    "one",
    "more",
    "thing",
];

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` to `high`, inclusive.
    pub(crate) fn from(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    /// True in this percentage of cases.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.from(1, 100) <= percent
    }

    /// One of the items.
    pub(crate) fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        usize::try_from(self.next() % all.len() as u64)
            .ok()
            .and_then(|index| all.get(index))
            .copied()
            .unwrap_or_default()
    }

    /// This many characters of `alphabet`, which is ASCII.
    pub(crate) fn letters(&mut self, count: u64, alphabet: &str) -> String {
        let letters = alphabet.as_bytes();
        (0..count).filter_map(|_| letters.get(self.next() as usize % letters.len())).copied().map(char::from).collect()
    }

    pub(crate) fn digits(&mut self, count: u64) -> String {
        self.letters(count, "0123456789")
    }

    pub(crate) fn hex(&mut self, count: u64) -> String {
        self.letters(count, "0123456789abcdef")
    }

    /// This many words, with an occasional line break or quotation mark.
    pub(crate) fn words(&mut self, low: u64, high: u64) -> String {
        let mut text = String::new();
        for index in 0..self.from(low, high) {
            if index > 0 {
                text.push_str(self.of(&[" ", " ", " ", " ", " ", " ", " ", ", ", ". ", "\n"]));
            }
            let word = self.of(&WORDS);
            if self.percent(2) { text.push_str(&format!("\"{word}\"")) } else { text.push_str(word) }
        }
        text
    }

    /// A price or a measure, with two decimal places.
    pub(crate) fn amount(&mut self, high: u64) -> String {
        format!("{}.{:02}", self.from(0, high - 1), self.from(0, 99))
    }

    pub(crate) fn uuid(&mut self) -> String {
        format!("{}-{}-7{}-a{}-{}", self.hex(8), self.hex(4), self.hex(3), self.hex(3), self.hex(12))
    }

    pub(crate) fn date(&mut self) -> String {
        format!("202{}-{:02}-{:02}", self.from(3, 6), self.from(1, 12), self.from(1, 28))
    }

    /// A time in RFC 3339 format.
    pub(crate) fn time(&mut self) -> String {
        let (date, hour, minute, second) = (self.date(), self.from(0, 23), self.from(0, 59), self.from(0, 59));
        let fraction = if self.percent(50) { format!(".{}", self.digits(6)) } else { String::new() };
        let zone = self.of(&["Z", "Z", "+00:00", "+02:00"]);
        format!("{date}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}")
    }
}
