//! Each side reads what the other writes: the envelope, its metadata, and the message's properties.

use chrono::{DateTime, Utc};
use lapin::options::{BasicPublishOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use twyla_runtime::{Bus, Meta, QueueKind, TraceContext};
use twyla_tests::broker::{config, lapin};
use twyla_tests::{Here, Ping, Place, Script, here, listener};
use uuid::Uuid;

use crate::peer::{Emitter, Listener, Schemata};

twyla_tests::with_rabbitmq!(
    hears_the_original,
    is_heard_by_the_original,
    is_heard_with_a_body_of_many_frames,
    leaves_events_that_the_original_refuses_unacked,
    emits_onward_within_a_session_that_is_not_a_uuid,
);

const SESSION: Uuid = Uuid::from_u128(0x5f0c_7d9e_3b1a_4c55_9d3e_2a6f_1c0b_7e42);

type Calls<P> = mpsc::UnboundedReceiver<(Ping<P>, Here, Meta)>;

/// A listener, and a receiver of its calls in order.
fn calls<P: Place>() -> (Script<P>, Calls<P>) {
    let (sender, calls) = mpsc::unbounded_channel();
    let script = Script::new(move |call| {
        let _ = sender.send((call.ping, call.context, call.meta));
        async { Ok(()) }
    });
    (script, calls)
}

async fn hears_the_original() {
    here!(Mine, "hears_the_original");
    let bus = Bus::connect(config()).await.unwrap();
    let (script, mut calls) = calls::<Mine>();
    // a quorum queue can lose messages published just before an unconfirmed publisher disconnects
    let service = bus.service().state(script).listeners([listener::<Mine>("one")]).queue(QueueKind::Classic);
    let running = service.prefetch(1).start().await.unwrap();
    let before = Utc::now();
    let mut python = Emitter::start(Mine::EVENT, &Schemata::of_ping());
    let context = json!({ "channel": "python" });
    let content = json!({ "n": 1, "text": "grüße 😀" });
    python.emit(&json!({ "content": content, "context": context, "session_id": SESSION })).await;
    python.emit(&json!({ "content": { "n": 2, "text": "b", "new": [] }, "context": context })).await;
    python.finish().await;
    let (ping, context, meta) = calls.recv().await.unwrap();
    assert_eq!((ping.n, ping.text.as_str(), context), (1, "grüße 😀", Here::new("python")));
    assert_eq!((meta.session_id, meta.message_id, meta.version), (SESSION, None, 1));
    assert!(before.timestamp_micros() <= meta.timestamp.timestamp_micros() && meta.timestamp <= Utc::now());
    let (ping, _, meta) = calls.recv().await.unwrap();
    assert_eq!(ping.n, 2);
    assert_eq!(meta.session_id.get_version_num(), 4);
    running.stop().await;
    bus.close().await;
}

async fn is_heard_by_the_original() {
    here!(Mine, "is_heard_by_the_original");
    let bus = Bus::connect(config()).await.unwrap();
    let mut python = Listener::start(Mine::EVENT, "one", "ack", &Schemata::of_ping()).await;
    let before = Utc::now();
    let trace: TraceContext = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap();
    let traced = bus.with_session(SESSION).with_trace(trace);
    traced.emit(Ping::<Mine>::saying(1, "grüße 😀"), Here::new("rust")).await.unwrap();
    bus.emit(Ping::<Mine>::new(2), Here::new("rust")).await.unwrap();

    let delivery = python.next().await;
    let payload = &delivery["payload"];
    assert_eq!(payload["event_name"], Mine::EVENT);
    assert_eq!(payload["content"], json!({ "n": 1, "text": "grüße 😀" }));
    assert_eq!(payload["context"], json!({ "channel": "rust" }));
    // pydantic's types, as Python writes them: int, datetime, UUID
    let meta = &payload["meta"];
    assert_eq!((&meta["version"], &meta["session_id"]), (&json!(1), &json!(SESSION)));
    assert_is_between(before, &meta["timestamp"]);
    // the types into which aioamqp reads properties: datetime, int, str
    let properties = &delivery["properties"];
    assert_is_between(before - chrono::TimeDelta::seconds(1), &properties["timestamp"]);
    assert_eq!((&properties["delivery_mode"], &properties["content_type"]), (&json!(2), &json!("application/json")));
    let id = properties["message_id"].as_str().unwrap().parse::<Uuid>().unwrap();
    assert_eq!(id.get_version_num(), 7);
    let parent = properties["headers"]["traceparent"].as_str().unwrap();
    assert!(parent.starts_with("00-0af7651916cd43dd8448eb211c80319c-"), "{parent}");

    let second = python.payload().await;
    assert_eq!(second["content"]["n"], 2);
    assert_ne!(second["meta"]["session_id"], json!(SESSION));
    assert!(python.stop().await.is_empty());
    bus.close().await;
}

/// A time as Python's `str(datetime)` writes it, with an offset.
fn assert_is_between(before: DateTime<Utc>, time: &Value) {
    let text = time.as_str().unwrap();
    let time = DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%:z").unwrap_or_else(|_| panic!("{text}"));
    assert!(before.timestamp_micros() <= time.timestamp_micros() && time <= Utc::now(), "{text}");
}

async fn is_heard_with_a_body_of_many_frames() {
    here!(Mine, "is_heard_with_a_body_of_many_frames");
    let bus = Bus::connect(config()).await.unwrap();
    let mut python = Listener::start(Mine::EVENT, "one", "ack", &Schemata::of_ping()).await;
    let text = "ü".repeat(400_000);
    bus.emit(Ping::<Mine>::saying(1, text.as_str()), Here::new("rust")).await.unwrap();
    assert!(python.payload().await["content"]["text"] == text);
    python.stop().await;
    bus.close().await;
}

/// The number of messages in a queue that are ready for a consumer; delivered, unacked ones don't count.
async fn waiting(channel: &Channel, queue: &str) -> u32 {
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.into(), passive, FieldTable::default()).await.unwrap().message_count()
}

