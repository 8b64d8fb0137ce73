//! A mistake in a card.

use twyla_contract::text::Visible;

/// A mistake: the offset of its first byte, and what it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mistake {
    pub(super) at: usize,
    pub(super) text: String,
}

impl Mistake {
    /// Returns the mistake with its place: `service.toml:3:8: …`; the column counts characters.
    pub(super) fn placed(&self, shown: &str, text: &str) -> String {
        let before = &text[..text.floor_char_boundary(self.at)];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Visible(&format!("{shown}:{line}:{column}: {}", self.text)).to_string()
    }
}
