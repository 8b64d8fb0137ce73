//! Decoding and encoding under a contract: the fast way through the generated type, and what is said where it fails.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Deserializer, Value};

use super::path::{Path, push_key};
use super::read::{MARK, Read};
use super::residue::Residue;
use super::rules::{Violations, shortened};
use super::{Refusal, Violation};

/// A generated type that knows every value rule of its schema that it doesn't hold by itself.
pub trait Validate {
    /// Notes each rule that the value breaks.
    fn validate(&self, at: &Path<'_>, out: &mut Violations);
}

impl<T: Validate> Validate for Box<T> {
    fn validate(&self, at: &Path<'_>, out: &mut Violations) {
        (**self).validate(at, out);
    }
}

/// The generated type of a content or a context.
pub trait Contract: Serialize + DeserializeOwned + for<'de> Read<'de> + Validate {
    /// The rules that a typed value can't tell, held by the `jsonschema` crate; none for most contracts.
    #[must_use]
    fn residue() -> Option<&'static Residue> {
        None
    }
}

/// What else the runtime asks of the generated context: that a handler may take it.
#[doc(hidden)]
#[macro_export]
macro_rules! __context {
    ($context:ident) => {
        impl $crate::__private::Argument for $context {
            fn take(parts: &$crate::__private::Parts) -> ::std::result::Result<Self, $crate::__private::Failure> {
                parts.context::<Self>()
            }
        }
    };
}

/// Decodes a JSON text and holds it to its contract.
///
/// # Errors
/// [`Refusal`] with each rule that it breaks; only the first where the text doesn't fit the type.
pub fn decode<C: Contract>(text: &[u8]) -> Result<C, Refusal> {
    let text = utf8(text)?;
    if let Some(residue) = C::residue() {
        let tree = read::<Value>(text)?;
        refuse_all(residue.violations(&tree))?;
        // the rules of the type are among those that hold already
        return read::<C>(text);
    }
    let value = read::<C>(text)?;
    validate(&value)?;
    Ok(value)
}

/// Appends a value as JSON text, held to its contract as strictly as [`decode`] does. On an error `out` is as it was.
///
/// # Errors
/// [`Refusal`] with each rule that the value breaks.
pub fn encode<C: Contract>(value: &C, out: &mut Vec<u8>) -> Result<(), Refusal> {
    validate(value)?;
    let start = out.len();
    let written = write(value, out).and_then(|()| match C::residue() {
        Some(residue) => refuse_all(residue.violations(&read::<Value>(utf8(&out[start..])?)?)),
        None => Ok(()),
    });
    written.inspect_err(|_| out.truncate(start))
}

/// Decodes a JSON text into a hand-written type that is bound to the contract `C`: what `C` refuses is refused.
///
/// # Errors
/// [`Refusal`] with each rule that it breaks.
pub fn decode_as<C: Contract, T: DeserializeOwned>(text: &[u8]) -> Result<T, Refusal> {
    let value = decode::<C>(text)?;
    if let Ok(bound) = serde_json::from_slice(text) {
        return Ok(bound);
    }
    // serde's own integers don't read `1.0`; what the contract's type writes, they do
    let mut plain = Vec::new();
    write(&value, &mut plain)?;
    let mut reader = Deserializer::from_slice(&plain);
    serde_path_to_error::deserialize(&mut reader).map_err(refusal)
}

/// Appends a value of a hand-written type that is bound to the contract `C`, as strictly as [`encode`] does.
///
/// # Errors
/// [`Refusal`] with each rule that the value breaks. On an error `out` is as it was.
pub fn encode_as<C: Contract, T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let start = out.len();
    let written = write(value, out).and_then(|()| decode::<C>(&out[start..]));
    written.map(|_| ()).inspect_err(|_| out.truncate(start))
}

fn utf8(text: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(text).map_err(|error| refused("json", format!("is no UTF-8: {error}")))
}

fn validate<C: Contract>(value: &C) -> Result<(), Refusal> {
    let mut out = Violations::new();
    value.validate(&Path::root(), &mut out);
    refuse_all(out.into_vec())
}

fn refuse_all(violations: Vec<Violation>) -> Result<(), Refusal> {
    if violations.is_empty() { Ok(()) } else { Err(Refusal { violations }) }
}

fn refused(keyword: &'static str, message: String) -> Refusal {
    Refusal { violations: vec![Violation { pointer: String::new(), keyword, message }] }
}

fn write<T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let start = out.len();
    serde_json::to_writer(&mut *out, value).map_err(|error| {
        out.truncate(start);
        refused("json", format!("can't be written: {error}"))
    })
}

fn read<T: for<'de> Read<'de>>(text: &str) -> Result<T, Refusal> {
    let mut reader = Deserializer::from_str(text);
    let value = T::read(&mut reader).and_then(|value| reader.end().map(|()| value));
    // where it went wrong is only worth the price when it did
    value.map_err(|_| {
        let mut track = serde_path_to_error::Track::new();
        let mut reader = Deserializer::from_str(text);
        match T::read(serde_path_to_error::Deserializer::new(&mut reader, &mut track)) {
            Err(error) => refusal_at(&error, &track.path()),
            Ok(_) => match reader.end() {
                Err(error) => refused("json", format!("is no JSON: {}", shortened(&error.to_string(), 200))),
                Ok(()) => refused("json", "is read differently each time".to_owned()),
            },
        }
    })
}

