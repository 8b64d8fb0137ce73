//! `cargo twyla fleet` as a user runs it: a platform of ten services, what is wrong with it, what can be deployed and in which
//! order, the cycle that forbids one, and manifests that must be refused.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

mod hostile;
mod manifests;
mod platform;

use std::path::Path;
use std::process::Command;

use manifests::Service;
use tempfile::TempDir;

/// What a command says, and its exit code.
fn fleet(folder: &Path, args: &[&str]) -> (String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-twyla"));
    let output = command.args(["twyla", "fleet"]).args(args).current_dir(folder).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (said, output.status.code().unwrap())
}

fn folder(services: &[Service]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    services.iter().for_each(|it| drop(it.write(&folder.path().join("deployed"))));
    folder
}

fn candidates(folder: &TempDir, services: &[Service]) -> Vec<String> {
    let written = services.iter().map(|it| it.write(&folder.path().join("next")));
    written.flat_map(|path| ["--candidate".to_owned(), path.to_str().unwrap().to_owned()]).collect()
}

fn with_candidates(folder: &TempDir, services: &[Service], args: &[&str]) -> (String, i32) {
    let candidates = candidates(folder, services);
    let mut all = vec!["deployed"];
    all.extend(candidates.iter().map(String::as_str));
    all.extend(args);
    fleet(folder.path(), &all)
}

#[test]
fn reports_deployed_services_that_do_not_fit() {
    let folder = folder(&platform::deployed());
    let (said, code) = fleet(folder.path(), &["deployed"]);
    insta::assert_snapshot!("deployed", said);
    assert_eq!(code, 1);

    // nothing of stock 2.9.0 is left, and mail takes credit notes
    platform::mail_next().write(&folder.path().join("deployed"));
    let (said, code) = fleet(folder.path(), &["deployed", "--drained", "stock.reserved.mail"]);
    assert!(said.ends_with("\neverything fits\n"), "{said}");
    assert_eq!(code, 0);
    let (said, code) = fleet(folder.path(), &["deployed"]);
    assert!(said.ends_with("\nof 14 pairs of sender and receiver, 1 waits for a queue to drain\n"), "{said}");
    assert_eq!(code, 1);
    let (said, code) = fleet(folder.path(), &["deployed", "--drained", "stock.reserved.male"]);
    assert_eq!(
        said,
        "error: no service listens to the queue stock.reserved.male; did you mean stock.reserved.mail?: \
         expected <event>.<group>\n"
    );
    assert_eq!(code, 2);
}

#[test]
fn a_cycle_is_shown_and_split() {
    let folder = folder(&platform::deployed());
    let next = [platform::web_next(), platform::bot_next()];
    let (said, code) = with_candidates(&folder, &next, &[]);
    insta::assert_snapshot!("cycle", said);
    assert_eq!(code, 1);

    let (json, code) = with_candidates(&folder, &next, &["--json"]);
    assert_eq!(code, 1);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    insta::assert_snapshot!("cycle_json", format!("{:#}", json[0]["deployment"]));

    let (_, code) = with_candidates(&folder, &next, &["--svg", "fleet.svg"]);
    assert_eq!(code, 1);
    // the README shows it
    let drawn = std::fs::read_to_string(folder.path().join("fleet.svg")).unwrap();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/fleet-cycle.svg");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&kept, &drawn).unwrap();
    }
    assert!(
        std::fs::read_to_string(kept).unwrap() == drawn,
        "docs/fleet-cycle.svg is another; UPDATE=1 writes it again"
    );
}

#[test]
fn one_goes_before_the_other_and_can_be_rolled_back_until_then() {
    let folder = folder(&[platform::web(), platform::bot()]);
    // only the user's input changes: the bot has to take it first
    let bot = Service::new("bot", "2.1.0")
        .listens("api.user_input", "bot", platform::USER_INPUT_WIDER)
        .emits("bot.reply", platform::REPLY)
        .emits("crm.lead", platform::LEAD)
        .calls("booking.find", platform::FIND, platform::BOOKING);
    let web = Service::new("web", "1.4.0").emits("api.user_input", platform::USER_INPUT_WIDER).listens(
        "bot.reply",
        "web",
        platform::REPLY,
    );
    let (said, code) = with_candidates(&folder, &[web.clone(), bot], &[]);
    insta::assert_snapshot!("order", said);
    // the bot calls a service that isn't there, before and after
    assert_eq!(code, 1);

    // alone it has to wait for a bot without a manifest
    let (said, code) = with_candidates(&folder, &[web], &[]);
    insta::assert_snapshot!("waits", said);
    assert_eq!(code, 1);
}

