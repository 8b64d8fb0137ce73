//! Rule trees by keyword, over values of any kind.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::formats::Format;
use super::super::pattern::Pattern;
use super::*;
use crate::json::Reader;

static ANY: Schema = Schema::ANY;
static NEVER: Schema = Schema::new(&[Rule::Never("not")]);
static STRING: Schema = Schema::new(&[Rule::Type(Types::STRING)]);
static INTEGER: Schema = Schema::new(&[Rule::Type(Types::INTEGER)]);
static POSITIVE: Schema = Schema::new(&[Rule::ExclusiveMinimum(Number::Integer(0))]);
static LOWER: Pattern = Pattern::plain("^[a-z]+$", "^[a-z]+$");

/// Returns each violation: pointer, keyword and message.
fn broken(value: &dyn View, schema: &'static Schema) -> Vec<String> {
    let mut out = Violations::new();
    holds(value, schema, &Path::root(), &mut out);
    let out = out.into_vec();
    assert_eq!(accepts(value, schema), out.is_empty());
    out.into_iter().map(|one| format!("{} {}: {}", one.pointer, one.keyword, one.message)).collect()
}

/// Checks that the good values are accepted, and the bad ones refused with the expected violations.
#[track_caller]
fn expect(schema: &'static Schema, good: &[Value], bad: &[(Value, &[&str])]) {
    for value in good {
        assert_eq!(broken(value, schema), [""; 0], "{value}");
    }
    for (value, said) in bad {
        assert_eq!(broken(value, schema), *said, "{value}");
    }
}

#[test]
fn types_are_those_of_json() {
    static TYPES: Schema = Schema::new(&[Rule::Type(Types::INTEGER.or(Types::NULL).or(Types::OBJECT))]);
    expect(
        &TYPES,
        &[json!(1), json!(-1), json!(1.0), json!(1e300), json!(null), json!({})],
        &[
            (json!(1.5), &[" type: expected an integer, an object or null, found the number `1.5`"]),
            (json!("x"), &[" type: expected an integer, an object or null, found the string \"x\""]),
            (json!([]), &[" type: expected an integer, an object or null, found an array"]),
            (json!(true), &[" type: expected an integer, an object or null, found the boolean `true`"]),
        ],
    );
    expect(&STRING, &[json!("")], &[(json!(null), &[" type: expected a string, found null"])]);
}

#[test]
fn constants_are_equal_as_json_is() {
    static ENUM: Schema = Schema::new(&[Rule::Enum(&Choices {
        words: &["a"],
        integers: &[1],
        numbers: &[],
        others: &[Const::Object(&[("k", Const::Array(&[Const::Number(Number::Integer(1))]))])],
    })]);
    expect(
        &ENUM,
        &[json!("a"), json!(1.0), json!({"k": [1.0]})],
        &[
            (json!("b"), &[" enum: \"b\" is not one of \"a\", 1, {\"k\":[1]}"]),
            (json!({"k": [2]}), &[" enum: {\"k\":[2]} is not one of \"a\", 1, {\"k\":[1]}"]),
            (json!(true), &[" enum: true is not one of \"a\", 1, {\"k\":[1]}"]),
        ],
    );
    static CONST: Schema =
        Schema::new(&[Rule::Const(&Choices { words: &[], integers: &[], numbers: &[], others: &[Const::Null] })]);
    expect(&CONST, &[json!(null)], &[(json!(0), &[" const: 0 is not null"])]);
}

#[test]
fn numbers_are_checked_exactly() {
    static BOUNDS: Schema = Schema::new(&[
        Rule::Minimum(Number::Float(0.5)),
        Rule::ExclusiveMaximum(Number::Integer(1 << 53)),
        Rule::MultipleOf(Factor { mantissa: 1, exponent: -2 }),
    ]);
    expect(
        &BOUNDS,
        &[json!(0.5), json!(19.99), json!((1_u64 << 53) - 1), json!("x"), json!(null)],
        &[
            (json!(0.25), &[" minimum: 0.25 is less than 0.5"]),
            (json!(1_u64 << 53), &[" exclusiveMaximum: 9007199254740992 is not less than 9007199254740992"]),
            (json!(0.555), &[" multipleOf: 0.555 is not a multiple of 0.01"]),
        ],
    );
    assert_eq!(broken(&f64::NAN, &BOUNDS).len(), 3);
}

