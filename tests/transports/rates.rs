//! The rate of a listener, in memory and over RabbitMQ, of one member and of a group with a shared database.
//!
//! Tests compare times only with the least that a rate allows, which no slow machine changes.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Pool, Sqlite, raw_sql};
use tokio::sync::mpsc;
use twyla_runtime::handler::{Keyed, Policy, Registration};
use twyla_runtime::sql::Dialect;
use twyla_runtime::{BatchFail, Bus, Dedupe, Rate, Retry, Running};
use twyla_tests::batch::{self, BatchScript, batches, soon};
use twyla_tests::work::{postgres_schema, sqlite};
use twyla_tests::{Call, Here, Ping, Place, Script, both_transports, here, listener, within};

both_transports!(
    handlers_begin_at_the_rate,
    the_services_rate_is_that_of_each_listener,
    a_retry_counts_again,
    an_attempt_that_the_outbox_ends_takes_a_token,
    a_batch_that_the_outbox_ends_takes_its_tokens_again,
    a_batch_counts_all_of_its_events,
    events_of_a_key_keep_their_order,
    a_service_that_stops_does_not_wait_for_the_rate,
    a_batch_does_not_wait_for_the_rate_when_the_service_stops,
    an_event_that_waits_too_long_goes_to_another_member,
    a_batch_that_waits_too_long_goes_to_another_member,
);

fn context() -> Here {
    Here::new("web")
}

/// An event each 50 ms, or two at once.
fn quick() -> Policy {
    Policy { rate: Some(Rate::per_second(20)), ..Policy::default() }
}

/// Longer than any test runs.
const DAY: Duration = Duration::from_secs(86_400);

/// One event, and no other while a test runs.
fn hourly() -> Policy {
    Policy { rate: Some(Rate { events: 1, per: Duration::from_secs(3600) }), ..Policy::default() }
}

/// The least time until the last of `events` events begins at the rate of [`quick`].
fn least(events: u32) -> Duration {
    Duration::from_millis(50) * (events - 2)
}

fn with<P: Place>(policy: Policy) -> Registration {
    Registration { policy, ..listener::<P>("one") }
}

async fn emit<P: Place>(bus: &Bus, numbers: impl IntoIterator<Item = u32>) {
    for n in numbers {
        bus.emit(Ping::<P>::new(n), context()).await.unwrap();
    }
}

/// A script that reports the number of each call, and succeeds if `answer` is true.
fn numbers<P: 'static>(
    answer: impl Fn(&Call<P>) -> bool + Send + Sync + 'static,
) -> (Script<P>, mpsc::UnboundedReceiver<u32>) {
    let (sender, calls) = mpsc::unbounded_channel();
    let script = Script::new(move |call: Call<P>| {
        let _ = sender.send(call.ping.n);
        let ok = answer(&call);
        async move { if ok { Ok(()) } else { Err("not yet".into()) } }
    });
    (script, calls)
}

/// Receives the numbers of `count` calls.
async fn received(calls: &mut mpsc::UnboundedReceiver<u32>, count: usize) -> Vec<u32> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        numbers.push(calls.recv().await.unwrap());
    }
    numbers
}

async fn handlers_begin_at_the_rate(bus: Bus) {
    here!(Mine, "handlers_begin_at_the_rate");
    let (script, mut calls) = numbers::<Mine>(|_| true);
    let running = bus.service().state(script).listeners([with::<Mine>(quick())]).start().await.unwrap();
    let begun = Instant::now();
    emit::<Mine>(&bus, 0..10).await;
    assert_eq!(received(&mut calls, 10).await, (0..10).collect::<Vec<_>>(), "in the order of arrival");
    assert!(begun.elapsed() >= least(10), "{:?}", begun.elapsed());
    running.stop().await;
}

async fn the_services_rate_is_that_of_each_listener(bus: Bus) {
    here!(Mine, "the_services_rate_is_that_of_each_listener");
    let (script, mut calls) = numbers::<Mine>(|_| true);
    let service = bus.service().state(script).rate(Rate::per_second(20)).listeners([listener::<Mine>("one")]);
    let running = service.start().await.unwrap();
    let begun = Instant::now();
    emit::<Mine>(&bus, 0..10).await;
    received(&mut calls, 10).await;
    assert!(begun.elapsed() >= least(10), "{:?}", begun.elapsed());
    running.stop().await;
}

