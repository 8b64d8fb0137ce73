//! Types of one's own held to a contract: what is said of each, as a test prints it. `UPDATE=1` writes the golden file again.
#![allow(clippy::unwrap_used, reason = "tests may")]
#![allow(dead_code, reason = "only the schemas of the types count")]

use std::fs;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use twyla_build::{Builder, Holds};

const ORDER: &str = r#"{
  "type": "object",
  "properties": {
    "id": { "type": "string", "format": "uuid" },
    "state": { "enum": ["open", "paid", "sent"] },
    "lines": {
      "type": "array",
      "items": {
        "type": "object",
        "properties": {
          "sku": { "type": "string", "pattern": "^[A-Z]{3}$" },
          "count": { "type": "integer", "minimum": 1, "maximum": 1000 }
        },
        "required": ["sku", "count"]
      },
      "maxItems": 50
    },
    "note": { "type": ["string", "null"] }
  },
  "required": ["id", "state", "lines"]
}
"#;

/// Nothing in it may be `null`.
const NOTE: &str = r#"{
  "type": "object",
  "properties": {
    "text": { "type": "string" },
    "state": { "enum": ["open", "paid", "sent"] },
    "count": { "type": "integer" }
  }
}
"#;

fn builder() -> Builder {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("typed");
    fs::create_dir_all(root.join("events/shop")).unwrap();
    fs::write(root.join("context.json"), "{}").unwrap();
    fs::write(root.join("events/shop/order.json"), ORDER).unwrap();
    fs::write(root.join("events/shop/note.json"), NOTE).unwrap();
    Builder::new(root).shown_as("schemas")
}

/// All of it, to the letter.
mod good {
    use super::*;

    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) struct Order {
        #[schemars(extend("format" = "uuid"))]
        id: String,
        state: State,
        #[schemars(length(max = 50))]
        lines: Vec<Line>,
        note: Option<String>,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    pub(super) enum State {
        Open,
        Paid,
        Sent,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) struct Line {
        #[schemars(regex(pattern = "^[A-Z]{3}$"))]
        sku: String,
        #[schemars(range(min = 1, max = 1000))]
        count: u16,
    }
}

/// A listener's narrow view.
#[derive(Serialize, Deserialize, JsonSchema)]
struct View {
    id: String,
    #[serde(default)]
    lines: Vec<serde_json::Value>,
}

/// Nothing is held to its rules.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Loose {
    id: String,
    state: String,
    lines: Vec<serde_json::Value>,
}

/// Reads too little.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Strict {
    #[schemars(extend("format" = "uuid"))]
    id: String,
    state: good::State,
    lines: Vec<Narrow>,
    note: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Narrow {
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    sku: String,
    count: u8,
}

/// What is `None` is left out.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Note {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<good::State>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    count: Option<i64>,
}

/// What is `None` is `null`.
#[derive(Serialize, Deserialize, JsonSchema)]
struct NullNote {
    text: Option<String>,
}

/// A format that only its own code knows.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Odd {
    #[schemars(extend("format" = "partial-date-time"))]
    id: String,
}

/// An enum that lacks a word.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Few {
    state: FewStates,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum FewStates {
    Open,
    Paid,
}

fn said<T: JsonSchema>(holds: Holds) -> String {
    said_of::<T>("shop.order", holds)
}

fn said_of<T: JsonSchema>(contract: &str, holds: Holds) -> String {
    match builder().holds::<T>(contract, holds) {
        Ok(()) => "it holds".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn each_misfit_has_its_own_message() {
    let mut all = String::new();
    let mut add = |name: &str, said: String| all.push_str(&format!("# {name}\n{said}\n\n"));
    add("all of it, both ways", said::<good::Order>(Holds::Both));
    add("a view, as a listener", said::<View>(Holds::Reads));
    add("a view, as a producer", said::<View>(Holds::Emits));
    add("loose, as a listener", said::<Loose>(Holds::Reads));
    add("loose, as a producer", said::<Loose>(Holds::Emits));
    add("strict, both ways", said::<Strict>(Holds::Both));
    add("an enum with too few words", said::<Few>(Holds::Reads));
    add("options that are left out, both ways", said_of::<Note>("shop.note", Holds::Both));
    add("an option that is null, both ways", said_of::<NullNote>("shop.note", Holds::Both));
    add("a format of its own", said::<Odd>(Holds::Reads));
    add("no such contract", builder().holds::<View>("shop.oder", Holds::Both).unwrap_err().to_string());
    let golden = "tests/lock/typed.golden";
    if std::env::var_os("UPDATE").is_some() {
        fs::write(golden, &all).unwrap();
    }
    assert_eq!(fs::read_to_string(golden).unwrap_or_default(), all, "UPDATE=1 accepts");
}

/// Whether serde itself agrees with what is said of a witness.
#[test]
fn serde_refuses_what_the_misfits_list() {
    let read = |text: &str| serde_json::from_str::<Strict>(text).is_err();
    assert!(read(r#"{"id":"","state":"open","lines":[]}"#));
    assert!(read(r#"{"id":"","state":"open","lines":[{"sku":"AAA","count":256}],"note":""}"#));
    assert!(serde_json::from_str::<Few>(r#"{"state":"sent"}"#).is_err());
    assert!(serde_json::from_str::<View>(r#"{"id":"","state":"open"}"#).is_ok());
    let note = Note { text: None, state: None, count: None };
    assert_eq!(serde_json::to_string(&note).unwrap(), "{}");
    assert_eq!(serde_json::to_string(&NullNote { text: None }).unwrap(), r#"{"text":null}"#);
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Said {
    #[schemars(length(min = 1, max = 4000))]
    emission: String,
}

#[test]
fn the_demo_contract_is_found_from_the_package() {
    twyla_build::assert_reads::<Said>("api.user_input");
    twyla_build::assert_emits::<Said>("api.user_input");
    twyla_build::assert_contract::<Said>("api.user_input");
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Asked {
    #[schemars(regex(pattern = "^[A-Z0-9]{6}$"))]
    pnr: String,
}

#[test]
fn a_type_holds_to_an_idempotent_request() {
    twyla_build::assert_contract::<Asked>("navitaire-api.get_booking/request");
}

#[test]
#[should_panic(
    expected = "`View` doesn't satisfy the contract `api.user_input` (../schemas/events/api/user_input.json:1:1)"
)]
fn a_false_assertion_panics() {
    twyla_build::assert_contract::<View>("api.user_input");
}

/// What the book shows of a struct that is there already, and what is said of it.
mod book {
    use super::*;

    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) struct Said {
        emission: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(regex(pattern = "^[a-z]{2}$"))]
        language: Option<String>,
    }
}

#[test]
fn the_book_shows_the_messages() {
    let error = Builder::new("../schemas").shown_as("schemas").holds::<book::Said>("api.user_input", Holds::Both);
    let said = error.unwrap_err().to_string();
    let text = fs::read_to_string("../docs/book/src/own-structs.md").unwrap();
    assert!(text.contains(&format!("```text\n{said}\n```\n")), "{said}");
}
