//! What is really on the wire is held to the document by Python's `jsonschema`: a test that needs Python's libraries.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};
use twyla_runtime::{Bus, Fail, Wire};
use twyla_tests::{Here, Ping, Place, Script, dead_letters, here, listener, within};

use super::{Command, Path, twyla, write};

here!(Mine, "held");

const PING: &str = r#"{
    "$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "required": ["n", "text"],
    "properties": { "n": { "type": "integer", "minimum": 0 }, "text": { "type": "string", "minLength": 1 } }
}"#;
const CONTEXT: &str = r#"{
    "$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "required": ["channel"],
    "properties": { "channel": { "type": "string", "minLength": 1 } }
}"#;

/// The body of an event in this form, as the bus has sent it.
async fn emitted(form: Wire) -> Vec<u8> {
    let bus = Bus::in_memory().wire(form);
    let script = Script::<Mine>::new(|_| async { Err(Fail::park("as it came").into()) });
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    bus.emit(Ping::<Mine>::new(7), Here::new("web")).await.unwrap();
    let letters = dead_letters(&bus, Mine::EVENT, "one", 1).await;
    running.stop().await;
    letters[0].body.to_vec()
}

/// What the document refuses of each message, as JSON Pointers.
fn refused(document: &Path, messages: &[Value]) -> Vec<Value> {
    let python = std::env::var("TWYLA_TEST_PYTHON_PEER");
    let mut command = Command::new(python.expect("TWYLA_TEST_PYTHON_PEER is not set: run `cargo xtask test`"));
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/asyncapi/hold.py")).arg(document).arg(Mine::EVENT);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for message in messages {
        writeln!(input, "{message}").unwrap();
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
#[ignore = "needs Python's libraries: cargo xtask test installs them"]
async fn an_emitted_event_is_what_the_document_says() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &[("schemas/events/held/ping.json", PING), ("schemas/context.json", CONTEXT)]);
        let (said, code) = twyla(folder.path(), &["asyncapi", "--out", "document.json"]);
        assert_eq!((said.as_str(), code), ("", 0));
        let (sample, code) = twyla(folder.path(), &["sample", Mine::EVENT, "--envelope"]);
        assert_eq!(code, 0, "{sample}");

        let emitted: Value = serde_json::from_slice(&emitted(Wire::Envelope).await).unwrap();
        let sample: Value = serde_json::from_str(&sample).unwrap();
        let mut messages = vec![emitted.clone(), sample];
        for (pointer, value) in [
            ("/meta/version", json!("1.0")),
            ("/meta/session_id", json!("a session")),
            ("/meta/timestamp", json!("soon")),
            ("/content/text", json!("")),
            ("/context/channel", json!(1)),
            ("/event_name", json!("held.pong")),
        ] {
            let mut message = emitted.clone();
            *message.pointer_mut(pointer).unwrap() = value;
            messages.push(message);
        }
        let expected = [
            json!([]),
            json!([]),
            json!(["/meta/version"]),
            json!(["/meta/session_id"]),
            json!(["/meta/timestamp"]),
            json!(["/content/text"]),
            json!(["/context/channel"]),
            json!(["/event_name"]),
        ];
        assert_eq!(refused(&folder.path().join("document.json"), &messages), expected);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Python's libraries: cargo xtask test installs them"]
async fn an_emitted_cloud_event_is_what_the_document_says() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &[("schemas/events/held/ping.json", PING), ("schemas/context.json", CONTEXT)]);
        for (form, name, start) in [
            (Wire::CloudEventsBinary, "cloudevents-binary", ""),
            (Wire::CloudEventsStructured, "held=cloudevents-structured", "/data"),
        ] {
            let (said, code) = twyla(folder.path(), &["asyncapi", "--wire", name, "--out", "document.json"]);
            assert_eq!((said.as_str(), code), ("", 0));
            let emitted: Value = serde_json::from_slice(&emitted(form).await).unwrap();
            let mut broken = emitted.clone();
            *broken.pointer_mut(&format!("{start}/text")).unwrap() = json!("");
            let refused = refused(&folder.path().join("document.json"), &[emitted, broken]);
            assert_eq!(refused, [json!([]), json!([format!("{start}/text")])], "{name}");
        }
    })
    .await;
}