fn refusal(error: serde_path_to_error::Error<serde_json::Error>) -> Refusal {
    refusal_at(error.inner(), error.path())
}

/// What serde says, in the words of the other rules.
fn refusal_at(error: &serde_json::Error, path: &serde_path_to_error::Path) -> Refusal {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => push_key(&mut pointer, &index.to_string()),
            Segment::Map { key } | Segment::Enum { variant: key } => push_key(&mut pointer, key),
            Segment::Unknown => {}
        }
    }
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let text = text.strip_suffix(place.as_str()).unwrap_or(&text);
    let (keyword, message) = if error.is_data() { told(text, &mut pointer) } else { not_json(text, &place) };
    Refusal { violations: vec![Violation { pointer, keyword, message }] }
}

fn not_json(text: &str, place: &str) -> (&'static str, String) {
    ("json", format!("is no JSON that can be read: {text}{place}"))
}

fn told(text: &str, pointer: &mut String) -> (&'static str, String) {
    const MARKED: [&str; 5] = ["json", "minimum", "type", "enum", "const"];
    let mut marked = text.split(MARK);
    if let (Some(""), Some(keyword), Some(message)) = (marked.next(), marked.next(), marked.next()) {
        let keyword = MARKED.into_iter().find(|known| *known == keyword).unwrap_or("type");
        return (keyword, message.to_owned());
    }
    if let Some(rest) = text.strip_prefix("missing field ") {
        return ("required", format!("{} is missing", shortened(rest, 200)));
    }
    if let Some(rest) = text.strip_prefix("duplicate field ") {
        return ("json", format!("has {} twice", shortened(rest, 200)));
    }
    if let Some(rest) = text.strip_prefix("unknown field `") {
        // the name is input and may hold a backtick, what follows it is ours
        let end = rest.rfind("`, expected ").or_else(|| rest.rfind("`, there are no fields"));
        let before_list = rest.find("`, expected ").or(end).unwrap_or(0);
        let (name, list) = rest.split_at(before_list);
        if pointer.rsplit('/').next() == Some(name) {
            // the way ends at the unknown member, whose object has the rule
            pointer.truncate(pointer.rfind('/').unwrap_or(0));
        }
        let known = list.trim_start_matches("`, ").replace("expected one of", "it has").replace("expected", "it has");
        return (
            "additionalProperties",
            format!(
                "has the member {}, and no others than declared are allowed ({})",
                super::rules::shown(name),
                shortened(&known, 200)
            ),
        );
    }
    if let Some((found, wanted)) = text.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected "))
    {
        let wanted = match wanted {
            "unit" => "null",
            wanted if wanted.starts_with("struct ") => "an object",
            wanted if wanted.starts_with("f64") => "a number",
            wanted => wanted,
        };
        let found = match found {
            "map" => "an object".to_owned(),
            "sequence" => "an array".to_owned(),
            "null" => "null".to_owned(),
            found => format!("the {}", shortened(&found.replace("floating point", "number"), 80)),
        };
        return ("type", format!("is {found}, not {wanted}"));
    }
    ("type", shortened(text, 200))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::read::{present, read, read_struct};
    use super::super::rules;
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[serde(deserialize_with = "read")]
        count: i64,
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        next: Option<Box<Sample>>,
    }
    impl<'de> Read<'de> for Sample {
        fn read<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            read_struct(deserializer)
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
    impl Contract for Sample {}

    fn refusal(text: &str) -> String {
        let refusal = decode::<Sample>(text.as_bytes()).unwrap_err();
        refusal.violations.iter().map(|v| format!("{} {}", v.keyword, v)).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn says_what_does_not_fit_and_where() {
        for (text, said) in [
            ("{}", "required (root): `count` is missing"),
            ("[1]", "type (root): is an array, not an object"),
            (r#"{"count":"x"}"#, "type /count: is the string \"x\", not an integer"),
            (r#"{"count":1.5}"#, "type /count: is the number `1.5`, not an integer"),
            (r#"{"count":1e30}"#, "type /count: 1000000000000000000000000000000 is no integer that fits in 64 bits"),
            (r#"{"count":1,"next":null}"#, "type /next: is null, not an object"),
            (r#"{"count":1,"count":1}"#, "json (root): has `count` twice"),
            (
                r#"{"count":1,"next":{"count":1,"more`":1}}"#,
                "additionalProperties /next: has the member \"more`\", and no others than declared are allowed (it has `count` or `next`)",
            ),
            (
                r#"{"count":10,"next":{"count":11}}"#,
                "maximum /count: 10 is more than 9; maximum /next/count: 11 is more than 9",
            ),
        ] {
            assert_eq!(refusal(text), said, "{text}");
        }
        assert!(refusal("{").starts_with("json (root): is no JSON that can be read: EOF"));
        assert!(refusal(r#"{"count":1} x"#).starts_with("json (root): is no JSON: trailing"));
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
    fn hand_written_types_are_held_to_the_contract() {
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
