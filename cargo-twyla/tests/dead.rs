//! `cargo twyla dead` against RabbitMQ, as an operator uses it.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::process::{Command, Output, Stdio};

use twyla_runtime::{Bus, Fail};
use twyla_tests::broker::ctl;
use twyla_tests::{Call, Here, Ping, Place, Script, dead_letters, here, listener, within};

twyla_tests::with_rabbitmq!(
    lists_shows_replays_and_drops,
    can_be_stopped_half_way,
    shows_what_the_broker_itself_has_dropped
);

fn twyla(args: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-twyla"))
        .args(["twyla", "dead"])
        .args(args)
        .args(["--prefix", "TWYLA_TEST"])
        .stdin(Stdio::null())
        .output();
    output.unwrap()
}

fn said(args: &[&str]) -> String {
    let output = twyla(args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(args: &[&str]) -> String {
    let output = twyla(args);
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8(output.stderr).unwrap()
}

async fn park<P: Place>(bus: &Bus, count: u32) {
    let script = Script::new(|call: Call<P>| async move { Err(Fail::park(format!("number {}", call.ping.n)).into()) });
    let running = bus.service().state(script).listeners([listener::<P>("one")]).start().await.unwrap();
    for n in 0..count {
        bus.emit(Ping::<P>::new(n), Here::new("web")).await.unwrap();
    }
    while bus.count_dead_letters(P::EVENT, "one").await.unwrap() < count as usize {
        tokio::task::yield_now().await;
    }
    running.stop().await;
}

async fn lists_shows_replays_and_drops() {
    here!(Mine, "lists_shows_replays_and_drops");
    let bus = Bus::connect(twyla_tests::broker::config()).await.unwrap();
    park::<Mine>(&bus, 12).await;
    let event = Mine::EVENT;
    let listed = said(&["list", event, "one"]);
    assert!(listed.contains("handler") && listed.contains("number 7"), "{listed}");
    assert!(listed.ends_with(&format!("12 of 12 dead letters of {event} in the group one\n")), "{listed}");
    for _ in 0..5 {
        let listed = said(&["list", event, "one", "--reason", "size", "--limit", "7"]);
        assert_eq!(listed, format!("0 of 12 dead letters of {event} in the group one, 7 of them examined\n"));
    }
    let one = said(&["list", event, "one", "--error", "number 7", "--json"]);
    let one: serde_json::Value = serde_json::from_str(&one).unwrap();
    let id = one["message_id"].as_str().unwrap();
    let shown = said(&["show", event, "one", id]);
    assert!(shown.contains("error          number 7\n") && shown.contains("\"n\": 7"), "{shown}");

    assert_eq!(
        refused(&["replay", event, "one"]),
        "error: nothing was done: standard input is not a terminal, so confirm with --yes\n"
    );
    assert_eq!(said(&["drop", event, "one", "--error", "number 1", "--yes"]), "3 dropped, 9 left\n");
    assert_eq!(said(&["replay", event, "one", "--reason", "contract", "--yes"]), "0 replayed, 9 left\n");
    assert_eq!(said(&["replay", event, "one", "--older", "1d", "--yes"]), "0 replayed, 9 left\n");
    assert_eq!(said(&["replay", event, "one", "--limit", "2", "--yes"]), "2 replayed, 7 left\n");
    assert_eq!(said(&["replay", event, "one", "--yes"]), "7 replayed, 0 left\n");
    assert_eq!(
        refused(&["show", event, "one", id]),
        format!("error: no dead letter of {event} in the group one has the message id {id}\n")
    );
    bus.close().await;
}

async fn can_be_stopped_half_way() {
    here!(Mine, "can_be_stopped_half_way");
    const COUNT: u32 = 3000;
    let bus = Bus::connect(twyla_tests::broker::config()).await.unwrap();
    park::<Mine>(&bus, COUNT).await;
    let child = Command::new(env!("CARGO_BIN_EXE_cargo-twyla"))
        .args(["twyla", "dead", "replay", Mine::EVENT, "one", "--yes", "--prefix", "TWYLA_TEST"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Stop it once it is at work.
    while bus.count_dead_letters(Mine::EVENT, "one").await.unwrap() == COUNT as usize {
        tokio::task::yield_now().await;
    }
    Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let output = String::from_utf8(output.stdout).unwrap();
    let replayed = output.strip_prefix("stopped: ").expect(&output).split(' ').next().unwrap().parse::<u32>().unwrap();
    assert!((1..COUNT).contains(&replayed), "{replayed}");
    assert_eq!(said(&["replay", Mine::EVENT, "one", "--yes"]), format!("{} replayed, 0 left\n", COUNT - replayed));

    let (sender, mut calls) = tokio::sync::mpsc::unbounded_channel();
    let script = Script::new(move |call: Call<Mine>| {
        let _ = sender.send(call.ping.n);
        async { Ok(()) }
    });
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    let mut handled = Vec::new();
    for _ in 0..COUNT {
        handled.push(within(calls.recv()).await.unwrap());
    }
    running.stop().await;
    handled.sort_unstable();
    assert_eq!(handled, (0..COUNT).collect::<Vec<_>>());
    assert!(calls.try_recv().is_err(), "one came twice");
    assert!(dead_letters(&bus, Mine::EVENT, "one", 0).await.is_empty());
    bus.close().await;
}

async fn shows_what_the_broker_itself_has_dropped() {
    here!(Mine, "shows_what_the_broker_itself_has_dropped");
    let bus = Bus::connect(twyla_tests::broker::config()).await.unwrap();
    park::<Mine>(&bus, 0).await;
    let (event, queue) = (Mine::EVENT, format!("{}.one", Mine::EVENT));
    let pattern = format!("^{}$", queue.replace('.', "[.]"));
    ctl(&["set_policy", "--apply-to", "queues", event, &pattern, r#"{"message-ttl":1}"#]).await;
    bus.emit(Ping::<Mine>::saying(7, "a secret"), Here::new("web")).await.unwrap();
    let letters = dead_letters(&bus, event, "one", 1).await;
    ctl(&["clear_policy", event]).await;
    let id = letters[0].message_id.as_deref().unwrap();
    let listed = said(&["list", event, "one"]);
    let error = format!("  0  dead-lettered by RabbitMQ from the queue `{queue}`: ");
    assert!(listed.contains("Z  expired  ") && listed.contains(&error), "{listed}");
    let shown = said(&["show", event, "one", id]);
    assert!(shown.contains(&format!("\nx-death        {queue}: expired, once, first 20")), "{shown}");
    assert!(shown.contains(&format!("\nevent          {event}\ngroup          one\n")), "{shown}");
    assert!(!shown.contains("a secret"), "{shown}");
    assert!(said(&["show", event, "one", id, "--reveal"]).contains("a secret"));
    let json: serde_json::Value = serde_json::from_str(&said(&["show", event, "one", id, "--json"])).unwrap();
    assert_eq!((&json["reason"], &json["deaths"][0]["reason"]), (&serde_json::Value::Null, &"expired".into()));
    assert_eq!(said(&["replay", event, "one", "--yes"]), "1 replayed, 0 left\n");
    bus.close().await;
}
