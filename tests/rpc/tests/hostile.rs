//! Hostile requests: each is answered or its connection closed, and the service continues.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use twyla_rpc_tests::raw::{Reply, post, send};
use twyla_rpc_tests::{Script, rpcs, within};
use twyla_runtime::rpc::Serve;
use twyla_runtime::{Bus, Running};

const JSON: (&str, &str) = ("content-type", "application/json");
const CONTEXT: (&str, &str) = ("twyla-context", r#"{"channel":"x"}"#);

async fn start() -> Running {
    let settings = Serve::on("127.0.0.1:0").read_deadline(std::time::Duration::from_millis(500));
    Bus::in_memory().service().state(Script::echo()).rpcs(rpcs()).serve(settings).start().await.unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
}

/// Checks that a response is Twyla's: the requested value, or a problem that says why it was refused.
fn is_an_answer(reply: &Reply) {
    match reply.status {
        200 => drop(reply.json()),
        400..=599 if reply.header("content-type") == Some("application/problem+json") => {
            let problem = reply.json();
            assert!(problem["type"].as_str().unwrap().starts_with("urn:twyla:rpc:"), "{problem}");
        }
        // hyper itself refuses bytes that aren't HTTP
        400 | 404 | 414 | 431 => {}
        status => panic!("{status}: {reply:?}"),
    }
}

/// A JSON value that is a valid request, nearly is, or is far from it.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        (0..1200_i64).prop_map(Into::into),
        ".{0,12}".prop_map(Into::into),
        "[a-z]{0,11}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::btree_map("id|tag|text|[a-z]{1,3}", inner, 0..5)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Whether the contract of `desk.look` allows it, checked by hand.
fn is_a_request(value: &serde_json::Value) -> bool {
    let Some(members) = value.as_object() else { return false };
    let id = members.get("id").and_then(|id| id.as_f64().filter(|_| id.is_number()));
    let tag = members.get("tag").is_none_or(|tag| {
        tag.as_str()
            .is_some_and(|tag| (1..=9).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_lowercase()))
    });
    id.is_some_and(|id| id.fract() == 0.0 && (1.0..=1000.0).contains(&id)) && tag
}

#[test]
fn requests_are_answered_according_to_their_contract() {
    let runtime = runtime();
    let running = runtime.block_on(start());
    let address = running.address().unwrap();
    let request = prop_oneof![
        json(),
        (0..1200_i64, "[a-zA-Z]{0,11}").prop_map(|(id, tag)| serde_json::json!({"id": id, "tag": tag})),
        (0..1200_i64, json()).prop_map(|(id, more)| serde_json::json!({"id": id, "more": more})),
    ];
    let checked = runner(1500).run(&request, |value| {
        let reply =
            runtime.block_on(within(post(address, "/rpc/look", &[JSON, CONTEXT], value.to_string().as_bytes())));
        let due = if is_a_request(&value) { 200 } else { 422 };
        prop_assert_eq!(reply.status, due, "{}: {:?}", value, reply);
        is_an_answer(&reply);
        if due == 422 {
            let problem = reply.json();
            for error in problem["errors"].as_array().unwrap() {
                let pointer = error["pointer"].as_str().unwrap();
                // a known path, or a missing one
                prop_assert!(value.pointer(pointer).is_some(), "{}: {}", value, error);
            }
        }
        Ok(())
    });
    checked.unwrap();
    runtime.block_on(running.stop());
}

#[test]
fn bodies_and_headers_of_any_bytes() {
    let runtime = runtime();
    let running = runtime.block_on(start());
    let address = running.address().unwrap();
    let header = prop_oneof![
        Just("twyla-context"),
        Just("twyla-session"),
        Just("twyla-timeout-ms"),
        Just("twyla-attempt"),
        Just("idempotency-key"),
        Just("traceparent"),
        Just("content-type"),
    ];
    let strategy = (header, "[\\x20-\\x7e\\u{80}-\\u{ffff}]{0,200}", prop::collection::vec(any::<u8>(), 0..200));
    let checked = runner(1500).run(&strategy, |(name, value, body)| {
        let mut headers = vec![(name, value.as_str())];
        if name != "content-type" {
            headers.push(JSON);
        }
        let reply = runtime.block_on(within(post(address, "/rpc/look", &headers, &body)));
        is_an_answer(&reply);
        prop_assert!(reply.status != 500, "{:?}", reply);
        Ok(())
    });
    checked.unwrap();
    runtime.block_on(running.stop());
}

#[test]
fn bytes_that_are_not_http() {
    let runtime = runtime();
    let running = runtime.block_on(start());
    let address = running.address().unwrap();
    let heads = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        b"POST /rpc/look HTTP/9.9\r\n\r\n".to_vec(),
        b"POST /rpc/look HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 6\r\nhost: x\r\n\r\n{}".to_vec(),
        b"POST /rpc/look HTTP/1.1\r\ncontent-length: -1\r\nhost: x\r\n\r\n{}".to_vec(),
        b"POST /rpc/look HTTP/1.1\r\ntransfer-encoding: chunked\r\nhost: x\r\n\r\nffffffffffffffffff\r\n".to_vec(),
        b"POST /rpc/look HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\nhost: x\r\n\r\n0\r\n\r\n"
            .to_vec(),
        b"POST /rpc/../../etc/passwd HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_vec(),
        b"POST /rpc/%00 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_vec(),
        [b"POST /rpc/look HTTP/1.1\r\n".as_slice(), &b"x: y\r\n".repeat(1000), b"\r\n"].concat(),
        [b"POST /".as_slice(), &[b'x'; 100_000], b" HTTP/1.1\r\n\r\n"].concat(),
        vec![0; 1000],
    ];
    for head in heads {
        // answered, or closed: it ends
        runtime.block_on(within(gone(address, &head)));
    }
    let checked = runner(200).run(&prop::collection::vec(any::<u8>(), 1..300), |bytes| {
        runtime.block_on(within(gone(address, &bytes)));
        Ok(())
    });
    checked.unwrap();
    // and the service still works
    let reply = runtime.block_on(within(post(address, "/rpc/look", &[JSON, CONTEXT], br#"{"id":1}"#)));
    assert_eq!(reply.status, 200);
    runtime.block_on(running.stop());
}

/// Sends bytes and nothing else, and waits for the connection to end.
async fn gone(address: std::net::SocketAddr, bytes: &[u8]) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

#[test]
fn nesting_without_an_end() {
    let runtime = runtime();
    let running = runtime.block_on(start());
    let address = running.address().unwrap();
    for body in [
        format!(r#"{{"id":1,"more":{}{}}}"#, "[".repeat(50_000), "]".repeat(50_000)),
        "[".repeat(100_000),
        r#"{"a":"#.repeat(50_000),
    ] {
        let reply = runtime.block_on(within(post(address, "/rpc/look", &[JSON, CONTEXT], body.as_bytes())));
        assert_eq!(reply.status, 422, "{}", reply.head);
    }
    let context = format!(r#"{{"channel":"x","more":{}{}}}"#, "[".repeat(2500), "]".repeat(2500));
    let reply =
        runtime.block_on(within(post(address, "/rpc/look", &[JSON, ("twyla-context", &context)], br#"{"id":1}"#)));
    is_an_answer(&reply);
    let reply = runtime.block_on(within(send(address, b"POST /rpc/look HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 0\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n")));
    is_an_answer(&reply);
    runtime.block_on(running.stop());
}
