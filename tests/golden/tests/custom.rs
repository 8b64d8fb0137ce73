//! Traits, builders and replaced types of generated code, with the options in `options.rs`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;

use twyla_codec::Nullable;
use twyla_codec::event::{Emit, Listen};
use twyla_golden::custom::shop::{
    Charged, ChargedBy, ChargedByCard, ChargedPrice, ChargedRefund, ChargedTicket, Moved, MovedColor, MovedPlace,
    Noted, OrderPlaced, OrderPlacedColor, SeatedHowMuch, SeatedWhere, SeatedWhereDoor, SeatedWhich,
};
use twyla_golden::own::{Decimal, Id, Money, Network, Several};

const ORDER: &str = r#"{"order":"o-1","customer":"c-1","placed_at":"2026-01-02T03:04:05Z","color":"green","kind":"order",
    "lines":[{"article":"lamp","price":{"cents":500,"currency":"EUR"}}],"total":{"cents":500,"currency":"EUR"},"paid":null,
    "tax":"0.95","count":1,"rate":0.19}"#;

fn money(cents: i64) -> Money {
    Money { cents, currency: "EUR".to_owned(), memo: None }
}

fn order() -> OrderPlaced {
    OrderPlaced::decode(ORDER.as_bytes()).unwrap()
}

/// The order with a member replaced or added.
fn with(member: &str, value: &str) -> String {
    let mut order: serde_json::Value = serde_json::from_str(ORDER).unwrap();
    order[member] = serde_json::from_str(value).unwrap();
    order.to_string()
}

fn refusal(text: &str) -> String {
    OrderPlaced::decode(text.as_bytes()).unwrap_err().to_string()
}

fn sent(order: &OrderPlaced) -> Result<serde_json::Value, String> {
    let mut out = Vec::new();
    order.encode(&mut out).map_err(|refusal| refusal.to_string())?;
    Ok(serde_json::from_slice(&out).unwrap())
}

#[test]
fn types_have_the_traits_that_their_members_have() {
    fn compared<T: Copy + Eq + Ord + Hash>() {}
    fn hashed<T: Eq + Hash>() {}
    compared::<MovedPlace>();
    compared::<Moved>();
    compared::<OrderPlacedColor>();
    hashed::<Noted>();
    hashed::<SeatedWhich>();
    compared::<SeatedWhere>();
    let place = MovedPlace::new(3);
    assert!(place < MovedPlace { seat: Nullable::Value(1), ..place });
    assert_eq!(HashSet::from([place, place]).len(), 1);
    assert_eq!(OrderPlacedColor::default(), OrderPlacedColor::Green);
    assert_eq!(BTreeMap::from([(place, 1)]).get(&place), Some(&1));
    assert_eq!(HashMap::from([(Noted::default(), 1)]).get(&Noted::new()), Some(&1));
}

