//! Faults of callers: the service closes their connections in time, and serves others meanwhile.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use twyla_rpc_tests::contracts::rpc::desk::{Look, LookRequest, Put};
use twyla_rpc_tests::contracts::shared::Note;
use twyla_rpc_tests::raw::post;
use twyla_rpc_tests::{Script, context, rpcs, within};
use twyla_runtime::rpc::{CallError, Serve};
use twyla_runtime::{Bus, Rpc};

use super::{caller, error_for};

/// Others are served meanwhile.
async fn is_served(address: SocketAddr) {
    let headers = [("content-type", "application/json")];
    let reply = within(post(address, "/rpc/put", &headers, br#"{"id":1,"text":""}"#)).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn a_caller_that_sends_nothing_or_an_incomplete_version() {
    let settings = Serve::on("127.0.0.1:0").read_deadline(Duration::from_millis(300)).connections(1);
    let service = Bus::in_memory().service().state(Script::echo()).rpcs(rpcs()).serve(settings);
    let running = service.start().await.unwrap();
    let address = running.address().unwrap();
    for begins in [&b""[..], b"P", b"PRI * HT", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r"] {
        let mut silent = TcpStream::connect(address).await.unwrap();
        silent.write_all(begins).await.unwrap();
        // it occupies the only connection until it is closed
        is_served(address).await;
        let mut all = Vec::new();
        // its bytes are never read, so it may see a reset
        let _ = within(silent.read_to_end(&mut all)).await;
        assert!(all.is_empty(), "{}", String::from_utf8_lossy(&all));
    }
    // nor does shutdown wait for such a connection
    let silent = TcpStream::connect(address).await.unwrap();
    within(running.stop()).await;
    drop(silent);
}

#[tokio::test]
async fn a_caller_whose_first_line_comes_byte_by_byte_is_answered() {
    let service = Bus::in_memory().service().state(Script::echo()).rpcs(rpcs()).serve(Serve::on("127.0.0.1:0"));
    let running = service.start().await.unwrap();
    let mut slow = TcpStream::connect(running.address().unwrap()).await.unwrap();
    slow.set_nodelay(true).unwrap();
    for byte in b"POST /rpc/put HTTP/1.1\r\n" {
        slow.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    let rest = b"host: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 18\r\n\r\n{\"id\":1,\"text\":\"\"}";
    slow.write_all(rest).await.unwrap();
    let mut all = String::new();
    within(slow.read_to_string(&mut all)).await.unwrap();
    assert!(all.starts_with("HTTP/1.1 200 "), "{all}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_blocks_its_thread_does_not_delay_shutdown() {
    let (begun, mut begins) = mpsc::unbounded_channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = Arc::new(std::sync::Mutex::new(released));
    let script = Script::new(move |call| {
        let (begun, released) = (begun.clone(), released.clone());
        async move {
            let _ = begun.send(());
            let _ = released.lock().unwrap().recv();
            Ok(Note::new(call.id, ""))
        }
    });
    let service = Bus::in_memory().service().state(script).rpcs(rpcs()).serve(Serve::on("127.0.0.1:0"));
    let running = service.drain_deadline(Duration::from_millis(50)).start().await.unwrap();
    let rpc = caller(running.address().unwrap());
    let calling = tokio::spawn(async move { rpc.call::<Look>(LookRequest::new(1), context()).await });
    within(begins.recv()).await.unwrap();
    within(running.stop()).await;
    release.send(()).unwrap();
    let _ = within(calling).await.unwrap();
}

#[tokio::test]
async fn a_caller_that_sends_byte_by_byte() {
    let settings = Serve::on("127.0.0.1:0").read_deadline(Duration::from_millis(300)).concurrency(1);
    let service = Bus::in_memory().service().state(Script::echo()).rpcs(rpcs()).serve(settings);
    let running = service.start().await.unwrap();
    let address = running.address().unwrap();
    // a head that never ends, and a body that never ends
    let head = b"POST /rpc/put HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    for (begins, status) in [(&head[..30], None), (&head[..], Some("HTTP/1.1 408"))] {
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(begins).await.unwrap();
        // others are served meanwhile, although only one connection is allowed
        is_served(address).await;
        let mut all = Vec::new();
        let sending = async {
            loop {
                tokio::time::sleep(Duration::from_millis(50)).await;
                if slow.write_all(b"x").await.is_err() {
                    return;
                }
                let mut some = [0; 1024];
                match slow.try_read(&mut some) {
                    Ok(0) => return,
                    Ok(count) => all.extend_from_slice(&some[..count]),
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                    Err(_) => return,
                }
            }
        };
        within(sending).await;
        let text = String::from_utf8_lossy(&all);
        if let Some(status) = status {
            assert!(text.starts_with(status), "{text}");
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn a_caller_that_does_not_read_its_answer() {
    let script = Script::new(|call| async move { Ok(Note::new(call.id, "😀".repeat(5_000_000))) });
    let settings = Serve::on("127.0.0.1:0").write_deadline(Duration::from_millis(300)).connections(1);
    let running = Bus::in_memory().service().state(script).rpcs(rpcs()).serve(settings).start().await.unwrap();
    let address = running.address().unwrap();
    let mut deaf = TcpStream::connect(address).await.unwrap();
    let request = b"POST /rpc/look HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntwyla-context: {\"channel\":\"x\"}\r\ncontent-length: 8\r\n\r\n{\"id\":1}";
    deaf.write_all(request).await.unwrap();
    // it occupies the only connection until it is closed
    is_served(address).await;
    let mut all = Vec::new();
    let _ = within(deaf.read_to_end(&mut all)).await;
    assert!(all.starts_with(b"HTTP/1.1 200 ") && all.len() < 20_000_000, "{}", all.len());
    running.stop().await;
}

#[tokio::test]
async fn unfinished_requests_share_a_bounded_budget() {
    const SENT: usize = 600_000;
    let settings = Serve::on("127.0.0.1:0").max_request(700_000).max_buffered(1_000_000);
    let service = Bus::in_memory().service().state(Script::echo()).rpcs(rpcs()).serve(settings);
    let running = service.start().await.unwrap();
    let address = running.address().unwrap();
    let body = format!(r#"{{"id":1,"text":"{}"}}"#, "x".repeat(SENT));
    let head = format!(
        "POST /rpc/put HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let begun = || async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // the body of a refused caller isn't read completely
        let _ = stream.write_all(&body.as_bytes()[..SENT]).await;
        stream
    };
    // of two, one is refused
    let [mut first, mut second] = [begun().await, begun().await];
    let [mut some, mut more] = [[0; 12]; 2];
    // it receives the refusal, unless its remaining bytes cause a reset
    let refused = |count: std::io::Result<usize>, answer: &[u8]| {
        assert!(count.is_err() || answer == b"HTTP/1.1 503", "{}", String::from_utf8_lossy(answer));
    };
    let either = async {
        tokio::select! {
            count = first.read(&mut some) => {
                refused(count, &some);
                true
            }
            count = second.read(&mut more) => {
                refused(count, &more);
                false
            }
        }
    };
    let first_is_refused = within(either).await;
    // the other is answered once its body is complete
    let other = if first_is_refused { &mut second } else { &mut first };
    other.write_all(&body.as_bytes()[SENT..]).await.unwrap();
    let mut text = String::new();
    within(other.read_to_string(&mut text)).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
    // requests that arrive in one piece don't use the budget
    is_served(address).await;
    // and none of the budget is lost
    let mut third = begun().await;
    third.write_all(&body.as_bytes()[SENT..]).await.unwrap();
    let mut text = String::new();
    within(third.read_to_string(&mut text)).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
    running.stop().await;
}

#[tokio::test]
async fn a_huge_request_is_not_read_to_its_end() {
    let settings = Serve::on("127.0.0.1:0").max_request(1000);
    let service = Bus::in_memory().service().state(Script::echo()).rpcs(rpcs()).serve(settings);
    let running = service.start().await.unwrap();
    let text = "x".repeat(3_000_000);
    let rpc = caller(running.address().unwrap());
    let error = within(async { rpc.call::<Put>(Note::new(1, text), context()).await }).await.unwrap_err();
    // the refusal, unless the connection is reset while the rest is being sent
    let known = matches!(
        &error,
        CallError::Fault { status: 413, maybe_begun: false, .. } | CallError::Unreachable { maybe_begun: true, .. }
    );
    assert!(known, "{error}");
    running.stop().await;
}

#[tokio::test]
async fn a_caller_that_vanishes_in_mid_call_leaves_nothing() {
    let (sender, mut events) = mpsc::unbounded_channel();
    let running_calls = Arc::new(AtomicU32::new(0));
    struct Here(Arc<AtomicU32>, mpsc::UnboundedSender<&'static str>);
    impl Drop for Here {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
            let _ = self.1.send("stopped");
        }
    }
    let script = Script::new({
        let running_calls = running_calls.clone();
        move |_| {
            running_calls.fetch_add(1, Ordering::SeqCst);
            let here = Here(running_calls.clone(), sender.clone());
            async move {
                let _ = here.1.send("begun");
                let _here = here;
                std::future::pending().await
            }
        }
    });
    let service = Bus::in_memory().service().state(script).rpcs(rpcs());
    let running = service.serve(Serve::on("127.0.0.1:0")).start().await.unwrap();
    for http2 in [false, true] {
        let config = twyla_rpc_tests::config(&running).http2(http2);
        let rpc = Rpc::new(config).unwrap();
        let calls: Vec<_> = (1..=20)
            .map(|id| {
                let call = rpc.call::<Look>(LookRequest::new(id), context());
                tokio::spawn(async move { call.await.map(drop) })
            })
            .collect();
        for _ in 0..20 {
            assert_eq!(within(events.recv()).await, Some("begun"));
        }
        calls.iter().for_each(tokio::task::JoinHandle::abort);
        for _ in 0..20 {
            assert_eq!(within(events.recv()).await, Some("stopped"));
        }
        assert_eq!(running_calls.load(Ordering::SeqCst), 0);
    }
    within(running.stop()).await;
}

/// Checks that a runtime of its own has no sockets and tasks left.
#[cfg(target_os = "linux")]
#[test]
fn nothing_is_leaked() {
    let sockets =
        || std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    let sockets = || sockets().filter(|to| to.to_string_lossy().starts_with("socket:")).count();
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let round = |runtime: &tokio::runtime::Runtime| {
        runtime.block_on(async {
            for bytes in [
                &b""[..],
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"id\":1,",
                b"HTTP/1.1 307 No\r\nlocation: http://elsewhere/\r\ncontent-length: 0\r\n\r\n",
                b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n",
            ] {
                error_for(bytes).await;
            }
            let service = Bus::in_memory().service().state(Script::echo()).rpcs(rpcs());
            let running = service.serve(Serve::on("127.0.0.1:0")).start().await.unwrap();
            let rpc = caller(running.address().unwrap());
            rpc.call::<Look>(LookRequest::new(1), context()).await.unwrap();
            drop(rpc);
            running.stop().await;
            // aborted tasks end when they are polled
            let all_ended = async {
                while runtime.metrics().num_alive_tasks() > 0 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            within(all_ended).await;
        });
    };
    let runtime = runtime();
    round(&runtime);
    let before = sockets();
    for _ in 0..20 {
        round(&runtime);
    }
    assert!(sockets() <= before, "{before} sockets before, {} after", sockets());
}
