//! `Builder::only`: what is compiled, what is checked, and what a build of a part has in common with one of the whole folder.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::fs;

use tempfile::TempDir;
use twyla_build::compare::ContractKind;
use twyla_build::lock::{Act, CheckOptions, FILE_NAME, FindingKind, Lock, Request, Role, accept};
use twyla_build::{Builder, Generated};

const MONEY: &str = r#"{ "type": "object", "required": ["cents"], "properties": { "cents": { "type": "integer" } } }"#;
const ORDER: &str =
    r#"{ "type": "object", "required": ["price"], "properties": { "price": { "$ref": "../../shared/money.json" } } }"#;
const PAID: &str =
    r#"{ "type": "object", "required": ["order"], "properties": { "order": { "$ref": "../shop/order.json" } } }"#;
const TEXT: &str = r#"{ "type": "object", "required": ["text"], "properties": { "text": { "type": "string" } } }"#;

/// Three events, one of which refers to another, an RPC, and a shared schema.
const FILES: [(&str, &str); 7] = [
    ("context.json", r#"{ "type": "object" }"#),
    ("events/bank/paid.json", PAID),
    ("events/bot/reply.json", TEXT),
    ("events/shop/order.json", ORDER),
    ("rpc/desk/find/request.json", TEXT),
    ("rpc/desk/find/response.json", TEXT),
    ("shared/money.json", MONEY),
];

fn folder(more: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    FILES.iter().chain(more).for_each(|(path, text)| write(&folder, path, text));
    folder
}

fn write(folder: &TempDir, path: &str, text: &str) {
    let path = folder.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn builder(folder: &TempDir) -> Builder {
    Builder::new(folder.path()).shown_as("schemas")
}

fn only(folder: &TempDir, patterns: &[&str]) -> Generated {
    builder(folder).only(patterns.iter().copied()).generate().unwrap_or_else(|problems| panic!("{problems}"))
}

fn errors(folder: &TempDir, patterns: &[&str]) -> String {
    builder(folder).only(patterns.iter().copied()).generate().unwrap_err().to_string()
}

fn names(generated: &Generated) -> Vec<&str> {
    let rpcs = generated.contracts.rpcs.iter().map(|rpc| rpc.name.as_str());
    generated.contracts.events.iter().map(|event| event.name.as_str()).chain(rpcs).collect()
}

/// The items of a generated file that have this line, up to the next empty line.
fn item(generated: &Generated, begins: &str) -> String {
    let mut lines = generated.code.lines().skip_while(|line| line.trim() != begins);
    let text: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != "}").collect();
    assert!(!text.is_empty(), "{begins} is missing in:\n{}", generated.code);
    text.join("\n")
}

#[test]
fn compiles_the_contracts_that_match() {
    let folder = folder(&[]);
    assert_eq!(names(&only(&folder, &["bot.*"])), ["bot.reply"]);
    assert_eq!(names(&only(&folder, &["bot.reply", "desk.find"])), ["bot.reply", "desk.find"]);
    assert_eq!(names(&only(&folder, &["*"])), names(&builder(&folder).generate().unwrap()));
    assert_eq!(only(&folder, &["*"]).code, builder(&folder).generate().unwrap().code);
    let twice = builder(&folder).only(["bot.reply"]).only(["desk.*"]).generate().unwrap();
    assert_eq!(names(&twice), ["bot.reply", "desk.find"]);
}

#[test]
fn the_index_names_what_is_left_out() {
    let made = only(&folder(&[]), &["bot.*"]);
    assert_eq!(made.contracts.left_out, ["bank.paid", "desk.find", "shop.order"]);
    assert!(made.index.contains("left-out\tshop.order\n"), "{}", made.index);
}

#[test]
fn compiles_the_types_that_a_contract_refers_to() {
    let folder = folder(&[]);
    let (part, whole) = (only(&folder, &["bank.paid"]), builder(&folder).generate().unwrap());
    assert_eq!(names(&part), ["bank.paid"]);
    for begins in ["pub struct Paid {", "pub struct Order {", "pub struct Money {"] {
        assert_eq!(item(&part, begins), item(&whole, begins));
    }
    assert!(!part.code.contains("Reply"), "{}", part.code);
    // the event that is only referred to can't be emitted
    assert!(!part.code.contains("event Order,") && whole.code.contains("event Order,"));
}

#[test]
fn digests_and_records_are_those_of_the_whole_folder() {
    let folder = folder(&[]);
    let (whole, part) = (builder(&folder).contracts().unwrap(), builder(&folder).only(["bank.*"]).contracts().unwrap());
    let found = |name| part.contract(ContractKind::Event, name);
    assert_eq!(part.contracts.len(), 2);
    let digest = whole.contract(ContractKind::Event, "bank.paid").unwrap().bundle.digest();
    assert_eq!(found("bank.paid").unwrap().bundle.digest(), digest);
    assert!(found("shop.order").is_none());
    let begins = "__twyla::contract!(event Paid,";
    let record =
        |made: &Generated| made.code.split_once(begins).map(|(_, rest)| rest.split(");").next().map(str::to_owned));
    assert_eq!(record(&only(&folder, &["bank.*"])), record(&builder(&folder).generate().unwrap()));
}

#[test]
fn a_pattern_without_a_contract_is_an_error_that_names_a_similar_one() {
    let folder = folder(&[]);
    assert_eq!(
        errors(&folder, &["bot.reply", "shop.ordr"]),
        "error: schemas: no event or RPC matches `shop.ordr`, which build.rs names in `.only(…)`; did you mean `shop.order`?"
    );
    assert!(errors(&folder, &["shp.*"]).ends_with("did you mean `shop.*`?"));
    assert!(errors(&folder, &["desk.fnd"]).ends_with("did you mean `desk.find`?"));
    assert!(errors(&folder, &["billing.invoice.sent"]).ends_with("`.only(…)`"));
}

#[test]
fn errors_in_what_is_left_out_do_not_concern_the_build() {
    let broken = [
        ("events/shop/order.json", r#"{ "type": "objct", "$ref": "gone.json" }"#),
        ("events/bank/paid.json", "{ nonsense"),
        ("rpc/desk/find/response.json", r#"{ "type": "objct" }"#),
        ("rpc/desk/find/spare.json", r#"{ "type": "objct" }"#),
        ("shared/money.json", r#"{ "type": "objct" }"#),
    ];
    let folder = folder(&broken);
    assert_eq!(names(&only(&folder, &["bot.reply"])), ["bot.reply"]);
    assert!(errors(&folder, &["bot.reply", "desk.find"]).contains("rpc/desk/find/response.json:1:11"));
    assert!(builder(&folder).generate().is_err());
}

#[test]
fn errors_in_what_a_contract_refers_to_are_reported() {
    let folder = folder(&[("shared/money.json", r#"{ "type": "objct" }"#)]);
    let errors = self::errors(&folder, &["bank.paid"]);
    assert!(errors.starts_with("error: schemas/shared/money.json:1:11:") && errors.lines().count() == 1, "{errors}");
    write(&folder, "shared/money.json", "{ nonsense");
    let errors = self::errors(&folder, &["bank.paid"]);
    assert!(errors.starts_with("error: schemas/shared/money.json:1:") && errors.lines().count() == 1, "{errors}");
}

#[test]
fn a_misspelt_message_of_an_rpc_is_still_recognized() {
    let folder = folder(&[("rpc/desk/store/request.json", TEXT), ("rpc/desk/store/respons.json", TEXT)]);
    assert!(errors(&folder, &["desk.store"]).contains("respons.json"), "{}", errors(&folder, &["desk.store"]));
    assert_eq!(names(&only(&folder, &["desk.find"])), ["desk.find"]);
}

/// Accepts the contracts as they are.
fn lock(folder: &TempDir) {
    let sources = builder(folder).contracts().unwrap();
    let request = Request { subjects: Vec::new(), act: Act::Fitting, keep: None };
    let accepted = accept(&sources, &Lock::default(), &request, &CheckOptions::new("schemas")).unwrap();
    write(folder, FILE_NAME, &accepted.lock.to_string());
}

fn findings(folder: &TempDir, patterns: &[&str]) -> Vec<(String, bool)> {
    let found = builder(folder).only(patterns.iter().copied()).check().unwrap();
    let broken = |kind: &FindingKind| matches!(kind, FindingKind::Broken(_) | FindingKind::Removed);
    found.iter().map(|finding| (finding.subject.name.clone(), broken(&finding.kind))).collect()
}

#[test]
fn the_lock_is_checked_for_the_compiled_contracts() {
    let folder = folder(&[]);
    lock(&folder);
    write(&folder, "events/bot/reply.json", &TEXT.replace("string", "integer"));
    fs::remove_file(folder.path().join("events/shop/order.json")).unwrap();
    write(&folder, "events/bank/paid.json", TEXT);
    write(&folder, "events/shop/sent.json", TEXT);
    assert_eq!(findings(&folder, &["bot.*"]), [("bot.reply".to_owned(), true)]);
    assert_eq!(findings(&folder, &["desk.*"]), []);
    // a contract that a pattern matches is missed
    assert!(findings(&folder, &["shop.*"]).contains(&("shop.order".to_owned(), true)));
}

#[test]
fn a_role_for_what_is_left_out_is_an_error() {
    let folder = folder(&[]);
    lock(&folder);
    let built = builder(&folder).only(["bot.*"]).role(Role::Listener).listens(["shop.order"]);
    let error = built.check().unwrap_err().to_string();
    assert!(
        error.ends_with("build.rs names `shop.order` in `.listens(…)`, but `.only(…)` leaves this contract out"),
        "{error}"
    );
}
