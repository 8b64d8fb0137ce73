//! Differential tests against `serde_json`: both accept and refuse the same texts and read equal values, except where this
//! reader is stricter on purpose (duplicate keys, integers that would lose digits).

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;

/// Generates values, edge cases included.
fn value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |value| value.is_finite()).prop_map(Value::from),
        (-1000i32..1000, 1..4).prop_map(|(value, decimals)| Value::from(f64::from(value) / 10f64.powi(decimals))),
        prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(0), Just(-1), Just(1 << 53)].prop_map(Value::from),
    ];
    let text = prop_oneof!["[a-c]{0,3}", ".{0,40}", any::<String>(), "[\"\\\\\u{0}-\u{1f}a]{0,20}", "[a-z ]{60,90}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number,
        text.clone().prop_map(Value::String)
    ];
    leaf.prop_recursive(4, 60, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((text.clone(), inner), 0..20)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Generates texts that are almost JSON.
fn broken() -> impl Strategy<Value = String> {
    let bytes = prop_oneof![
        prop::sample::select(br#"{}[]",:.eE+-0123456789\u/nrtfals "#.to_vec()),
        prop::sample::select(b"\n\r\t\x0b\x0c\0 ".to_vec()),
        any::<u8>(),
    ];
    let mutation = (any::<prop::sample::Index>(), bytes, 0..4);
    (value(), any::<bool>(), prop::collection::vec(mutation, 0..4)).prop_filter_map(
        "UTF-8",
        |(value, pretty, mutations)| {
            let mut text = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) }.ok()?;
            for (at, byte, how) in mutations {
                let at = at.index(text.len() + 1);
                match how {
                    0 if at < text.len() => text[at] = byte,
                    1 if at < text.len() => drop(text.remove(at)),
                    2 => text.truncate(at),
                    _ => text.insert(at, byte),
                }
            }
            String::from_utf8(text).ok()
        },
    )
}

fn violation<T: Read>(text: &str) -> Result<T, String> {
    from_str::<T>(text).map_err(|fault| {
        let violation = fault.into_violation();
        format!("{} {violation}", violation.keyword)
    })
}

/// Compares floats with a tolerance: `serde_json` by default doesn't always read the nearest one.
fn equal(ours: &Value, serdes: &Value) -> bool {
    match (ours, serdes) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|((k, a), (l, b))| k == l && equal(a, b))
        }
        (Value::Number(a), Value::Number(b)) if a.is_f64() && b.is_f64() => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= a.abs() * 1e-14 + f64::MIN_POSITIVE
        }
        _ => ours == serdes,
    }
}

fn alike(text: &str) -> Result<(), TestCaseError> {
    let serdes = serde_json::from_str::<Value>(text);
    match (violation::<Value>(text), &serdes) {
        (Ok(ours), Ok(serdes)) => {
            prop_assert!(equal(&ours, serdes), "{text}: {ours} and {serdes}");
            // both refuse duplicate keys
            prop_assert!(bridge::exact(&mut serde_json::Deserializer::from_str(text)).is_ok());
        }
        (Err(ours), Ok(_)) if ours.contains("twice") => {
            let exact = bridge::exact(&mut serde_json::Deserializer::from_str(text));
            prop_assert!(exact.is_err_and(|error| error.to_string().contains("twice")), "{text}: {ours}");
        }
        (Err(ours), Ok(_)) => prop_assert!(ours.contains("more digits than can be kept"), "{text}: {ours}"),
        (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("out of range"), "{text}: {error}"),
        (Err(_), Err(_)) => {}
    }
    // skipping checks the grammar as reading does
    let (read, skipped) = (violation::<Value>(text), violation::<Skipped>(text));
    match (&read, &skipped) {
        (Ok(_), skipped) => prop_assert!(skipped.is_ok(), "{text}: {skipped:?}"),
        (Err(read), Ok(_)) => prop_assert!(read.starts_with("type "), "{text}: {read}"),
        (Err(read), Err(skipped)) if read.starts_with("json ") => prop_assert_eq!(read, skipped),
        (Err(_), Err(_)) => {}
    }
    // a typed read agrees, too
    let serdes = serdes.is_ok_and(|value| value.is_string());
    prop_assert_eq!(violation::<String>(text).is_ok(), serdes);
    Ok(())
}

#[derive(Debug)]
struct Skipped;

impl Read for Skipped {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let mut ahead = reader.clone();
        let raw = ahead.raw()?;
        reader.skip()?;
        assert!(reader.at >= raw.len() && reader.text[..reader.at].ends_with(raw));
        Ok(Self)
    }
}

proptest! {
    #[test]
    fn values_come_back_as_they_were(value in value()) {
        let mut out = Vec::new();
        value.write(&mut out);
        prop_assert_eq!(&out, &serde_json::to_vec(&value).unwrap());
        let text = String::from_utf8(out).unwrap();
        prop_assert_eq!(violation::<Value>(&text), Ok(value.clone()));
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        prop_assert_eq!(violation::<Value>(&pretty), Ok(value));
    }

    #[test]
    fn broken_texts_are_refused_as_serde_refuses_them(text in broken()) {
        alike(&text)?;
    }

    #[test]
    fn garbage_is_refused_as_serde_refuses_it(text in r#"[\[\]{}",:0-2.eE+\-\\utrfnals \n\ta-c]{0,24}"#) {
        alike(&text)?;
    }

    #[test]
    fn small_texts_are_read_in_the_same_way(text in r#"(\[|\]|\{|\}|,|:|"a"|"b"|1|null|true|-1.5e3| |"\\u0061"|"\\ud800"|tru|0){0,12}"#) {
        alike(&text)?;
    }
}

#[test]
fn is_as_deep_as_serde() {
    for (open, inside, close) in [("[", "", "]"), ("[", "1", "]"), (r#"{"a":"#, "{}", "}"), (r#"[{"a":"#, "1", "}]")] {
        for levels in (60..66).chain(124..130).chain([10_000]) {
            let text = format!("{}{inside}{}", open.repeat(levels), close.repeat(levels));
            let serdes = serde_json::from_str::<Value>(&text).is_ok();
            assert_eq!(from_str::<Value>(&text).is_ok(), serdes, "{levels} of {open}");
            assert_eq!(Reader::new(&text).skip().is_ok(), serdes, "{levels} of {open}");
        }
        assert!(Reader::new(&open.repeat(1_000_000)).skip().is_err());
        assert!(from_str::<Value>(&open.repeat(1_000_000)).is_err());
    }
}
