//! Finds the variant of a union for an object before reading it: by the value of a member, or by the presence of one.

use std::borrow::Cow;

use twyla_contract::text::shortened;

use super::fault::Fault;
use super::members::missing;
use super::reader::{Reader, Token};
use super::words::none_of;

/// The value of a member, as far as it chooses a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberValue<'t> {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean {
        /// Whether the member is `true`.
        value: bool,
    },
    /// A number.
    Number {
        /// The number's value if it is an integer of 64 bits, however it is written.
        integer: Option<i64>,
    },
    /// A string.
    String {
        /// The string's text.
        text: &'t str,
    },
    /// An array.
    Array,
    /// An object.
    Object,
}

impl<'a> Reader<'a> {
    /// Returns the value of the member `name` of the object at the current position. Consumes nothing.
    ///
    /// # Errors
    /// The value is not an object, or the text up to that member is not valid JSON.
    pub fn member_value<'t>(
        &mut self,
        name: &str,
        text: &'t mut Option<Cow<'a, str>>,
    ) -> Result<Option<MemberValue<'t>>, Fault> {
        let mut ahead = self.clone();
        if !ahead.at_member(name)? {
            return Ok(None);
        }
        Ok(Some(match ahead.peek()? {
            Token::Null => MemberValue::Null,
            Token::Boolean => MemberValue::Boolean { value: ahead.next_byte() == b't' },
            Token::Number => MemberValue::Number { integer: ahead.number("a number")?.signed().ok() },
            Token::String => MemberValue::String { text: text.insert(ahead.string()?) },
            Token::Array => MemberValue::Array,
            Token::Object => MemberValue::Object,
        }))
    }

    /// Returns the index of the first of these names that the object at the current position has as a member. Consumes
    /// nothing.
    ///
    /// # Errors
    /// The value is not an object, or the text up to that member is not valid JSON.
    pub fn first_of(&mut self, names: &[&str]) -> Result<Option<usize>, Fault> {
        let mut ahead = self.clone();
        ahead.object()?;
        let mut first = true;
        while let Some(key) = ahead.next_key(first)? {
            first = false;
            if let Some(found) = names.iter().position(|name| *name == key) {
                return Ok(Some(found));
            }
            // duplicate keys are found when the object is read
            ahead.skip_unchecked().map_err(|fault| fault.in_key(&key))?;
        }
        Ok(None)
    }

    /// Calls `find` with each key of the object at the current position. Returns the first variant found, and all other
    /// variants found. Consumes nothing.
    ///
    /// # Errors
    /// The value is not an object, or its text is not valid JSON.
    pub(crate) fn present(
        &mut self,
        find: impl Fn(&str) -> Option<usize>,
    ) -> Result<(Option<usize>, Vec<usize>), Fault> {
        let mut ahead = self.clone();
        ahead.object()?;
        let (mut first, mut only, mut more) = (true, None, Vec::new());
        while let Some(key) = ahead.next_key(first)? {
            first = false;
            match find(&key) {
                Some(index) if only.is_none() => only = Some(index),
                Some(index) if only != Some(index) && !more.contains(&index) => more.push(index),
                _ => {}
            }
            // duplicate keys are found when the object is read
            ahead.skip_unchecked().map_err(|fault| fault.in_key(&key))?;
        }
        Ok((only, more))
    }
}

/// Returns the fault of a value that is not an object, or of an object whose tag names no variant.
#[cold]
#[inline(never)]
pub fn no_variant(reader: &mut Reader<'_>, tag: &'static str, words: &[&'static str]) -> Fault {
    let found = match reader.tag(tag) {
        Err(fault) => return fault,
        Ok(found) => found,
    };
    if let Some(text) = found {
        return none_of(&text, &mut words.iter().copied(), words.len()).in_key(tag);
    }
    no_variant_of_value(reader, tag, "a string")
}

/// Returns the fault of an object whose member `name` is missing or has a value that selects no variant.
#[cold]
#[inline(never)]
pub fn no_variant_of_value(reader: &mut Reader<'_>, name: &'static str, wanted: &str) -> Fault {
    match reader.at_member(name) {
        Err(fault) => fault,
        Ok(true) => reader.mismatch(wanted).in_key(name),
        Ok(false) => missing(name),
    }
}

/// Returns the fault of an object without any of the members that choose a variant.
#[cold]
#[inline(never)]
#[must_use]
pub fn no_own_member(names: &[&str]) -> Fault {
    let all: Vec<String> = names.iter().take(8).map(|name| format!("`{}`", shortened(name, 200))).collect();
    let more = if names.len() > 8 { format!(" or {} more", names.len() - 8) } else { String::new() };
    Fault::new("required", format!("{}{more} is missing", all.join(" or ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<String, String> {
        let mut held = None;
        let mut reader = Reader::new(text);
        let found = reader.member_value("v", &mut held).map_err(|fault| fault.into_violation().to_string())?;
        assert_eq!(reader.next_byte(), b'{', "nothing is consumed");
        Ok(format!("{found:?}"))
    }

    #[test]
    fn finds_the_value_of_a_member_however_it_is_written() {
        for (text, found) in [
            (r#"{"v":null}"#, "Some(Null)"),
            (r#"{"a":{"v":1},"v":true}"#, "Some(Boolean { value: true })"),
            (r#"{"v":false}"#, "Some(Boolean { value: false })"),
            (r#"{"v": 1.0}"#, "Some(Number { integer: Some(1) })"),
            (r#"{"v":1e2}"#, "Some(Number { integer: Some(100) })"),
            (r#"{"v":1.5}"#, "Some(Number { integer: None })"),
            (r#"{"v":18446744073709551615}"#, "Some(Number { integer: None })"),
            (r#"{"\u0076":"\u0061"}"#, r#"Some(String { text: "a" })"#),
            (r#"{"v":[1]}"#, "Some(Array)"),
            (r#"{"v":{}}"#, "Some(Object)"),
            (r#"{"w":1}"#, "None"),
        ] {
            assert_eq!(value(text).as_deref(), Ok(found), "{text}");
        }
        assert!(value(r#"{"a":}"#).is_err());
        assert_eq!(value("[]").unwrap_err(), "(root): expected an object, found an array");
    }

    #[test]
    fn finds_the_first_member_of_several_in_the_order_of_the_text() {
        let first = |text: &str| Reader::new(text).first_of(&["a", "b"]).map_err(|fault| fault.keyword());
        assert_eq!(first(r#"{"x":{"a":1},"b":1,"a":1}"#), Ok(Some(1)));
        assert_eq!(first(r#"{"\u0061":1}"#), Ok(Some(0)));
        assert_eq!(first("{}"), Ok(None));
        assert_eq!(first("1"), Err("type"));
        assert_eq!(first(r#"{"x":}"#), Err("json"));
    }

    #[test]
    fn says_which_values_and_members_there_are() {
        let no_value = |text: &str| no_variant_of_value(&mut Reader::new(text), "v", "1 or a string").into_violation();
        assert_eq!(no_value(r#"{"v":2}"#).to_string(), "/v: expected 1 or a string, found the integer `2`");
        assert_eq!(no_value("{}").to_string(), "(root): `v` is missing");
        assert_eq!(no_value("3").to_string(), "(root): expected an object, found the integer `3`");
        assert_eq!(no_own_member(&["a", "b"]).into_violation().to_string(), "(root): `a` or `b` is missing");
    }
}