/// Returns whether a value satisfies a schema, with large numbers as a text has them.
fn holds_as(text: &str, value: &dyn View, schema: &'static Schema) -> bool {
    let received = Reader::new(text).received().unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
    let mut out = Violations::new();
    holds(value, schema, &Path::of(received.as_ref()), &mut out);
    out.is_empty()
}

/// Returns whether a large number satisfies a schema: as it is written, with the shortest digits, and with all.
fn holds_thrice(value: &dyn View, (shortest, all): (&str, &str), schema: &'static Schema) -> [bool; 3] {
    [broken(value, schema).is_empty(), holds_as(shortest, value, schema), holds_as(all, value, schema)]
}

#[test]
fn large_numbers_have_two_decimals() {
    static TO_MAX: Schema = Schema::new(&[Rule::Maximum(Number::Integer(18_446_744_073_709_551_615))]);
    static POWER: Schema =
        Schema::new(&[Rule::Const(&Choices { words: &[], integers: &[1 << 64], numbers: &[], others: &[] })]);
    // between 2^60 and its shortest decimal
    static GAP: Schema = Schema::new(&[Rule::Minimum(Number::Integer(1_152_921_504_606_846_980))]);
    static NOT_GAP: Schema = Schema::new(&[Rule::Not(&GAP)]);
    static FAR: Schema = Schema::new(&[Rule::Maximum(Number::Decimal { digits: "1", exponent: 400 })]);
    static LIST: Schema = Schema::new(&[Rule::Const(&Choices {
        words: &[],
        integers: &[],
        numbers: &[],
        others: &[Const::Array(&[Const::Number(Number::Integer(1 << 64)), Const::Number(Number::Float(0.1))])],
    })]);
    let (power, smaller) = (18_446_744_073_709_551_616.0, 1_152_921_504_606_846_976.0);
    let power_texts = ("18446744073709552000", "18446744073709551616");
    let smaller_texts = ("1152921504606847000", "1152921504606846976");
    assert_eq!(holds_thrice(&power, power_texts, &TO_MAX), [false; 3]);
    assert_eq!(holds_thrice(&json!(u64::MAX), power_texts, &TO_MAX), [true; 3]);
    for value in [&json!(power) as &dyn View, &power] {
        assert_eq!(holds_thrice(value, power_texts, &POWER), [false, false, true]);
    }
    // a field is written with all digits, a `Value` with the shortest
    assert_eq!(holds_thrice(&smaller, smaller_texts, &GAP), [false, true, false]);
    assert_eq!(holds_thrice(&smaller, smaller_texts, &NOT_GAP), [true, false, true]);
    assert_eq!(holds_thrice(&json!(smaller), smaller_texts, &GAP), [true, true, false]);
    assert_eq!(holds_thrice(&json!(smaller), smaller_texts, &NOT_GAP), [false, false, true]);
    let lists = ("[18446744073709552000, 0.1]", "[18446744073709551616, 0.1]");
    assert_eq!(holds_thrice(&json!([power, 0.1]), lists, &LIST), [false, false, true]);
    assert_eq!(holds_thrice(&json!([power, 0.2]), lists, &LIST), [false; 3]);
    assert_eq!(holds_thrice(&f64::MAX, ("1.7976931348623157e308", &format!("{}", f64::MAX)), &FAR), [true; 3]);
    assert_eq!(broken(&power, &TO_MAX), [" maximum: 18446744073709552000 is more than 18446744073709551615"]);
}

#[test]
fn each_large_number_is_taken_as_it_was_received() {
    // `a` is less than one limit, and `b` more than another
    static LESS: Schema = Schema::new(&[Rule::ExclusiveMaximum(Number::Integer(1_152_921_504_606_846_980))]);
    static MORE: Schema = Schema::new(&[Rule::ExclusiveMinimum(Number::Integer(1_152_921_504_606_846_990))]);
    static BOTH: Schema = Schema::new(&[Rule::Members(&Members {
        properties: &[("a", &LESS), ("b", &MORE)],
        patterns: &[],
        others: None,
    })]);
    static EITHER: Schema = Schema::new(&[Rule::AnyOf(&[&BOTH])]);
    static UNIQUE: Schema = Schema::new(&[Rule::UniqueItems]);
    let (short, all) = ("1152921504606847000", "1152921504606846976");
    let large = 1_152_921_504_606_846_976.0;
    let object = BTreeMap::from([("a".to_owned(), large), ("b".to_owned(), large)]);
    for (a, b) in [(all, short), (short, all), (all, all), (short, short)] {
        let text = format!(r#"{{"b":{b},"a":{a}}}"#);
        for value in [&json!({"a": large, "b": large}) as &dyn View, &object] {
            assert_eq!(holds_as(&text, value, &EITHER), (a, b) == (all, short), "{text}");
        }
        for (zeros, more) in [("", Vec::new()), ("1,2,3,4,5,6,", vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])] {
            let (text, list) = (format!("[{zeros}{a},{b}]"), [more, vec![large, large]].concat());
            for value in [&json!(list) as &dyn View, &list] {
                assert_eq!(holds_as(&text, value, &UNIQUE), a != b, "{text}");
            }
        }
    }
}

