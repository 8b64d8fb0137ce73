//! Bounds that are beyond 64 bits, and beyond every `f64`: none is an error, and each keeps its meaning.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::fs;

use serde_json::{Value, json};
use twyla_build::compare::{self, Bundle, Mode, Options, Validity};
use twyla_build::{Builder, Draft};

/// The generated code of an event with a property of a schema, and all warnings.
fn code(schema: &str) -> (String, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let event = format!(r#"{{ "type": "object", "properties": {{ "a": {schema} }} }}"#);
    fs::create_dir_all(folder.path().join("events/shop")).unwrap();
    fs::write(folder.path().join("context.json"), "{}").unwrap();
    fs::write(folder.path().join("events/shop/placed.json"), event).unwrap();
    let generated = Builder::new(folder.path()).generate().unwrap_or_else(|problems| panic!("{schema}: {problems}"));
    (generated.code, generated.warnings.iter().map(ToString::to_string).collect())
}

#[test]
fn a_bound_that_every_value_keeps_says_nothing_of_the_type() {
    for (schema, type_) in [
        (r#"{ "type": "integer", "minimum": 0, "exclusiveMaximum": 18446744073709551616 }"#, "u64"),
        (r#"{ "type": "integer", "minimum": -9223372036854776000, "maximum": 9223372036854776000 }"#, "i64"),
        (r#"{ "type": "integer", "minimum": -1e400, "maximum": 1e400 }"#, "i64"),
        (r#"{ "type": "number", "minimum": -1e400, "exclusiveMaximum": 1e400 }"#, "f64"),
        (r#"{ "type": "string", "maxLength": 1e400 }"#, "String"),
    ] {
        let (code, warnings) = code(schema);
        assert_eq!(warnings, [""; 0], "{schema}");
        assert!(code.contains(&format!("pub a: Option<{type_}>")), "{schema}: {code}");
        for rule in ["rules::minimum", "rules::maximum", "rules::exclusive", "rules::max_length", "schema::holds"] {
            assert!(!code.contains(rule), "{schema}: {code}");
        }
    }
}

#[test]
fn a_bound_beyond_64_bits_that_says_something_is_kept() {
    for (schema, rule) in [
        (r#"{ "type": "integer", "minimum": 18446744073709551616 }"#, "rules::minimum(*value, 18446744073709551616, "),
        (r#"{ "type": "integer", "maximum": 9223372036854775806.0 }"#, "rules::maximum(*value, 9223372036854775806, "),
        (r#"{ "type": "integer", "minimum": 1e400 }"#, "schema::holds"),
        (r#"{ "type": "number", "minimum": 1e400 }"#, "schema::holds"),
        (r#"{ "type": "number", "maximum": 9223372036854776000 }"#, "schema::holds"),
        (r#"{ "type": "string", "minLength": 1e400 }"#, "rules::min_length(value, 18446744073709551615, "),
    ] {
        assert!(code(schema).0.contains(rule), "{schema}: {}", code(schema).0);
    }
}

#[test]
fn comparison_and_validation_take_such_bounds() {
    let bundle = |text: &str| Bundle::schema(text, Draft::default()).unwrap_or_else(|problems| panic!("{problems}"));
    let fits = |old: &str, new: &str| compare::compare(&bundle(old), &bundle(new), &Options::subsumption()).fits();
    let (within, beyond) = (r#"{ "exclusiveMaximum": 18446744073709551616 }"#, r#"{ "maximum": 1e400 }"#);
    assert!(fits(within, beyond) && !fits(beyond, within));
    let holds = |schema: &str, value: Value| {
        compare::validate(&bundle(schema), Mode::Subsumption, |it| it.check(&value)).unwrap() == Validity::Valid
    };
    assert!(holds(within, json!(u64::MAX)) && !holds(within, json!(18_446_744_073_709_551_616.0)));
    assert!(holds(beyond, json!(f64::MAX)) && !holds(r#"{ "minimum": 1e400 }"#, json!(1e300)));
    assert!(holds(r#"{ "exclusiveMaximum": 1e400 }"#, json!(f64::MAX)));
    // the limit isn't rounded to the double that is the value
    let to_max = r#"{ "maximum": 18446744073709551615 }"#;
    assert!(holds(to_max, json!(u64::MAX)) && !holds(to_max, json!(18_446_744_073_709_551_616.0)));
    assert!(!holds(r#"{ "minimum": 0.1000000000000000000001 }"#, json!(0.1)));
    // and other readers of JSON take the form
    let form = bundle(beyond).to_string();
    assert!(serde_json::from_str::<Value>(&form).is_ok(), "{form}");
    assert_eq!(Bundle::parse(&form).unwrap().to_string(), form);
}

#[test]
fn a_constant_that_no_value_is_read_as_is_refused() {
    let parse = |text: &str| Bundle::schema(text, Draft::default());
    assert!(parse(r#"{ "enum": [18446744073709551616, 1e22, -9223372036854775808] }"#).is_ok());
    let said = parse(r#"{ "enum": [1, 18446744073709551617] }"#).unwrap_err().to_string();
    assert!(said.contains("schema.json:1:15: 18446744073709551617 can't be read"), "{said}");
}

#[test]
fn a_number_that_is_not_json_is_refused_however_large() {
    let said = Bundle::schema(r#"{ "maximum": 01e400 }"#, Draft::default()).unwrap_err().to_string();
    assert!(said.contains("schema.json:1:15: invalid JSON"), "{said}");
}