/// The peer can fail: like the original, it leaves messages unacked that its model or a schema refuses.
async fn leaves_events_that_the_original_refuses_unacked() {
    here!(Mine, "leaves_events_that_the_original_refuses_unacked");
    let bus = Bus::connect(config()).await.unwrap();
    let mut python = Listener::start(Mine::EVENT, "one", "ack", &Schemata::of_ping()).await;
    let (_connection, channel) = lapin().await;
    let envelope = |version: Value, timestamp: &str, session_id: &str, text: &str| {
        let meta = json!({ "version": version, "timestamp": timestamp, "session_id": session_id });
        let content = json!({ "n": 1, "text": text });
        json!({ "event_name": Mine::EVENT, "content": content, "context": { "channel": "a" }, "meta": meta })
    };
    let (time, session) = ("2025-06-27T04:53:20.000120+00:00", "5f0c7d9e-3b1a-4c55-9d3e-2a6f1c0b7e42");
    let refused = [
        // the form that Twyla wrote in earlier versions
        (envelope(json!("1.0"), time, session, "a"), "value is not a valid integer"),
        (envelope(json!(1), time, "a session", "a"), "value is not a valid uuid"),
        (envelope(json!(1), "soon", session, "a"), "invalid datetime format"),
        (envelope(json!(1), time, session, ""), "'' "),
    ];
    for (body, _) in &refused {
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let body = body.to_string();
        channel.basic_publish(Mine::DOMAIN.into(), "ping".into(), options, body.as_bytes(), properties).await.unwrap();
    }
    for (body, why) in &refused {
        let delivery = python.next().await;
        assert!(delivery["refused"].as_str().is_some_and(|text| text.contains(why)), "{body}: {delivery}");
    }
    // and continues with the next event
    bus.emit(Ping::<Mine>::new(2), Here::new("rust")).await.unwrap();
    assert_eq!(python.payload().await["content"]["n"], 2);
    let queue = format!("{}.one", Mine::EVENT);
    assert_eq!(waiting(&channel, &queue).await, 0);
    assert!(python.stop().await.is_empty());
    assert_eq!(waiting(&channel, &queue).await, 4);
    bus.close().await;
}

async fn emits_onward_within_a_session_that_is_not_a_uuid() {
    here!(Mine, "emits_onward_within_a_session_that_is_not_a_uuid");
    here!(Onward, "emits_onward_within_a_session_that_is_not_a_uuid");
    let bus = Bus::connect(config()).await.unwrap();
    let script = Script::<Mine>::new(|call| async move {
        if call.context.channel == "old" {
            call.bus.emit(Ping::<Onward>::new(call.ping.n + 1), Here::new("rust")).await?;
        }
        Ok(())
    });
    let running = bus.service().state(script).listeners([listener::<Mine>("two")]).start().await.unwrap();
    let mut python = Listener::start(Onward::EVENT, "one", "ack", &Schemata::of_ping()).await;
    let (_connection, channel) = lapin().await;
    let body = r#"{"event_name":"emits_onward_within_a_session_that_is_not_a_uuid.ping",
        "content":{"n":1,"text":"a"},"context":{"channel":"old"},
        "meta":{"version":"1.0","timestamp":"2020-02-03T04:05:06.000789","session_id":"a session of python's"}}"#;
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
    channel.basic_publish(Mine::DOMAIN.into(), "ping".into(), options, body.as_bytes(), properties).await.unwrap();
    assert!(python.next().await["refused"].is_string(), "the old event itself isn't for the peer");
    let payload = python.payload().await;
    assert_eq!(payload["content"]["n"], 2);
    // Python: uuid5(uuid5(NAMESPACE_URL, "urn:twyla:session"), "a session of python's")
    assert_eq!(payload["meta"]["session_id"], "5231905b-f4f9-534b-85fa-74789248887c");
    python.stop().await;
    running.stop().await;
    bus.close().await;
}