async fn a_retry_counts_again(bus: Bus) {
    here!(Mine, "a_retry_counts_again");
    let (script, mut calls) = numbers(|call: &Call<Mine>| call.meta.attempt == 10);
    let retry = Retry { attempts: 10, first: Duration::ZERO, max: Duration::ZERO };
    let running = bus.service().retry(retry).state(script).listeners([with::<Mine>(quick())]).start().await.unwrap();
    let begun = Instant::now();
    emit::<Mine>(&bus, 0..1).await;
    assert_eq!(received(&mut calls, 10).await, [0; 10]);
    assert!(begun.elapsed() >= least(10), "{:?}", begun.elapsed());
    running.stop().await;
}

/// Two events at once, and then one each 400 ms: more slowly than events ask the outbox again.
fn slow() -> Policy {
    Policy { rate: Some(Rate { events: 20, per: Duration::from_secs(8) }), ..Policy::default() }
}

fn outbox_fails<P: Place>() -> twyla_runtime::Error {
    twyla_runtime::Error::Outbox { event: P::EVENT, why: "no connection".to_owned(), passes: true }
}

async fn an_attempt_that_the_outbox_ends_takes_a_token(bus: Bus) {
    here!(Mine, "an_attempt_that_the_outbox_ends_takes_a_token");
    let (sender, mut calls) = mpsc::unbounded_channel();
    let number = AtomicU32::new(0);
    let script = Script::<Mine>::new(move |call| {
        let number = number.fetch_add(1, SeqCst);
        let _ = sender.send(call.ping.n);
        async move { if number < 3 { Err(outbox_fails::<Mine>().into()) } else { Ok(()) } }
    });
    let running = bus.service().state(script).listeners([with::<Mine>(slow())]).start().await.unwrap();
    let begun = Instant::now();
    emit::<Mine>(&bus, 0..1).await;
    assert_eq!(received(&mut calls, 4).await, [0; 4]);
    assert!(begun.elapsed() >= Duration::from_millis(400) * 2, "{:?}", begun.elapsed());
    running.stop().await;
}

async fn a_batch_that_the_outbox_ends_takes_its_tokens_again(bus: Bus) {
    here!(Mine, "a_batch_that_the_outbox_ends_takes_its_tokens_again");
    let number = AtomicU32::new(0);
    let (script, mut calls) = BatchScript::<Mine>::numbers(move |_| match number.fetch_add(1, SeqCst) {
        0 | 1 => Err(BatchFail::whole(outbox_fails::<Mine>())),
        _ => Ok(()),
    });
    let running = bus.service().state(script).listeners([batches::<Mine>(2, slow())]).start().await.unwrap();
    let begun = Instant::now();
    emit::<Mine>(&bus, 0..2).await;
    for _ in 0..3 {
        assert_eq!(calls.recv().await, Some(vec![0, 1]));
    }
    assert!(begun.elapsed() >= Duration::from_millis(800) * 2, "{:?}", begun.elapsed());
    running.stop().await;
}

async fn a_batch_counts_all_of_its_events(bus: Bus) {
    here!(Mine, "a_batch_counts_all_of_its_events");
    let (script, mut calls) = BatchScript::<Mine>::numbers(|_| Ok(()));
    let running = bus.service().state(script).listeners([batches::<Mine>(5, quick())]).start().await.unwrap();
    let begun = Instant::now();
    emit::<Mine>(&bus, 0..15).await;
    for first in [0, 5, 10] {
        assert_eq!(calls.recv().await, Some((first..first + 5).collect()));
    }
    assert!(begun.elapsed() >= Duration::from_millis(50) * 10, "{:?}", begun.elapsed());
    running.stop().await;
}

/// Orders by whether the number is odd: two keys.
fn by_two(keyed: &Keyed<'_>) -> Option<u64> {
    let content: serde_json::Value = serde_json::from_slice(keyed.content).ok()?;
    content["n"].as_u64().map(|n| n % 2)
}

async fn events_of_a_key_keep_their_order(bus: Bus) {
    here!(Mine, "events_of_a_key_keep_their_order_at_a_rate");
    let (script, mut calls) = numbers(|call: &Call<Mine>| call.ping.n > 1 || call.meta.attempt == 2);
    let retry = Retry { attempts: 2, first: Duration::from_millis(1), max: Duration::from_millis(1) };
    let policy = Policy { key: Some(by_two), ..quick() };
    let running = bus.service().retry(retry).state(script).listeners([with::<Mine>(policy)]).start().await.unwrap();
    emit::<Mine>(&bus, 0..8).await;
    let numbers = received(&mut calls, 10).await;
    let of = |key| numbers.iter().copied().filter(|n| n % 2 == key).collect::<Vec<_>>();
    assert_eq!((of(0), of(1)), (vec![0, 0, 2, 4, 6], vec![1, 1, 3, 5, 7]));
    running.stop().await;
}

