//! The properties and headers of messages, as other clients of RabbitMQ read them.

use std::time::Duration;

use lapin::options::{QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use serde_json::{Value, json};
use twyla_runtime::handler::Policy;
use twyla_runtime::{Bus, DeadLetter, Fail, QueueKind, Retry, Sort};
use twyla_tests::broker::{config, ctl, lapin, user};
use twyla_tests::{Call, Here, Ping, Place, Script, dead_letters, here, listener};

use crate::peer;

twyla_tests::with_rabbitmq!(
    a_dead_letter_is_read_by_other_clients,
    all_properties_and_headers_survive_retry_dead_lettering_and_replay,
    all_properties_and_headers_survive_in_classic_queues,
    a_message_of_another_user_keeps_its_name_beside,
);

async fn read_with(client: &str, queue: &str) -> Value {
    let output = peer::script("clients.py", &[client, queue]).output().await.unwrap();
    assert!(output.status.success(), "{client}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn a_dead_letter_is_read_by_other_clients() {
    here!(Mine, "a_dead_letter_is_read_by_other_clients");
    let bus = Bus::connect(config()).await.unwrap();
    let script = Script::<Mine>::new(|_| async { Err(Fail::park("grüße 😀").into()) });
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    bus.emit(Ping::<Mine>::new(1), Here::new("rust")).await.unwrap();
    let [letter]: [DeadLetter; 1] = dead_letters(&bus, Mine::EVENT, "one", 1).await.try_into().unwrap();
    running.stop().await;

    let queue = format!("{}.one.dead", Mine::EVENT);
    for client in ["pika", "amqp"] {
        let properties = read_with(client, &queue).await;
        assert_eq!(properties["content_type"], "application/json", "{client}");
        assert_eq!(properties["delivery_mode"], 2, "{client}");
        assert_eq!(properties["message_id"], json!(letter.message_id), "{client}");
        let now = chrono::Utc::now().timestamp();
        assert!(properties["timestamp"].as_i64().is_some_and(|at| (now - 60..=now).contains(&at)), "{properties}");
        let headers = &properties["headers"];
        assert_eq!(headers["x-twyla-event"], Mine::EVENT, "{client}");
        assert_eq!(headers["x-twyla-reason"], "handler", "{client}");
        assert_eq!(headers["x-twyla-error"], "grüße 😀", "{client}");
        assert_eq!(headers["x-twyla-attempts"], 1, "{client}");
        let parked_at = headers["x-twyla-parked-at"].as_str().unwrap();
        assert_eq!(parked_at.parse().ok(), letter.parked_at, "{client}");
    }
    bus.close().await;
}

const HOUR: Duration = Duration::from_secs(3600);

fn retry(pause: Duration) -> Policy {
    Policy { retry: Some(Retry { attempts: 2, first: pause, max: pause }), ..Policy::default() }
}

async fn carried(arguments: &[&str]) -> Vec<u8> {
    let output = peer::script("carried.py", arguments).output().await.unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn body(event: &str) -> String {
    json!({
        "event_name": event, "content": { "n": 1, "text": "hello" }, "context": { "channel": "web" },
        "meta": { "version": 1, "timestamp": "2026-01-02T03:04:05", "session_id": uuid::Uuid::new_v4() },
    })
    .to_string()
}

/// Returns the first message of a queue, once there is one: its changed properties and added headers.
async fn look(queue: &str) -> (Value, Vec<String>) {
    let (connection, _channel) = lapin().await;
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
    loop {
        // Declaring a missing queue passively closes the channel.
        let channel = connection.create_channel().await.unwrap();
        let there = channel.queue_declare(queue.into(), passive, FieldTable::default()).await;
        if there.is_ok_and(|queue| queue.message_count() > 0) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut found: Value = serde_json::from_slice(&carried(&["look", queue]).await).unwrap();
    let added =
        found["added"].as_object().unwrap().keys().filter(|name| name.starts_with("x-twyla-")).cloned().collect();
    (found["changed"].take(), added)
}

/// One group keeps the message in a retry queue, the other dead-letters it after a retry.
async fn survives<P: Place>(kind: QueueKind) {
    let (_connection, channel) = lapin().await;
    let elsewhere = "carried.elsewhere";
    channel.queue_declare(elsewhere.into(), QueueDeclareOptions::durable(), FieldTable::default()).await.unwrap();
    let bus = Bus::connect(config()).await.unwrap();
    let script = Script::<P>::new(|_: Call<P>| async { Err("not yet".into()) });
    let [mut waits, mut comes_back] = ["one", "two"].map(listener::<P>);
    (waits.policy, comes_back.policy) = (retry(HOUR), retry(Duration::from_millis(1001)));
    let service = bus.service().state(script).listeners([waits, comes_back]).queue(kind);
    let running = service.start().await.unwrap();
    carried(&["publish", P::DOMAIN, "ping", &body(P::EVENT)]).await;

    // Properties that a queued message can't keep are recorded in headers: it would expire, be lost when the broker
    // restarts, or be routed to other queues.
    let beside = json!({ "delivery_mode": [1, 2], "expiration": ["3600000", null], "CC": [[elsewhere], null] });
    let (changed, added) = look(&format!("{}.one.retry.1h", P::EVENT)).await;
    assert_eq!(changed, beside);
    for name in ["x-twyla-attempts", "x-twyla-cc", "x-twyla-delivery-mode", "x-twyla-expiration"] {
        assert!(added.iter().any(|added| added == name), "{name} is not in {added:?}");
    }
    let letters = dead_letters(&bus, P::EVENT, "two", 1).await;
    assert_eq!((letters[0].attempts, letters[0].message_id.as_deref()), (2, Some("an id, with spaces")));
    let (changed, added) = look(&format!("{}.two.dead", P::EVENT)).await;
    assert_eq!(changed, beside);
    for name in ["x-twyla-reason", "x-twyla-cc", "x-twyla-delivery-mode", "x-twyla-expiration"] {
        assert!(added.iter().any(|added| added == name), "{name} is not in {added:?}");
    }
    running.stop().await;
    let sorted = bus.sort_dead_letters(P::EVENT, "two", |_| Sort::Replay).await.unwrap();
    assert_eq!(sorted.replayed, 1);
    let (changed, added) = look(&format!("{}.two", P::EVENT)).await;
    assert_eq!(changed, json!({ "CC": [[elsewhere], null] }));
    assert_eq!(added, ["x-twyla-cc"]);

    let options = QueueDeleteOptions::default();
    assert_eq!(channel.queue_delete(elsewhere.into(), options).await.unwrap(), 0, "another queue got a copy");
    bus.close().await;
}

async fn all_properties_and_headers_survive_retry_dead_lettering_and_replay() {
    here!(Mine, "all_properties_and_headers_survive_retry_dead_lettering_and_replay");
    survives::<Mine>(QueueKind::Quorum).await;
}

async fn all_properties_and_headers_survive_in_classic_queues() {
    here!(Mine, "all_properties_and_headers_survive_in_classic_queues");
    survives::<Mine>(QueueKind::Classic).await;
}

async fn a_message_of_another_user_keeps_its_name_beside() {
    here!(Mine, "a_message_of_another_user_keeps_its_name_beside");
    let running_as = user(Mine::DOMAIN, [".*", ".*", ".*"]).await;
    let bus = Bus::connect(running_as).await.unwrap();
    let script = Script::<Mine>::new(|_| async { Err(Fail::park("no").into()) });
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    carried(&["publish", Mine::DOMAIN, "ping", &body(Mine::EVENT)]).await;
    let sender = std::env::var("TWYLA_TEST_AMQP_USER").unwrap();
    let (changed, added) = look(&format!("{}.one.dead", Mine::EVENT)).await;
    assert_eq!(changed["user_id"], json!([sender, null]));
    assert!(added.iter().any(|name| name == "x-twyla-user-id"), "{added:?}");
    running.stop().await;
    // A replay by the original sender restores its user id.
    let senders = Bus::connect(config()).await.unwrap();
    assert_eq!(senders.sort_dead_letters(Mine::EVENT, "one", |_| Sort::Replay).await.unwrap().replayed, 1);
    let (changed, added) = look(&format!("{}.one", Mine::EVENT)).await;
    assert_eq!((&changed["user_id"], added.as_slice()), (&Value::Null, &["x-twyla-cc".to_owned()][..]));
    senders.close().await;
    bus.close().await;
    ctl(&["delete_user", Mine::DOMAIN]).await;
}
