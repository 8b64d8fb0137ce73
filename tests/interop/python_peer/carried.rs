//! Many events of one contract in both directions, and an event that has gone through Twyla's retries.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use twyla_runtime::event::Emit;
use twyla_runtime::testing::{any, any_context};
use twyla_runtime::{Bus, Fail, Meta, QueueKind, State, listener, listeners};
use twyla_tests::broker::{clean, config};
use twyla_tests::{Here, Place, Script, here};
use uuid::Uuid;

use crate::peer::{Listener, Schemata};

mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::Context;
use contracts::interop::{Ping, Pong};

twyla_tests::with_rabbitmq!(carries_a_thousand_events_there_and_back, hands_over_events_that_rust_has_tried);

const EVENTS: usize = 1000;

/// An event's session, content and context.
type Heard = (Uuid, Value, Value);

#[listener(group = "one")]
async fn hear(pong: Pong, context: Context, meta: Meta, State(heard): State<Arc<UnboundedSender<Heard>>>) {
    let _ = heard.send((meta.session_id, content_of(&pong), json!({ "channel": context.channel })));
}

fn content_of(event: &impl Emit) -> Value {
    let mut text = Vec::new();
    event.encode(&mut text).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// Both sides use the same contract file: Twyla compiles it, and the peer validates with `jsonschema`.
async fn carries_a_thousand_events_there_and_back() {
    clean("interop").await;
    let schema = serde_json::from_str(include_str!("../../schemas/events/interop/ping.json")).unwrap();
    let context = serde_json::from_str(include_str!("../../schemas/context.json")).unwrap();
    let bus = Bus::connect(config()).await.unwrap();
    let (sender, mut heard) = unbounded_channel();
    // the peer publishes without confirms
    let service = bus.service().state(Arc::new(sender)).listeners(listeners![hear]).queue(QueueKind::Classic);
    let running = service.start().await.unwrap();
    let mut python = Listener::echo("interop.ping", "one", "interop.pong", &Schemata::new(schema, context)).await;

    let mut runner = TestRunner::deterministic();
    let (mut sent, mut emits) = (HashMap::new(), JoinSet::new());
    for _ in 0..EVENTS {
        let ping: Ping = any().new_tree(&mut runner).unwrap().current();
        let context: Context = any_context().new_tree(&mut runner).unwrap().current();
        let session = Uuid::new_v4();
        sent.insert(session, (content_of(&ping), json!({ "channel": context.channel })));
        emits.spawn(bus.with_session(session).emit(ping, &context));
    }
    for emitted in emits.join_all().await {
        emitted.unwrap();
    }
    for _ in 0..EVENTS {
        let payload = python.payload().await;
        let session = payload["meta"]["session_id"].as_str().unwrap().parse().unwrap();
        let (content, context) = &sent[&session];
        assert_eq!((&payload["content"], &payload["context"]), (content, context));
    }
    for _ in 0..EVENTS {
        let (session, content, context) = heard.recv().await.unwrap();
        assert_eq!(sent.remove(&session), Some((content, context)));
    }
    assert!(python.stop().await.is_empty());
    running.stop().await;
    assert!(heard.recv().await.is_none(), "an event came twice");
    bus.close().await;
}

/// A Python member takes over: aioamqp reads the headers of a retry, Twyla's and the broker's.
async fn hands_over_events_that_rust_has_tried() {
    here!(Mine, "hands_over_events_that_rust_has_tried");
    let bus = Bus::connect(config()).await.unwrap();
    let (sender, mut calls) = unbounded_channel();
    let script = Script::<Mine>::new(move |_| {
        let _ = sender.send(());
        // longer than the longest pause that is waited in memory
        async { Err(Fail::retry_after(Duration::from_millis(1001), "no database").into()) }
    });
    let listener = twyla_tests::listener::<Mine>("one");
    let service = bus.service().state(script).listeners([listener]).queue(QueueKind::Classic);
    let running = service.start().await.unwrap();
    bus.emit(twyla_tests::Ping::<Mine>::new(1), Here::new("rust")).await.unwrap();
    calls.recv().await.unwrap();
    running.stop().await;

    let mut python = Listener::start(Mine::EVENT, "one", "ack", &Schemata::of_ping()).await;
    let delivery = python.next().await;
    assert_eq!(delivery["payload"]["content"]["n"], 1, "{delivery}");
    let headers = &delivery["properties"]["headers"];
    assert_eq!(headers["x-twyla-first-error"], "no database", "{delivery}");
    assert!(headers["x-twyla-attempts"].is_u64(), "{delivery}");
    assert_eq!(headers["x-death"][0]["reason"], "expired", "{delivery}");
    python.stop().await;
    bus.close().await;
}
