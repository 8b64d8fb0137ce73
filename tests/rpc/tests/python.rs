//! Calls of Python programs that know nothing of Twyla.

use std::sync::{Arc, Mutex};

use tokio::process::Command;
use twyla_rpc_tests::contracts::rpc::desk::{LookError, LookErrorReason};
use twyla_rpc_tests::contracts::shared::Note;
use twyla_rpc_tests::{Call, Script, rpcs, within};
use twyla_runtime::rpc::Serve;
use twyla_runtime::{Bus, session_id};

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
    let python = std::env::var("TWYLA_TEST_PYTHON").unwrap_or_else(|_| "/usr/bin/python3".to_owned());
    let url = format!("http://{}", running.address().unwrap());
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/plain.py");
    let output = Command::new(python).args([program, library, &url]).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> =
        lines.iter().map(|line| (line["status"].as_u64().unwrap(), line["type"].as_str().unwrap())).collect();
    let (json, problem) = ("application/json", "application/problem+json");
    assert_eq!(told, [(422, problem), (200, json), (422, problem), (409, json), (200, json), (200, json)]);
    assert_eq!(lines[0]["body"]["errors"][0]["keyword"], "pattern");
    assert_eq!(lines[1]["body"], serde_json::json!({"id": 7, "text": "looked"}));
    assert_eq!(lines[2]["body"]["errors"][0]["pointer"], "/id");
    assert_eq!(lines[3]["body"], serde_json::json!({"reason": "not_found"}));
    assert_eq!(lines[4]["body"], serde_json::json!({"count": 2}));
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