#[test]
fn strings_count_characters() {
    static TEXT: Schema = Schema::new(&[Rule::MinLength(2), Rule::MaxLength(3), Rule::Pattern(&LOWER)]);
    expect(
        &TEXT,
        &[json!("ab"), json!("abc"), json!(1)],
        &[
            (json!("a"), &[" minLength: \"a\" has 1 character, and at least 2 are needed"]),
            (json!("äöü"), &[" pattern: \"äöü\" doesn't match the pattern ^[a-z]+$"]),
            (json!("abcd"), &[" maxLength: \"abcd\" has 4 characters, and at most 3 are allowed"]),
        ],
    );
    static DATE: Schema = Schema::new(&[Rule::Format(Format::Date)]);
    expect(
        &DATE,
        &[json!("2024-02-29"), json!(1)],
        &[(json!("2023-02-29"), &[" format: \"2023-02-29\" is not a valid date"])],
    );
}

#[test]
fn arrays_are_checked_item_by_item() {
    static TUPLE: Schema = Schema::new(&[
        Rule::PrefixItems(&[&STRING, &INTEGER]),
        Rule::Items { from: 2, schema: &NEVER, keyword: "items" },
    ]);
    expect(
        &TUPLE,
        &[json!([]), json!(["a"]), json!(["a", 1]), json!({})],
        &[
            (
                json!([1, "a"]),
                &[
                    "/0 type: expected a string, found the integer `1`",
                    "/1 type: expected an integer, found the string \"a\"",
                ],
            ),
            (json!(["a", 1, 2]), &[" items: the array has 3 items, and at most 2 are allowed"]),
        ],
    );
    static LIST: Schema = Schema::new(&[
        Rule::MinItems(1),
        Rule::MaxItems(3),
        Rule::UniqueItems,
        Rule::Items { from: 0, schema: &INTEGER, keyword: "items" },
    ]);
    expect(
        &LIST,
        &[json!([1, 2])],
        &[
            (json!([]), &[" minItems: the array has 0 items, and at least 1 is needed"]),
            (json!([1, 2, 3, 4]), &[" maxItems: the array has 4 items, and at most 3 are allowed"]),
            (json!([1, 1.0]), &[" uniqueItems: item 1 equals an earlier item"]),
        ],
    );
    static CONTAINS: Schema = Schema::new(&[Rule::Contains { schema: &STRING, min: 2, max: Some(3), evaluates: true }]);
    expect(
        &CONTAINS,
        &[json!(["a", 1, "b"]), json!(["a", "b", "c"])],
        &[
            (json!(["a", 1]), &[" minContains: 1 item matches `contains`, and at least 2 are needed"]),
            (
                json!(["a", "b", "c", "d"]),
                &[" maxContains: more than 3 items match `contains`, and at most 3 are allowed"],
            ),
        ],
    );
}

