//! Calls from Python programs without Twyla, and calls to a service written in Python.

use std::process::Stdio;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use twyla_rpc_tests::contracts::rpc::desk::{Look, LookError, LookErrorReason, LookRequest};
use twyla_rpc_tests::contracts::shared::Note;
use twyla_rpc_tests::{Call, Context, Script, rpcs, within};
use twyla_runtime::rpc::{Config, Serve};
use twyla_runtime::{Bus, Rpc, TraceContext, session_id};

/// A script in this package's folder.
fn python(script: &str) -> Command {
    let interpreter = std::env::var("TWYLA_TEST_PYTHON").unwrap_or_else(|_| "/usr/bin/python3".to_owned());
    let mut command = Command::new(interpreter);
    command.arg(format!("{}/{script}", env!("CARGO_MANIFEST_DIR"))).kill_on_drop(true);
    command
}

async fn called_with(library: &str) {
    let calls: Arc<Mutex<Vec<Call>>> = Arc::default();
    let script = Script::new({
        let calls = calls.clone();
        move |call| {
            calls.lock().unwrap().push(call.clone());
            async move {
                match call.id {
                    404 => Err(LookError::new(LookErrorReason::NotFound).into()),
                    id => Ok(Note::new(id, call.text)),
                }
            }
        }
    });
    let service = Bus::in_memory().service().state(script).rpcs(rpcs()).serve(Serve::on("127.0.0.1:0"));
    let running = service.start().await.unwrap();
    let url = format!("http://{}", running.address().unwrap());
    let output = python("plain.py").args([library, &url]).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let replies: Vec<_> =
        lines.iter().map(|line| (line["status"].as_u64().unwrap(), line["type"].as_str().unwrap())).collect();
    let (json, problem) = ("application/json", "application/problem+json");
    assert_eq!(replies, [(422, problem), (200, json), (422, problem), (409, json), (200, json), (200, json)]);
    assert_eq!(lines[0]["body"]["errors"][0]["keyword"], "pattern");
    assert_eq!(lines[1]["body"], json!({"id": 7, "text": "looked"}));
    assert_eq!(lines[2]["body"]["errors"][0]["pointer"], "/id");
    assert_eq!(lines[3]["body"], json!({"reason": "not_found"}));
    assert_eq!(lines[4]["body"], json!({"count": 2}));
    assert_eq!(lines[5]["body"].as_array().unwrap().len(), 2);
    running.stop().await;
    let calls = calls.lock().unwrap();
    assert_eq!(calls.len(), 4);
    assert!(calls.iter().all(|call| call.meta.session_id == session_id("a-session-of-pythons")));
    assert_eq!(calls[0].context.as_ref().and_then(|context| context.user.as_deref()), Some("Zoë"));
    assert_eq!(calls[2].text, "grüße 😀");
}

#[tokio::test]
#[ignore = "needs Python with requests: cargo xtask test installs it"]
async fn with_requests() {
    within(called_with("requests")).await;
}

#[tokio::test]
#[ignore = "needs Python with aiohttp: cargo xtask test installs it"]
async fn with_aiohttp() {
    within(called_with("aiohttp")).await;
}

#[tokio::test]
#[ignore = "needs Python with aiohttp: cargo xtask test installs it"]
async fn a_service_in_python_reads_the_headers_of_a_call() {
    within(async {
        let mut child = python("serve.py").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next_line().await.unwrap().expect("the service has ended");
        let rpc = Rpc::new(Config::new().address("desk", [format!("http://127.0.0.1:{port}")])).unwrap();
        let trace: TraceContext = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap();
        let session = session_id("a session");
        let context = Context { user: Some("Zoë 😀".to_owned()), ..Context::new("rust") };
        let rpc = rpc.with_session(session).with_trace(trace);
        let call = rpc.call::<Look>(LookRequest::new(7), context).idempotency_key("key-17");
        assert_eq!(call.await.unwrap(), Note::new(7, "grüße"));
        for attempt in 1..=2 {
            let mut call: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
            let seconds = call["seconds"].take().as_f64().unwrap();
            assert!(seconds > 0.0 && seconds <= 60.0, "{seconds}");
            let expected = json!({
                "content_type": "application/json", "body": { "id": 7 }, "session": session,
                "context": { "channel": "rust", "user": "Zoë 😀" }, "seconds": null, "key": "key-17",
                "attempt": attempt, "trace": [0, 16, 8, 1],
            });
            assert_eq!(call, expected);
        }
    })
    .await;
}
