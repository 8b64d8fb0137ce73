//! The path to a value that is being checked: a linked list on the stack, formatted only when a rule is broken.

use twyla_contract::text::shortened;

use crate::received::Received;

/// The path from the root of an event's content, or of another JSON value, to a value within.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    segment: Segment<'a>,
    depth: usize,
    /// The large numbers of the value, as they were received.
    received: Option<&'a Received>,
}

#[derive(Clone, Copy, Debug)]
enum Segment<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    /// Returns the path of the root.
    #[must_use]
    pub const fn root() -> Self {
        Self::of(None)
    }

    /// Returns the path of a root whose large numbers were received in these notations. Without them, numbers are taken as this
    /// crate writes them.
    pub(crate) const fn of(received: Option<&'a Received>) -> Self {
        Self { parent: None, segment: Segment::Root, depth: 0, received }
    }

    /// Returns the path of the member `name`.
    #[must_use]
    pub fn key(&'a self, name: &'a str) -> Self {
        let received = self.received.and_then(|received| received.member(name));
        Self { parent: Some(self), segment: Segment::Key(name), depth: self.depth + 1, received }
    }

    /// Returns the path of the item at `index`.
    #[must_use]
    pub fn index(&'a self, index: usize) -> Self {
        let received = self.received.and_then(|received| received.item(index));
        Self { parent: Some(self), segment: Segment::Index(index), depth: self.depth + 1, received }
    }

    /// Returns the large numbers of the value, as they were received.
    pub(crate) const fn received(&self) -> Option<&'a Received> {
        self.received
    }

    /// Returns the number of enclosing arrays and objects.
    #[must_use]
    pub const fn depth(&self) -> usize {
        self.depth
    }

    /// Returns the JSON Pointer (RFC 6901), empty for the root.
    #[must_use]
    pub fn pointer(&self) -> String {
        let mut segments = Vec::with_capacity(self.depth);
        let mut at = Some(self);
        while let Some(path) = at {
            segments.push(path.segment);
            at = path.parent;
        }
        let mut out = String::new();
        for segment in segments.into_iter().rev() {
            match segment {
                Segment::Root => {}
                Segment::Key(key) => push_key(&mut out, key),
                Segment::Index(index) => {
                    out.push('/');
                    out.push_str(&index.to_string());
                }
            }
        }
        out
    }
}

/// The maximum number of characters of a member's name in a pointer, so that a report is not far larger than its content.
const MAX_NAME: usize = 200;

/// Appends a member's name to a JSON Pointer, with `~` and `/` escaped. A long name is cut and ends with `…`.
pub(crate) fn push_key(pointer: &mut String, key: &str) {
    pointer.push('/');
    for c in shortened(key, MAX_NAME).chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_a_json_pointer() {
        let root = Path::root();
        assert_eq!(root.pointer(), "");
        let list = root.key("a/b~c");
        assert_eq!(list.index(7).key("").pointer(), "/a~1b~0c/7/");
        assert_eq!(list.index(7).depth(), 2);
    }

    #[test]
    fn a_long_name_is_cut() {
        let (whole, long) = ("ä".repeat(MAX_NAME), "ä".repeat(MAX_NAME + 1));
        let root = Path::root();
        assert_eq!(root.key(&whole).pointer(), format!("/{whole}"));
        assert_eq!(root.key(&long).key("x").pointer(), format!("/{whole}…/x"));
    }
}
