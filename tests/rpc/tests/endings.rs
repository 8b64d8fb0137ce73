//! Unsuccessful calls: whether their error says that a call was begun, how many retries they cost, and what remains
//! when their service has ended.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;
use twyla_rpc_tests::contracts::rpc::desk::{List, ListRequest, Look, LookError, LookRequest};
use twyla_rpc_tests::contracts::shared::Note;
use twyla_rpc_tests::raw::{post, server};
use twyla_rpc_tests::{Link, Script, context, rpcs, within};
use twyla_runtime::rpc::{CallError, Config, Serve, Side};
use twyla_runtime::{Bus, Fail, Rpc};

const BUSY: &str = r#"{"type":"urn:twyla:rpc:busy","status":503}"#;
const LATER: &str = r#"{"type":"urn:twyla:rpc:later","status":503}"#;
const REFUSED: &str = r#"{"type":"urn:twyla:rpc:contract","status":422,"part":"request"}"#;

/// The error of a call to a server that gives each of these answers in turn; `None` closes the connection.
async fn after(answers: &'static [Option<&'static str>]) -> CallError<LookError> {
    let count = Arc::new(AtomicUsize::new(0));
    let (address, serving) = server(move |mut stream: TcpStream| {
        let answer = answers[count.fetch_add(1, Ordering::SeqCst)];
        async move {
            let Some(body) = answer else { return };
            let status = &body[body.len() - 40..].split("\"status\":").nth(1).unwrap()[..3];
            let head =
                format!("HTTP/1.1 {status} x\r\ncontent-type: application/problem+json\r\nconnection: close\r\n");
            let _ = stream.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
        }
    })
    .await;
    let config = Config::new().address("desk", [format!("http://{address}")]).pauses(Duration::ZERO, Duration::ZERO);
    let rpc = Rpc::new(config).unwrap();
    let call = rpc.call::<Look>(LookRequest::new(1), context()).idempotency_key("1");
    let error = within(async { call.await }).await.unwrap_err();
    serving.abort();
    error
}

/// An attempt that may have begun is remembered, whatever the next attempt's result.
#[tokio::test]
async fn an_error_accounts_for_every_attempt() {
    for (answers, begun) in [
        (&[Some(BUSY), Some(BUSY), Some(BUSY)], false),
        (&[None, Some(BUSY), Some(BUSY)], true),
        (&[Some(LATER), Some(BUSY), Some(BUSY)], true),
        (&[Some(BUSY), Some(BUSY), Some(LATER)], true),
    ] {
        let error = after(answers).await;
        assert!(matches!(error, CallError::Fault { status: 503, .. }), "{error}");
        assert_eq!(error.maybe_begun(), begun, "{answers:?}");
    }
    for (answers, begun) in [(&[Some(BUSY), Some(REFUSED)], false), (&[None, Some(REFUSED)], true)] {
        let error = after(answers).await;
        assert!(matches!(error, CallError::Request { by: Side::Theirs, .. }), "{error}");
        assert_eq!(
            (error.maybe_begun(), error.to_string().contains("an earlier attempt")),
            (begun, begun),
            "{answers:?}"
        );
    }
}

#[tokio::test]
async fn retries_are_limited_to_a_fraction_of_calls() {
    let attempts = Arc::new(AtomicU32::new(0));
    let counted = attempts.clone();
    let script = Script::new(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Err(Fail::retry_after(Duration::ZERO, "not now").into()) }
    });
    let (running, rpc) = Link::Memory(Rpc::in_memory()).start(script, |serve| serve).await;
    for _ in 0..30 {
        let error = within(async { rpc.call::<List>(ListRequest { first: None }, context()).await }).await.unwrap_err();
        assert!(matches!(error, CallError::Fault { status: 503, .. }), "{error}");
    }
    // ten at first, and one more for each ten calls
    assert_eq!(attempts.load(Ordering::SeqCst), 30 + 10 + 3);
    running.stop().await;
}

