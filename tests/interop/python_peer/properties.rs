//! The properties and headers of messages, as other clients of RabbitMQ read them.

use serde_json::{Value, json};
use twyla_runtime::{Bus, DeadLetter, Fail};
use twyla_tests::broker::config;
use twyla_tests::{Here, Ping, Place, Script, dead_letters, here, listener};

use crate::peer;

twyla_tests::with_rabbitmq!(a_dead_letter_is_read_by_other_clients);

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
