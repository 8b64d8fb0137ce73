//! Decoding and encoding of typed values under a contract.

use serde::Serialize;
use serde::de::DeserializeOwned;
use twyla_contract::text::shortened;

use super::sensitive::redact;
use crate::json::{self, Read, Write};
use crate::path::{Path, push_key};
use crate::received::{LargeNumbers, Received};
use crate::violation::{Refusal, Violation, Violations};

/// The initial capacity of a buffer, in bytes. Most events are smaller.
const CAPACITY: usize = 1000;

/// A generated type that can check the value rules of its schema.
pub trait Validate {
    /// The sensitive values of this type, as JSON Pointers (`*` matches any key or index).
    const SENSITIVE: &'static [&'static str] = &[];

    /// Adds a violation to `out` for each rule that the value breaks. The default adds none, for a schema without such
    /// rules.
    fn validate(&self, at: &Path<'_>, out: &mut Violations) {
        let _ = (at, out);
    }

    /// Decodes a JSON text into this type; the body of [`decode`]. A type with parts that replace generated types decodes through
    /// the generated type of its schema.
    ///
    /// # Errors
    /// The errors of [`decode`].
    #[doc(hidden)]
    fn decode_content(text: &[u8], large_numbers: LargeNumbers) -> Result<Self, Refusal>
    where
        Self: Read,
    {
        let (value, received) = json::utf8(text)
            .and_then(json::from_str_exactly::<Self>)
            .map_err(|fault| refused::<Self>(fault.into_violation()))?;
        validate(&value, received.as_ref().filter(|_| large_numbers == LargeNumbers::Received))?;
        Ok(value)
    }

    /// Encodes a value of this type as JSON text; the body of [`encode`].
    ///
    /// # Errors
    /// The errors of [`encode`].
    #[doc(hidden)]
    fn encode_content(&self, out: &mut Vec<u8>) -> Result<(), Refusal>
    where
        Self: Write + Sized,
    {
        validate(self, None)?;
        out.reserve(CAPACITY);
        self.write(out);
        Ok(())
    }
}

impl<T: Validate> Validate for Box<T> {
    fn validate(&self, at: &Path<'_>, out: &mut Violations) {
        (**self).validate(at, out);
    }
}

/// Decodes a JSON text and checks it against its contract.
///
/// # Errors
/// [`Refusal`] with each rule that the content breaks; with only the first violation if the text doesn't fit the type.
pub fn decode<C: Read + Validate>(text: &[u8]) -> Result<C, Refusal> {
    C::decode_content(text, LargeNumbers::Received)
}

/// Appends a value as JSON text and checks it at least as strictly as [`decode`] does. On an error `out` is unchanged.
///
/// # Errors
/// [`Refusal`] with each rule that the value breaks.
pub fn encode<C: Write + Validate>(value: &C, out: &mut Vec<u8>) -> Result<(), Refusal> {
    value.encode_content(out)
}

/// Decodes a type with parts that replace generated ones. `P` is the generated type of the schema: the text is first
/// checked against all of its rules.
///
/// # Errors
/// [`Refusal`] with each rule that the text breaks, or with the value that a replacing type doesn't accept.
pub fn decode_through<P: Read + Write + Validate, T: Read>(
    text: &[u8],
    large_numbers: LargeNumbers,
) -> Result<T, Refusal> {
    let mut written = Vec::with_capacity(text.len());
    // a replacing type may refuse `1.0` as an integer, or undeclared members, so it reads the text that `P` writes
    P::decode_content(text, large_numbers)?.write(&mut written);
    json::utf8(&written).and_then(json::from_str::<T>).map_err(|fault| refused::<P>(fault.into_violation()))
}

/// Encodes a type with parts that replace generated ones. `P` is the generated type of the schema: it reads the text of
/// `value`, checks it, and writes it.
///
/// # Errors
/// [`Refusal`] with each rule that the value breaks. On an error `out` is unchanged.
pub fn encode_through<P: Read + Write + Validate, T: Write + Validate>(
    value: &T,
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    validate(value, None)?;
    let mut written = Vec::with_capacity(CAPACITY);
    value.write(&mut written);
    P::decode_content(&written, LargeNumbers::Written)?.write(out);
    Ok(())
}

/// Decodes a JSON text into a hand-written type that is bound to the contract `C`. Refuses what `C` refuses.
///
/// # Errors
/// [`Refusal`] with each rule that the content breaks.
pub fn decode_as<C: Read + Write + Validate, T: DeserializeOwned>(text: &[u8]) -> Result<T, Refusal> {
    let value = decode::<C>(text)?;
    if let Ok(bound) = serde_json::from_slice(text) {
        return Ok(bound);
    }
    // serde's integers don't accept `1.0`, so serde reads what the contract's type writes
    let mut plain = Vec::new();
    value.write(&mut plain);
    let mut reader = serde_json::Deserializer::from_slice(&plain);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| refused::<C>(bound_violation(&error)))
}

/// Appends a value of a hand-written type that is bound to the contract `C`, as strictly as [`encode`] does.
///
/// # Errors
/// [`Refusal`] with each rule that the value breaks. On an error `out` is unchanged.
pub fn encode_as<C: Read + Validate, T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let start = out.len();
    let written = serde_json::to_writer(&mut *out, value)
        .map_err(|error| {
            let message = format!("the value can't be written as JSON: {error}");
            refused::<C>(Violation { pointer: String::new(), keyword: "json", message })
        })
        .and_then(|()| C::decode_content(&out[start..], LargeNumbers::Received));
    written.map(|_| ()).inspect_err(|_| out.truncate(start))
}

