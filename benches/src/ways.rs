//! Each variant to decode and encode the events of a contract. Each is checked before anything is timed.

use std::hint::black_box;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use twyla_runtime::event::{Emit, Listen};

use crate::contracts::{compiled, demo, events, typify};
use crate::{bare, instances};

/// The number of events per contract.
pub const EVENTS: usize = 400;

/// A contract with its events, and the variants to read and write them.
pub struct Contract {
    /// The name in the table.
    pub name: &'static str,
    /// The total size of its events in bytes.
    pub bytes: usize,
    /// The variants from text to a value.
    pub decode: Vec<Way>,
    /// The variants from a value to text.
    pub encode: Vec<Way>,
}

/// One variant.
pub struct Way {
    /// Its kind.
    pub kind: Kind,
    pass: Box<dyn Fn()>,
}

impl Way {
    /// Processes all events of the contract once.
    pub fn pass(&self) {
        (self.pass)();
    }
}

/// The kind of a variant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// serde's derive on a struct written by hand, and `serde_json`: nothing is checked.
    Bare,
    /// Twyla, every rule checked.
    Twyla,
    /// typify's types, which check some rules, and `serde_json`.
    Typify,
    /// `Value`, the `jsonschema` crate's compile-time validator, and the bare struct.
    Compiled,
    /// `Value`, the `jsonschema` crate's validator as it is built at run time, and the bare struct.
    Runtime,
    /// The bare struct and `sonic-rs`.
    Sonic,
}

impl Kind {
    /// The name in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Twyla => "Twyla",
            Self::Typify => "typify",
            Self::Compiled => "jsonschema, compiled",
            Self::Runtime => "jsonschema",
            Self::Sonic => "bare, sonic-rs",
        }
    }
}

/// All four contracts.
#[must_use]
pub fn all() -> Vec<Contract> {
    type Bare = bare::pull_request::PullRequestOpened;
    vec![
        contract::<demo::api::UserInput, bare::chat::UserInput, typify::chat::UserInput>(
            "chat event",
            include_str!("../../schemas/events/api/user_input.json"),
            &instances::many(EVENTS, instances::chat),
            compiled::Chat::is_valid,
        ),
        contract::<events::shop::OrderPlaced, bare::order::OrderPlaced, typify::order::OrderPlaced>(
            "order",
            include_str!("../schemas/events/shop/order_placed.json"),
            &instances::many(EVENTS, instances::order),
            compiled::Order::is_valid,
        ),
        contract::<events::cloud::Event, bare::cloud_event::Event, typify::cloud_event::CloudEvent>(
            "CloudEvent",
            include_str!("../schemas/events/cloud/event.json"),
            &instances::many(EVENTS, instances::cloud_event),
            compiled::CloudEvent::is_valid,
        ),
        contract::<events::github::PullRequestOpened, Bare, typify::pull_request::PullRequestOpenedEvent>(
            "pull request",
            include_str!("../schemas/events/github/pull_request_opened.json"),
            &instances::many(EVENTS, instances::pull_request),
            compiled::PullRequest::is_valid,
        ),
    ]
}

