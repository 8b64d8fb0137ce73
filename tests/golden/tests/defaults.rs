//! A property with a `default` is written as it was read: an absent one stays absent, and one equal to its default
//! stays. A method of its name returns the value or the default.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};
use twyla_codec::Nullable;
use twyla_codec::event::{Emit, EventContext, Listen};
use twyla_golden::defaults::Context;
use twyla_golden::defaults::shared::Tree;
use twyla_golden::defaults::shop::{Named, NotReturned, Returned, ReturnedObject, ReturnedUnion, ReturnedWord, Ruled};

fn schema(name: &str) -> Value {
    let text = std::fs::read_to_string(format!("schemas/defaults/{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A member with another value than its default.
fn other(name: &str) -> Value {
    match name {
        "list" | "empty" => json!(["c"]),
        "nested" => json!([[2, 3]]),
        "map" => json!({ "z": 2.5 }),
        "any_map" | "any" => json!({ "a": "b" }),
        "object" => json!({ "id": 8, "tags": ["new"] }),
        "kept" => json!({ "more": "c" }),
        "union" => json!({ "kind": "card", "digits": "0000" }),
        "date" => json!("2025-01-01"),
        "moment" => json!("2025-01-01T00:00:00.5+02:00"),
        "uuid" => json!("00000000-10b1-426f-9247-bb680e5fe0c8"),
        "ipv4" => json!("10.0.0.1"),
        "ipv6" => json!("fe80::1"),
        "word" => json!("udp"),
        "nullable" | "null" | "null_or_word" | "null_or_tree" => Value::Null,
        "pattern" => json!("acc"),
        "ruled" => json!([2, 1]),
        "number" => json!(2.5),
        "text" => json!(""),
        "flag" => json!(true),
        "whole" | "bytes" | "referred" => json!(2),
        _ => panic!("the test doesn't know `{name}`"),
    }
}

/// Trees whose members are absent, equal to their defaults, or different.
fn tree() -> impl Strategy<Value = Value> {
    let leaf = select(vec![json!({}), json!({ "label": "a tree" }), json!({ "label": "x", "right": null })]);
    leaf.prop_recursive(4, 20, 3, |inner| {
        let member = |of: BoxedStrategy<Value>| prop::option::of(of);
        let label = select(vec![json!("a tree"), json!("b")]).boxed();
        let children = prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from).boxed();
        let (left, right) = (inner.clone().boxed(), prop_oneof![Just(Value::Null), inner].boxed());
        (member(label), member(children), member(left), member(right)).prop_map(|(label, children, left, right)| {
            let members = [("label", label), ("children", children), ("left", left), ("right", right)];
            members
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?)))
                .collect::<Map<_, _>>()
                .into()
        })
    })
}

/// Events whose members are absent, equal to their defaults, or different.
fn returned() -> impl Strategy<Value = Value> {
    let schema = schema("events/shop/returned");
    let members = schema["properties"].as_object().unwrap().clone().into_iter().map(|(name, schema)| {
        let value = match name.as_str() {
            "shared" => tree().boxed(),
            "trees" => prop::collection::btree_map("[a-c]", tree(), 0..3).prop_map(|it| json!(it)).boxed(),
            "row" => prop::collection::vec(tree(), 0..3).prop_map(Value::from).boxed(),
            "again" => tree().prop_map(|tree| json!({ "shared": tree, "again": {} })).boxed(),
            // these belong to another type, which drops undeclared properties, or are written without a fraction
            "object" => select(vec![json!({ "id": 7, "note": "n" }), other(&name)]).boxed(),
            "whole" => select(vec![json!(1), other(&name)]).boxed(),
            "referred" => select(vec![json!(50), other(&name)]).boxed(),
            _ => select(vec![schema["default"].clone(), other(&name)]).boxed(),
        };
        prop::option::of(value).prop_map(move |value| Some((name.clone(), value?)))
    });
    members.collect::<Vec<_>>().prop_map(|members| Value::Object(members.into_iter().flatten().collect()))
}

