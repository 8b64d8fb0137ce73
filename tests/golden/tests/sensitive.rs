//! Neither `Debug` nor errors show values that a schema marks `x-sensitive`.

use std::fmt::Debug;

use serde_json::{Value, json};
use twyla_codec::event::{Emit, EventContext, Listen};
use twyla_golden::sensitive::Context;
use twyla_golden::sensitive::pay::{
    Accounts, Attributes, Charge, Noted, Plain, Refunded, RefundedTo, Reviewed, Settled, SettledTo, Stored, Traced,
};
use twyla_golden::sensitive::rpc::cards::ListResponse;

/// A charge whose sensitive values all contain `4111`.
fn whole() -> Value {
    json!({
        "amount": 3,
        "card": { "number": "411111111111", "holder": "Ada" },
        "tokens": ["4111"],
        "answers": { "pet": "4111" },
        "secret": { "question": "4111" },
        "free": { "pin": 4111, "open": 5 },
        "by": { "kind": "bank", "iban": "4111" },
        "next": { "amount": 4, "tokens": ["4111"] },
    })
}

fn decoded(value: &Value) -> Charge {
    Charge::decode(value.to_string().as_bytes()).unwrap()
}

fn read<E: Listen>(value: &Value) -> E {
    E::decode(value.to_string().as_bytes()).unwrap()
}

fn shown(value: &impl Debug) -> String {
    let shown = format!("{value:?} {value:#?}");
    assert!(!shown.contains("4111"), "{shown}");
    shown
}