/// Reports when it is dropped.
struct Dropped(mpsc::UnboundedSender<&'static str>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send("dropped");
    }
}

/// After the signal to stop, a service isn't ready but still answers until its shutdown delay is over.
#[tokio::test]
async fn a_stopping_service_answers_but_is_not_ready_during_its_shutdown_delay() {
    within(async {
        // reserve a port, which is free again for the service
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let service = Bus::in_memory().service().state(Script::echo()).rpcs(rpcs());
        let service = service.serve(Serve::on(address.to_string())).shutdown_delay(Duration::from_secs(3600));
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let serving = tokio::spawn(service.run_until(async { drop(ended.await) }));
        let ready = async || {
            let get = b"GET /health/ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
            while TcpStream::connect(address).await.is_err() {
                tokio::task::yield_now().await;
            }
            twyla_rpc_tests::raw::send(address, get).await.status
        };
        assert_eq!(ready().await, 200);
        end.send(()).unwrap();
        while ready().await != 503 {
            tokio::task::yield_now().await;
        }
        let reply = post(
            address,
            "/rpc/look",
            &[("content-type", "application/json"), ("twyla-context", r#"{"channel":"test"}"#)],
            br#"{"id": 1}"#,
        )
        .await;
        assert_eq!(reply.status, 200);
        serving.abort();

        let service = Bus::in_memory().service().state(Script::echo()).rpcs(rpcs()).serve(Serve::on("127.0.0.1:0"));
        service.shutdown_delay(Duration::from_millis(1)).run_until(std::future::ready(())).await.unwrap();
    })
    .await;
}

/// A handler that never ends is stopped with its service, over every link.
#[tokio::test]
async fn handlers_that_do_not_end_are_stopped() {
    for way in ["in memory", "mounted", "over HTTP"] {
        let (sender, mut reports) = mpsc::unbounded_channel();
        let script = Script::new(move |_| {
            let dropped = Dropped(sender.clone());
            async move {
                let _ = dropped.0.send("begun");
                std::future::pending().await
            }
        });
        let service = Bus::in_memory().service().state(script).rpcs(rpcs()).drain_deadline(Duration::from_millis(50));
        let memory = Rpc::in_memory();
        let running = match way {
            "in memory" => service.rpc(memory.clone()),
            "mounted" => service.serve(Serve::mounted()),
            _ => service.serve(Serve::on("127.0.0.1:0")),
        };
        let running = running.start().await.unwrap();
        let over =
            |address: SocketAddr| Rpc::new(Config::new().address("desk", [format!("http://{address}")])).unwrap();
        let rpc = match way {
            "in memory" => memory,
            "mounted" => {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let (address, app) = (listener.local_addr().unwrap(), Router::new().merge(running.router()));
                tokio::spawn(async move { axum::serve(listener, app).await });
                over(address)
            }
            _ => over(running.address().unwrap()),
        };
        let call = rpc.call::<Look>(LookRequest::new(1), context());
        let calling = tokio::spawn(async move { call.await });
        assert_eq!(within(reports.recv()).await, Some("begun"), "{way}");
        within(running.stop()).await;
        assert_eq!(reports.try_recv(), Ok("dropped"), "{way}");
        let error = within(calling).await.unwrap().unwrap_err();
        assert!(error.maybe_begun(), "{way}: {error}");
    }
}

/// A request that is complete only after its service has ended was never begun.
#[tokio::test]
async fn a_request_completed_too_late_is_refused() {
    let service = Bus::in_memory().service().state(Script::echo()).rpcs(rpcs()).serve(Serve::mounted());
    let running = service.start().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, app) = (listener.local_addr().unwrap(), Router::new().merge(running.router()));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut stream = begun(address).await;
    within(running.stop()).await;
    stream.write_all(br#"{"id":1}"#).await.unwrap();
    let mut reply = Vec::new();
    while !reply.ends_with(b"}") {
        assert_ne!(within(stream.read_buf(&mut reply)).await.unwrap(), 0);
    }
    let reply = String::from_utf8_lossy(&reply);
    assert!(reply.contains("HTTP/1.1 503") && reply.contains("urn:twyla:rpc:busy"), "{reply}");
}

/// A call whose head has arrived and whose body, `{"id":1}`, is still missing.
async fn begun(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = "POST /rpc/look HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 8\r\n\
                twyla-context: {\"channel\":\"x\"}\r\ntwyla-timeout-ms: 20000\r\nexpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut reply = [0; 25];
    within(stream.read_exact(&mut reply)).await.unwrap();
    assert_eq!(&reply, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

/// With two services in one process, calls go to the running one.
#[tokio::test]
async fn a_service_that_has_ended_is_not_called() {
    let rpc = Rpc::in_memory();
    let start = async |id| {
        let script = Script::new(move |_| async move { Ok(Note::new(id, "")) });
        let service = Bus::in_memory().service().state(script).rpcs(rpcs());
        service.rpc(rpc.clone()).serve(Serve::mounted()).start().await.unwrap()
    };
    let (old, new) = (start(1).await, start(2).await);
    let call = async || rpc.call::<Look>(LookRequest::new(7), context()).within(Duration::from_secs(1)).await;
    assert_eq!(call().await.unwrap().id, 2);
    // a clone of the routes keeps its service alive
    let _routes = new.router();
    new.stop().await;
    assert_eq!(call().await.unwrap().id, 1);
    old.stop().await;
}

/// A call's deadline starts with the head of its request, not with the last byte of the body.
#[tokio::test]
async fn a_deadline_starts_with_the_request_head() {
    let (sender, mut deadlines) = mpsc::unbounded_channel();
    let script = Script::new(move |call| {
        let _ = sender.send(call.meta.deadline);
        async { Ok(Note::new(1, "")) }
    });
    let service = Bus::in_memory().service().state(script).rpcs(rpcs()).serve(Serve::on("127.0.0.1:0"));
    let running = service.start().await.unwrap();
    let mut stream = begun(running.address().unwrap()).await;
    let latest = Instant::now() + Duration::from_secs(20);
    tokio::time::sleep(Duration::from_millis(50)).await;
    stream.write_all(br#"{"id":1}"#).await.unwrap();
    assert!(within(deadlines.recv()).await.unwrap() <= latest);
    running.stop().await;
}

/// A client that is still sending when it is answered gets `connection: close`, and others don't.
#[tokio::test]
async fn an_answer_before_the_whole_request_closes_the_connection() {
    let service = Bus::in_memory().service().state(Script::echo()).rpcs(rpcs()).serve(Serve::on("127.0.0.1:0"));
    let running = service.start().await.unwrap();
    let address = running.address().unwrap();
    for (path, kind, status) in [("look", "text/plain", 415), ("lock", "application/json", 404)] {
        let head = |length| {
            format!("POST /rpc/{path} HTTP/1.1\r\nhost: x\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n")
        };
        for (sent, closes) in [(head(2) + "{}", false), (head(2), true), (head(1_000_000) + &" ".repeat(100_000), true)]
        {
            let mut stream = TcpStream::connect(address).await.unwrap();
            // it may answer and close before everything is sent
            let _ = stream.write_all(sent.as_bytes()).await;
            let mut reply = Vec::new();
            while !reply.windows(4).any(|end| end == b"\r\n\r\n") {
                assert_ne!(within(stream.read_buf(&mut reply)).await.unwrap(), 0);
            }
            let reply = String::from_utf8_lossy(&reply).to_ascii_lowercase();
            assert!(reply.starts_with(&format!("http/1.1 {status}")), "{reply}");
            assert_eq!(reply.contains("connection: close"), closes, "{reply}");
        }
    }
    // a client that asks with `expect: 100-continue` is answered without asking for the body
    let reply = within(post(address, "/rpc/look", &[("expect", "100-continue")], b"{}")).await;
    assert_eq!((reply.status, reply.header("connection")), (415, Some("close")));
    running.stop().await;
}
