//! A type that reads and writes itself as generated code does, and what is said where a text doesn't fit it.

use super::*;

#[derive(Debug, PartialEq)]
struct Sample {
    count: i64,
    next: Option<Box<Sample>>,
}

impl Read for Sample {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let mut members = reader.object()?;
        let (mut count, mut next) = (None, None);
        while let Some(key) = members.key(reader)? {
            match &*key {
                "count" => members.field(reader, "count", &mut count)?,
                "next" => members.field(reader, "next", &mut next)?,
                _ => return Err(members.refuse(&key, &["count", "next"])),
            }
        }
        Ok(Self { count: required("count", count)?, next })
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

fn refusal(text: &str) -> String {
    let violation = from_str::<Sample>(text).unwrap_err().into_violation();
    format!("{} {violation}", violation.keyword)
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
        (r#"{"count":1,"next":true}"#, "type /next: is the boolean `true`, not an object"),
        (r#"{"count":1,"next":7}"#, "type /next: is the integer `7`, not an object"),
        (r#"{"count":1,"count":1}"#, "json (root): has `count` twice"),
        (
            r#"{"count":1,"next":{"count":1,"more`":1}}"#,
            "additionalProperties /next: has the member \"more`\", and no others than declared are allowed (it has `count` or `next`)",
        ),
        (r#"{"count":1,"next":{"count":1,"next":{}}}"#, "required /next/next: `count` is missing"),
        ("{", "json (root): is no JSON that can be read: EOF while parsing an object at line 1 column 2"),
        ("{\n \"count\":1,}", "json (root): is no JSON that can be read: trailing comma at line 2 column 12"),
        (r#"{"count":1} x"#, "json (root): is no JSON: trailing characters at line 1 column 13"),
        (r#"{"count":01}"#, "json /count: is no JSON that can be read: invalid number at line 1 column 12"),
        (r#"{"count":nul}"#, "json /count: is no JSON that can be read: expected ident at line 1 column 13"),
    ] {
        assert_eq!(refusal(text), said, "{text}");
    }
}

#[test]
fn nothing_deep_overflows() {
    let deep = |levels: usize| {
        let mut text = r#"{"count":1,"next":"#.repeat(levels);
        text.push_str("{\"count\":1}");
        text.push_str(&"}".repeat(levels));
        text
    };
    assert!(refusal(&deep(10_000)).contains("recursion limit"));
    let text = deep(126);
    let mut out = Vec::new();
    from_str::<Sample>(&text).unwrap().write(&mut out);
    assert_eq!(out, text.as_bytes());
    assert!(from_str::<Sample>(&deep(127)).is_err());
}