#[test]
fn debug_shows_the_others() {
    let charge = decoded(&whole());
    let text = shown(&charge);
    for others in ["amount: 3", "holder: \"Ada\"", "number: [sensitive]", "tokens: [sensitive]", "amount: 4"] {
        assert!(text.contains(others), "{others} in {text}");
    }
    shown(&charge.card);
    shown(&charge.secret);
    shown(&charge.by);
    let context = Context::decode(br#"{"mail":"4111@x.org","channel":"web"}"#).unwrap();
    assert_eq!(format!("{context:?}"), "Context { mail: [sensitive], channel: Some(\"web\") }");
    assert_eq!(format!("{:?}", Plain { amount: Some(7) }), "Plain { amount: Some(7) }");
}

#[test]
fn a_value_hides_by_itself_what_a_schema_around_it_calls_sensitive() {
    let refunded = |to: Value| {
        let event = json!({
            "reason": "fraud",
            "account": { "iban": "4111" },
            "to": to,
            "by": { "person": { "name": "4111", "role": "clerk" } },
            "lines": [{ "text": "4111", "price": 5 }],
        });
        read::<Refunded>(&event)
    };
    let to_bank = refunded(json!({ "kind": "bank", "bank": { "iban": "4111", "name": "Ada" } }));
    shown(&to_bank);
    // a condition
    shown(&to_bank.account);
    // a base beside alternatives
    shown(&to_bank.to);
    let Some(RefundedTo::Bank(bank)) = &to_bank.to else { panic!("{:?}", to_bank.to) };
    assert!(shown(&bank.bank).contains("name: Some(\"Ada\")"));
    // parts of `allOf`
    let person = to_bank.by.and_then(|by| by.person);
    assert!(shown(&person).contains("role: Some(\"clerk\")"));
    assert!(shown(&to_bank.lines).contains("price: Some(5)"));
    // what this alternative calls sensitive, and what only another one does
    let to_card = refunded(json!({ "kind": "card", "card": { "name": "4111" }, "bank": { "name": "Ada" } }));
    shown(&to_card);
    let Some(RefundedTo::Card(card)) = &to_card.to else { panic!("{:?}", to_card.to) };
    shown(&card.card);
    assert!(shown(&card.bank).contains("name: Some(\"Ada\")"));
}

#[test]
fn a_member_that_is_kept_for_a_rule_is_hidden() {
    let event: Reviewed = read(&json!({ "reason": "late", "by": { "role": "clerk", "note": "4111" } }));
    shown(&event);
    assert!(shown(&event.by).contains("role: Some(\"clerk\")"));
}

#[test]
fn declared_members_are_hidden_if_a_schema_calls_any_member_sensitive() {
    let event: Noted = read(&json!({
        "parties": { "payer": { "name": "4111", "role": "clerk" } },
        "marks": { "first": "4111" },
        "keys": { "secret_key": "4111", "open_key": "open" },
        "rest": { "label": "blue", "other": "4111" },
        "combined": { "label": "blue", "kind": "car", "pin": "4111", "other": "4111" },
    }));
    shown(&event);
    let parties = event.parties.unwrap();
    shown(&parties);
    assert!(shown(&parties.payer).contains("role: Some(\"clerk\")"));
    shown(&event.marks);
    assert!(shown(&event.keys).contains("open_key: Some(\"open\")"));
    // the schema with `additionalProperties` or `unevaluatedProperties` declares these itself
    assert!(shown(&event.rest).contains("label: Some(\"blue\")"));
    let combined = shown(&event.combined);
    assert!(combined.contains("label: Some(\"blue\")") && combined.contains("kind: Some(\"car\")"), "{combined}");
}

#[test]
fn a_type_that_another_schema_describes_recursively_is_hidden_from_there_on() {
    let value = json!({ "secret": "4111", "label": "first", "child": { "secret": "4111" } });
    let event: Traced = read(&json!({ "step": value, "node": value }));
    shown(&event);
    let step = event.step.unwrap();
    assert!(shown(&step).contains("label: Some(\"first\")"));
    shown(&step.child);
    // a recursive type hides what its own schema calls sensitive
    let node = event.node.unwrap();
    assert!(shown(&node).contains("child: Some(TracedNode { secret: [sensitive]"), "{node:?}");
}

#[test]
fn a_newtype_is_hidden_if_a_member_or_an_item_is_sensitive() {
    let attributes: Attributes = read(&json!({ "card": "visa", "number": "4111" }));
    assert_eq!(shown(&attributes).split(' ').next(), Some("Attributes([sensitive])"));
    let accounts: Accounts = read(&json!({ "first": { "number": 5, "card": { "number": "4111" } } }));
    shown(&accounts);
    let account = &accounts.0["first"];
    assert!(shown(account).contains("number: Some(5)"));
    shown(&account.card);
    shown(&ListResponse(vec![json!("4111")]));
}

#[test]
fn all_variants_hide_what_the_schema_around_a_union_calls_sensitive() {
    let event: Settled = read(&json!({
        "card": { "number": "411111111111", "holder": "Ada" },
        "to": { "kind": "agent", "iban": "4111", "name": "Ada" },
    }));
    let Some(SettledTo::Agent(agent)) = &event.to else { panic!("{:?}", event.to) };
    assert!(shown(agent).contains("name: Some(\"Ada\")"));
    // a shared type that hides it by its own schema stays visible
    assert!(shown(&event).contains("holder: \"Ada\""));
}

#[test]
fn values_within_a_sensitive_value_are_hidden_by_themselves() {
    let event: Stored = read(&json!({ "vault": { "inner": { "pin": "4111" } }, "slots": [{ "pin": "4111" }] }));
    shown(&event);
    shown(&event.vault.and_then(|vault| vault.inner));
    shown(&event.slots.unwrap()[0]);
}

#[test]
fn errors_name_pointer_and_rule_but_not_the_value() {
    for (pointer, value, expected) in [
        (
            "/card/number",
            json!("4111"),
            "/card/number: the value breaks `pattern`; it is sensitive, so it is not shown",
        ),
        ("/card/number", json!(4111), "/card/number: the value breaks `type`; it is sensitive, so it is not shown"),
        ("/card", json!("4111"), "/card: the value breaks `type`; it is sensitive, so it is not shown"),
        ("/card/holder", json!(""), "/card/holder: \"\" has 0 characters, and at least 1 is needed"),
        (
            "/tokens/0",
            json!("4111411141"),
            "/tokens/0: the value breaks `maxLength`; it is sensitive, so it is not shown",
        ),
        ("/tokens", json!(["4111", "4111", "4111"]), "/tokens: the array has 3 items, and at most 2 are allowed"),
        (
            "/answers/pet",
            json!("41114111"),
            "/answers/pet: the value breaks `maxLength`; it is sensitive, so it is not shown",
        ),
        (
            "/secret/question",
            json!("4111411"),
            "/secret/question: the value breaks `maxLength`; it is sensitive, so it is not shown",
        ),
        ("/by/iban", json!("41114"), "/by/iban: the value breaks `maxLength`; it is sensitive, so it is not shown"),
        ("/next/amount", json!(0), "/next/amount: the value breaks `minimum`; it is sensitive, so it is not shown"),
        ("/amount", json!(0), "/amount: 0 is less than 1"),
    ] {
        let mut broken = whole();
        *broken.pointer_mut(pointer).unwrap() = value;
        let refusal = Charge::decode(broken.to_string().as_bytes()).unwrap_err();
        assert_eq!(refusal.to_string(), expected);
    }
    let mut charge = decoded(&whole());
    charge.tokens = Some(vec!["41114111411141".to_owned()]);
    let refusal = charge.encode(&mut Vec::new()).unwrap_err();
    assert_eq!(refusal.to_string(), "/tokens/0: the value breaks `maxLength`; it is sensitive, so it is not shown");
    let refusal = Context::decode(br#"{"mail":"4111"}"#).unwrap_err();
    assert_eq!(refusal.to_string(), "/mail: the value breaks `format`; it is sensitive, so it is not shown");
}
