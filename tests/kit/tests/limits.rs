//! Listeners with limits on the test bus's own clock.

use std::time::Duration;

use twyla_kit::contracts::api::UserInput;
use twyla_kit::limited;
use twyla_runtime::testing::TestBus;

use crate::context;

/// A bus with these events, whose handlers have not been waited for.
async fn given(texts: &[&str]) -> TestBus {
    let test = TestBus::new();
    test.run(|service| service.listeners(limited())).await.unwrap();
    for text in texts {
        test.bus().emit(UserInput::new(*text), context()).await.unwrap();
    }
    test
}

/// The times of the attempts of a group, in seconds.
fn times(test: &TestBus, group: &str) -> Vec<u64> {
    test.attempts::<UserInput>(group).iter().map(|it| it.at.as_secs()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_come_at_the_rate() {
    let test = given(&["a", "b", "c"]).await;
    test.advance(Duration::from_secs(119)).await;
    assert_eq!(times(&test, "slowly"), [0, 60]);
    test.settle().await;
    assert_eq!(times(&test, "slowly"), [0, 60, 120]);
}

#[tokio::test]
async fn a_retry_takes_its_turn_behind_the_events_that_wait() {
    let test = given(&["once", "b"]).await;
    test.settle().await;
    let attempts = test.attempts::<UserInput>("slowly");
    let attempts: Vec<_> = attempts.iter().map(|it| (it.number, it.at.as_secs())).collect();
    assert_eq!(attempts, [(1, 0), (1, 60), (2, 120)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_waits_until_the_one_before_it_is_paid_for() {
    let test = given(&["a", "b", "c", "d"]).await;
    test.settle().await;
    assert_eq!(times(&test, "slow_ledger"), [0, 0, 0, 180]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_pauses_after_failures() {
    let test = given(&["three times", "b"]).await;
    test.settle().await;
    // the second failure pauses the listener, and so does the third, which decides; the fourth attempt succeeds
    let attempts = test.attempts::<UserInput>("carefully");
    let mut attempts: Vec<_> = attempts.iter().map(|it| (it.at.as_secs(), it.number)).collect();
    attempts.sort_unstable();
    assert_eq!(attempts, [(0, 1), (1, 2), (601, 3), (1201, 1), (1201, 4)]);
}