fn validate<C: Validate>(value: &C, received: Option<&Received>) -> Result<(), Refusal> {
    let mut out = Violations::new();
    value.validate(&Path::of(received), &mut out);
    let violations = out.into_vec();
    if violations.is_empty() { Ok(()) } else { Err(redact(Refusal { violations }, C::SENSITIVE)) }
}

fn refused<C: Validate>(violation: Violation) -> Refusal {
    redact(Refusal { violations: vec![violation] }, C::SENSITIVE)
}

/// Converts serde's error if a hand-written type accepts less than its contract.
fn bound_violation(error: &serde_path_to_error::Error<serde_json::Error>) -> Violation {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in error.path() {
        match segment {
            Segment::Seq { index } => push_key(&mut pointer, &index.to_string()),
            Segment::Map { key } | Segment::Enum { variant: key } => push_key(&mut pointer, key),
            Segment::Unknown => {}
        }
    }
    let (error, text) = (error.inner(), error.inner().to_string());
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = shortened(text.strip_suffix(place.as_str()).unwrap_or(&text), 200).into_owned();
    Violation { pointer, keyword: "type", message }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::rules;
    use super::*;
    use crate::json::{Fault, Names, Reader, close_object, write_member};

    #[derive(Debug, PartialEq)]
    struct Sample {
        count: i64,
        next: Option<Box<Sample>>,
    }
    impl Read for Sample {
        fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
            static NAMES: Names = Names::new(&["count", "next"]);
            let (mut count, mut next) = (None, None);
            let mut members = reader.members(&NAMES)?;
            while let Some(name) = members.name(reader)? {
                match name {
                    0 => members.field(reader, &mut count)?,
                    1 => members.field(reader, &mut next)?,
                    _ => return Err(members.refuse()),
                }
            }
            let (Some(count),) = (count,) else { return Err(members.missing(reader, &["count"])) };
            Ok(Self { count, next })
        }
    }
    impl Write for Sample {
        fn write(&self, out: &mut Vec<u8>) {
            out.push(b'{');
            write_member("\"count\":", &self.count, out);
            if let Some(next) = &self.next {
                write_member("\"next\":", next, out);
            }
            close_object(out);
        }
    }
    impl Validate for Sample {
        fn validate(&self, at: &Path<'_>, out: &mut Violations) {
            if !rules::shallow(at, out) {
                return;
            }
            rules::maximum(self.count, 9, &at.key("count"), out);
            if let Some(next) = &self.next {
                next.validate(&at.key("next"), out);
            }
        }
    }

    fn refusal(text: &str) -> String {
        let refusal = decode::<Sample>(text.as_bytes()).unwrap_err();
        refusal.violations.iter().map(|v| format!("{} {}", v.keyword, v)).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn says_what_does_not_fit_and_where() {
        for (text, said) in [
            ("{}", "required (root): `count` is missing"),
            ("[1]", "type (root): expected an object, found an array"),
            (r#"{"count":"x"}"#, "type /count: expected an integer, found the string \"x\""),
            (r#"{"count":1.5}"#, "type /count: expected an integer, found the number `1.5`"),
            (
                r#"{"count":1e30}"#,
                "type /count: 1000000000000000000000000000000 is not an integer that fits in 64 bits",
            ),
            (r#"{"count":1,"next":null}"#, "type /next: expected an object, found null"),
            (r#"{"count":1,"count":1}"#, "json (root): the member \"count\" appears twice"),
            (
                r#"{"count":1,"next":{"count":1,"more`":1}}"#,
                "additionalProperties /next: the member \"more`\" is not allowed: the schema declares only `count` and `next`",
            ),
            (
                r#"{"count":10,"next":{"count":11}}"#,
                "maximum /count: 10 is more than 9; maximum /next/count: 11 is more than 9",
            ),
        ] {
            assert_eq!(refusal(text), said, "{text}");
        }
        assert!(refusal("{").starts_with("json (root): the text is not valid JSON: EOF"));
        assert!(refusal(r#"{"count":1} x"#).starts_with("json (root): the text is not valid JSON: trailing"));
        assert!(decode::<Sample>(b"{\"count\":1,\"\xff\":1}").is_err());
    }

    #[test]
    fn nothing_deep_overflows() {
        let mut text = r#"{"count":1,"next":"#.repeat(10_000);
        text.push_str("{\"count\":1}");
        text.push_str(&"}".repeat(10_000));
        assert!(refusal(&text).contains("recursion limit"));
        let mut deep = Sample { count: 1, next: None };
        for _ in 0..200 {
            deep = Sample { count: 1, next: Some(Box::new(deep)) };
        }
        let mut out = b"before".to_vec();
        let refusal = encode(&deep, &mut out).unwrap_err();
        assert!(refusal.to_string().contains("nested deeper"));
        assert_eq!(out, b"before");
    }

    #[test]
    fn hand_written_types_are_checked_by_the_contract() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct View {
            count: i64,
        }
        assert_eq!(decode_as::<Sample, View>(br#"{"count":2.0}"#), Ok(View { count: 2 }));
        assert!(decode_as::<Sample, View>(br#"{"count":10}"#).is_err());
        let mut out = b"x".to_vec();
        assert!(encode_as::<Sample, _>(&View { count: 10 }, &mut out).is_err());
        encode_as::<Sample, _>(&View { count: 9 }, &mut out).unwrap();
        assert_eq!(out, br#"x{"count":9}"#);
    }
}
