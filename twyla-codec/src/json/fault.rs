//! `Fault`: the first error in a text and its place. Boxed, so that `Result<T, Fault>` stays small when nothing is wrong.

use crate::path::push_key;
use crate::violation::Violation;

/// The first error in a text. Each enclosing object and array adds its step to the path as the fault is returned.
#[derive(Debug)]
pub struct Fault(Box<Inner>);

#[derive(Debug)]
struct Inner {
    /// Keys and indices, innermost first.
    path: Vec<String>,
    keyword: &'static str,
    message: String,
}

impl Fault {
    /// Creates a fault of the current value. The keyword is `json` if the text is not valid JSON.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn new(keyword: &'static str, message: String) -> Self {
        Self(Box::new(Inner { path: Vec::new(), keyword, message }))
    }

    /// Adds the key of the enclosing object's member to the path.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn in_key(mut self, key: &str) -> Self {
        self.0.path.push(key.to_owned());
        self
    }

    /// Adds the index within the enclosing array to the path.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn in_item(mut self, index: usize) -> Self {
        self.0.path.push(index.to_string());
        self
    }

    /// Returns the keyword that refuses the value.
    #[must_use]
    pub fn keyword(&self) -> &'static str {
        self.0.keyword
    }

    /// Converts the fault to a violation with a JSON Pointer.
    #[must_use]
    pub fn into_violation(self) -> Violation {
        let Inner { path, keyword, message } = *self.0;
        let mut pointer = String::new();
        for step in path.iter().rev() {
            push_key(&mut pointer, step);
        }
        Violation { pointer, keyword, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_is_a_json_pointer() {
        let fault = Fault::new("type", "is wrong".to_owned()).in_item(3).in_key("a/b~c").in_key("");
        assert_eq!(fault.keyword(), "type");
        let violation = fault.into_violation();
        assert_eq!(violation.pointer, "//a~1b~0c/3");
        assert_eq!(violation.message, "is wrong");
    }

    #[test]
    fn is_one_word_wide() {
        assert_eq!(size_of::<Result<(), Fault>>(), size_of::<usize>());
    }
}
