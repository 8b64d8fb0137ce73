//! A caller's timeouts: connecting, between two attempts, and idle connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use twyla_rpc_tests::contracts::rpc::desk::{Look, LookRequest};
use twyla_rpc_tests::raw::server;
use twyla_rpc_tests::{Script, context, rpcs, within};
use twyla_runtime::rpc::{CallError, Config, Serve};
use twyla_runtime::{Bus, Rpc};

const HOUR: Duration = Duration::from_secs(3600);

fn config(addresses: &[SocketAddr]) -> Config {
    Config::new().address("desk", addresses.iter().map(|address| format!("http://{address}"))).deadline(HOUR)
}

/// An address that accepts no connection: its backlog in the kernel is full.
async fn full() -> (SocketAddr, impl Sized) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    // fill the backlog
    while let Ok(stream) = tokio::time::timeout(Duration::from_millis(500), TcpStream::connect(address)).await {
        waiting.push(stream.unwrap());
    }
    (address, (listener, waiting))
}

#[tokio::test]
async fn a_connection_that_is_never_accepted() {
    let (nowhere, _full) = full().await;
    // the kernel gives up as well, but only after the call's deadline
    let short = |addresses: &[SocketAddr]| {
        config(addresses).connect_deadline(Duration::from_secs(1)).attempts(1).deadline(Duration::from_secs(10))
    };
    let rpc = Rpc::new(short(&[nowhere])).unwrap();
    let error = within(async { rpc.call::<Look>(LookRequest::new(1), context()).await }).await.unwrap_err();
    assert!(matches!(error, CallError::Unreachable { maybe_begun: false, .. }), "{error}");

    // another address is called instead, even for calls that aren't idempotent
    let service = Bus::in_memory().service().state(Script::echo()).rpcs(rpcs());
    let running = service.serve(Serve::on("127.0.0.1:0")).start().await.unwrap();
    let rpc = Rpc::new(short(&[nowhere, running.address().unwrap()])).unwrap();
    for id in 1..=2 {
        let call = within(async { rpc.call::<Look>(LookRequest::new(id), context()).await });
        assert_eq!(call.await.unwrap().id, id);
    }
    running.stop().await;
}

/// A service that counts its calls, and has no time for any.
async fn busy(calls: Arc<AtomicU32>) -> (SocketAddr, JoinHandle<()>) {
    server(move |mut stream| {
        calls.fetch_add(1, Ordering::SeqCst);
        async move {
            let body = r#"{"type":"urn:twyla:rpc:busy","status":503}"#;
            let head = "HTTP/1.1 503 Busy\r\ncontent-type: application/problem+json\r\nconnection: close\r\n";
            let _ = stream.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
        }
    })
    .await
}

#[tokio::test]
async fn attempts_count_at_all_addresses_together() {
    let count = Arc::new(AtomicU32::new(0));
    let ((one, first), (two, second)) = (busy(count.clone()).await, busy(count.clone()).await);
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for addresses in [&[one][..], &[one, two], &[unused, one], &[unused, one, two]] {
        for attempts in [1, 2, 3] {
            let config = config(addresses).attempts(attempts).pauses(Duration::ZERO, Duration::ZERO);
            let rpc = Rpc::new(config).unwrap();
            let error = within(async { rpc.call::<Look>(LookRequest::new(1), context()).await }).await.unwrap_err();
            assert!(matches!(error, CallError::Fault { status: 503, .. }), "{error}");
            assert_eq!(count.swap(0, Ordering::SeqCst), attempts, "{addresses:?}");
        }
    }
    first.abort();
    second.abort();
}

#[tokio::test]
async fn pauses_between_attempts() {
    let count = Arc::new(AtomicU32::new(0));
    let counted = count.clone();
    let (address, serving) = busy(counted).await;
    // a pause that exceeds the deadline isn't begun: it is random, and shorter than the deadline once in 30 million
    // times
    for (pause, attempts) in [(Duration::ZERO, 3), (HOUR * 24 * 365, 1)] {
        let rpc = Rpc::new(config(&[address]).deadline(Duration::from_secs(1)).pauses(pause, pause)).unwrap();
        let error = within(async { rpc.call::<Look>(LookRequest::new(1), context()).await }).await.unwrap_err();
        assert!(matches!(error, CallError::Fault { status: 503, .. }), "{error}");
        assert_eq!(count.swap(0, Ordering::SeqCst), attempts, "{pause:?}");
    }
    serving.abort();
}

/// A server for one caller, which sends `word` when that caller has closed its connection.
async fn serve_until_closed(word: &'static str, closed: mpsc::UnboundedSender<&'static str>) -> SocketAddr {
    let (address, _) = server(move |mut stream| {
        let closed = closed.clone();
        async move {
            let body = r#"{"id":1,"text":"x"}"#;
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
            let _ = stream.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
            while let Ok(1..) = stream.read(&mut [0; 1024]).await {}
            let _ = closed.send(word);
        }
    })
    .await;
    address
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let (closed, mut closes) = mpsc::unbounded_channel();
    let (long, short) = (serve_until_closed("long", closed.clone()).await, serve_until_closed("short", closed).await);
    let (long, short) = (
        Rpc::new(config(&[long]).idle(HOUR)).unwrap(),
        Rpc::new(config(&[short]).idle(Duration::from_millis(50))).unwrap(),
    );
    for rpc in [&long, &short] {
        within(async { rpc.call::<Look>(LookRequest::new(1), context()).await }).await.unwrap();
    }
    // if both were kept until the end, the first would be closed first
    assert_eq!(within(closes.recv()).await, Some("short"));
}
