//! What is wrong with a text, and where: one word wide, so that a `Result` with it costs nothing where all is well.

use crate::path::push_key;
use crate::violation::Violation;

/// The first thing that is wrong with a text. The way to it is noted as the error travels outwards.
#[derive(Debug)]
pub struct Fault(Box<Inner>);

#[derive(Debug)]
struct Inner {
    /// Keys and indices, the innermost first.
    way: Vec<String>,
    keyword: &'static str,
    message: String,
}

impl Fault {
    /// A rule that the value at hand breaks; `json` is the keyword where the text is no JSON.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn new(keyword: &'static str, message: String) -> Self {
        Self(Box::new(Inner { way: Vec::new(), keyword, message }))
    }

    /// The same, seen from the object around it.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn in_key(mut self, key: &str) -> Self {
        self.0.way.push(key.to_owned());
        self
    }

    /// The same, seen from the array around it.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn in_item(mut self, index: usize) -> Self {
        self.0.way.push(index.to_string());
        self
    }

    /// The keyword that refuses the value.
    #[must_use]
    pub fn keyword(&self) -> &'static str {
        self.0.keyword
    }

    /// The same as a violation, with a JSON Pointer.
    #[must_use]
    pub fn into_violation(self) -> Violation {
        let Inner { way, keyword, message } = *self.0;
        let mut pointer = String::new();
        for step in way.iter().rev() {
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
