//! The Python peer as a process: `peer.py`, built on the libraries that the Python original uses.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc;

const DRAFT_06: &str = "http://json-schema.org/draft-06/schema#";

/// The schemas with which a peer validates content and context, in both directions.
#[derive(Clone)]
pub(crate) struct Schemata(Value);

impl Schemata {
    pub(crate) fn new(content: Value, context: Value) -> Self {
        Self(json!({ "content": content, "context": context }))
    }

    /// The schemas of [`twyla_tests::Ping`] and [`twyla_tests::Here`].
    pub(crate) fn of_ping() -> Self {
        let text = json!({ "type": "string", "minLength": 1 });
        let content = json!({
            "$schema": DRAFT_06, "type": "object", "required": ["n", "text"],
            "properties": { "n": { "type": "integer", "minimum": 0, "exclusiveMaximum": 4_294_967_296_u64 }, "text": text },
        });
        let context = json!({
            "$schema": DRAFT_06, "type": "object", "required": ["channel"], "properties": { "channel": text },
        });
        Self::new(content, context)
    }
}

/// Returns the path of a script in this folder.
pub(crate) fn script(file: &str, arguments: &[&str]) -> Command {
    let interpreter = std::env::var("TWYLA_TEST_PYTHON_PEER");
    let mut command = Command::new(interpreter.expect("TWYLA_TEST_PYTHON_PEER is not set: run `cargo xtask test`"));
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/interop");
    // naive local times are read as UTC
    command.arg(format!("{folder}/{file}")).args(arguments).env("TZ", "UTC").kill_on_drop(true);
    command
}

fn python(arguments: &[&str], schemata: &Schemata) -> Command {
    let mut command = script("peer.py", arguments);
    command.env("TWYLA_TEST_SCHEMATA", schemata.0.to_string());
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// A peer that emits.
pub(crate) struct Emitter {
    child: Child,
    stdin: ChildStdin,
}

impl Emitter {
    pub(crate) fn start(event: &str, schemata: &Schemata) -> Self {
        let mut child = python(&["emit", event], schemata).spawn().unwrap();
        Self { stdin: child.stdin.take().unwrap(), child }
    }

    /// Emits `{"content": .., "context": ..}`, with the given `session_id` or one of the peer's own.
    pub(crate) async fn emit(&mut self, event: &Value) {
        self.stdin.write_all(format!("{event}\n").as_bytes()).await.unwrap();
    }

    /// Waits until all events are emitted and the peer's connection is closed.
    pub(crate) async fn finish(mut self) {
        drop(self.stdin);
        assert!(self.child.wait().await.unwrap().success(), "the peer could not emit");
    }
}

/// A peer that listens.
pub(crate) struct Listener {
    child: Child,
    stdin: Option<ChildStdin>,
    /// Read as they arrive: a peer that blocks on a full pipe would never ack its event.
    lines: mpsc::UnboundedReceiver<String>,
}

impl Listener {
    /// Answers accepted events with `answer`: `ack`, `reject` or `drop`. Resolves once it consumes.
    pub(crate) async fn start(event: &str, group: &str, answer: &str, schemata: &Schemata) -> Self {
        Self::run(&["listen", event, group, answer], schemata).await
    }

    /// Emits each received event again, as the event `to`.
    pub(crate) async fn echo(event: &str, group: &str, to: &str, schemata: &Schemata) -> Self {
        Self::run(&["echo", event, group, to], schemata).await
    }

    async fn run(arguments: &[&str], schemata: &Schemata) -> Self {
        let mut child = python(arguments, schemata).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(out.next_line().await.unwrap().as_deref(), Some("ready"), "the peer could not listen");
        let (sender, lines) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(line) = out.next_line().await.unwrap() {
                // the test may have ended and dropped the receiver
                let _ = sender.send(line);
            }
        });
        Self { stdin: child.stdin.take(), child, lines }
    }

    /// The next delivery: `payload` as the model has read it, or why it was `refused`; `redelivered`; its AMQP
    /// `properties`.
    pub(crate) async fn next(&mut self) -> Value {
        self.next_or_end().await.expect("the peer has ended")
    }

    /// The payload of the next delivery, which must be accepted.
    pub(crate) async fn payload(&mut self) -> Value {
        let mut delivery = self.next().await;
        assert!(delivery.get("refused").is_none(), "{delivery}");
        delivery["payload"].take()
    }

    async fn next_or_end(&mut self) -> Option<Value> {
        let line = self.lines.recv().await?;
        Some(serde_json::from_str(&line).unwrap())
    }

    /// Lets the peer close its connection; returns the events that it handled until then.
    pub(crate) async fn stop(mut self) -> Vec<Value> {
        drop(self.stdin.take());
        let mut rest = Vec::new();
        while let Some(delivery) = self.next_or_end().await {
            rest.push(delivery);
        }
        assert!(self.child.wait().await.unwrap().success(), "the peer has failed");
        rest
    }
}

/// Returns the error of a peer that can't join the group.
pub(crate) async fn cannot_join(event: &str, group: &str, schemata: &Schemata) -> String {
    let child = python(&["listen", event, group, "ack"], schemata).stderr(Stdio::piped()).spawn().unwrap();
    let output = child.wait_with_output().await.unwrap();
    assert!(!output.status.success() && output.stdout.is_empty(), "the peer listens");
    String::from_utf8_lossy(&output.stderr).into_owned()
}