#[test]
fn a_queue_is_drained_before_a_listener_gets_narrower() {
    let order = r#"{ "type": "object", "properties": { "note": { "type": "string" } } }"#;
    let shorter = r#"{ "type": "object", "properties": { "note": { "type": "string", "maxLength": 10 } } }"#;
    let shop = |version, text| Service::new("shop", version).emits("shop.order", text);
    let stock = |version, text| Service::new("stock", version).listens("shop.order", "stock", text);
    let folder = folder(&[shop("1", order), stock("1", order)]);
    let (said, code) = with_candidates(&folder, &[shop("2", shorter), stock("2", shorter)], &[]);
    insta::assert_snapshot!("drain", said);
    assert_eq!(code, 0);

    // the shop is there already: the queue is all that is in the way
    shop("2", shorter).after(shop("1", order)).write(&folder.path().join("deployed"));
    let (said, code) = with_candidates(&folder, &[stock("2", shorter)], &[]);
    insta::assert_snapshot!("drain_first", said);
    assert_eq!(code, 1);
    let (said, code) = with_candidates(&folder, &[stock("2", shorter)], &["--drained", "shop.order.stock"]);
    assert!(said.contains("Can stock 2 be deployed? Yes, now."), "{said}");
    assert_eq!(code, 0);
}

#[test]
fn a_version_that_the_old_one_can_not_run_beside_is_deployed_after_stopping_that() {
    let order = r#"{ "type": "object", "properties": { "note": { "type": "string" } } }"#;
    let shorter = r#"{ "type": "object", "properties": { "note": { "type": "string", "maxLength": 10 } } }"#;
    let shop =
        |version, text| Service::new("shop", version).emits("shop.order", text).listens("shop.order", "audit", text);
    let folder = folder(&[shop("1", shorter)]);
    let (said, code) = with_candidates(&folder, &[shop("2", order)], &[]);
    insta::assert_snapshot!("stop", said);
    assert_eq!(code, 0);
}

#[test]
fn an_app_in_the_field_is_never_rid_of() {
    let text = r#"{ "type": "object", "properties": { "text": { "type": "string" } } }"#;
    let longer = r#"{ "type": "object", "properties": { "text": { "type": "string", "minLength": 1 } } }"#;
    let app = |version, text| Service::new("app", version).in_the_field().emits("api.said", text);
    let bot = |version, text| Service::new("bot", version).listens("api.said", "bot", text);
    let folder = folder(&[app("2", longer).after(app("1", text)), bot("1", text)]);
    let (said, code) = with_candidates(&folder, &[bot("2", longer)], &["--drained", "all"]);
    insta::assert_snapshot!("field", said);
    assert_eq!(code, 1);
}

#[test]
fn the_context_breaks_every_event_and_is_split_off() {
    let said = r#"{ "type": "object", "properties": { "text": { "type": "string" } } }"#;
    let short = r#"{ "type": "object", "properties": { "text": { "type": "string", "maxLength": 9 } } }"#;
    let wider = r#"{ "type": "object", "properties": { "channel": { "type": "string" } }, "required": ["channel"] }"#;
    let web = |version| Service::new("web", version);
    let folder = folder(&[
        web("1").emits("api.said", said).listens("bot.reply", "web", short),
        Service::new("bot", "1").listens("api.said", "bot", said).emits("bot.reply", short),
    ]);
    let next = [
        web("2").context(wider).emits("api.said", said).listens("bot.reply", "web", said),
        Service::new("bot", "2").context(wider).listens("api.said", "bot", said).emits("bot.reply", said),
    ];
    let (said, code) = with_candidates(&folder, &next, &[]);
    insta::assert_snapshot!("context", said);
    assert_eq!(code, 1);
}

