//! The service's HTTP interface as other clients see it: curl, other languages, proxies.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tracing_subscriber::fmt::MakeWriter;
use twyla_rpc_tests::contracts::rpc::desk::{Look, LookError, LookErrorReason, LookRequest, Put};
use twyla_rpc_tests::contracts::shared::Note;
use twyla_rpc_tests::raw::{Reply, post, send};
use twyla_rpc_tests::{Call, Script, caller, context, rpcs, within};
use twyla_runtime::rpc::{CallError, Serve};
use twyla_runtime::{Bus, Error, Rpc, Running};

const JSON: (&str, &str) = ("content-type", "application/json");
const CONTEXT: (&str, &str) = ("twyla-context", r#"{"channel":"curl"}"#);

async fn start(script: Script, settings: Serve) -> Running {
    Bus::in_memory().service().state(script).rpcs(rpcs()).serve(settings).start().await.unwrap()
}

async fn look(running: &Running, headers: &[(&str, &str)], body: &str) -> Reply {
    within(post(running.address().unwrap(), "/rpc/look", headers, body.as_bytes())).await
}

fn anywhere() -> Serve {
    Serve::on("127.0.0.1:0")
}

/// The problem in a response, with type and status checked.
fn problem(reply: &Reply, status: u16, kind: &str) -> serde_json::Value {
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    let problem = reply.json();
    assert_eq!(problem["type"], format!("urn:twyla:rpc:{kind}"));
    assert_eq!(problem["status"], status);
    assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
    problem
}

#[tokio::test]
async fn answers_clients_other_than_twyla() {
    let running = start(Script::echo(), anywhere()).await;
    let reply = look(&running, &[JSON, CONTEXT], r#"{"id": 7.0, "more": [1]}"#).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    assert_eq!(reply.json(), serde_json::json!({"id": 7, "text": "looked"}));
    assert_eq!(reply.header("twyla-idempotent"), None);

    // without a context, for an RPC without one; with a charset, which JSON doesn't define
    let headers = [("content-type", "application/json; charset=utf-8")];
    let address = running.address().unwrap();
    let reply = within(post(address, "/rpc/put", &headers, br#"{"id":2,"text":"x"}"#)).await;
    assert_eq!((reply.status, reply.json()), (200, serde_json::json!({"count": 2})));
    let reply = within(post(address, "/rpc/list", &headers, b"{}")).await;
    assert_eq!((reply.status, reply.body.as_str(), reply.header("twyla-idempotent")), (200, "[]", Some("true")));
    running.stop().await;
}

#[tokio::test]
async fn reports_the_rule_that_a_request_breaks() {
    let running = start(Script::new(|_| async { unreachable!("it is never handled") }), anywhere()).await;
    let reply = look(&running, &[JSON, CONTEXT], r#"{"id": 0, "tag": "NO"}"#).await;
    let refusal = problem(&reply, 422, "contract");
    assert_eq!((&refusal["part"], &refusal["method"]), (&"request".into(), &"desk.look".into()));
    assert_eq!(refusal["errors"][0]["pointer"], "/id");
    assert_eq!(refusal["errors"][0]["keyword"], "minimum");
    assert_eq!(refusal["errors"][0]["detail"], "0 is less than 1");
    assert_eq!(refusal["errors"][1]["pointer"], "/tag");
    assert_eq!(refusal["errors"][1]["keyword"], "pattern");

    for (body, pointer, keyword) in [
        ("", "", "json"),
        ("{", "", "json"),
        ("[1]", "", "type"),
        ("{}", "", "required"),
        (r#"{"id":"1"}"#, "/id", "type"),
        (r#"{"id":1,"id":1}"#, "", "json"),
        (r#"{"id":1} {}"#, "", "json"),
    ] {
        let refusal = problem(&look(&running, &[JSON, CONTEXT], body).await, 422, "contract");
        assert_eq!(
            (&refusal["errors"][0]["pointer"], &refusal["errors"][0]["keyword"]),
            (&pointer.into(), &keyword.into()),
            "{body}"
        );
    }

    // the context too: an invalid one, and a missing one
    for headers in [&[JSON, ("twyla-context", r#"{"channel":""}"#)][..], &[JSON, ("twyla-context", "no")], &[JSON]] {
        let refusal = problem(&look(&running, headers, r#"{"id": 1}"#).await, 422, "contract");
        assert_eq!(refusal["part"], "context");
    }
    running.stop().await;
}

#[tokio::test]
async fn refuses_requests_that_are_not_calls() {
    let settings = anywhere().max_request(1000);
    let running = start(Script::new(|_| async { unreachable!("it is never handled") }), settings).await;
    let address = running.address().unwrap();
    let body = br#"{"id": 1}"#;
    let other = within(send(address, b"GET /rpc/look HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
    problem(&other, 405, "not-a-post");
    assert_eq!(other.header("allow"), Some("post"));
    problem(&within(post(address, "/rpc/lok", &[JSON], body)).await, 404, "unknown-method");
    problem(&within(post(address, "/rpc/look/more", &[JSON], body)).await, 404, "unknown-method");
    assert_eq!(within(post(address, "/other", &[JSON], body)).await.status, 404);
    for headers in [&[][..], &[("content-type", "text/plain")]] {
        let reply = within(post(address, "/rpc/look", headers, body)).await;
        problem(&reply, 415, "not-json");
        assert_eq!((reply.header("accept"), reply.header("accept-encoding")), (Some("application/json"), None));
    }
    for (name, value) in
        [("twyla-timeout-ms", "soon"), ("twyla-timeout-ms", "-1"), ("twyla-attempt", "x"), ("twyla-session", "\u{ff}")]
    {
        let reply = within(post(address, "/rpc/look", &[JSON, (name, value)], body)).await;
        // any session that is UTF-8 is valid, in any script
        let due = if name == "twyla-session" { (422, "contract") } else { (400, "bad-header") };
        problem(&reply, due.0, due.1);
    }
    problem(&within(post(address, "/rpc/look", &[JSON], &[b' '; 1001])).await, 413, "too-large");
    // and a body without a declared length
    let chunk = format!("{:x}\r\n{}\r\n", 900, " ".repeat(900));
    let head =
        "POST /rpc/look HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let reply = within(send(address, format!("{head}{chunk}{chunk}0\r\n\r\n").as_bytes())).await;
    problem(&reply, 413, "too-large");
    let long = format!(r#"{{"channel":"{}"}}"#, "x".repeat(7000));
    problem(&within(post(address, "/rpc/look", &[JSON, ("twyla-context", &long)], body)).await, 422, "contract");
    running.stop().await;
}

/// RFC 9110, section 15.5.16, and RFC 7694, section 3.
#[tokio::test]
async fn a_body_with_a_content_coding_is_refused_as_unsupported() {
    let running = start(Script::echo(), anywhere()).await;
    // {"id": 7}, by gzip
    let gzip = b"\x1f\x8b\x08\0\0\0\0\0\x02\xff\xabV\xcaLQ\xb2R0\xaf\x05\0\x03\xe7\x8e\0\t\0\0\0";
    let address = running.address().unwrap();
    for coding in ["gzip", "GZIP", "identity, br", "deflate;q=1"] {
        let reply = within(post(address, "/rpc/look", &[JSON, CONTEXT, ("content-encoding", coding)], gzip)).await;
        let detail = &problem(&reply, 415, "encoded")["detail"];
        assert_eq!(detail, &format!("the request body is encoded as `{coding}`: send it without a content coding"));
        assert_eq!((reply.header("accept-encoding"), reply.header("accept")), (Some("identity"), None));
    }
    for coding in ["identity", "", "Identity,identity"] {
        let reply = look(&running, &[JSON, CONTEXT, ("content-encoding", coding)], r#"{"id": 7}"#).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    // two headers form one list (RFC 9110, section 5.3)
    let two = [JSON, CONTEXT, ("content-encoding", "identity"), ("content-encoding", "gzip")];
    problem(&look(&running, &two, r#"{"id": 7}"#).await, 415, "encoded");
    running.stop().await;
}

#[tokio::test]
async fn another_encoding_of_a_request_is_named() {
    let running = start(Script::echo(), anywhere()).await;
    let utf16: Vec<u8> = "{\"id\": 7}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (body, detail) in [
        (b"\xef\xbb\xbf{\"id\": 7}".to_vec(), "the text begins with a byte order mark, which JSON doesn't allow"),
        (utf16.clone(), "the text is UTF-16, but JSON is UTF-8"),
        ([b"\xff\xfe", &utf16[..]].concat(), "the text is UTF-16, but JSON is UTF-8"),
    ] {
        let reply = within(post(running.address().unwrap(), "/rpc/look", &[JSON, CONTEXT], &body)).await;
        let refusal = problem(&reply, 422, "contract");
        assert_eq!(
            (&refusal["errors"][0]["keyword"], &refusal["errors"][0]["detail"]),
            (&"json".into(), &detail.into())
        );
    }
    running.stop().await;
}

#[tokio::test]
async fn answers_with_errors_and_faults() {
    let script = Script::new(|call: Call| async move {
        match call.id {
            1 => Err(LookError::new(LookErrorReason::Locked).into()),
            2 => Err("hunter2".into()),
            3 => panic!("hunter2"),
            4 => std::future::pending().await,
            _ => Ok(Note::new(0, "hunter2".repeat(1_000_000))),
        }
    });
    let running = start(script, anywhere()).await;
    let reply = look(&running, &[JSON, CONTEXT], r#"{"id": 1}"#).await;
    assert_eq!((reply.status, reply.header("content-type")), (409, Some("application/json")));
    assert_eq!(reply.json(), serde_json::json!({"reason": "locked"}));
    for id in [2, 3] {
        let reply = look(&running, &[JSON, CONTEXT], &format!(r#"{{"id": {id}}}"#)).await;
        let refusal = problem(&reply, 500, "fault");
        assert!(refusal["part"].is_null() && !reply.body.contains("hunter2"), "{refusal}");
    }
    let headers = [JSON, CONTEXT, ("twyla-timeout-ms", "50")];
    problem(&look(&running, &headers, r#"{"id": 4}"#).await, 504, "deadline");
    problem(&look(&running, &[JSON, CONTEXT, ("twyla-timeout-ms", "0")], r#"{"id": 4}"#).await, 504, "deadline");
    let reply = look(&running, &[JSON, CONTEXT], r#"{"id": 5}"#).await;
    assert_eq!(problem(&reply, 500, "fault")["part"], "response");
    assert!(!reply.body.contains("hunter2"));
    running.stop().await;
}

/// They appear neither in responses, nor in errors, nor in the log.
#[tokio::test]
async fn sensitive_values_are_never_shown() {
    let log = Log::default();
    let lines = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let _here = tracing::subscriber::set_default(lines);
    let script = Script::new(|call: Call| async move {
        let pin = Some("41114111".to_owned());
        match call.id {
            1 => Ok(Note { pin, ..Note::new(1, "x") }),
            3 => Err(LookError { by: pin, ..LookError::new(LookErrorReason::Locked) }.into()),
            _ => Err(format!("{:?}", Note { pin, ..Note::new(2, "x") }).into()),
        }
    });
    let running = start(script, anywhere()).await;
    let hidden = "the value breaks `maxLength`; it is sensitive, so it is not shown";

    let broken = br#"{"id":1,"text":"x","pin":"41114111"}"#;
    let reply = within(post(running.address().unwrap(), "/rpc/put", &[JSON], broken)).await;
    let refusal = problem(&reply, 422, "contract");
    assert_eq!((&refusal["errors"][0]["pointer"], &refusal["errors"][0]["detail"]), (&"/pin".into(), &hidden.into()));
    assert!(!reply.body.contains("4111"), "{}", reply.body);

    let reply = look(&running, &[JSON, CONTEXT], r#"{"id": 1}"#).await;
    assert_eq!(problem(&reply, 500, "fault")["part"], "response");
    assert!(!reply.body.contains("4111"), "{}", reply.body);

    let rpc = caller(&running);
    let note = Note { pin: Some("41114111".to_owned()), ..Note::new(1, "x") };
    let error = rpc.call::<Put>(note, context()).await.unwrap_err();
    assert!(error.to_string().contains(hidden) && !format!("{error} {error:?}").contains("4111"), "{error:?}");
    for id in [2, 3] {
        let error = rpc.call::<Look>(LookRequest::new(id), context()).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("4111"), "{error:?}");
    }
    running.stop().await;

    let log = log.text();
    assert!(log.contains(hidden) && log.contains("[sensitive]") && !log.contains("4111"), "{log}");
}

/// The captured log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn can_be_mounted_in_an_axum_app() {
    // the service serves itself, with an added layer and route
    let service = Bus::in_memory().service().state(Script::echo()).rpcs(rpcs()).serve(anywhere());
    let app = |rpcs: Router| {
        let layer = axum::middleware::map_response(|mut response: axum::response::Response| async move {
            response.headers_mut().insert("x-layer", axum::http::HeaderValue::from_static("here"));
            response
        });
        rpcs.route("/health", get(|| async { "well" })).layer(layer)
    };
    let running = service.app(app).start().await.unwrap();
    let address = running.address().unwrap();
    let reply = look(&running, &[JSON, CONTEXT], r#"{"id": 7}"#).await;
    assert_eq!((reply.status, reply.header("x-layer")), (200, Some("here")));
    let health = within(send(address, b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
    assert_eq!((health.status, health.body.as_str()), (200, "well"));
    running.stop().await;

    // another server serves it
    let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
    let answer = Arc::new(tokio::sync::Notify::new());
    let script = Script::new({
        let answer = answer.clone();
        move |call| {
            let (answer, begun) = (answer.clone(), begun.clone());
            async move {
                if call.id == 8 {
                    let _ = begun.send(());
                    answer.notified().await;
                }
                Ok(Note::new(call.id, ""))
            }
        }
    });
    let service = Bus::in_memory().service().state(script).rpcs(rpcs()).serve(Serve::mounted());
    let running = service.start().await.unwrap();
    assert_eq!(running.address(), None);
    let app = Router::new().nest("/desk", running.router());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });
    let rpc = twyla_runtime::rpc::Config::new().address("desk", [format!("http://{address}/desk")]);
    let rpc = Rpc::new(rpc).unwrap();
    assert_eq!(rpc.call::<Look>(LookRequest::new(7), context()).await.unwrap().id, 7);
    // shutdown waits for a call that came through the app
    let calling = tokio::spawn({
        let rpc = rpc.clone();
        async move { rpc.call::<Look>(LookRequest::new(8), context()).await }
    });
    within(begins.recv()).await.unwrap();
    let mut stopping = std::pin::pin!(running.stop());
    std::future::poll_fn(|context| {
        assert!(stopping.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    answer.notify_one();
    within(stopping).await;
    assert_eq!(within(calling).await.unwrap().unwrap().id, 8);
    // the routes work as long as the service runs
    let call = rpc.call::<Look>(LookRequest::new(7), context()).within(Duration::from_millis(500));
    assert!(matches!(call.await.unwrap_err(), CallError::Fault { status: 503, .. }));
    serving.abort();
}

#[tokio::test]
async fn checks_before_it_serves() {
    let taken = start(Script::echo(), anywhere()).await;
    let address = taken.address().unwrap().to_string();
    let service = || Bus::in_memory().service().rpcs(rpcs());
    let error = service().state(Script::echo()).serve(Serve::on(&address)).start().await.unwrap_err();
    assert!(matches!(&error, Error::Serve { address: shown, .. } if *shown == address), "{error}");
    let error = service().serve(anywhere()).start().await.unwrap_err();
    assert!(error.to_string().contains("takes `State<") && error.to_string().contains("add `.state(..)`"), "{error}");
    let error = service().rpcs(rpcs()).state(Script::echo()).serve(anywhere()).start().await.unwrap_err();
    assert!(matches!(error, Error::DuplicateRpc { method: "look", .. }), "{error}");
    assert!(error.to_string().contains("is registered twice to serve /rpc/look"), "{error}");
    let error = service().state(Script::echo()).serve(Serve::mounted()).app(|rpcs| rpcs).start().await.unwrap_err();
    assert!(matches!(error, Error::NoAddress { what: "the app of `.app(..)`" }), "{error}");
    for address in ["127.0.0.1", "http://127.0.0.1:8080", ":8080", "127.0.0.1:http"] {
        let error = service().state(Script::echo()).serve(Serve::on(address)).start().await.unwrap_err();
        let why = "it should be a host and a port, for example 0.0.0.0:8080";
        assert_eq!(error.to_string(), format!("can't serve on {address}: {why}"));
    }
    let mounted = || service().state(Script::echo()).serve(Serve::mounted());
    for error in [within(mounted().run()).await.unwrap_err(), mounted().run_until(async {}).await.unwrap_err()] {
        assert!(
            error.to_string().starts_with("the RPCs of a service that was started with `run()` can't be served"),
            "{error}"
        );
    }
    // within the process they can be called all the same
    mounted().rpc(Rpc::in_memory()).run_until(async {}).await.unwrap();
    taken.stop().await;
}

#[tokio::test]
async fn speaks_http_2_without_tls() {
    let running = start(Script::echo(), anywhere()).await;
    let config = twyla_rpc_tests::config(&running).http2(true);
    let rpc = Rpc::new(config).unwrap();
    let calls = (1..=50).map(|id| {
        let call = rpc.call::<Look>(LookRequest::new(id), context());
        tokio::spawn(async move { call.await.unwrap().id })
    });
    let calls: Vec<_> = calls.collect();
    for (id, call) in (1..=50).zip(calls) {
        assert_eq!(call.await.unwrap(), id);
    }
    let http1 = caller(&running);
    assert_eq!(http1.call::<Look>(LookRequest::new(7), context()).await.unwrap().id, 7);
    running.stop().await;
}