#[test]
fn an_enum_of_words_is_parsed_listed_and_displayed() {
    assert_eq!(MovedColor::ALL, [MovedColor::Red, MovedColor::Green]);
    for color in MovedColor::ALL {
        assert_eq!(color.to_string().parse(), Ok(*color));
    }
    assert_eq!(format!("{:>5}|", MovedColor::Red), "  red|");
    let error = "Red".parse::<MovedColor>().unwrap_err();
    assert_eq!(error.to_string(), r#""Red" is not one of "red", "green""#);
}

#[test]
fn a_builder_takes_members_in_any_order() {
    let built = OrderPlaced::builder()
        .rate(0.19)
        .total(money(500))
        .tax(Decimal("0.95".to_owned()))
        .lines(order().lines)
        .note("by bike")
        .order("o-1")
        .customer("c-1")
        .count(1)
        .color(OrderPlacedColor::Green)
        .placed_at("2026-01-02T03:04:05Z".parse().unwrap())
        .build();
    assert_eq!(built, OrderPlaced { note: Some("by bike".to_owned()), paid: Nullable::Absent, ..order() });
}

#[test]
fn the_last_value_of_a_member_of_a_builder_counts() {
    let builder = OrderPlaced::builder().rate(0.1).total(money(1)).rate(0.19).order("o-1").customer("c-1");
    let builder = builder.placed_at("2026-01-02T03:04:05Z".parse().unwrap()).color(OrderPlacedColor::Green);
    let built = builder.lines(Vec::new()).tax(Decimal::default()).count(1).total(money(2)).build();
    assert_eq!((built.rate, built.total), (0.19, money(2)));
}

#[test]
fn a_replacing_type_reads_what_the_schema_allows() {
    let order = order();
    assert_eq!((order.total, order.tax, order.paid), (money(500), Decimal("0.95".to_owned()), Nullable::Null));
    assert_eq!(order.lines[0].price, money(500));
    // neither is known to serde's `Money`
    let text = with("total", r#"{"cents":7.0,"currency":"EUR","undeclared":true}"#);
    assert_eq!(OrderPlaced::decode(text.as_bytes()).unwrap().total, money(7));
    // what is read need not be what the type would write
    let text = with("tax", r#""1.50""#);
    assert_eq!(OrderPlaced::decode(text.as_bytes()).unwrap().tax, Decimal("1.5".to_owned()));
    let text = with("networks", r#"["a","b"]"#);
    let several = Several(vec!["a".to_owned(), "b".to_owned()]);
    assert_eq!(OrderPlaced::decode(text.as_bytes()).unwrap().networks, Some(several));
}

#[test]
fn what_arrives_is_held_to_the_rules_of_the_schema_first() {
    for (member, value, refused) in [
        ("total", r#"{"cents":-1,"currency":"EUR"}"#, "/total/cents"),
        ("total", r#"{"cents":1,"currency":"eur"}"#, "/total/currency"),
        ("total", r#"{"cents":1}"#, "/total"),
        ("lines", r#"[{"article":"a","price":{"cents":-1,"currency":"EUR"}}]"#, "/lines/0/price/cents"),
        ("tax", r#""01.5""#, "/tax"),
        ("paid", r#"{"cents":-1,"currency":"EUR"}"#, "/paid/cents"),
        // a rule of the whole order, about a member of a replaced part
        ("total", r#"{"cents":0,"currency":"EUR"}"#, "note"),
    ] {
        let text = refusal(&with(member, value));
        assert!(text.contains(refused), "{member} {value}: {text}");
    }
}

#[test]
fn what_a_replacing_type_does_not_accept_is_refused_at_its_place() {
    let text = refusal(&with("network", r#""""#));
    assert_eq!(text, "/network: `twyla_golden::own::Network` doesn't accept the value: a network without a name");
}

#[test]
fn what_is_sent_is_a_value_of_the_schema() {
    let expected: serde_json::Value = serde_json::from_str(ORDER).unwrap();
    assert_eq!(sent(&order()), Ok(expected.clone()));
    let memo = Money { memo: Some("private".to_owned()), ..money(500) };
    assert_eq!(sent(&OrderPlaced { total: memo, ..order() }), Ok(expected));
    for (order, refused) in [
        (OrderPlaced { total: money(-1), ..order() }, "/total/cents"),
        (OrderPlaced { total: money(0), ..order() }, "note"),
        (OrderPlaced { tax: Decimal("1.5".to_owned()), ..order() }, "/tax"),
        (
            OrderPlaced { network: Some(Network(String::new())), ..order() },
            "the value can't be written as JSON: a network without a name",
        ),
    ] {
        let text = sent(&order).unwrap_err();
        assert!(text.contains(refused), "{text}");
    }
}

#[test]
fn a_named_type_of_another_version_is_not_used() {
    assert_eq!(OrderPlaced { later: Some("a text".to_owned()), ..order() }.later.as_deref(), Some("a text"));
}

#[test]
fn serde_reads_and_writes_types_with_replaced_parts() {
    let value = serde_json::to_value(order()).unwrap();
    assert_eq!(serde_json::from_value::<OrderPlaced>(value).unwrap(), order());
    let unnamed = OrderPlaced { network: Some(Network(String::new())), ..order() };
    assert!(serde_json::to_value(unnamed).is_err());
}

fn charged(members: &str) -> String {
    format!(r#"{{"by":{{"kind":"card","amount":{{"cents":1,"currency":"EUR"}}}}{members}}}"#)
}

fn read_charged(members: &str) -> Result<Charged, String> {
    Charged::decode(charged(members).as_bytes()).map_err(|refusal| refusal.to_string())
}

#[test]
fn an_enum_of_branches_is_compared_as_they_are() {
    let door = SeatedWhere::Door(SeatedWhereDoor::new());
    assert!(SeatedWhich::Integer(9) < SeatedWhich::String("a".to_owned()));
    assert_eq!(HashSet::from([door, door]).len(), 1);
    // a float has a partial order only, which is derived on demand
    assert!(SeatedHowMuch::Number(0.5) < SeatedHowMuch::Number(1.5));
}

#[test]
fn variants_of_a_union_are_replaced() {
    let card = ChargedBy::Card(ChargedByCard::new(money(1)));
    assert_eq!(read_charged(""), Ok(Charged::new(card.clone())));
    let uuid = "0190f5c8-0000-7000-8000-000000000001";
    for (members, charged) in [
        (
            r#","refund":{"cents":2,"currency":"EUR"}"#,
            Charged { refund: Some(ChargedRefund::Money(money(2))), ..Charged::new(card.clone()) },
        ),
        (
            r#","refund":[{"cents":2.0,"currency":"EUR","undeclared":1}]"#,
            Charged { refund: Some(ChargedRefund::Array(vec![money(2)])), ..Charged::new(card.clone()) },
        ),
        (
            &format!(r#","refund":"{uuid}""#),
            Charged { refund: Some(ChargedRefund::Uuid(uuid.parse().unwrap())), ..Charged::new(card.clone()) },
        ),
        (
            r#","price":"1.50""#,
            Charged { price: Some(ChargedPrice::String(Decimal("1.5".to_owned()))), ..Charged::new(card.clone()) },
        ),
        (r#","price":true"#, Charged { price: Some(ChargedPrice::Boolean(true)), ..Charged::new(card.clone()) }),
        (r#","ticket":7"#, Charged { ticket: Some(ChargedTicket::Id(Id::Number(7))), ..Charged::new(card.clone()) }),
        (
            r#","ticket":"a""#,
            Charged { ticket: Some(ChargedTicket::Id(Id::Text("a".to_owned()))), ..Charged::new(card.clone()) },
        ),
        (r#","ticket":false"#, Charged { ticket: Some(false.into()), ..Charged::new(card.clone()) }),
    ] {
        assert_eq!(read_charged(members), Ok(charged), "{members}");
    }
}

#[test]
fn variants_that_are_replaced_keep_the_rules_of_the_schema() {
    for (members, refused) in [
        (r#","refund":{"cents":-1,"currency":"EUR"}"#, "/refund/cents"),
        (r#","refund":[{"cents":-1,"currency":"EUR"}]"#, "/refund/0/cents"),
        (r#","price":"1.5""#, "/price"),
        (r#","ticket":-1"#, "/ticket"),
        (r#","ticket":"""#, "/ticket"),
        (r#","ticket":[]"#, "/ticket: expected a boolean, a number or a string, found an array"),
    ] {
        let text = read_charged(members).unwrap_err();
        assert!(text.contains(refused), "{members}: {text}");
    }
    let mut out = Vec::new();
    let unsent = Charged::new(ChargedBy::Card(ChargedByCard::new(money(-1))));
    assert!(unsent.encode(&mut out).unwrap_err().to_string().contains("/by/amount/cents"));
    let memo = Money { memo: Some("private".to_owned()), ..money(1) };
    let sent = Charged { refund: Some(ChargedRefund::Array(vec![memo])), ..read_charged("").unwrap() };
    sent.encode(&mut out).unwrap();
    let refund = r#","refund":[{"cents":1,"currency":"EUR"}]"#;
    let expected: serde_json::Value = serde_json::from_str(&charged(refund)).unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&out).unwrap(), expected);
}
