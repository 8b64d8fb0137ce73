//! The large numbers of a text, as they are written there.
//!
//! Two decimals read as the same `f64` if it is whole and beyond 2^53: 2^60 is written as `1152921504606846976` by some programs,
//! and as `1152921504606847000` by others. A limit may lie between them, so a number is compared as the decimal that was
//! received.

/// The large numbers within a value that was read, if their two decimals differ. Parts without such numbers are left out.
#[derive(Debug, PartialEq, Eq)]
pub struct Received(Part);

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Number(Notation),
    /// The items of an array, by their indexes.
    Items(Vec<(usize, Received)>),
    /// The members of an object, sorted by their names.
    Members(Vec<(String, Received)>),
}

/// One of the two decimals of a large `f64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notation {
    /// The shortest digits that read as it.
    Shortest,
    /// All digits.
    All,
}

/// How a check takes the large numbers of a text.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LargeNumbers {
    /// As the decimals that this crate writes.
    Written,
    /// As the decimals that the text has.
    Received,
}

impl Received {
    pub(crate) const fn number(notation: Notation) -> Self {
        Self(Part::Number(notation))
    }

    /// Returns the large numbers of an array, with the items in order; `None` if there is none.
    pub(crate) fn items(items: Vec<(usize, Self)>) -> Option<Self> {
        (!items.is_empty()).then_some(Self(Part::Items(items)))
    }

    /// Returns the large numbers of an object; `None` if there is none.
    pub(crate) fn members(mut members: Vec<(String, Self)>) -> Option<Self> {
        members.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        (!members.is_empty()).then_some(Self(Part::Members(members)))
    }

    /// Returns the notation of a number.
    pub(crate) const fn notation(&self) -> Option<Notation> {
        match self.0 {
            Part::Number(notation) => Some(notation),
            _ => None,
        }
    }

    /// Returns the large numbers of the item at an index.
    #[cold]
    pub(crate) fn item(&self, index: usize) -> Option<&Self> {
        let Part::Items(items) = &self.0 else { return None };
        let at = items.binary_search_by_key(&index, |(index, _)| *index).ok()?;
        items.get(at).map(|(_, item)| item)
    }

    /// Returns the large numbers of the member of that name.
    #[cold]
    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        let Part::Members(members) = &self.0 else { return None };
        let at = members.binary_search_by_key(&name, |(name, _)| name).ok()?;
        members.get(at).map(|(_, member)| member)
    }
}