fn written(event: &impl Emit) -> String {
    let mut out = Vec::new();
    event.encode(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Reads a content and writes it again.
fn back<T: Listen + Emit>(value: &Value) -> Value {
    let read = T::decode(value.to_string().as_bytes()).unwrap_or_else(|error| panic!("{value}: {error}"));
    serde_json::from_str(&written(&read)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_read_is_written_unchanged(value in returned()) {
        prop_assert_eq!(back::<Returned>(&value), value);
    }

    #[test]
    fn a_struct_with_a_tree_of_rules_is_written_unchanged(
        a in prop::option::of(select(vec![1, 2])),
        b in prop::option::of(select(vec![json!([1, 2]), json!([])])),
        tree in prop::option::of(tree()),
    ) {
        let members = [("a", a.map(Value::from)), ("b", b), ("tree", tree)];
        let value = Value::Object(members.into_iter().filter_map(|(name, it)| Some((name.to_owned(), it?))).collect());
        let has = |name: &str| value.get(name).is_some();
        let labelled = value.get("tree").is_some_and(|tree| tree.get("label").is_some());
        if has("a") && has("b") || labelled && !has("a") {
            prop_assert!(Ruled::decode(value.to_string().as_bytes()).is_err());
        } else {
            prop_assert_eq!(back::<Ruled>(&value), value);
        }
    }
}

#[test]
fn a_context_is_written_unchanged() {
    for value in [json!({}), json!({ "channel": "web" }), json!({ "channel": "phone" })] {
        let context = Context::decode(value.to_string().as_bytes()).unwrap();
        assert_eq!(context.channel(), value.get("channel").map_or("web", |it| it.as_str().unwrap()));
        let mut out = Vec::new();
        context.encode(&mut out).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), value);
    }
}

#[test]
fn a_set_value_equal_to_the_default_is_written() {
    assert_eq!(written(&Returned::new()), "{}");
    assert_eq!(
        written(&Returned { flag: Some(false), null: Nullable::Null, ..Returned::new() }),
        r#"{"null":null,"flag":false}"#
    );
}

/// Compares the accessors' results on an empty event with the defaults in the schema.
macro_rules! returns_defaults {
    ($event:ident, $schema:ident: $($name:ident)*) => {$(
        assert_eq!(json!($event.$name()), $schema["properties"][stringify!($name)]["default"], stringify!($name));
    )*};
}

#[test]
fn an_accessor_returns_the_default_of_an_absent_property() {
    let (event, schema) = (Returned::new(), schema("events/shop/returned"));
    returns_defaults!(event, schema: list nested empty map any_map kept union word nullable null null_or_word null_or_tree
        pattern ruled any bytes flag number text shared again);
    assert_eq!(event.object(), &ReturnedObject { note: Some("n".into()), ..ReturnedObject::new(7) });
    assert_eq!(event.object().tags(), ["new"]);
    assert_eq!((event.whole(), event.referred(), event.word()), (1, 50, ReturnedWord::Tcp));
    assert_eq!(event.date().to_string(), "2024-02-29");
    assert_eq!(event.moment().timestamp_millis(), 1_709_247_599_250);
    assert_eq!(event.uuid().to_string(), "67e55044-10b1-426f-9247-bb680e5fe0c8");
    assert_eq!((event.ipv4().to_string(), event.ipv6().to_string()), ("127.0.0.1".into(), "::1".into()));
    let ReturnedUnion::Card(card) = event.union() else { panic!("{event:?}") };
    assert_eq!(card.digits(), "4111");
    // defaults within defaults, and a recursive tree
    let tree: &Tree = event.shared();
    assert_eq!((tree.label(), tree.children()[0].children().len()), ("root", 0));
    assert_eq!(tree.left().left().right().and_then(Tree::right).map(Tree::label), Some("right"));
}

#[test]
fn an_accessor_returns_a_present_value() {
    let all: Map<_, _> = schema("events/shop/returned")["properties"]
        .as_object()
        .unwrap()
        .keys()
        .filter_map(|name| {
            let value = match name.as_str() {
                "shared" => json!({ "label": "x", "left": { "label": "y" }, "right": null }),
                "trees" | "row" => return None,
                "again" => json!({ "flag": true }),
                name => other(name),
            };
            Some((name.clone(), value))
        })
        .collect();
    let all = Value::Object(all);
    let event = Returned::decode(all.to_string().as_bytes()).unwrap();
    macro_rules! returns {
        ($($name:ident)*) => {$( assert_eq!(json!(event.$name()), all[stringify!($name)], stringify!($name)); )*};
    }
    returns!(list nested empty map any_map object kept union word nullable null null_or_word null_or_tree pattern ruled any whole
        bytes flag number text shared referred again);
    assert_eq!(event.date().to_string(), "2025-01-01");
    assert_eq!((event.shared().left().label(), event.shared().right()), ("y", None));
}

#[test]
fn an_accessor_hides_no_other_function() {
    let event: Named = Named::new();
    assert_eq!(event.clone(), Named::default());
    // the property `new_or_default` keeps its name, and the other gets a number
    assert!(!event.new_or_default() && event.new_or_default_2());
    assert_eq!((event.default_or_default(), event.clone_or_default()), (1, "a copy"));
    assert_eq!((event.type_(), event.self_(), event.reader(), event.naïve()), ("plain", -1, 0.5, false));
}

#[test]
fn a_sensitive_value_is_hidden_present_or_absent() {
    assert_eq!(Named::new().pass_word(), "none");
    for event in [Named::new(), Named { pass_word: Some("none".into()), ..Named::new() }] {
        let shown = format!("{event:?}");
        assert!(shown.contains("pass_word: [sensitive]") && !shown.contains("none"), "{shown}");
    }
}

#[test]
fn a_default_that_its_schema_refuses_has_no_method() {
    let event = NotReturned::new(1);
    let NotReturned { refused, inner, large, nothing, either, required } = &event;
    assert_eq!((refused, inner, large, nothing, either, required), (&None, &None, &None, &None, &None, &1));
    assert_eq!(written(&event), r#"{"required":1}"#);
    assert!(NotReturned::decode(b"{}").is_err());
}