/// The variants of one contract: `T` is Twyla's type, `B` the handwritten one, `Y` typify's.
fn contract<T, B, Y>(name: &'static str, schema: &str, texts: &[Vec<u8>], compiled: fn(&Value) -> bool) -> Contract
where
    T: Listen + Emit + PartialEq,
    B: DeserializeOwned + Serialize + 'static,
    Y: DeserializeOwned + 'static,
{
    let schema = serde_json::from_str(schema).expect("a schema is JSON");
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema is one");
    let typed: Vec<(T, B)> = texts
        .iter()
        .map(|text| {
            let shown = String::from_utf8_lossy(text);
            let value: Value = serde_json::from_slice(text).expect("an event is JSON");
            if let Some(error) = validator.iter_errors(&value).next() {
                panic!("{name}: {} {error}: {shown}", error.instance_path());
            }
            assert!(compiled(&value), "{name}: the compiled validator refuses {shown}");
            if let Err(error) = serde_json::from_slice::<Y>(text) {
                panic!("{name}: typify's type refuses {shown}: {error}");
            }
            let twyla = T::decode(text).unwrap_or_else(|refusal| panic!("{name}: Twyla refuses {shown}: {refusal}"));
            let bare: B = serde_json::from_slice(text).unwrap_or_else(|error| panic!("{name}: {error}: {shown}"));
            let mut out = Vec::new();
            T::encode(&twyla, &mut out).unwrap_or_else(|refusal| panic!("{name}: not emitted: {refusal}"));
            // a time may be written in two forms, so compare what is read again
            let again = serde_json::to_vec(&bare).ok().and_then(|text| T::decode(&text).ok());
            assert!(again.as_ref() == Some(&twyla), "{name}: the type by hand holds something else than {shown}");
            assert!(serde_json::from_slice::<B>(&out).is_ok(), "{name}: the type by hand doesn't read what is emitted");
            (twyla, bare)
        })
        .collect();
    let validator = std::sync::Arc::new(validator);
    let (bares, twylas): (Vec<B>, Vec<T>) = typed.into_iter().map(|(twyla, bare)| (bare, twyla)).unzip();
    let bares = std::sync::Arc::new(bares);

    let read = |kind, one: fn(&[u8]) -> bool| {
        let texts = texts.to_vec();
        way(kind, move || texts.iter().for_each(|text| assert!(one(black_box(text)))))
    };
    let decode = vec![
        read(Kind::Bare, |text| black_box(serde_json::from_slice::<B>(text)).is_ok()),
        read(Kind::Twyla, |text| black_box(T::decode(text)).is_ok()),
        read(Kind::Typify, |text| black_box(serde_json::from_slice::<Y>(text)).is_ok()),
        {
            let texts = texts.to_vec();
            way(Kind::Compiled, move || {
                texts.iter().for_each(|text| assert!(by_value::<B>(black_box(text), compiled)));
            })
        },
        {
            let (texts, validator) = (texts.to_vec(), validator.clone());
            way(Kind::Runtime, move || {
                texts
                    .iter()
                    .for_each(|text| assert!(by_value::<B>(black_box(text), |value| validator.is_valid(value))));
            })
        },
        read(Kind::Sonic, |text| black_box(sonic_rs::from_slice::<B>(text)).is_ok()),
    ];

    let write = |kind, one: Box<dyn Fn(&B) -> bool>| {
        let bares = bares.clone();
        way(kind, move || bares.iter().for_each(|value| assert!(one(black_box(value)))))
    };
    let encode = vec![
        write(Kind::Bare, Box::new(|value| black_box(serde_json::to_vec(value)).is_ok())),
        way(Kind::Twyla, move || {
            for value in &twylas {
                // like the start of `to_vec`
                let mut out = Vec::with_capacity(128);
                assert!(black_box(value).encode(&mut out).is_ok());
                black_box(out);
            }
        }),
        write(Kind::Compiled, Box::new(move |value| to_text(value, compiled))),
        write(Kind::Runtime, Box::new(move |value| to_text(value, |value| validator.is_valid(value)))),
        write(Kind::Sonic, Box::new(|value| black_box(sonic_rs::to_vec(value)).is_ok())),
    ];
    Contract { name, bytes: texts.iter().map(Vec::len).sum(), decode, encode }
}

fn way(kind: Kind, pass: impl Fn() + 'static) -> Way {
    Way { kind, pass: Box::new(pass) }
}

fn by_value<B: DeserializeOwned>(text: &[u8], holds: impl Fn(&Value) -> bool) -> bool {
    let Ok(value) = serde_json::from_slice::<Value>(text) else { return false };
    holds(&value) && black_box(serde_json::from_value::<B>(value)).is_ok()
}

fn to_text<B: Serialize>(value: &B, holds: impl Fn(&Value) -> bool) -> bool {
    let Ok(value) = serde_json::to_value(value) else { return false };
    holds(&value) && black_box(serde_json::to_vec(&value)).is_ok()
}