#[test]
fn objects_are_checked_member_by_member() {
    static CLOSED: Schema = Schema::new(&[
        Rule::Required(&["a"]),
        Rule::Members(&Members {
            properties: &[("a", &INTEGER), ("b", &ANY)],
            patterns: &[(&LOWER, &POSITIVE)],
            others: Some(&NEVER),
        }),
    ]);
    expect(
        &CLOSED,
        &[json!({"a": 1, "b": 2, "c": 3}), json!({"a": 1, "b": "x"}), json!([])],
        &[
            (json!({}), &[" required: `a` is missing"]),
            (json!({"a": -1}), &["/a exclusiveMinimum: -1 is not more than 0"]),
            (
                json!({"a": 1, "C": 3}),
                &[" additionalProperties: the member \"C\" is not allowed: the schema doesn't declare it"],
            ),
        ],
    );
    static OTHERS: Schema = Schema::new(&[
        Rule::Members(&Members { properties: &[("a", &ANY)], patterns: &[], others: Some(&STRING) }),
        Rule::MinProperties(1),
        Rule::MaxProperties(2),
        Rule::PropertyNames(&LOWER_NAME),
    ]);
    static LOWER_NAME: Schema = Schema::new(&[Rule::Pattern(&LOWER)]);
    expect(
        &OTHERS,
        &[json!({"a": 1, "b": "x"})],
        &[
            (json!({"b": 1}), &["/b type: expected a string, found the integer `1`"]),
            (json!({}), &[" minProperties: the object has 0 members, and at least 1 is needed"]),
            (
                json!({"a": 1, "b": "", "c": ""}),
                &[" maxProperties: the object has 3 members, and at most 2 are allowed"],
            ),
            (
                json!({"A": "x"}),
                &[" propertyNames: the member name \"A\" is not allowed: \"A\" doesn't match the pattern ^[a-z]+$"],
            ),
        ],
    );
    static DEPENDENT: Schema = Schema::new(&[
        Rule::DependentRequired(&[("card", &["name", "date"])]),
        Rule::DependentSchemas(&[("card", &WITH_NAME)]),
    ]);
    static WITH_NAME: Schema =
        Schema::new(&[Rule::Members(&Members { properties: &[("name", &STRING)], patterns: &[], others: None })]);
    expect(
        &DEPENDENT,
        &[json!({"name": 1}), json!({"card": 1, "name": "x", "date": 1})],
        &[(
            json!({"card": 1, "name": 1}),
            &[
                " dependentRequired: `date` is missing; it is required if `card` is present",
                "/name type: expected a string, found the integer `1`",
            ],
        )],
    );
}

#[test]
fn combinations_report_the_nearest_reason() {
    static CARD: Schema = Schema::new(&[
        Rule::Required(&["number"]),
        Rule::Members(&Members { properties: &[("kind", &IS_CARD), ("number", &STRING)], patterns: &[], others: None }),
    ]);
    static IS_CARD: Schema =
        Schema::new(&[Rule::Const(&Choices { words: &["card"], integers: &[], numbers: &[], others: &[] })]);
    static ANY_OF: Schema = Schema::new(&[Rule::AnyOf(&[&STRING, &POSITIVE_INTEGER, &IS_OBJECT_CARD])]);
    static POSITIVE_INTEGER: Schema = Schema::new(&[Rule::AllOf(&[&INTEGER, &POSITIVE])]);
    static IS_OBJECT_CARD: Schema = Schema::new(&[Rule::Type(Types::OBJECT), Rule::Ref(&CARD)]);
    expect(
        &ANY_OF,
        &[json!("x"), json!(1), json!({"kind": "card", "number": "1"})],
        &[
            (json!(-1), &[" anyOf: the value matches none of the 3 schemas of `anyOf`: -1 is not more than 0"]),
            (
                json!({"kind": "card", "number": 1}),
                &[
                    " anyOf: the value matches none of the 3 schemas of `anyOf`: /number: expected a string, found the integer `1`",
                ],
            ),
        ],
    );
    static ONE_OF: Schema = Schema::new(&[Rule::OneOf(&[&INTEGER, &POSITIVE])]);
    expect(
        &ONE_OF,
        &[json!(-1), json!(0.5), json!("x")],
        &[
            (
                json!(1),
                &[" oneOf: the value matches the schemas 1 and 2 of `oneOf` (counted from 1); exactly one must match"],
            ),
            (json!(-0.5), &[" oneOf: the value matches neither of the 2 schemas of `oneOf`: -0.5 is not more than 0"]),
        ],
    );
    static NOT: Schema = Schema::new(&[Rule::Not(&STRING)]);
    expect(&NOT, &[json!(1)], &[(json!(""), &[" not: the value matches the schema of `not`, which must not match"])]);
    static IF: Schema = Schema::new(&[Rule::If { test: &INTEGER, then: Some(&POSITIVE), otherwise: Some(&STRING) }]);
    expect(
        &IF,
        &[json!(1), json!("x")],
        &[
            (json!(-1), &[" exclusiveMinimum: -1 is not more than 0"]),
            (json!(null), &[" type: expected a string, found null"]),
        ],
    );
}

