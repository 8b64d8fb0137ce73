//! The official CloudEvents SDK for Python: it reads the events that Twyla writes, and listeners handle those that it writes.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use twyla_runtime::{Bus, Wire, session_id};
use twyla_tests::broker::config;
use twyla_tests::{Here, Ping, Place, Script, here, listener};

use crate::peer;

twyla_tests::with_rabbitmq!(the_sdk_reads_what_twyla_writes, a_listener_handles_what_the_sdk_writes);

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

async fn read_with(binding: &str, queue: &str) -> Value {
    let output = peer::script("cloud_events.py", &["read", binding, queue]).output().await.unwrap();
    assert!(output.status.success(), "{binding}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn publish_with(binding: &str, mode: &str, exchange: &str, event: &Value) {
    let mut command = peer::script("cloud_events.py", &["publish", binding, mode, exchange, "ping"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(event.to_string().as_bytes()).await.unwrap();
    assert!(child.wait().await.unwrap().success(), "{binding}, {mode}: the SDK could not publish {event}");
}

async fn the_sdk_reads_what_twyla_writes() {
    here!(Mine, "the_sdk_reads_what_twyla_writes");
    let bus = Bus::connect(config().app_id("my shop")).await.unwrap();
    let service = bus.service().state(Script::<Mine>::numbers().0).listeners([listener::<Mine>("one")]);
    // the queue stays, and keeps the events
    service.start().await.unwrap().stop().await;
    let emitting = bus.with_session(session_id("s")).with_trace(PARENT.parse().unwrap());
    // the SDK's binding for RabbitMQ knows no other prefix than `ce-`
    for (form, binding) in [
        (Wire::CloudEventsBinary, "amqp"),
        (Wire::CloudEventsStructured, "amqp"),
        (Wire::CloudEventsStructured, "rabbitmq"),
    ] {
        let before = chrono::Utc::now();
        emitting.wire(form).emit(Ping::<Mine>::saying(7, "grüße 😀"), Here::new("web")).await.unwrap();
        let mut event = read_with(binding, &format!("{}.one", Mine::EVENT)).await;
        let [time, id] = ["time", "id"].map(|name| event["attributes"][name].take());
        assert_eq!(id, event["message_id"].take(), "{form:?}, {binding}");
        let time = chrono::DateTime::parse_from_rfc3339(time.as_str().unwrap()).unwrap();
        assert!(time.timestamp_micros() >= before.timestamp_micros() && time <= chrono::Utc::now(), "{time}");
        let expected = json!({
            "attributes": {
                "specversion": "1.0", "type": Mine::EVENT, "source": "my%20shop", "id": null, "time": null,
                "datacontenttype": "application/json", "twylasession": session_id("s"),
                "twylacontext": "{\"channel\":\"web\"}", "traceparent": PARENT,
            },
            "data": { "n": 7, "text": "grüße 😀" },
            "message_id": null,
        });
        assert_eq!(event, expected, "{form:?}, {binding}");
    }
    bus.close().await;
}

async fn a_listener_handles_what_the_sdk_writes() {
    here!(Mine, "a_listener_handles_what_the_sdk_writes");
    let bus = Bus::connect(config()).await.unwrap();
    let (script, mut calls) = Script::<Mine>::sending(|call| call);
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    for (number, (binding, mode)) in
        (0_u32..).zip([("amqp", "binary"), ("amqp", "structured"), ("rabbitmq", "binary"), ("rabbitmq", "structured")])
    {
        let before = chrono::Utc::now();
        let event = json!({
            "attributes": {
                "type": Mine::EVENT, "source": "/till", "id": number.to_string(), "datacontenttype": "application/json",
                "twylasession": "s", "twylacontext": "{\"channel\":\"web\"}", "traceparent": PARENT, "subject": "x",
            },
            "data": { "n": number, "text": "grüße 😀" },
        });
        publish_with(binding, mode, Mine::DOMAIN, &event).await;
        let call = calls.recv().await.unwrap();
        assert_eq!((call.ping.n, call.ping.text.as_str(), call.context), (number, "grüße 😀", Here::new("web")));
        let meta = call.meta;
        // the SDK's binding for AMQP writes milliseconds
        assert!(meta.timestamp.timestamp_millis() >= before.timestamp_millis(), "{binding}, {mode}: {meta:?}");
        assert!(meta.timestamp <= chrono::Utc::now(), "{binding}, {mode}: {meta:?}");
        assert_eq!(meta.session_id, session_id("s"), "{binding}, {mode}");
        // the message itself has no id
        assert_eq!(meta.message_id, Some(format!("/till {number}")), "{binding}, {mode}");
        let trace = meta.trace.unwrap();
        assert_eq!(trace.trace_id(), "0af7651916cd43dd8448eb211c80319c", "{binding}, {mode}");
    }
    running.stop().await;
    bus.close().await;
}