#[test]
fn calls_are_compared_in_both_directions() {
    let request = r#"{ "type": "object", "properties": { "pnr": { "type": "string" } }, "required": ["pnr"] }"#;
    let strict =
        r#"{ "type": "object", "properties": { "pnr": { "type": "string", "minLength": 6 } }, "required": ["pnr"] }"#;
    let answer = r#"{ "type": "object", "properties": { "seats": { "type": "integer", "minimum": 0 } } }"#;
    let negative = r#"{ "type": "object", "properties": { "seats": { "type": "integer" } } }"#;
    let caller = |version, request, answer| Service::new("bot", version).calls("booking.find", request, answer);
    let server = |version, request, answer| Service::new("booking", version).serves("booking.find", request, answer);
    let folder = folder(&[caller("1", request, answer), server("1", request, answer)]);

    // the server asks for more: the callers go first, and there is no queue to drain
    let next = [caller("2", strict, answer), server("2", strict, answer)];
    let (said, code) = with_candidates(&folder, &next, &[]);
    insta::assert_snapshot!("calls", said);
    assert_eq!(code, 0);

    // it answers what the caller doesn't take
    let (said, code) = with_candidates(&folder, &[server("3", request, negative)], &[]);
    assert!(said.contains("booking 3 may send the response {\"seats\":-1}"), "{said}");
    assert!(
        said.contains("booking 3 has to wait: bot 1 doesn't fit it; deploy a version of it that fits first"),
        "{said}"
    );
    assert_eq!(code, 1);

    // it may be repeated where the service doesn't let it be
    let repeated = request.replacen('{', r#"{ "idempotent": true,"#, 1);
    let (said, code) = with_candidates(&folder, &[caller("5", &repeated, answer)], &[]);
    assert!(
        said.contains("booking 1 doesn't allow it to be sent again: a caller that gets no answer sends the call again"),
        "{said}"
    );
    assert!(!said.contains("refuse"), "{said}");
    assert_eq!(code, 1);

    // and what is called is not served any more
    let (said, code) = with_candidates(&folder, &[Service::new("booking", "4").emits("booking.gone", request)], &[]);
    insta::assert_snapshot!("not_served", said);
    assert_eq!(code, 1);
    // nor ever was
    let alone = tempfile::tempdir().unwrap();
    caller("1", request, answer).write(&alone.path().join("fleet"));
    let (said, code) = fleet(alone.path(), &["fleet"]);
    assert!(said.ends_with("\n1 call is not served\n"), "{said}");
    assert_eq!(code, 1);
}

#[test]
fn each_folder_is_an_environment() {
    let folder = tempfile::tempdir().unwrap();
    for (environment, services) in [
        ("production", vec![platform::web(), platform::bot()]),
        ("staging", vec![platform::web_next(), platform::bot()]),
    ] {
        services.iter().for_each(|it| drop(it.write(&folder.path().join("fleet").join(environment))));
    }
    let (said, code) = fleet(folder.path(), &["fleet"]);
    assert!(said.starts_with("production: 2 services, 2 edges between them\n"), "{said}");
    assert!(said.contains("\nstaging: 2 services, 2 edges between them\n\n  breaks: api.user_input"), "{said}");
    assert_eq!(code, 1);
    let (said, code) = fleet(folder.path(), &["fleet", "--environment", "productoin"]);
    assert_eq!(said, "error: there is no environment productoin: expected production, staging\n");
    assert_eq!(code, 2);

    platform::web().environment("staging").write(&folder.path().join("fleet/production"));
    let (said, code) = fleet(folder.path(), &["fleet"]);
    assert_eq!(
        said,
        "error: fleet/production/web.contracts.json is in the folder production, but names the environment staging\n"
    );
    assert_eq!(code, 2);
}

#[test]
fn a_version_that_is_deployed_already_moves_nothing() {
    let folder = folder(&[platform::web(), platform::bot()]);
    let (said, code) = with_candidates(&folder, &[platform::web()], &[]);
    assert!(!said.contains("Can web"), "{said}");
    assert_eq!(code, 1, "the bot's call is not served");
}
