//! Faults between a caller and a service: each is a typed error within the deadline, and leaves nothing behind.

mod callers;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;
use twyla_rpc_tests::contracts::rpc::desk::{Look, LookError, LookRequest, Put};
use twyla_rpc_tests::contracts::shared::Note;
use twyla_rpc_tests::raw::server;
use twyla_rpc_tests::{Script, context, rpcs, within};
use twyla_runtime::rpc::{CallError, Config, Serve};
use twyla_runtime::{Bus, Rpc};

/// The deadline of each call.
const DEADLINE: Duration = Duration::from_millis(700);

/// A caller with one attempt, for a service at this address.
fn caller(address: SocketAddr) -> Rpc {
    Rpc::new(Config::new().address("desk", [format!("http://{address}")]).attempts(1).max_answer(1 << 20)).unwrap()
}

/// The error of a call to a server that sends these bytes and closes.
async fn error_for(bytes: &'static [u8]) -> CallError<LookError> {
    let (address, serving) = server(move |mut stream: TcpStream| async move {
        let _ = stream.write_all(bytes).await;
    })
    .await;
    let error = ended(address).await;
    serving.abort();
    error
}

/// The error of a call, which must arrive within its deadline.
async fn ended(address: SocketAddr) -> CallError<LookError> {
    let begun = Instant::now();
    let error = within(async { caller(address).call::<Look>(LookRequest::new(1), context()).within(DEADLINE).await });
    let error = error.await.unwrap_err();
    // generous: the check is that no call waits forever
    assert!(begun.elapsed() < DEADLINE + Duration::from_secs(5), "{error}");
    error
}

#[tokio::test]
async fn a_missing_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = ended(address).await;
    assert!(matches!(&error, CallError::Unreachable { maybe_begun: false, .. }), "{error}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[tokio::test]
async fn a_server_that_takes_no_connections() {
    // unaccepted connections wait in the kernel, and get no answer
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = ended(listener.local_addr().unwrap()).await;
    assert!(matches!(error, CallError::Deadline { maybe_begun: true, .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_dies_before_it_answers() {
    let error = error_for(b"").await;
    assert!(matches!(error, CallError::Unreachable { maybe_begun: true, .. }), "{error}");
}

#[tokio::test]
async fn an_answer_that_is_cut_short() {
    for bytes in [
        &b"HTTP/1.1 200 OK\r\ncontent-ty"[..],
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"id\":1,",
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"id\"",
    ] {
        let error = error_for(bytes).await;
        assert!(matches!(error, CallError::Unreachable { maybe_begun: true, .. }), "{error}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_http() {
    let error = error_for(b"SSH-2.0-OpenSSH_9.2\r\n").await;
    assert!(matches!(error, CallError::Unreachable { maybe_begun: true, .. }), "{error}");
}

#[tokio::test]
async fn an_answer_of_another_content_type() {
    for (bytes, expected) in [
        (&b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>"[..], "`text/html`"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 17\r\n\r\n{\"id\":1,\"text\":\"\"}", "no content type"),
        (b"HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>", "`text/html`"),
        (
            b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
            "but not problem details",
        ),
        (
            b"HTTP/1.1 500 No\r\ncontent-type: application/problem+json\r\ncontent-length: 4\r\n\r\nnone",
            "problem details can't be read",
        ),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "no content type"),
    ] {
        let error = error_for(bytes).await;
        assert!(matches!(error, CallError::Fault { maybe_begun: true, .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

/// A caller from before `error.json` existed sees the error as a fault, as before.
#[tokio::test]
async fn an_error_outside_the_callers_contract() {
    let (address, serving) = server(move |mut stream: TcpStream| async move {
        let answer =
            b"HTTP/1.1 409 x\r\ncontent-type: application/json\r\ncontent-length: 17\r\n\r\n{\"reason\":\"gone\"}";
        let _ = stream.write_all(answer).await;
    })
    .await;
    let error = within(async { caller(address).call::<Put>(Note::new(1, ""), context()).await }).await.unwrap_err();
    assert!(matches!(error, CallError::Fault { status: 409, maybe_begun: true, .. }), "{error}");
    serving.abort();
}

#[tokio::test]
async fn an_answer_that_breaks_its_contract() {
    for (bytes, expected) in [
        (
            &b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 8\r\n\r\n{\"id\":1}"[..],
            "`text` is missing",
        ),
        (b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n", "EOF"),
        (b"HTTP/1.1 409 No\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}", "`reason` is missing"),
    ] {
        let error = error_for(bytes).await;
        assert!(matches!(error, CallError::Response { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_redirect() {
    let error = error_for(b"HTTP/1.1 307 No\r\nlocation: http://elsewhere/rpc/look\r\ncontent-length: 0\r\n\r\n").await;
    assert!(matches!(error, CallError::Fault { status: 307, .. }), "{error}");
    assert!(error.to_string().contains("redirects to `http://elsewhere/rpc/look`"), "{error}");
}

#[tokio::test]
async fn an_answer_without_an_end() {
    // one with a content length, and an endless one
    let error =
        error_for(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99999999999\r\n\r\n{").await;
    assert!(error.to_string().contains("more than the allowed 1048576 bytes"), "{error}");
    let (address, serving) = server(|mut stream: TcpStream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n").await;
        while stream.write_all(&[b' '; 4096]).await.is_ok() {}
    })
    .await;
    let error = ended(address).await;
    assert!(matches!(error, CallError::Fault { status: 200, .. }), "{error}");
    assert!(error.to_string().contains("more than the allowed 1048576 bytes"), "{error}");
    serving.abort();
}

#[tokio::test]
async fn an_answer_byte_by_byte() {
    let (sender, mut cut) = mpsc::unbounded_channel();
    let (address, serving) = server(move |mut stream: TcpStream| {
        let sender = sender.clone();
        async move {
            let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n";
            let _ = stream.write_all(answer).await;
            // until the caller disconnects
            while stream.write_all(b" ").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let _ = sender.send(());
        }
    })
    .await;
    let error = ended(address).await;
    assert!(matches!(error, CallError::Deadline { maybe_begun: true, .. }), "{error}");
    within(cut.recv()).await.expect("the connection is cut when the caller gives up");
    serving.abort();
}

#[tokio::test]
async fn one_of_two_services_that_hangs() {
    let (hanging, serving) = server(|mut stream: TcpStream| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let service = Bus::in_memory().service().state(Script::echo()).rpcs(rpcs()).serve(Serve::on("127.0.0.1:0"));
    let running = service.start().await.unwrap();
    let addresses = [hanging, running.address().unwrap()].map(|address| format!("http://{address}"));
    let config = Config::new().address("desk", addresses).attempt_deadline(Duration::from_millis(200));
    let rpc = Rpc::new(config).unwrap();
    // each second call tries the hanging one first
    for id in 1..=2 {
        let call = rpc.call::<Look>(LookRequest::new(id), context()).within(Duration::from_secs(60));
        assert_eq!(within(async { call.await }).await.unwrap().id, id);
    }
    serving.abort();
    running.stop().await;
}

#[tokio::test]
async fn a_server_that_reads_and_never_answers() {
    let (address, serving) = server(|mut stream: TcpStream| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let error = ended(address).await;
    assert!(matches!(error, CallError::Deadline { maybe_begun: true, .. }), "{error}");
    serving.abort();
}
