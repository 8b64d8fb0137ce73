//! Values that can be distinguished are enums: created with `From`, matched by variant, and written as they were read.

use twyla_codec::Nullable;
use twyla_codec::event::{Emit, Listen};
use twyla_golden::unions::shop::{
    Change, ChangeAction, ChangeActionCreated, ChangeActionNoted, Contact, ContactBlank, ContactKept, ContactKeptA,
    ContactRepeated, ContactWay, ContactWayA, ContactWayB, Fare, FareCard, Hook, Measure, MeasureDone, MeasureTyped,
    MeasureVersioned, Parcel, Payment, PaymentCard, Review, Values, ValuesAmount, ValuesClashing, ValuesClashingString,
    ValuesFlag, ValuesId, ValuesLevel, ValuesMethod, ValuesMood, ValuesNamed, ValuesPayload, ValuesPlace, ValuesState,
    ValuesTags, ValuesTargets, ValuesTexts, ValuesUntil, ValuesUntilDate,
};

fn read<T: Listen>(text: &str) -> T {
    T::decode(text.as_bytes()).unwrap_or_else(|refusal| panic!("{text}: {refusal}"))
}

fn refused<T: Listen + std::fmt::Debug>(text: &str) -> String {
    T::decode(text.as_bytes()).unwrap_err().to_string()
}

