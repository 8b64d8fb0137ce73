//! How calls end that don't end well: what their error says of what was begun, what they may cost, and what is left of them
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

/// How a call ends of a server that answers with each of these in turn, and with nothing at all where there is none.
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

/// What an attempt may have begun isn't undone by what comes of the next.
#[tokio::test]
async fn an_error_tells_of_every_attempt() {
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
            (error.maybe_begun(), error.to_string().contains("an attempt before")),
            (begun, begun),
            "{answers:?}"
        );
    }
}

#[tokio::test]
async fn of_all_calls_few_are_repeated() {
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
    // ten at first, and one more for every ten calls
    assert_eq!(attempts.load(Ordering::SeqCst), 30 + 10 + 3);
    running.stop().await;
}

/// Says when it is dropped.
struct Dropped(mpsc::UnboundedSender<&'static str>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send("dropped");
    }
}

/// After the signal to stop, a service isn't ready any more and still answers, until its shutdown delay is over.
#[tokio::test]
async fn a_service_that_is_to_stop_answers_and_is_not_ready_for_its_shutdown_delay() {
    within(async {
        // a port of its own, which is free again for the service
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

/// A handler that never ends is stopped with its service, however the call has come to it.
#[tokio::test]
async fn what_does_not_end_is_stopped() {
    for way in ["in memory", "mounted", "over HTTP"] {
        let (told, mut tells) = mpsc::unbounded_channel();
        let script = Script::new(move |_| {
            let dropped = Dropped(told.clone());
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
        assert_eq!(within(tells.recv()).await, Some("begun"), "{way}");
        within(running.stop()).await;
        assert_eq!(tells.try_recv(), Ok("dropped"), "{way}");
        let error = within(calling).await.unwrap().unwrap_err();
        assert!(error.maybe_begun(), "{way}: {error}");
    }
}

/// A request that is whole only when its service has ended was never begun.
#[tokio::test]
async fn what_comes_too_late_is_turned_away() {
    let service = Bus::in_memory().service().state(Script::echo()).rpcs(rpcs()).serve(Serve::mounted());
    let running = service.start().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, app) = (listener.local_addr().unwrap(), Router::new().merge(running.router()));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut stream = begun(address).await;
    within(running.stop()).await;
    stream.write_all(br#"{"id":1}"#).await.unwrap();
    let mut told = Vec::new();
    while !told.ends_with(b"}") {
        assert_ne!(within(stream.read_buf(&mut told)).await.unwrap(), 0);
    }
    let told = String::from_utf8_lossy(&told);
    assert!(told.contains("HTTP/1.1 503") && told.contains("urn:twyla:rpc:busy"), "{told}");
}

/// A call whose head has come, and whose body is waited for: `{"id":1}`.
async fn begun(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = "POST /rpc/look HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 8\r\n\
                twyla-context: {\"channel\":\"x\"}\r\ntwyla-timeout-ms: 20000\r\nexpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut told = [0; 25];
    within(stream.read_exact(&mut told)).await.unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

/// Of two services in one process the one is called that runs.
#[tokio::test]
async fn a_service_that_has_ended_stands_in_nobodys_way() {
    let rpc = Rpc::in_memory();
    let start = async |id| {
        let script = Script::new(move |_| async move { Ok(Note::new(id, "")) });
        let service = Bus::in_memory().service().state(script).rpcs(rpcs());
        service.rpc(rpc.clone()).serve(Serve::mounted()).start().await.unwrap()
    };
    let (old, new) = (start(1).await, start(2).await);
    let call = async || rpc.call::<Look>(LookRequest::new(7), context()).within(Duration::from_secs(1)).await;
    assert_eq!(call().await.unwrap().id, 2);
    // whoever has its routes keeps it alive
    let _routes = new.router();
    new.stop().await;
    assert_eq!(call().await.unwrap().id, 1);
    old.stop().await;
}

/// What a caller waits for begins with its request, and not with the last byte of that.
#[tokio::test]
async fn a_callers_time_begins_with_its_head() {
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

/// Whoever still sends when its answer is there is told that the connection ends with that, and nobody else is.
#[tokio::test]
async fn an_answer_before_the_request() {
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
            // it may have answered and closed before all is sent
            let _ = stream.write_all(sent.as_bytes()).await;
            let mut told = Vec::new();
            while !told.windows(4).any(|end| end == b"\r\n\r\n") {
                assert_ne!(within(stream.read_buf(&mut told)).await.unwrap(), 0);
            }
            let told = String::from_utf8_lossy(&told).to_ascii_lowercase();
            assert!(told.starts_with(&format!("http/1.1 {status}")), "{told}");
            assert_eq!(told.contains("connection: close"), closes, "{told}");
        }
    }
    // and to whoever asks whether to send it at all, nobody says so
    let told = within(post(address, "/rpc/look", &[("expect", "100-continue")], b"{}")).await;
    assert_eq!((told.status, told.header("connection")), (415, Some("close")));
    running.stop().await;
}
