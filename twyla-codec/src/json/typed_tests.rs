//! A type that reads and writes itself as generated code does, and the messages for texts that don't fit it.

use super::*;

#[derive(Debug, PartialEq)]
struct Sample {
    count: i64,
    next: Option<Box<Sample>>,
}

impl Read for Sample {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        static NAMES: Names = Names::new(&["count", "next"]);
        let mut members = reader.members(&NAMES)?;
        let (mut count, mut next) = (None, None);
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

fn refusal(text: &str) -> String {
    let violation = from_str::<Sample>(text).unwrap_err().into_violation();
    format!("{} {violation}", violation.keyword)
}

#[test]
fn says_which_required_member_is_missing_first() {
    static NAMES: Names = Names::new(&["id", "at", "b\"c"]);
    let missing = |text: &str| {
        let mut reader = Reader::new(text);
        let mut members = reader.members(&NAMES).unwrap();
        while let Some(name) = members.name(&mut reader).unwrap() {
            match name {
                0..3 => members.field(&mut reader, &mut None::<serde_json::Value>).unwrap(),
                _ => members.unknown(&mut reader).unwrap(),
            }
        }
        members.missing(&reader, &["id", "at", "b\"c"]).into_violation().to_string()
    };
    for (text, name) in [
        ("{}", "id"),
        (r#" { "at": {"id": 1}, "other": ["id"] } "#, "id"),
        (r#"{"\u0069d":1,"b\"c":2}"#, "at"),
        (r#"{"other":{"b\"c":1},"at":1,"id":2}"#, "b\"c"),
    ] {
        assert_eq!(missing(text), format!("(root): `{name}` is missing"), "{text}");
    }
}

#[test]
fn says_what_does_not_fit_and_where() {
    for (text, said) in [
        ("{}", "required (root): `count` is missing"),
        ("[1]", "type (root): expected an object, found an array"),
        (r#"{"count":"x"}"#, "type /count: expected an integer, found the string \"x\""),
        (r#"{"count":1.5}"#, "type /count: expected an integer, found the number `1.5`"),
        (r#"{"count":1e30}"#, "type /count: 1000000000000000000000000000000 is not an integer that fits in 64 bits"),
        (r#"{"count":1,"next":null}"#, "type /next: expected an object, found null"),
        (r#"{"count":1,"next":true}"#, "type /next: expected an object, found the boolean `true`"),
        (r#"{"count":1,"next":7}"#, "type /next: expected an object, found the integer `7`"),
        (r#"{"count":1,"count":1}"#, "json (root): the member \"count\" appears twice"),
        (
            r#"{"count":1,"next":{"count":1,"more`":1}}"#,
            "additionalProperties /next: the member \"more`\" is not allowed: the schema declares only `count` and `next`",
        ),
        (r#"{"count":1,"next":{"count":1,"next":{}}}"#, "required /next/next: `count` is missing"),
        ("{", "json (root): the text is not valid JSON: EOF while parsing an object at line 1 column 2"),
        ("{\n \"count\":1,}", "json (root): the text is not valid JSON: trailing comma at line 2 column 12"),
        (r#"{"count":1} x"#, "json (root): the text is not valid JSON: trailing characters at line 1 column 13"),
        (r#"{"count":01}"#, "json /count: the text is not valid JSON: invalid number at line 1 column 12"),
        (r#"{"count":nul}"#, "json /count: the text is not valid JSON: expected ident at line 1 column 13"),
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

/// A type that reads its members by [`Names`] and keeps the others.
#[derive(Debug, Default, PartialEq)]
struct Open {
    first: Option<i64>,
    quoted: Option<String>,
    last: Option<bool>,
    extra: std::collections::BTreeMap<String, u64>,
}

impl Read for Open {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        static NAMES: Names = Names::new(&["first", "qu\"\\oted", "last"]);
        let mut members = reader.members(&NAMES)?;
        let mut out = Self::default();
        while let Some(name) = members.name(reader)? {
            match name {
                0 => members.field(reader, &mut out.first)?,
                1 => members.field(reader, &mut out.quoted)?,
                2 => members.field(reader, &mut out.last)?,
                _ => members.extra(reader, &mut out.extra)?,
            }
        }
        Ok(out)
    }
}

fn open(text: &str) -> Result<Open, String> {
    from_str(text).map_err(|fault| fault.into_violation().to_string())
}

#[test]
fn members_are_found_in_any_order() {
    let whole = Open {
        first: Some(1),
        quoted: Some("q".to_owned()),
        last: Some(true),
        extra: [("firs".to_owned(), 4), ("firstly".to_owned(), 5)].into(),
    };
    for text in [
        r#"{"first":1,"qu\"\\oted":"q","last":true,"firs":4,"firstly":5}"#,
        r#" { "firs" : 4 , "last" : true , "qu\"\\oted" : "q" , "first" : 1 , "firstly" : 5 } "#,
        r#"{"firstly":5,"\u0066irst":1,"last":true,"firs":4,"qu\u0022\u005coted":"q"}"#,
    ] {
        assert_eq!(open(text).as_ref(), Ok(&whole), "{text}");
    }
    assert_eq!(open("{}"), Ok(Open::default()));
    for (text, said) in [
        (r#"{"first":1,"first":1}"#, "(root): the member \"first\" appears twice"),
        (r#"{"last":true,"first":1,"last":true}"#, "(root): the member \"last\" appears twice"),
        (r#"{"a":1,"first":1,"a":2}"#, "(root): the member \"a\" appears twice"),
        (r#"{"a":1,"\u0061":2}"#, "(root): the member \"a\" appears twice"),
        (r#"{"a/b":-1}"#, "/a~1b: -1 is less than 0"),
        (r#"{"first" 1}"#, "(root): the text is not valid JSON: expected `:` at line 1 column 10"),
        (r#"{"first:1}"#, "(root): the text is not valid JSON: EOF while parsing a string at line 1 column 11"),
        (r#"{first:1}"#, "(root): the text is not valid JSON: key must be a string at line 1 column 2"),
        // an invalid key doesn't match a name, even if it is written alike
        (r#"{"first":1,"qu"\oted":"q"}"#, "(root): the text is not valid JSON: expected `:` at line 1 column 16"),
    ] {
        assert_eq!(open(text).unwrap_err(), said, "{text}");
    }
}

/// A type without members that skips all.
#[derive(Debug)]
struct Nothing;

impl Read for Nothing {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        static NAMES: Names = Names::new(&[]);
        let mut members = reader.members(&NAMES)?;
        while members.name(reader)?.is_some() {
            members.unknown(reader)?;
        }
        Ok(Self)
    }
}

#[test]
fn no_unknown_key_comes_twice() {
    let said = |text: &str| from_str::<Nothing>(text).map(|_| ()).map_err(|fault| fault.into_violation().to_string());
    assert_eq!(said(r#"{"a":[{"b":1,"c":{"b":2}},{"b":3}],"b":{}}"#), Ok(()));
    assert_eq!(said(r#"{"a":1,"b":2,"a":3}"#), Err("(root): the member \"a\" appears twice".to_owned()));
    assert_eq!(said(r#"{"a":[1,{"b":1,"b":2}]}"#), Err("/a/1: the member \"b\" appears twice".to_owned()));
    // many keys, in each way of reading them: quadratic time would never end
    let many: Vec<String> = (0..100_000).map(|i| format!("\"key{i}\":0")).collect();
    let whole = format!("{{{}}}", many.join(","));
    let twice = format!("{{{},\"key7\":0}}", many.join(","));
    for text in [&whole, &twice] {
        let ok = text == &whole;
        assert_eq!(said(text).is_ok(), ok);
        assert_eq!(Reader::new(text).skip().is_ok(), ok);
        assert_eq!(from_str::<serde_json::Value>(text).is_ok(), ok);
        assert_eq!(open(text).is_ok(), ok);
    }
}

#[test]
fn a_tag_is_read_at_any_position() {
    let tag = |text: &str| {
        let mut reader = Reader::new(text);
        let tag = reader.tag("kind").map(|tag| tag.map(|tag| tag.into_owned()));
        assert!(tag.is_err() || reader.skip().is_ok(), "nothing is consumed: {text}");
        tag.map_err(|fault| fault.into_violation().to_string())
    };
    assert_eq!(tag(r#" {"kind":"a"}"#), Ok(Some("a".to_owned())));
    assert_eq!(tag(r#"{"x":{"kind":"b","y":[1,"]}"]},"\u006bind":"a\n"}"#), Ok(Some("a\n".to_owned())));
    assert_eq!(tag(r#"{"x":1}"#), Ok(None));
    assert_eq!(tag(r#"{"kind":1}"#), Ok(None));
    assert_eq!(tag("[1]"), Err("(root): expected an object, found an array".to_owned()));
    assert!(tag(r#"{"x":[1,]}"#).is_err_and(|said| said.starts_with("/x: the text is not valid JSON")));
}

#[test]
fn a_closed_object_says_what_it_has() {
    fn refused(names: &'static Names) -> String {
        let mut reader = Reader::new(r#"{"x":1}"#);
        let mut members = reader.members(names).unwrap();
        assert!(members.name(&mut reader).unwrap().is_some());
        members.refuse().into_violation().message
    }
    let said = |has: &str| format!("the member \"x\" is not allowed: the schema declares {has}");
    assert_eq!(refused(const { &Names::new(&[]) }), said("no members"));
    assert_eq!(refused(const { &Names::new(&["a"]) }), said("only `a`"));
    assert_eq!(refused(const { &Names::new(&["a", "b", "c"]) }), said("only `a`, `b`, `c`"));
}

#[test]
fn null_is_a_value() {
    assert_eq!(from_str::<Option<i64>>("null").unwrap(), None);
    assert_eq!(from_str::<Option<Vec<Option<u64>>>>("[null,1]").unwrap(), Some(vec![None, Some(1)]));
    assert!(from_str::<i64>("null").is_err());
    from_str::<()>(" null ").unwrap();
    let mut out = Vec::new();
    vec![Some(Box::new(true)), None].write(&mut out);
    Vec::<()>::new().write(&mut out);
    assert_eq!(out, b"[true,null][]");
    let fault = from_str::<Vec<Vec<bool>>>("[[true],[false,1]]").unwrap_err().into_violation();
    assert_eq!(fault.to_string(), "/1/1: expected a boolean, found the integer `1`");
}