async fn a_service_that_stops_does_not_wait_for_the_rate(bus: Bus) {
    here!(Mine, "a_service_that_stops_does_not_wait_for_the_rate");
    let (script, mut calls) = numbers::<Mine>(|_| true);
    let policy = Policy { prefetch: Some(10), ..hourly() };
    let service = bus.service().drain_deadline(DAY).state(script).listeners([with::<Mine>(policy)]);
    let running = service.start().await.unwrap();
    emit::<Mine>(&bus, 0..3).await;
    assert_eq!(calls.recv().await, Some(0));
    running.stop().await;
    assert!(calls.recv().await.is_none(), "another event was handled");
    let (script, mut calls) = numbers::<Mine>(|_| true);
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    assert_eq!(received(&mut calls, 2).await.into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([1, 2]));
    running.stop().await;
}

async fn a_batch_does_not_wait_for_the_rate_when_the_service_stops(bus: Bus) {
    here!(Mine, "a_batch_does_not_wait_for_the_rate");
    let (script, mut calls) = BatchScript::<Mine>::numbers(|_| Ok(()));
    let service = bus.service().drain_deadline(DAY).state(script).listeners([batches::<Mine>(2, hourly())]);
    let running = service.start().await.unwrap();
    emit::<Mine>(&bus, 0..4).await;
    assert_eq!(calls.recv().await, Some(vec![0, 1]));
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

/// Half of it is the time after which a waiting event moves.
const SHORT: Duration = Duration::from_secs(2);

async fn an_event_that_waits_too_long_goes_to_another_member(bus: Bus) {
    here!(Mine, "an_event_that_waits_too_long_goes_to_another_member");
    let (sender, mut metas) = mpsc::unbounded_channel();
    let script = Script::<Mine>::new(move |call| {
        let _ = sender.send((call.ping.n, call.meta.attempt, call.meta.redelivered));
        async { Ok(()) }
    });
    let policy = Policy { prefetch: Some(10), ..hourly() };
    let service = bus.service().state(script.clone()).consumer_timeout(SHORT).listeners([with::<Mine>(policy)]);
    let limited = service.start().await.unwrap();
    emit::<Mine>(&bus, 0..3).await;
    assert_eq!(metas.recv().await, Some((0, 1, false)));
    // this member takes what the other one has had and returns
    let other = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    let mut calls = [metas.recv().await, metas.recv().await];
    calls.sort_unstable();
    // an event that returns doesn't count as redelivered
    assert_eq!(calls, [Some((1, 1, false)), Some((2, 1, false))]);
    limited.stop().await;
    other.stop().await;
    assert!(metas.recv().await.is_none(), "an event came twice");
}

async fn a_batch_that_waits_too_long_goes_to_another_member(bus: Bus) {
    here!(Mine, "a_batch_that_waits_too_long_goes_to_another_member");
    let (sender, mut calls) = mpsc::unbounded_channel();
    let script = BatchScript::<Mine>::new(move |batch| {
        for event in &batch {
            let _ = sender.send((event.content.n, event.meta.attempt, event.meta.redelivered));
        }
        async { Ok(()) }
    });
    // the first batch waits for its second event, also on a slow machine
    let policy = Policy { rate: hourly().rate, ..batch::within(Duration::from_secs(2)) };
    let service = bus.service().state(script.clone()).consumer_timeout(SHORT).listeners([batches::<Mine>(2, policy)]);
    let limited = service.start().await.unwrap();
    emit::<Mine>(&bus, 0..4).await;
    assert_eq!((calls.recv().await, calls.recv().await), (Some((0, 1, false)), Some((1, 1, false))));
    let other = bus.service().state(script).listeners([batches::<Mine>(2, soon())]).start().await.unwrap();
    let mut left = [calls.recv().await, calls.recv().await];
    left.sort_unstable();
    assert_eq!(left, [Some((2, 1, false)), Some((3, 1, false))]);
    limited.stop().await;
    other.stop().await;
    assert!(calls.recv().await.is_none(), "an event came twice");
}

/// Starts a member of the group, with a store of its own connections.
async fn member<P: Place, DB: Dialect>(bus: &Bus, script: &Script<P>, pool: &Pool<DB>) -> Running {
    let dedupe = Dedupe::sql(pool.clone()).await.unwrap();
    let service = bus.service().state(script.clone()).dedupe(dedupe).listeners([with::<P>(quick())]);
    service.start().await.unwrap()
}

/// Three members handle events at the rate of one.
async fn members_share_the_rate<P: Place, DB: Dialect>(pool: Pool<DB>) {
    let bus = Bus::in_memory();
    let (script, mut calls) = numbers::<P>(|_| true);
    let mut members = Vec::new();
    for _ in 0..3 {
        members.push(member::<P, DB>(&bus, &script, &pool).await);
    }
    let begun = Instant::now();
    emit::<P>(&bus, 0..12).await;
    assert_eq!(received(&mut calls, 12).await.into_iter().collect::<BTreeSet<_>>().len(), 12);
    assert!(begun.elapsed() >= least(12), "{:?}", begun.elapsed());
    for member in members {
        member.stop().await;
    }
}

#[tokio::test]
async fn members_share_the_rate_with_sqlite() {
    here!(Mine, "members_share_the_rate_with_sqlite");
    let (_dir, pool) = sqlite().await;
    within(members_share_the_rate::<Mine, _>(pool)).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test starts it"]
async fn members_share_the_rate_with_postgres() {
    here!(Mine, "members_share_the_rate_with_postgres");
    let pool = postgres_schema("members_share_the_rate_with_postgres").await;
    within(members_share_the_rate::<Mine, _>(pool)).await;
}

/// The bucket was written an hour ahead, by a clock that has stepped back since or at a lower rate.
async fn a_bucket_from_the_future_delays_no_event<P: Place, DB: Dialect>(pool: Pool<DB>) {
    let (bus, (script, mut calls)) = (Bus::in_memory(), numbers::<P>(|_| true));
    let running = member::<P, DB>(&bus, &script, &pool).await;
    emit::<P>(&bus, 0..1).await;
    received(&mut calls, 1).await;
    let ahead = "UPDATE twyla_rates SET full_at = full_at + 3600000000";
    DB::run(&mut pool.acquire().await.unwrap(), Some(ahead)).await.unwrap();
    emit::<P>(&bus, 1..4).await;
    // in any order, since they wait for a connection too
    assert_eq!(received(&mut calls, 3).await.into_iter().collect::<BTreeSet<_>>(), (1..4).collect());
    running.stop().await;
}

#[tokio::test]
async fn a_bucket_from_the_future_delays_no_event_with_sqlite() {
    here!(Mine, "a_bucket_from_the_future_delays_no_event_with_sqlite");
    let (_dir, pool) = sqlite().await;
    within(a_bucket_from_the_future_delays_no_event::<Mine, _>(pool)).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test starts it"]
async fn a_bucket_from_the_future_delays_no_event_with_postgres() {
    here!(Mine, "a_bucket_from_the_future_delays_no_event_with_postgres");
    let pool = postgres_schema("a_bucket_from_the_future_delays_no_event").await;
    within(a_bucket_from_the_future_delays_no_event::<Mine, _>(pool)).await;
}

async fn run(pool: &Pool<Sqlite>, sql: &str) {
    raw_sql(AssertSqlSafe(sql.to_owned())).execute(pool).await.unwrap();
}

#[tokio::test]
async fn events_wait_while_the_shared_bucket_fails() {
    here!(Mine, "events_wait_while_the_shared_bucket_fails");
    within(async {
        let (_dir, pool) = sqlite().await;
        let (bus, (script, mut calls)) = (Bus::in_memory(), numbers::<Mine>(|_| true));
        let running = member::<Mine, _>(&bus, &script, &pool).await;
        run(&pool, "ALTER TABLE twyla_rates RENAME TO hidden").await;
        emit::<Mine>(&bus, 0..1).await;
        while running.health().is_ready() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let reasons = running.health().unready();
        assert!(reasons.iter().any(|reason| reason.contains("twyla_rates")), "{reasons:?}");
        assert!(calls.try_recv().is_err(), "the event was handled without a token");
        run(&pool, "ALTER TABLE hidden RENAME TO twyla_rates").await;
        assert_eq!(calls.recv().await, Some(0));
        running.stop().await;
    })
    .await;
}
