//! Attempts on the test bus's own clock: no test sleeps.

use std::time::Duration;

use twyla_kit::contracts::api::UserInput;
use twyla_kit::contracts::bot::Reply;
use twyla_runtime::testing::Outcome;

use crate::{context, failure_of, service};

fn seconds<const N: usize>(after: [u64; N]) -> [Duration; N] {
    after.map(Duration::from_secs)
}

#[tokio::test]
async fn attempts_take_place_at_their_times() {
    let test = service().await;
    test.give(UserInput::new("never"), context()).await;
    // pauses of 1, 2, 4 and 8 s; those in retry queues are rounded up to 2, 5 and 10 s
    test.expect_attempts::<UserInput>("bot", seconds([0, 1, 3, 8, 18]));
    assert_eq!(test.now(), Duration::from_secs(18));
    let message = failure_of(|| test.expect_attempts::<UserInput>("bot", seconds([0, 1])));
    let words = "were expected after: 0 s, 1 s\nand took place after: 0 s, 1 s, 3 s, 8 s, 18 s\n";
    assert!(message.contains(words), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hours_pass_instantly_on_any_runtime() {
    let test = service().await;
    let began = std::time::Instant::now();
    test.give(UserInput::new("later"), context()).await;
    test.expect_attempts::<UserInput>("bot", seconds([0, 7200]));
    assert!(began.elapsed() < Duration::from_secs(600), "the two hours were waited for");
}

#[tokio::test]
async fn the_clock_advances_step_by_step() {
    let test = service().await;
    test.bus().emit(UserInput::new("at the third attempt"), context()).await.unwrap();
    test.advance(Duration::from_millis(2999)).await;
    assert_eq!(test.attempts::<UserInput>("bot").len(), 2);
    assert_eq!(test.now(), Duration::from_millis(2999));
    test.expect_emitted::<UserInput>();
    test.expect_nothing_emitted();
    test.advance(Duration::from_millis(1)).await;
    assert_eq!(test.expect_emitted::<Reply>().at, Duration::from_secs(3));
}

#[tokio::test]
async fn pauses_end_in_order_of_time() {
    let test = service().await;
    for text in ["later", "at the third attempt", "panic"] {
        test.bus().emit(UserInput::new(text), context()).await.unwrap();
    }
    test.settle().await;
    let replies: Vec<_> = test.emitted::<Reply>().into_iter().map(|it| (it.at.as_secs(), it.content.text)).collect();
    let reply = |text: &str| format!("you said {text}");
    assert_eq!(replies, [(1, reply("panic")), (3, reply("at the third attempt")), (7200, reply("later"))]);
}

/// An event waits behind a pausing one of the same key, or for a free handler.
#[tokio::test]
async fn events_behind_a_pause_are_handled_after_it() {
    for flavour in 0..2 {
        let test = service().await;
        for text in ["once 1", "2", "3"] {
            test.bus().emit(UserInput::new(text), context()).await.unwrap();
        }
        test.settle().await;
        let (group, pause) = [("in_turn", 2000), ("one", 500)][flavour];
        let attempts = test.attempts::<UserInput>(group);
        let when: Vec<_> = attempts.iter().map(|it| (it.at.as_millis(), it.outcome == Outcome::Handled)).collect();
        assert_eq!(when, [(0, false), (pause, true), (pause, true), (pause, true)], "{group}");
    }
}
