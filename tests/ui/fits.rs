//! Bound structs on the wire: what they read and write, and that the contract is checked there too.

mod contracts {
    twyla_runtime::include_contracts!();
}

use std::net::Ipv4Addr;
use std::num::NonZeroU8;

use chrono::{DateTime, Utc};
use twyla_runtime::event;
use twyla_runtime::event::{Emit, Event, Listen};
use uuid::Uuid;

#[event("shop.order")]
#[derive(Debug, PartialEq)]
struct Order {
    order_id: Box<str>,
    quantity: u32,
    note: Option<String>,
    gift: Option<bool>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default = "large")]
    size: contracts::shop::OrderSize,
    type_: Option<String>,
}

fn large() -> contracts::shop::OrderSize {
    contracts::shop::OrderSize::Large
}

#[event("shop.order", emit)]
struct Small {
    #[serde(rename = "order-id")]
    id: String,
    quantity: u8,
    note: serde_json::Value,
}

#[event("api.user_input", listen)]
struct Trusted {
    #[event(unchecked)]
    attempt: Option<NonZeroU8>,
}

#[event("shop.order")]
#[derive(Debug)]
struct Dated {
    order_id: String,
    quantity: u32,
    note: Option<String>,
    ordered: Option<DateTime<Utc>>,
    key: Option<String>,
}

#[event("shop.order", emit)]
struct Keyed {
    order_id: Uuid,
    quantity: u32,
    note: Ipv4Addr,
    key: Uuid,
}

type Maybe<T> = Option<T>;

#[event("api.user_input")]
struct Aliased {
    emission: String,
    language: Maybe<String>,
}

fn encoded(event: &impl Emit) -> Result<String, String> {
    let mut out = b"before ".to_vec();
    let result = event.encode(&mut out);
    let text = String::from_utf8(out).unwrap();
    let text = text.strip_prefix("before ").unwrap().to_owned();
    match result {
        Ok(()) => Ok(text),
        Err(refusal) => {
            assert_eq!(text, "", "on an error nothing is appended");
            Err(refusal.to_string())
        }
    }
}

fn order() -> Order {
    Order { order_id: "7".into(), quantity: 3, note: None, gift: None, tags: Vec::new(), size: large(), type_: None }
}

#[test]
fn is_the_event() {
    assert_eq!((Order::NAME, Order::DOMAIN, Order::EVENT_TYPE), ("shop.order", "shop", "order"));
    assert_eq!(Order::SCHEMA, contracts::shop::Order::SCHEMA);
}

#[test]
fn reads_with_defaults_and_ignores_undeclared_members() {
    let read = Order::decode(br#"{"order-id":"7","quantity":3.0,"note":null,"price":1.5,"type":"x"}"#).unwrap();
    assert_eq!(read, Order { type_: Some("x".to_owned()), ..order() });
}

#[test]
fn writes_no_absent_property_and_null_where_one_is_required() {
    assert_eq!(encoded(&order()).unwrap(), r#"{"order-id":"7","quantity":3,"note":null,"tags":[],"size":"large"}"#);
    let small = Small { id: "1".to_owned(), quantity: 1, note: "hi".into() };
    assert_eq!(encoded(&small).unwrap(), r#"{"order-id":"1","quantity":1,"note":"hi"}"#);
    let aliased = Aliased { emission: "hello".to_owned(), language: None };
    assert_eq!(encoded(&aliased).unwrap(), r#"{"emission":"hello"}"#);
}

#[test]
fn the_contract_checks_rules_that_the_type_lacks() {
    let refused = encoded(&Order { quantity: 100_001, ..order() }).unwrap_err();
    assert!(refused.contains("/quantity"), "{refused}");
    let refused = encoded(&Small { id: String::new(), quantity: 1, note: 3.into() }).unwrap_err();
    assert!(refused.contains("/note"), "{refused}");
    let refused = Order::decode(br#"{"order-id":"7","quantity":-1,"note":null}"#).unwrap_err().to_string();
    assert!(refused.contains("/quantity"), "{refused}");
    // also for members that the struct leaves out
    let refused = Order::decode(br#"{"order-id":"7","quantity":1,"note":null,"price":-1}"#).unwrap_err().to_string();
    assert!(refused.contains("/price"), "{refused}");
}

#[test]
fn a_trusted_field_is_trusted_only_at_compile_time() {
    let read = Trusted::decode(br#"{"emission":"x","attempt":3}"#).unwrap();
    assert_eq!(read.attempt, NonZeroU8::new(3));
    assert_eq!(Trusted::decode(br#"{"emission":"x"}"#).unwrap().attempt, None);
    assert!(Trusted::decode(br#"{"emission":"x","attempt":0}"#).is_err());
    assert!(Trusted::decode(br#"{"attempt":3}"#).is_err());
}

#[test]
fn a_format_is_its_type_or_text() {
    let text = r#"{"order-id":"7","quantity":3,"note":null,"ordered":"2026-01-02T03:04:05+01:00","key":"KEY"}"#;
    let id = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    let read = Dated::decode(text.replace("KEY", id).as_bytes()).unwrap();
    assert_eq!(read.ordered.unwrap().to_rfc3339(), "2026-01-02T02:04:05+00:00");
    let encoded_again = encoded(&read).unwrap();
    assert!(
        encoded_again.contains(r#""ordered":"2026-01-02T02:04:05Z""#) && encoded_again.contains(id),
        "{encoded_again}"
    );
    let refused = Dated::decode(text.as_bytes()).unwrap_err();
    assert_eq!((&*refused.violations[0].pointer, refused.violations[0].keyword), ("/key", "format"));
    let key = id.parse().unwrap();
    let keyed = Keyed { order_id: key, quantity: 1, note: Ipv4Addr::LOCALHOST, key };
    let expected = format!(r#"{{"order-id":"{id}","quantity":1,"note":"127.0.0.1","key":"{id}"}}"#);
    assert_eq!(encoded(&keyed).unwrap(), expected);
}
