//! A platform that moves one service at a time: events to and from the Python original, and groups shared with it.

use std::collections::HashSet;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::mpsc;
use twyla_runtime::{Bus, QueueKind, Uuid, session_id};
use twyla_tests::broker::config;
use twyla_tests::{Here, Ping, Script, here, listener};

twyla_tests::with_rabbitmq!(
    hears_the_original,
    is_heard_by_the_original,
    shares_a_classic_group_with_the_original,
    joins_the_originals_queue_though_set_to_quorum,
);

fn python(arguments: &[&str]) -> Command {
    let interpreter = std::env::var("TWYLA_TEST_PYTHON").unwrap_or_else(|_| "/usr/bin/python3".to_owned());
    let mut command = Command::new(interpreter);
    command.arg("-W").arg("ignore").arg(concat!(env!("CARGO_MANIFEST_DIR"), "/interop/original.py"));
    command.args(arguments).kill_on_drop(true);
    command
}

async fn say(domain: &str, contents: &[&str]) {
    let status = python(&["say", domain, "ping"]).args(contents).status().await.unwrap();
    assert!(status.success(), "the original could not publish");
}

/// The original, listening.
async fn listening(domain: &str, group: &str, count: u32) -> (Child, Lines<BufReader<ChildStdout>>) {
    let count = count.to_string();
    let mut child = python(&["listen", domain, "ping", group, &count]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("ready"), "the original could not listen");
    (child, lines)
}

async fn line(lines: &mut Lines<BufReader<ChildStdout>>) -> serde_json::Value {
    serde_json::from_str(&lines.next_line().await.unwrap().expect("the original has ended")).unwrap()
}

async fn hears_the_original() {
    here!(Mine, "hears_the_original");
    let bus = Bus::connect(config()).await.unwrap();
    let (sender, mut calls) = mpsc::unbounded_channel();
    let script = Script::<Mine>::new(move |call| {
        let _ = sender.send((call.ping.n, call.ping.text, call.context, call.meta));
        async { Ok(()) }
    });
    // to a quorum queue the broker loses now and then what comes just before an unconfirmed publisher goes
    let listeners = [listener::<Mine>("one")];
    let service = bus.service().state(script).listeners(listeners).queue(QueueKind::Classic).prefetch(1);
    let running = service.start().await.unwrap();
    let before = chrono::Utc::now();
    say("hears_the_original", &[r#"{"n": 1, "text": "gr\u00fc\u00dfe"}"#, r#"{"n": 2, "text": "b", "new": []}"#]).await;
    let (n, text, context, meta) = calls.recv().await.unwrap();
    assert_eq!((n, text.as_str(), context), (1, "grüße", Here::new("python")));
    assert_eq!((meta.session_id, meta.message_id.as_deref()), (session_id("a session of python's"), None));
    assert_eq!((meta.version, meta.event), (1, "hears_the_original.ping"));
    assert!(before.timestamp_micros() <= meta.timestamp.timestamp_micros() && meta.timestamp <= chrono::Utc::now());
    assert_eq!(calls.recv().await.unwrap().0, 2);
    running.stop().await;
    bus.close().await;
}

async fn is_heard_by_the_original() {
    here!(Mine, "is_heard_by_the_original");
    let bus = Bus::connect(config()).await.unwrap();
    let (mut child, mut lines) = listening("is_heard_by_the_original", "one", 2).await;
    let session = Uuid::new_v4();
    bus.with_session(session).emit(Ping::<Mine>::saying(1, "grüße 😀"), Here::new("rust")).await.unwrap();
    bus.emit(Ping::<Mine>::new(2), Here::new("rust")).await.unwrap();
    let first = line(&mut lines).await;
    let body = &first["body"];
    assert_eq!(body["content"], serde_json::json!({"n": 1, "text": "grüße 😀"}));
    assert_eq!(body["context"], serde_json::json!({"channel": "rust"}));
    assert_eq!((&body["meta"]["version"], &body["meta"]["session_id"]), (&1.into(), &session.to_string().into()));
    assert_eq!(line(&mut lines).await["body"]["content"]["n"], 2);
    assert!(child.wait().await.unwrap().success());
    bus.close().await;
}

/// Emits until both members of the group have had an event, and checks that each event came to one of them.
async fn share<P: twyla_tests::Place>(kind: QueueKind, python_first: bool) {
    let bus = Bus::connect(config()).await.unwrap();
    let (sender, mut calls) = mpsc::unbounded_channel();
    let script = Script::<P>::new(move |call| {
        let _ = sender.send(call.ping.n);
        async { Ok(()) }
    });
    let service = bus.service().state(script).listeners([listener::<P>("one")]).queue(kind).prefetch(1);
    let ((mut child, mut lines), running) = if python_first {
        let python = listening(P::DOMAIN, "one", 5).await;
        (python, service.start().await.unwrap())
    } else {
        let running = service.start().await.unwrap();
        (listening(P::DOMAIN, "one", 5).await, running)
    };
    let mut seen = HashSet::new();
    let mut python = 0;
    let mut next = 0;
    while python < 5 {
        bus.emit(Ping::<P>::new(next), Here::new("rust")).await.unwrap();
        next += 1;
        tokio::select! {
            n = calls.recv() => assert!(seen.insert(n.unwrap())),
            line = line(&mut lines) => {
                python += 1;
                assert!(seen.insert(u32::try_from(line["body"]["content"]["n"].as_u64().unwrap()).unwrap()));
            }
        }
    }
    assert!(child.wait().await.unwrap().success());
    // Alone in the group now, it gets whatever is left.
    while seen.len() < next as usize {
        assert!(seen.insert(calls.recv().await.unwrap()));
    }
    running.stop().await;
    assert!(calls.recv().await.is_none(), "an event came twice");
    bus.close().await;
}

async fn shares_a_classic_group_with_the_original() {
    here!(Mine, "shares_a_classic_group_with_the_original");
    share::<Mine>(QueueKind::Classic, false).await;
}

async fn joins_the_originals_queue_though_set_to_quorum() {
    here!(Mine, "joins_the_originals_queue_though_set_to_quorum");
    share::<Mine>(QueueKind::Quorum, true).await;
}