#[test]
fn what_is_evaluated_counts_only_where_it_holds() {
    static WITH_A: Schema = Schema::new(&[
        Rule::Required(&["a"]),
        Rule::Members(&Members { properties: &[("a", &INTEGER)], patterns: &[], others: None }),
    ]);
    static WITH_B: Schema =
        Schema::new(&[Rule::Members(&Members { properties: &[("b", &STRING)], patterns: &[], others: None })]);
    static CLOSED: Schema = Schema::new(&[Rule::AnyOf(&[&WITH_A, &WITH_B]), Rule::UnevaluatedProperties(&NEVER)]);
    expect(
        &CLOSED,
        &[json!({"a": 1}), json!({"b": "x"}), json!({"a": 1, "b": "x"})],
        &[
            (
                json!({"a": 1, "b": 2}),
                &[" unevaluatedProperties: the member \"b\" is not allowed: no schema of the object declares it"],
            ),
            (
                json!({"a": "x"}),
                &[" unevaluatedProperties: the member \"a\" is not allowed: no schema of the object declares it"],
            ),
        ],
    );
    // an outer schema doesn't see as evaluated what an inner one leaves open, nor accepts what it refuses
    static INNER: Schema = Schema::new(&[
        Rule::AllOf(&[&CLOSED]),
        Rule::Members(&Members { properties: &[("c", &ANY)], patterns: &[], others: None }),
    ]);
    assert_eq!(broken(&json!({"a": 1, "c": 1}), &INNER).len(), 1);
    static ITEMS: Schema = Schema::new(&[
        Rule::If { test: &FIRST_STRING, then: None, otherwise: None },
        Rule::Contains { schema: &INTEGER, min: 1, max: None, evaluates: true },
        Rule::UnevaluatedItems(&NEVER),
    ]);
    static FIRST_STRING: Schema = Schema::new(&[Rule::PrefixItems(&[&STRING])]);
    expect(
        &ITEMS,
        &[json!(["a", 1, 2]), json!([1])],
        &[
            (json!(["a", 1, "b"]), &[" unevaluatedItems: item 2 is not allowed: no schema of the array declares it"]),
            (json!([]), &[" contains: 0 items match `contains`, and at least 1 is needed"]),
        ],
    );
}

#[test]
fn the_outermost_resource_has_the_word() {
    static LIST: Schema = Schema {
        rules: &[Rule::Items { from: 0, schema: &LIST_ITEM, keyword: "items" }],
        resource: Some(&LIST_RESOURCE),
    };
    static LIST_ITEM: Schema =
        Schema { rules: &[Rule::DynamicRef { anchor: "item", first: &ANY }], resource: Some(&LIST_RESOURCE) };
    static LIST_RESOURCE: Resource = Resource { anchors: &[("item", &ANY)] };
    static STRINGS: Schema = Schema { rules: &[Rule::Ref(&LIST)], resource: Some(&STRINGS_RESOURCE) };
    static STRINGS_RESOURCE: Resource = Resource { anchors: &[("item", &STRING)] };
    expect(&LIST, &[json!([1, "x"])], &[]);
    expect(&STRINGS, &[json!(["x"])], &[(json!([1]), &["/0 type: expected a string, found the integer `1`"])]);
}

#[test]
fn typed_values_are_checked_like_their_json() {
    static SCHEMA: Schema = Schema::new(&[
        Rule::Type(Types::OBJECT),
        Rule::Members(&Members { properties: &[("n", &LIST)], patterns: &[], others: Some(&NEVER) }),
    ]);
    static LIST: Schema =
        Schema::new(&[Rule::UniqueItems, Rule::Items { from: 0, schema: &POSITIVE, keyword: "items" }]);
    let map = |values: Vec<i64>| BTreeMap::from([("n".to_owned(), values)]);
    assert_eq!(broken(&map(vec![1, 2]), &SCHEMA), [""; 0]);
    assert_eq!(
        broken(&map(vec![1, 1, -1]), &SCHEMA),
        ["/n uniqueItems: item 1 equals an earlier item", "/n/2 exclusiveMinimum: -1 is not more than 0"]
    );
    assert_eq!(broken(&Some(Box::new(true)), &SCHEMA), [" type: expected an object, found the boolean `true`"]);
    assert_eq!(broken(&Map::new(), &SCHEMA), [""; 0]);
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!({"end": 1}), |value, _| json!({ "a": value }))
}