fn written(value: &impl Emit) -> String {
    let mut out = Vec::new();
    value.encode(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_value_of_several_types_has_a_variant_for_each() {
    assert_eq!(read::<Values>(r#"{"id":"ab"}"#).id, Some(ValuesId::String("ab".to_owned())));
    assert_eq!(read::<Values>(r#"{"id":7.0}"#).id, Some(ValuesId::Integer(7)));
    assert_eq!(read::<Values>(r#"{"amount":"12"}"#).amount, Some(ValuesAmount::String("12".to_owned())));
    assert_eq!(read::<Values>(r#"{"amount":0.5}"#).amount, Some(ValuesAmount::Number(0.5)));
    assert!(
        matches!(read::<Values>(r#"{"flag":{"a":true,"b":2}}"#).flag, Some(ValuesFlag::Object(it)) if it.a == Some(true))
    );
    assert!(
        matches!(read::<Values>(r#"{"payload":{"b":2}}"#).payload, Some(ValuesPayload::Object(it)) if it.len() == 1)
    );
}

#[test]
fn each_variant_is_created_from_its_value() {
    let place = ValuesPlace::new(3);
    let values = Values {
        id: Some("ab".into()),
        amount: Some(2.5.into()),
        tags: Some(vec!["x".to_owned()].into()),
        targets: Some(place.into()),
        ..Values::new()
    };
    assert_eq!(written(&values), r#"{"id":"ab","amount":2.5,"tags":["x"],"targets":{"x":3}}"#);
    assert_eq!(ValuesId::from(7), ValuesId::Integer(7));
}

#[test]
fn one_or_many_of_a_type() {
    assert_eq!(read::<Values>(r#"{"tags":"x"}"#).tags, Some(ValuesTags::One("x".to_owned())));
    assert_eq!(read::<Values>(r#"{"tags":[]}"#).tags, Some(ValuesTags::Many(Vec::new())));
    assert_eq!(
        read::<Values>(r#"{"targets":[{"x":1}]}"#).targets,
        Some(ValuesTargets::Many(vec![ValuesPlace::new(1)]))
    );
    let all = |tags: &ValuesTags| {
        let mut out = Vec::new();
        for tag in tags {
            out.push(tag.clone());
        }
        out
    };
    assert_eq!(all(&"x".into()), ["x"]);
    assert_eq!(all(&vec!["x".to_owned(), "y".to_owned()].into()), ["x", "y"]);
    let deep = read::<Values>(r#"{"texts":["a",["b"]]}"#).texts.unwrap();
    assert!(matches!(deep, ValuesTexts::Array(items) if items[0] == ValuesTexts::from("a")));
}

#[test]
fn distinguishes_objects_among_other_types() {
    let method = read::<Values>(r#"{"method":{"kind":"card","x":1}}"#).method;
    assert!(matches!(method, Some(ValuesMethod::Object(_))), "{method:?}");
    assert_eq!(
        refused::<Values>(r#"{"method":{"kind":"check"}}"#),
        r#"/method/kind: "check" is not one of "card", "cash""#
    );
}

#[test]
fn documented_constants_are_an_enum() {
    assert_eq!(read::<Values>(r#"{"state":"b"}"#).state, Some(ValuesState::B));
    assert_eq!(refused::<Values>(r#"{"state":"c"}"#), r#"/state: "c" is not one of "a", "b", "x", "some""#);
    assert_eq!(read::<Values>(r#"{"level":2}"#).level, Nullable::Value(ValuesLevel::Integer(2)));
}

#[test]
fn words_beside_values_of_other_types_are_variants() {
    for (text, until) in [
        (r#"{"until":3}"#, ValuesUntil::Integer(3)),
        (r#"{"until":"forever"}"#, ValuesUntil::Forever),
        (r#"{"until":"night"}"#, ValuesUntil::Night),
        (r#"{"until":{"date":"x"}}"#, ValuesUntil::Date(ValuesUntilDate::new("x"))),
    ] {
        assert_eq!(read::<Values>(text).until, Some(until.clone()), "{text}");
        assert_eq!(written(&Values { until: Some(until), ..Values::new() }), text);
    }
    assert_eq!(refused::<Values>(r#"{"until":"ever"}"#), r#"/until: "ever" is not one of "forever", "noon", "night""#);
    assert_eq!(
        refused::<Values>(r#"{"until":[]}"#),
        "/until: expected an integer, a string or an object, found an array"
    );
    assert_eq!(read::<Values>(r#"{"level":"low"}"#).level, Nullable::Value(ValuesLevel::Low));
}

#[test]
fn a_closed_object_with_nothing_but_its_tag_is_a_variant_without_a_value() {
    for (action, last) in [
        (r#"{"action":"deleted"}"#, ChangeAction::Deleted),
        (r#"{"action":"created","id":3}"#, ChangeAction::Created(ChangeActionCreated::new(3))),
        // a member may be added to an open object, and the variant stays
        (r#"{"action":"noted"}"#, ChangeAction::Noted(ChangeActionNoted::new())),
    ] {
        let text = format!(r#"{{"last":{action}}}"#);
        assert_eq!(read::<Change>(&text).last, last, "{text}");
        assert_eq!(written(&Change::new(last)), text);
    }
    for (action, said) in [
        (
            r#"{"action":"deleted","id":3}"#,
            r#"/last: the member "id" is not allowed: the schema declares only `action`"#,
        ),
        (r#"{"action":"deleted","action":"deleted"}"#, "/last: the member \"action\" appears twice"),
        (r#"{"id":3}"#, "/last: `action` is missing"),
        (r#"{"action":"lost"}"#, r#"/last/action: "lost" is not one of "created", "deleted", "undone", "noted""#),
    ] {
        assert_eq!(refused::<Change>(&format!(r#"{{"last":{action}}}"#)), said, "{action}");
    }
}

#[test]
fn rules_see_the_tag_of_a_variant_without_a_value() {
    assert!(Change::new(ChangeAction::Undone).encode(&mut Vec::new()).is_err());
    assert!(Change::decode(br#"{"last":{"action":"undone"}}"#).is_err());
    assert!(Change::decode(br#"{"last":{"action":"deleted"}}"#).is_ok());
}

#[test]
fn words_keep_a_type_that_has_a_name_or_whose_variants_would_clash() {
    let named = read::<Values>(r#"{"named":"sad"}"#).named;
    assert_eq!(named, Some(ValuesNamed::Mood(ValuesMood::Sad)));
    let clashing = read::<Values>(r#"{"clashing":"integer"}"#).clashing;
    assert_eq!(clashing, Some(ValuesClashing::String(ValuesClashingString::Integer)));
}

#[test]
fn a_value_of_no_variant_is_refused_with_what_was_expected() {
    for (text, said) in [
        (r#"{"id":true}"#, "/id: expected an integer or a string, found the boolean `true`"),
        (r#"{"id":1.5}"#, "/id: expected an integer, found the number `1.5`"),
        (r#"{"id":"a"}"#, r#"/id: "a" has 1 character, and at least 2 are needed"#),
        (r#"{"id":0}"#, "/id: 0 is less than 1"),
        (r#"{"tags":{}}"#, "/tags: expected a string or an array, found an object"),
        (r#"{"tags":["x",1]}"#, "/tags/1: expected a string, found the integer `1`"),
    ] {
        assert_eq!(refused::<Values>(text), said, "{text}");
    }
}

#[test]
fn a_member_of_its_own_distinguishes_an_object() {
    let text = r#"{"amount":1,"card":"ab"}"#;
    let Payment::Card(card) = read::<Payment>(text) else { panic!("another variant") };
    assert_eq!(written(&Payment::from(card)), text);
    assert_eq!(written(&Payment::from(PaymentCard::new(1, "ab"))), text);
    assert!(matches!(read::<Payment>(r#"{"amount":1}"#), Payment::Cash(_)));
    assert!(
        refused::<Payment>(r#"{"amount":1,"card":"ab","iban":"x"}"#).contains("the member \"iban\" is not allowed"),
        "only one of them"
    );
}

#[test]
fn the_member_that_each_requires_distinguishes_open_objects() {
    let way = |text: &str| read::<Contact>(&format!(r#"{{"way":{text}}}"#)).way;
    assert_eq!(
        way(r#"{"x":"y","a":1}"#),
        ContactWay::A(ContactWayA { x: Some("y".to_owned()), ..ContactWayA::new(1) })
    );
    assert_eq!(
        way(r#"{"a":9,"b":2}"#),
        ContactWay::B(ContactWayB::new(2)),
        "`a` is no more than a member that it allows"
    );
    let Contact { way: ContactWay::Hook(hook), .. } = read(r#"{"way":{"hook":"http://x","next":{"a":1}}}"#) else {
        panic!("another variant")
    };
    assert_eq!(hook.next.map(|next| *next), Some(ContactWay::from(ContactWayA::new(1))));
    for (text, said) in [
        (r#"{"way":{"x":"a"}}"#, "/way: `a` or `b` or `hook` is missing"),
        (
            r#"{"way":{"a":1,"b":2}}"#,
            "/way: the object matches the alternatives of both `a` and `b`; exactly one must match",
        ),
        (r#"{"way":{"a":6}}"#, "/way/a: 6 is more than 5"),
        (r#"{"way":{"b":"x","a":6}}"#, "/way/a: 6 is more than 5"),
        (r#"{"way":{"a":[],"b":"x"}}"#, "/way/a: expected an integer, found an array"),
    ] {
        assert_eq!(refused::<Contact>(text), said, "{text}");
    }
}

#[test]
fn members_alike_in_all_variants_have_a_method() {
    let parcel = read::<Parcel>(r#"{"id":"ab","kind":"b","value":2}"#);
    let (id, note): (&str, &Nullable<String>) = (parcel.id(), parcel.note());
    assert_eq!((id, note), ("ab", &Nullable::Absent));
    let way = read::<Payment>(r#"{"amount":1,"iban":"x"}"#);
    assert_eq!(way.amount(), 1);
}

#[test]
fn a_variant_that_requires_a_member_beside_the_union_has_its_type() {
    let Fare::A(fare) = read::<Fare>(r#"{"kind":"a","note":"abc","card":{"pin":"1234"}}"#) else {
        panic!("another variant")
    };
    let note: &str = &fare.note;
    assert_eq!(note, "abc");
    assert!(!format!("{fare:?}").contains("1234"), "{fare:?}");
    assert_eq!(
        refused::<Fare>(r#"{"kind":"a","note":"abcd"}"#),
        "/note: \"abcd\" has 4 characters, and at most 3 are allowed"
    );
}

#[test]
fn titles_that_are_blank_or_repeated_name_no_variant() {
    let contact = read::<Contact>(r#"{"way":{"a":1},"blank":{"a":1},"repeated":{"c":1}}"#);
    assert!(matches!(contact.blank, Some(ContactBlank::A(_))));
    assert!(matches!(contact.repeated, Some(ContactRepeated::C(_))));
}

#[test]
fn a_variant_added_last_renames_no_type_of_a_member_beside_the_union() {
    let Fare::Card(fare) = read::<Fare>(r#"{"kind":"card","card":{"pin":"1234"}}"#) else { panic!("another variant") };
    let card: Option<FareCard> = fare.card;
    assert_eq!(card.and_then(|card| card.pin).as_deref(), Some("1234"));
}

#[test]
fn a_kept_member_of_another_variant_is_refused_when_it_is_sent() {
    let kept = |b: i64| {
        let variant = ContactKeptA { a: 1, extra: [("b".to_owned(), b)].into() };
        Contact { kept: Some(ContactKept::A(variant)), ..Contact::new(ContactWayB::new(1)) }
    };
    assert_eq!(
        written(&kept(1)),
        r#"{"way":{"b":1},"kept":{"a":1,"b":1}}"#,
        "not valid with `b`: at least 2 is needed"
    );
    assert!(kept(2).encode(&mut Vec::new()).unwrap_err().to_string().contains("oneOf"));
}

#[test]
fn any_value_of_a_member_distinguishes_an_object() {
    let typed = |text: &str| read::<Measure>(text).typed.unwrap();
    assert!(matches!(typed(r#"{"typed":{"value":"a"}}"#), MeasureTyped::String(it) if it.value == "a"));
    assert!(matches!(typed(r#"{"typed":{"unit":"m","value":1.5}}"#), MeasureTyped::Number(it) if it.value == 1.5));
    assert_eq!(
        refused::<Measure>(r#"{"typed":{"value":null}}"#),
        "/typed/value: expected a string, a number or an array, found null"
    );
    let versioned = read::<Measure>(r#"{"versioned":{"v":3.0,"a":4}}"#).versioned;
    assert!(matches!(versioned, Nullable::Value(MeasureVersioned::V2(it)) if it.a == Some(4)));
    assert_eq!(
        refused::<Measure>(r#"{"versioned":{"v":4}}"#),
        "/versioned/v: expected 1, 2 or 3, found the integer `4`"
    );
    assert_eq!(refused::<Measure>(r#"{"done":{}}"#), "/done: `ok` is missing");
    assert!(matches!(read::<Measure>(r#"{"done":{"ok":false}}"#).done, Some(MeasureDone::OkFalse(_))));
}

#[test]
fn a_tag_behind_references_distinguishes_objects() {
    assert!(matches!(read::<Hook>(r#"{"at":"x","kind":"a"}"#), Hook::A(it) if it.at.as_deref() == Some("x")));
    assert!(matches!(read::<Hook>(r#"{"kind":"x","a":1}"#), Hook::X(it) if it.a == 1));
    assert!(matches!(read::<Hook>(r#"{"kind":"some","b":1}"#), Hook::B(it) if it.b == Some(1)));
}

#[test]
fn members_that_are_alike_in_all_alternatives_keep_their_type() {
    let review = read::<Review>(r#"{"a":1,"value":{"x":2},"state":"x","b":"y"}"#);
    assert_eq!((review.a, review.value.x, review.state), (1, 2, Nullable::Value("x".to_owned())));
    let conditional = read::<Measure>(r#"{"conditional":{"kind":"b","value":7,"a":"x"}}"#).conditional.unwrap();
    assert_eq!((conditional.value, conditional.a), (Some(7_u64), Some(serde_json::json!("x"))));
    assert_eq!(
        refused::<Review>(r#"{"a":0,"value":{"x":2},"state":"x"}"#).split("; ").next(),
        Some("/a: 0 is less than 1")
    );
}
