//! Other services, known from their manifests.

use serde_json::{Value, json};
use twyla_kit::contracts::api::UserInput;
use twyla_kit::contracts::bot::Reply;
use twyla_kit::listeners;
use twyla_runtime::testing::Neighbour;

use crate::{context, failure_of, service};

fn schema(schema: &Value) -> Value {
    json!({ "draft": "2020-12", "formats": true, "root": "it.json", "documents": { "it.json": schema } })
}

/// A service that emits `api.user_input` and listens to `bot.reply`, with the given schemas.
fn neighbour(input: Value, reply: Value, context: Value) -> Neighbour {
    let manifest = json!({
        "format": "twyla-contracts 1",
        "service": "web",
        "version": "1.2.0",
        "emits": [{ "event": "api.user_input", "content": "1", "context": "3" }],
        "listens": [{ "event": "bot.reply", "group": "web", "content": "2", "context": "3", "handler": "web::show" }],
        "schemas": { "1": schema(&input), "2": schema(&reply), "3": schema(&context) },
    });
    Neighbour::parse(&manifest.to_string()).unwrap()
}

fn input() -> Value {
    json!({
        "type": "object",
        "properties": {
            "emission": { "type": "string", "minLength": 1, "maxLength": 200 },
            "from": { "type": "string" },
        },
        "required": ["emission"],
    })
}

fn reply() -> Value {
    json!({ "type": "object", "properties": { "text": { "type": "string" } }, "required": ["text"] })
}

fn around() -> Value {
    json!({ "type": "object", "properties": { "channel": { "type": "string", "minLength": 1 } }, "required": ["channel"] })
}

#[tokio::test]
async fn compatible_neighbours_pass() {
    let web = neighbour(input(), reply(), around());
    web.expect_understood(listeners());
    web.expect_accepts::<Reply>();
    let test = service().await;
    test.give(UserInput::new("hello"), context()).await;
    assert_eq!(web.expect_accepts_emitted(&test), 1);
}

#[test]
fn reports_events_of_neighbours_that_would_be_refused_here() {
    let mut longer = input();
    longer["properties"]["attempt"] = json!({ "type": "integer", "minimum": 0, "maximum": 3 });
    let message = failure_of(|| neighbour(longer, reply(), around()).expect_understood(listeners()));
    let begin = "web may emit a api.user_input that `twyla_kit::answer` in the group `bot` refuses: its content breaks the \
                 listener's contract: /attempt: 0 is less than 1\n";
    assert!(message.starts_with(begin), "{message}");
    let message =
        failure_of(|| neighbour(input(), reply(), json!({ "type": "object" })).expect_understood(listeners()));
    assert!(message.contains("its context breaks the listener's contract: (root): `channel` is missing"), "{message}");
}

#[tokio::test]
async fn reports_events_that_neighbours_would_refuse() {
    let mut shorter = reply();
    shorter["properties"]["text"]["maxLength"] = 12.into();
    let web = neighbour(input(), shorter, around());
    let message = failure_of(|| web.expect_accepts::<Reply>());
    assert!(
        message.starts_with("this service emits a bot.reply that web refuses in the group `web`: its content"),
        "{message}"
    );
    assert!(message.contains("and at most 12 are allowed"), "{message}");
    let test = service().await;
    test.give(UserInput::new("hello"), context()).await;
    assert!(failure_of(|| web.expect_accepts_emitted(&test)).contains("\"you said hello\" has 14 characters"));
}

#[test]
fn a_neighbour_without_common_contracts_is_an_error() {
    let web = neighbour(input(), reply(), around());
    let message = failure_of(|| web.expect_accepts::<UserInput>());
    assert_eq!(message, "nothing was checked: web doesn't listen to api.user_input, but to bot.reply");
    let message = failure_of(|| web.expect_understood(twyla_runtime::listeners![]));
    assert_eq!(message, "nothing was checked: web emits api.user_input, and these listeners listen to nothing");
}

#[test]
fn refuses_an_invalid_manifest() {
    for (text, why) in [
        ("{", "is not a manifest: EOF"),
        (r#"{"format":"twyla-contracts 9","service":"x","schemas":{}}"#, "is of the format \"twyla-contracts 9\""),
        (
            r#"{"format":"twyla-contracts 1","service":"x","schemas":{},"emits":[{"event":"a.b","content":"1","context":"2"}]}"#,
            "is not a manifest: the schema 1 is missing",
        ),
    ] {
        let error = Neighbour::parse(text).unwrap_err().to_string();
        assert!(error.starts_with(why), "{error}");
    }
    let error = Neighbour::read("no/such.contracts.json").unwrap_err().to_string();
    assert!(error.starts_with("no/such.contracts.json: "), "{error}");
}
