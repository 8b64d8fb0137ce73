//! Batch listeners on the test bus's own clock.

use std::time::Duration;

use twyla_kit::batched;
use twyla_kit::contracts::api::UserInput;
use twyla_runtime::testing::{Outcome, TestBus};

use crate::context;

async fn service() -> TestBus {
    let test = TestBus::new();
    test.run(|service| service.listeners(batched())).await.unwrap();
    test
}

async fn emit(test: &TestBus, texts: &[&str]) {
    for text in texts {
        test.bus().emit(UserInput::new(*text), context()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_does_not_fill_is_handled_when_its_time_is_over() {
    let test = service().await;
    emit(&test, &["a", "b"]).await;
    test.advance(Duration::from_millis(59_999)).await;
    assert_eq!(test.attempts::<UserInput>("ledger").len(), 0);
    test.advance(Duration::from_millis(1)).await;
    let attempts = test.attempts::<UserInput>("ledger");
    assert!(
        attempts.iter().all(|it| it.at == Duration::from_secs(60) && it.outcome == Outcome::Handled),
        "{attempts:?}"
    );
    assert_eq!(attempts.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_batch_is_handled_at_once() {
    let test = service().await;
    emit(&test, &["a", "b", "c", "d", "e"]).await;
    test.settle().await;
    let at: Vec<_> = test.attempts::<UserInput>("ledger").iter().map(|it| it.at.as_secs()).collect();
    assert_eq!(at, [0, 0, 0, 0, 60]);
}

#[tokio::test]
async fn the_events_of_a_failed_batch_are_handled_alone_at_once() {
    let test = service().await;
    emit(&test, &["a", "poison", "b", "once"]).await;
    test.settle().await;
    let attempts = test.attempts::<UserInput>("ledger");
    let count = |number, at| attempts.iter().filter(|it| it.number == number && it.at.as_secs() == at).count();
    // the batch doesn't count as an attempt of its events
    assert_eq!((count(1, 0), count(2, 2), count(3, 4), attempts.len()), (8, 2, 1, 11), "{attempts:?}");
    let letter = test.expect_parked::<UserInput>("ledger");
    assert_eq!((letter.attempts, letter.error.as_str()), (3, "poison"));
}

#[tokio::test]
async fn a_batch_that_fails_for_a_time_is_retried_as_it_is() {
    let test = service().await;
    emit(&test, &["a", "busy", "b", "c"]).await;
    test.settle().await;
    let attempts = test.attempts::<UserInput>("ledger");
    let count = |number, at| attempts.iter().filter(|it| it.number == number && it.at.as_secs() == at).count();
    assert_eq!((count(1, 0), count(2, 1), attempts.len()), (4, 4, 8), "{attempts:?}");
}
