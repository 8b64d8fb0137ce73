//! Listeners that pause after failures, in memory and over RabbitMQ.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::pool::PoolOptions;
use sqlx::{Pool, Sqlite};
use tokio::sync::{Semaphore, mpsc};
use twyla_runtime::handler::{Keyed, Policy, Registration};
use twyla_runtime::{BatchFail, Bus, Dedupe, Fail, PauseAfter, Rate, Retry, Running};
use twyla_tests::batch::{BatchScript, batches, soon};
use twyla_tests::work::sqlite_file;
use twyla_tests::{Call, Here, Ping, Place, Script, both_transports, dead_letters, here, listener};

both_transports!(
    pauses_after_failures_and_says_why,
    the_services_setting_is_that_of_each_listener,
    the_first_event_after_the_pause_decides_alone,
    an_event_that_decides_and_does_not_end_has_failed,
    an_event_that_leaves_in_a_pause_takes_no_token,
    an_event_that_is_refused_decides_nothing,
    retries_and_panics_are_failures,
    refusals_are_no_failures,
    a_batch_that_fails_is_one_failure,
    a_batch_pauses_for_the_failures_that_its_handler_reports,
    events_of_a_key_keep_their_order,
    a_service_that_stops_does_not_wait_for_the_pause,
    a_batch_does_not_wait_for_the_pause_when_the_service_stops,
    an_event_that_waits_too_long_goes_to_another_member,
);

const PAUSE: Duration = Duration::from_millis(300);
/// Longer than any test runs.
const DAY: Duration = Duration::from_secs(86_400);
const ONCE: Retry = Retry::never();
const AT_ONCE: Retry = Retry { attempts: 9, first: Duration::ZERO, max: Duration::ZERO };

fn context() -> Here {
    Here::new("web")
}

fn after(failures: u16, pause: Duration) -> Policy {
    let within = Duration::from_secs(600);
    Policy { pause_after: Some(PauseAfter { failures, within, pause }), ..Policy::default() }
}

/// Handles one event at a time.
fn one_at_a_time(policy: Policy) -> Policy {
    Policy { concurrency: Some(1), ..policy }
}

fn with<P: Place>(policy: Policy) -> Registration {
    Registration { policy, ..listener::<P>("one") }
}

async fn emit<P: Place>(bus: &Bus, numbers: impl IntoIterator<Item = u32>) {
    for n in numbers {
        bus.emit(Ping::<P>::new(n), context()).await.unwrap();
    }
}

/// A script that reports the number of each call, and ends with `answer`.
fn calls_with<P: 'static>(
    answer: impl Fn(&Call<P>) -> Result<(), Fail> + Send + Sync + 'static,
) -> (Script<P>, mpsc::UnboundedReceiver<u32>) {
    let (sender, calls) = mpsc::unbounded_channel();
    let script = Script::new(move |call: Call<P>| {
        let _ = sender.send(call.ping.n);
        let answer = answer(&call).map_err(Into::into);
        async { answer }
    });
    (script, calls)
}

async fn received(calls: &mut mpsc::UnboundedReceiver<u32>, count: usize) -> Vec<u32> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        numbers.push(calls.recv().await.unwrap());
    }
    numbers
}