#[test]
fn nothing_goes_on_for_ever() {
    // a reference to itself in place
    static RING: Schema = Schema::new(&[Rule::Not(&RING_BACK)]);
    static RING_BACK: Schema = Schema::new(&[Rule::AnyOf(&[&RING])]);
    assert_eq!(broken(&1_i64, &RING), [" json: more than 500 nested schemas validate the value"]);

    // a value of the maximum depth, through the longest chain of schemas that the limit allows
    static DEEP: Schema = Schema::new(&[Rule::AnyOf(&[&DEEP_INSIDE])]);
    static DEEP_INSIDE: Schema = Schema::new(&[Rule::AllOf(&[&DEEP_MEMBERS])]);
    static DEEP_MEMBERS: Schema =
        Schema::new(&[Rule::Members(&Members { properties: &[("a", &DEEP)], patterns: &[], others: Some(&ANY) })]);
    assert_eq!(broken(&nested(120), &DEEP), [""; 0]);
    assert_eq!(broken(&nested(400), &DEEP), [" json: more than 500 nested schemas validate the value"]);

    // two branches at each level
    static DOUBLE: Schema = Schema::new(&[Rule::AnyOf(&[&DOUBLE_ONE, &DOUBLE_TWO])]);
    static DOUBLE_ONE: Schema = Schema::new(&[Rule::Members(&DOUBLE_MEMBERS), Rule::Required(&["b"])]);
    static DOUBLE_TWO: Schema = Schema::new(&[Rule::Members(&DOUBLE_MEMBERS), Rule::Required(&["c"])]);
    static DOUBLE_MEMBERS: Members = Members { properties: &[("a", &DOUBLE)], patterns: &[], others: Some(&INTEGER) };
    let both = (0..60).fold(json!({}), |value, _| json!({"a": value, "b": 1}));
    let mut out = Violations::new();
    holds(&both, &DOUBLE, &Path::root(), &mut out);
    let said: Vec<String> = out.into_vec().into_iter().map(|one| one.message).collect();
    assert_eq!(said, ["validation takes too long: the schema has too many combinations"]);
}

#[test]
fn reports_at_most_a_hundred() {
    static STRINGS: Schema = Schema::new(&[Rule::Items { from: 0, schema: &NEITHER, keyword: "items" }]);
    static NEITHER: Schema = Schema::new(&[Rule::AnyOf(&[&STRING, &NEVER])]);
    let many: Vec<i64> = (0..100_000).collect();
    let mut out = Violations::new();
    holds(&many, &STRINGS, &Path::root(), &mut out);
    assert_eq!(out.into_vec().len(), 100);
}

/// An undecided pattern never makes a value valid, whatever surrounds it.
#[test]
fn what_is_given_up_counts_as_broken() {
    static HOSTILE: Pattern = Pattern::backtracking(r"^(a|a)*(?=b)\1$", r"^(a|a)*(?=b)\1$");
    static UNKNOWN: Pattern = Pattern::plain("(", "(");
    static MATCHES: Schema = Schema::new(&[Rule::Pattern(&HOSTILE)]);
    static CANNOT: Schema = Schema::new(&[Rule::Pattern(&UNKNOWN)]);
    static NOT: Schema = Schema::new(&[Rule::Not(&MATCHES)]);
    static NOT_CANNOT: Schema = Schema::new(&[Rule::Not(&CANNOT)]);
    static ONE: Schema = Schema::new(&[Rule::OneOf(&[&MATCHES, &STRING])]);
    static ANY_OF: Schema = Schema::new(&[Rule::AnyOf(&[&MATCHES, &INTEGER])]);
    static NAMED: Schema =
        Schema::new(&[Rule::Members(&Members { properties: &[], patterns: &[(&HOSTILE, &NEVER)], others: None })]);
    let long = "a".repeat(100);
    for (schema, value) in [
        (&MATCHES, json!(long)),
        (&NOT, json!(long)),
        (&ONE, json!(long)),
        (&ANY_OF, json!(long)),
        (&NAMED, json!({ long.as_str(): 1 })),
        (&CANNOT, json!("a")),
        (&NOT_CANNOT, json!("a")),
    ] {
        let said = broken(&value, schema);
        let why = |said: &String| said.contains("takes too long: too many ways") || said.contains("can't be compiled");
        assert!(said.len() == 1 && said.iter().all(|said| said.starts_with(" pattern: ") && why(said)), "{said:?}");
    }
    // decidable texts are decided
    expect(&NOT, &[json!("aac")], &[]);
}
