//! Services that are killed or shut down: several addresses, and the result of each call.
#![cfg(unix)]

use std::time::Duration;

use twyla_rpc_tests::child::Desk;
use twyla_rpc_tests::contracts::rpc::desk::{Look, LookRequest, Put};
use twyla_rpc_tests::contracts::shared::Note;
use twyla_rpc_tests::{context, within};
use twyla_runtime::Rpc;
use twyla_runtime::rpc::{CallError, Config};

const DESK: &str = env!("CARGO_BIN_EXE_desk_child");

fn caller(desks: &[&Desk]) -> Rpc {
    let urls = desks.iter().map(|desk| format!("http://{}", desk.address));
    Rpc::new(Config::new().address("desk", urls)).unwrap()
}

#[tokio::test]
async fn a_server_killed_in_mid_call() {
    within(async {
        let mut desk = Desk::start(DESK).await;
        let rpc = caller(&[&desk]);
        assert_eq!(rpc.call::<Look>(LookRequest::new(1), context()).await.unwrap().id, 1);
        let call = rpc.call::<Put>(Note::new(500, ""), context());
        let calling = tokio::spawn(async move { call.await });
        assert_eq!(desk.line().await.as_deref(), Some("begun"));
        desk.child.kill().await.unwrap();
        let error = calling.await.unwrap().unwrap_err();
        assert!(matches!(error, CallError::Unreachable { maybe_begun: true, .. }), "{error}");
        let error = rpc.call::<Put>(Note::new(1, ""), context()).await.unwrap_err();
        assert!(matches!(error, CallError::Unreachable { maybe_begun: false, .. }), "{error}");
    })
    .await;
}

#[tokio::test]
async fn another_address_takes_over() {
    within(async {
        let (mut one, mut two) = (Desk::start(DESK).await, Desk::start(DESK).await);
        let rpc = caller(&[&one, &two]);
        // idempotent calls are retried at another address, even if their service dies while handling them
        let call = rpc.call::<Look>(LookRequest::new(500), context()).within(Duration::from_secs(4));
        let calling = tokio::spawn(async move { call.await });
        let first_is_one = tokio::select! {
            line = one.line() => { assert_eq!(line.as_deref(), Some("begun")); true }
            line = two.line() => { assert_eq!(line.as_deref(), Some("begun")); false }
        };
        let (gone, left) = if first_is_one { (&mut one, &mut two) } else { (&mut two, &mut one) };
        gone.child.kill().await.unwrap();
        assert_eq!(left.line().await.as_deref(), Some("begun"), "the other one has got it");
        let error = calling.await.unwrap().unwrap_err();
        assert!(matches!(error, CallError::Deadline { maybe_begun: true, .. }), "{error}");
        // then every call succeeds: a refused connection proves that nothing was begun
        for id in 1..=20 {
            assert_eq!(rpc.call::<Put>(Note::new(id, ""), context()).await.unwrap().count, id);
        }
    })
    .await;
}

#[tokio::test]
async fn shuts_down_on_sigterm() {
    within(async {
        let mut desk = Desk::start(DESK).await;
        let rpc = caller(&[&desk]);
        let call = rpc.call::<Put>(Note::new(400, ""), context());
        let calling = tokio::spawn(async move { call.await });
        assert_eq!(desk.line().await.as_deref(), Some("ends"));
        desk.signal("-TERM").await;
        assert_eq!(calling.await.unwrap().unwrap().count, 400);
        assert!(desk.child.wait().await.unwrap().success());
    })
    .await;
}

#[tokio::test]
async fn a_second_signal_ends_the_wait() {
    within(async {
        let mut desk = Desk::start(DESK).await;
        let rpc = caller(&[&desk]);
        let call = rpc.call::<Put>(Note::new(500, ""), context());
        let calling = tokio::spawn(async move { call.await });
        assert_eq!(desk.line().await.as_deref(), Some("begun"));
        desk.signal("-TERM").await;
        // it takes no more calls, but waits for the running one
        loop {
            let call = rpc.call::<Put>(Note::new(1, ""), context()).within(Duration::from_millis(200));
            if call.await.is_err() {
                break;
            }
        }
        desk.signal("-TERM").await;
        let error = calling.await.unwrap().unwrap_err();
        assert!(matches!(error, CallError::Unreachable { maybe_begun: true, .. }), "{error}");
        assert!(desk.child.wait().await.unwrap().success());
    })
    .await;
}
