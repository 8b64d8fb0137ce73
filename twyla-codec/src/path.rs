//! Where a value is while it is checked: a linked list on the stack that costs nothing until a rule is broken.

/// The way from the root of a content to one of its values.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
    depth: usize,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    /// The whole content.
    #[must_use]
    pub const fn root() -> Self {
        Self { parent: None, step: Step::Root, depth: 0 }
    }

    /// The member of that name.
    #[must_use]
    pub const fn key(&'a self, name: &'a str) -> Self {
        Self { parent: Some(self), step: Step::Key(name), depth: self.depth + 1 }
    }

    /// The item at that index.
    #[must_use]
    pub const fn index(&'a self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index), depth: self.depth + 1 }
    }

    /// How many arrays and objects are around the value.
    #[must_use]
    pub const fn depth(&self) -> usize {
        self.depth
    }

    /// The JSON Pointer (RFC 6901) of this way, empty for the root.
    #[must_use]
    pub fn pointer(&self) -> String {
        let mut steps = Vec::with_capacity(self.depth);
        let mut at = Some(self);
        while let Some(path) = at {
            steps.push(path.step);
            at = path.parent;
        }
        let mut out = String::new();
        for step in steps.into_iter().rev() {
            match step {
                Step::Root => {}
                Step::Key(key) => push_key(&mut out, key),
                Step::Index(index) => {
                    out.push('/');
                    out.push_str(&index.to_string());
                }
            }
        }
        out
    }
}

/// Characters of a member's name that are told: what is said of a hostile content shall not be far larger than that is.
const NAME: usize = 200;

/// Appends a member's name to a JSON Pointer, `~` and `/` escaped; of a long one its beginning and `…`.
pub(crate) fn push_key(pointer: &mut String, key: &str) {
    pointer.push('/');
    let end = key.char_indices().nth(NAME).map(|(end, _)| end);
    for c in key.get(..end.unwrap_or(key.len())).unwrap_or(key).chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
    if end.is_some() {
        pointer.push('…');
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
        let (whole, long) = ("ä".repeat(NAME), "ä".repeat(NAME + 1));
        let root = Path::root();
        assert_eq!(root.key(&whole).pointer(), format!("/{whole}"));
        assert_eq!(root.key(&long).key("x").pointer(), format!("/{whole}…/x"));
    }
}