/// Waits until the service isn't ready, and returns the reasons.
async fn unready(running: &Running) -> Vec<String> {
    loop {
        let reasons = running.health().unready();
        if !reasons.is_empty() {
            return reasons;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn fail_below<P>(n: u32) -> impl Fn(&Call<P>) -> Result<(), Fail> {
    move |call| if call.ping.n < n { Err(Fail::retry("no answer")) } else { Ok(()) }
}

async fn pauses_after_failures_and_says_why(bus: Bus) {
    here!(Mine, "pauses_after_failures_and_says_why");
    let (script, mut calls) = calls_with(fail_below::<Mine>(3));
    // long enough for the test to see it
    let pause = Duration::from_secs(2);
    let service = bus.service().retry(ONCE).state(script).listeners([with::<Mine>(one_at_a_time(after(3, pause)))]);
    let running = service.start().await.unwrap();
    let begun = Instant::now();
    emit::<Mine>(&bus, 0..6).await;
    assert_eq!(received(&mut calls, 3).await, [0, 1, 2]);
    let reasons = unready(&running).await;
    let begins = format!("the listener of `{}.one` pauses for 2s from ", Mine::EVENT);
    // without the error of the handler, which may be about an event
    let ends = ": 3 attempts failed within 600s";
    assert!(matches!(reasons.as_slice(), [one] if one.starts_with(&begins) && one.ends_with(ends)), "{reasons:?}");
    assert!(calls.try_recv().is_err(), "an event was handled in the pause");
    assert_eq!(received(&mut calls, 3).await, [3, 4, 5]);
    assert!(begun.elapsed() >= pause);
    assert!(running.health().is_ready(), "{:?}", running.health());
    assert_eq!(dead_letters(&bus, Mine::EVENT, "one", 3).await.len(), 3);
    running.stop().await;
}

async fn the_services_setting_is_that_of_each_listener(bus: Bus) {
    here!(Mine, "the_services_setting_is_that_of_each_listener");
    let (script, mut calls) = calls_with(fail_below::<Mine>(1));
    let setting = after(1, PAUSE).pause_after.unwrap();
    let service = bus.service().retry(ONCE).pause_after(setting).state(script).listeners([listener::<Mine>("one")]);
    let running = service.start().await.unwrap();
    let begun = Instant::now();
    emit::<Mine>(&bus, 0..1).await;
    assert_eq!(received(&mut calls, 1).await, [0]);
    unready(&running).await;
    emit::<Mine>(&bus, 1..2).await;
    assert_eq!(received(&mut calls, 1).await, [1]);
    assert!(begun.elapsed() >= PAUSE);
    running.stop().await;
}

async fn the_first_event_after_the_pause_decides_alone(bus: Bus) {
    here!(Mine, "the_first_event_after_the_pause_decides_alone");
    let (sender, mut calls) = mpsc::unbounded_channel();
    let goes_on = Arc::new(Semaphore::new(0));
    let script = Script::<Mine>::new({
        let goes_on = goes_on.clone();
        move |call| {
            let (goes_on, n) = (goes_on.clone(), call.ping.n);
            let _ = sender.send(n);
            async move {
                // the events that decide wait for the test
                if (1..=2).contains(&n) {
                    goes_on.acquire().await?.forget();
                }
                if n < 2 { Err("no answer".into()) } else { Ok(()) }
            }
        }
    });
    let service = bus.service().retry(ONCE).state(script).listeners([with::<Mine>(after(1, PAUSE))]);
    let running = service.start().await.unwrap();
    let begun = Instant::now();
    emit::<Mine>(&bus, 0..1).await;
    assert_eq!(calls.recv().await, Some(0));
    unready(&running).await;
    emit::<Mine>(&bus, 1..8).await;
    for n in 1..=2 {
        assert_eq!(calls.recv().await, Some(n));
        assert!(begun.elapsed() >= PAUSE * n);
        for _ in 0..64 {
            tokio::task::yield_now().await;
        }
        assert!(calls.try_recv().is_err(), "another event was handled beside the one that decides");
        goes_on.add_permits(1);
    }
    assert_eq!(received(&mut calls, 5).await.into_iter().collect::<BTreeSet<_>>(), (3..8).collect());
    running.stop().await;
}

async fn an_event_that_decides_and_does_not_end_has_failed(bus: Bus) {
    here!(Mine, "an_event_that_decides_and_does_not_end_has_failed");
    let (sender, mut calls) = mpsc::unbounded_channel();
    let ends = Arc::new(Semaphore::new(0));
    let script = Script::<Mine>::new({
        let ends = ends.clone();
        move |call| {
            let (ends, n) = (ends.clone(), call.ping.n);
            let _ = sender.send(n);
            async move {
                if n == 1 {
                    ends.acquire().await?.forget();
                }
                if n == 0 { Err("no answer".into()) } else { Ok(()) }
            }
        }
    });
    // half of the timeout is the time after which the attempt counts as failed
    let service = bus.service().retry(ONCE).consumer_timeout(Duration::from_secs(2)).state(script);
    let running = service.listeners([with::<Mine>(after(1, PAUSE))]).start().await.unwrap();
    emit::<Mine>(&bus, 0..1).await;
    assert_eq!(calls.recv().await, Some(0));
    let begun = Instant::now();
    unready(&running).await;
    emit::<Mine>(&bus, 1..2).await;
    assert_eq!(calls.recv().await, Some(1));
    emit::<Mine>(&bus, 2..3).await;
    assert_eq!(calls.recv().await, Some(2));
    assert!(begun.elapsed() >= Duration::from_secs(1) + PAUSE, "{:?}", begun.elapsed());
    ends.add_permits(1);
    running.stop().await;
}

async fn an_event_that_leaves_in_a_pause_takes_no_token(bus: Bus) {
    here!(Mine, "an_event_that_leaves_in_a_pause_takes_no_token");
    let (script, mut calls) = calls_with(fail_below::<Mine>(1));
    // two events at once, and no other while the test runs
    let rate = Some(Rate { events: 20, per: DAY });
    let policy = Policy { rate, prefetch: Some(1), ..after(1, Duration::from_millis(1500)) };
    // half of the timeout is the time after which a waiting event moves
    let service = bus.service().retry(ONCE).consumer_timeout(Duration::from_secs(2)).state(script);
    let running = service.listeners([with::<Mine>(policy)]).start().await.unwrap();
    emit::<Mine>(&bus, 0..1).await;
    assert_eq!(calls.recv().await, Some(0));
    unready(&running).await;
    // waits for the end of the pause, leaves before, and comes back
    emit::<Mine>(&bus, 1..2).await;
    assert_eq!(calls.recv().await, Some(1));
    running.stop().await;
}

#[tokio::test]
async fn an_event_that_waits_for_a_connection_is_not_handled_in_a_pause() {
    here!(Mine, "an_event_that_waits_for_a_connection");
    let (_dir, options) = sqlite_file();
    let pool: Pool<Sqlite> = PoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
    let bus = Bus::in_memory();
    let (sender, mut calls) = mpsc::unbounded_channel();
    let fails = Arc::new(Semaphore::new(0));
    let script = Script::<Mine>::new({
        let fails = fails.clone();
        move |call| {
            let (fails, n) = (fails.clone(), call.ping.n);
            let _ = sender.send(n);
            async move {
                if n == 0 {
                    fails.acquire().await?.forget();
                    return Err("no answer".into());
                }
                Ok(())
            }
        }
    });
    let service = bus.service().retry(ONCE).dedupe(Dedupe::sql(pool).await.unwrap()).state(script);
    let running = service.listeners([with::<Mine>(after(1, PAUSE))]).start().await.unwrap();
    emit::<Mine>(&bus, 0..1).await;
    assert_eq!(calls.recv().await, Some(0));
    emit::<Mine>(&bus, 1..4).await;
    // they wait for the connection that the first one has
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
    let begun = Instant::now();
    fails.add_permits(1);
    assert_eq!(received(&mut calls, 3).await.into_iter().collect::<BTreeSet<_>>(), (1..4).collect());
    assert!(begun.elapsed() >= PAUSE, "an event was handled in the pause");
    running.stop().await;
}

async fn an_event_that_is_refused_decides_nothing(bus: Bus) {
    here!(Mine, "an_event_that_is_refused_decides_nothing");
    let (script, mut calls) = calls_with(|call: &Call<Mine>| match call.ping.n {
        0 | 1 | 3 => Err(Fail::retry("no answer")),
        2 => Err(Fail::park("not an order")),
        _ => Ok(()),
    });
    let service = bus.service().retry(ONCE).state(script).listeners([with::<Mine>(one_at_a_time(after(2, PAUSE)))]);
    let running = service.start().await.unwrap();
    let begun = Instant::now();
    emit::<Mine>(&bus, 0..5).await;
    assert_eq!(received(&mut calls, 5).await, [0, 1, 2, 3, 4]);
    assert!(begun.elapsed() >= PAUSE * 2, "the failure after the refusal didn't decide");
    running.stop().await;
}

async fn retries_and_panics_are_failures(bus: Bus) {
    here!(Mine, "retries_and_panics_are_failures");
    let (script, mut calls) = calls_with(|call: &Call<Mine>| match call.meta.attempt {
        1 => Err(Fail::retry("no answer")),
        2 => panic!("no answer"),
        3 => Err(Fail::retry_after(Duration::ZERO, "no answer")),
        _ => Ok(()),
    });
    let service = bus.service().retry(AT_ONCE).state(script).listeners([with::<Mine>(after(3, PAUSE))]);
    let running = service.start().await.unwrap();
    let begun = Instant::now();
    emit::<Mine>(&bus, 0..1).await;
    assert_eq!(received(&mut calls, 4).await, [0; 4]);
    assert!(begun.elapsed() >= PAUSE);
    running.stop().await;
}

async fn refusals_are_no_failures(bus: Bus) {
    here!(Mine, "refusals_are_no_failures");
    let (script, mut calls) = calls_with(|call: &Call<Mine>| match call.ping.n {
        0..=2 => Err(Fail::park("not an order")),
        3..=5 => Err(Fail::drop("not ours")),
        _ => Ok(()),
    });
    let running = bus.service().state(script).listeners([with::<Mine>(after(2, DAY))]).start().await.unwrap();
    emit::<Mine>(&bus, 0..10).await;
    received(&mut calls, 10).await;
    assert!(running.health().is_ready(), "{:?}", running.health());
    running.stop().await;
}

async fn a_batch_that_fails_is_one_failure(bus: Bus) {
    here!(Mine, "a_batch_that_fails_is_one_failure");
    let (script, mut calls) = BatchScript::<Mine>::numbers(|numbers| match numbers[0] {
        0..4 => Err(BatchFail::whole("no answer")),
        _ => Ok(()),
    });
    let service = bus.service().retry(ONCE).state(script).listeners([batches::<Mine>(2, after(2, PAUSE))]);
    let running = service.start().await.unwrap();
    let begun = Instant::now();
    emit::<Mine>(&bus, 0..6).await;
    for first in [0, 2, 4] {
        assert_eq!(calls.recv().await, Some(vec![first, first + 1]));
    }
    assert!(begun.elapsed() >= PAUSE);
    running.stop().await;
}

async fn a_batch_pauses_for_the_failures_that_its_handler_reports(bus: Bus) {
    here!(Mine, "a_batch_pauses_for_the_failures_that_its_handler_reports");
    let (script, mut calls) = BatchScript::<Mine>::numbers(|numbers| {
        let mut failed = BatchFail::new();
        for (index, n) in numbers.iter().enumerate() {
            match n {
                1 => failed.add(index, Fail::park("not an order")),
                2 => failed.add(index, "no answer"),
                _ => {}
            }
        }
        failed.into_result()
    });
    let service = bus.service().retry(ONCE).state(script).listeners([batches::<Mine>(2, after(1, PAUSE))]);
    let running = service.start().await.unwrap();
    let begun = Instant::now();
    emit::<Mine>(&bus, 0..6).await;
    for first in [0, 2, 4] {
        assert_eq!(calls.recv().await, Some(vec![first, first + 1]));
    }
    assert!(begun.elapsed() >= PAUSE);
    running.stop().await;
}

/// Orders by whether the number is odd: two keys.
fn by_two(keyed: &Keyed<'_>) -> Option<u64> {
    let content: serde_json::Value = serde_json::from_slice(keyed.content).ok()?;
    content["n"].as_u64().map(|n| n % 2)
}

async fn events_of_a_key_keep_their_order(bus: Bus) {
    here!(Mine, "events_of_a_key_keep_their_order_through_a_pause");
    let (script, mut calls) =
        calls_with(|call: &Call<Mine>| if call.meta.attempt == 1 { Err(Fail::retry("no answer")) } else { Ok(()) });
    let policy = Policy { key: Some(by_two), ..after(5, Duration::from_millis(20)) };
    let service = bus.service().retry(AT_ONCE).state(script).listeners([with::<Mine>(policy)]);
    let running = service.start().await.unwrap();
    emit::<Mine>(&bus, 0..8).await;
    let numbers = received(&mut calls, 16).await;
    let of = |key| numbers.iter().copied().filter(|n| n % 2 == key).collect::<Vec<_>>();
    assert_eq!((of(0), of(1)), (vec![0, 0, 2, 2, 4, 4, 6, 6], vec![1, 1, 3, 3, 5, 5, 7, 7]));
    running.stop().await;
}

async fn a_service_that_stops_does_not_wait_for_the_pause(bus: Bus) {
    here!(Mine, "a_service_that_stops_does_not_wait_for_the_pause");
    let (script, mut calls) = calls_with(fail_below::<Mine>(1));
    let service = bus.service().retry(ONCE).drain_deadline(DAY).state(script);
    let running = service.listeners([with::<Mine>(one_at_a_time(after(1, DAY)))]).start().await.unwrap();
    emit::<Mine>(&bus, 0..3).await;
    assert_eq!(calls.recv().await, Some(0));
    unready(&running).await;
    running.stop().await;
    assert!(calls.recv().await.is_none(), "another event was handled");
    let (script, mut calls) = calls_with(fail_below::<Mine>(0));
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    assert_eq!(received(&mut calls, 2).await.into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([1, 2]));
    running.stop().await;
}

async fn a_batch_does_not_wait_for_the_pause_when_the_service_stops(bus: Bus) {
    here!(Mine, "a_batch_does_not_wait_for_the_pause");
    let (script, mut calls) = BatchScript::<Mine>::numbers(|_| Err(BatchFail::whole("no answer")));
    let service = bus.service().retry(ONCE).drain_deadline(DAY).state(script);
    let running = service.listeners([batches::<Mine>(2, after(1, DAY))]).start().await.unwrap();
    emit::<Mine>(&bus, 0..4).await;
    assert_eq!(calls.recv().await, Some(vec![0, 1]));
    unready(&running).await;
    running.stop().await;
    assert!(calls.recv().await.is_none(), "another batch was handled");
    let (script, mut calls) = BatchScript::<Mine>::numbers(|_| Ok(()));
    let running = bus.service().state(script).listeners([batches::<Mine>(2, soon())]).start().await.unwrap();
    let mut left = BTreeSet::new();
    while left.len() < 2 {
        left.extend(calls.recv().await.unwrap());
    }
    assert_eq!(left, BTreeSet::from([2, 3]));
    running.stop().await;
}

async fn an_event_that_waits_too_long_goes_to_another_member(bus: Bus) {
    here!(Mine, "an_event_that_waits_for_a_pause_goes_to_another_member");
    let (sender, mut metas) = mpsc::unbounded_channel();
    let script = Script::<Mine>::new(move |call| {
        let _ = sender.send((call.ping.n, call.meta.attempt, call.meta.redelivered));
        async move { if call.ping.n == 0 { Err("no answer".into()) } else { Ok(()) } }
    });
    // half of the timeout is the time after which a waiting event moves
    let service = bus.service().retry(ONCE).consumer_timeout(Duration::from_secs(2)).state(script.clone());
    let paused = service.listeners([with::<Mine>(one_at_a_time(after(1, DAY)))]).start().await.unwrap();
    emit::<Mine>(&bus, 0..3).await;
    assert_eq!(metas.recv().await, Some((0, 1, false)));
    unready(&paused).await;
    // this member takes what the other one has had and returns
    let other = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    let mut calls = [metas.recv().await, metas.recv().await];
    calls.sort_unstable();
    // an event that returns doesn't count as redelivered
    assert_eq!(calls, [Some((1, 1, false)), Some((2, 1, false))]);
    paused.stop().await;
    other.stop().await;
    assert!(metas.recv().await.is_none(), "an event came twice");
}
