//! Deliveries that the broker requeues while they are being handled: the event isn't handled twice, its attempts keep
//! counting, and it is dead-lettered once.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{Postgres, Row};
use tokio::sync::{Semaphore, mpsc};
use twyla_runtime::handler::{BatchArgument, Keyed, Policy, Registration};
use twyla_runtime::sql::Tx;
use twyla_runtime::{Bus, Config, Dedupe, LinkState, Retry};
use twyla_tests::batch::{BatchScript, batches, soon};
use twyla_tests::broker::{config, lapin};
use twyla_tests::log::Warnings;
use twyla_tests::proxy::{Mode, Proxy};
use twyla_tests::work::{Works, postgres_schema};
use twyla_tests::{Call, Here, Ping, Place, Script, dead_letters, here, listener};

twyla_tests::with_rabbitmq!(
    a_success_after_the_delivery_was_taken_back_counts,
    a_failure_after_the_delivery_was_taken_back_is_dead_lettered_once,
    a_long_pause_goes_through_its_queue_after_the_delivery_was_taken_back,
    attempts_go_on_counting_after_the_delivery_was_taken_back,
    the_end_of_a_service_has_one_deadline,
    a_long_pause_in_order_is_given_back_in_time_and_keeps_the_order,
    a_handler_that_keeps_its_thread_keeps_its_connection_and_is_named,
    batches_take_effect_once_and_in_order_while_connections_are_lost,
);

fn context() -> Here {
    Here::new("web")
}

fn through(proxy: &Proxy) -> Config {
    config().port(proxy.port())
}

/// A listener whose events all have the same key.
fn in_order<P: Place>(retry: Retry) -> Registration {
    fn one_key(_: &Keyed<'_>) -> Option<u64> {
        Some(1)
    }
    Registration {
        policy: Policy { key: Some(one_key), retry: Some(retry), ..Policy::default() },
        ..listener::<P>("one")
    }
}

/// Makes the broker requeue all unacked events, and waits until it delivers again.
async fn take_back(proxy: &Proxy, bus: &Bus) {
    let mut state = bus.state();
    proxy.cut();
    state.wait_for(|state| !matches!(state.consume, LinkState::Up)).await.unwrap();
    state.wait_for(|state| matches!(state.consume, LinkState::Up)).await.unwrap();
}

/// All steps of a shutdown share one deadline, here with a handler that never ends, a broker that never answers, and an
/// event that waits for its confirm. The bound is loose; the steps one after another would take 35 s.
async fn the_end_of_a_service_has_one_deadline() {
    here!(Mine, "the_end_of_a_service_has_one_deadline");
    let proxy = Proxy::start(Mode::Open).await;
    let (bus, other) = (Bus::connect(through(&proxy)).await.unwrap(), Bus::connect(config()).await.unwrap());
    let (script, _gate, mut calls) = gated::<Mine>(|| Ok(()));
    let service = bus.service().state(script).listeners([listener::<Mine>("one")]);
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(service.drain_deadline(Duration::from_secs(2)).run_until(async { drop(ended.await) }));
    // events emitted before the queue exists are lost
    loop {
        other.emit(Ping::<Mine>::new(1), context()).await.unwrap();
        if tokio::time::timeout(Duration::from_millis(100), calls.recv()).await.is_ok() {
            break;
        }
    }
    proxy.set(Mode::Deaf);
    let emitting = tokio::spawn({
        let bus = bus.clone();
        async move { bus.emit(Ping::<Mine>::new(2), context()).await }
    });
    tokio::task::yield_now().await;
    end.send(()).unwrap();
    let ended =
        tokio::time::timeout(Duration::from_secs(12), running).await.expect("it takes longer than its deadline");
    ended.unwrap().unwrap();
    emitting.abort();
    other.close().await;
}

/// The number of messages ready in a queue.
async fn waiting(queue: &str) -> u32 {
    let (_connection, channel) = lapin().await;
    let passive = lapin::options::QueueDeclareOptions { passive: true, ..Default::default() };
    channel.queue_declare(queue.into(), passive, Default::default()).await.unwrap().message_count()
}

/// A handler that ends when the gate opens, with `answer`, and a receiver of its calls.
fn gated<P: 'static>(
    answer: fn() -> Result<(), &'static str>,
) -> (Script<P>, Arc<Semaphore>, mpsc::UnboundedReceiver<(u32, u32)>) {
    let (sender, calls) = mpsc::unbounded_channel();
    let gate = Arc::new(Semaphore::new(0));
    let gates = gate.clone();
    let script = Script::new(move |call: Call<P>| {
        let (sender, gate) = (sender.clone(), gates.clone());
        async move {
            let _ = sender.send((call.ping.n, call.meta.attempt));
            gate.acquire().await?.forget();
            answer().map_err(Into::into)
        }
    });
    (script, gate, calls)
}

async fn a_success_after_the_delivery_was_taken_back_counts() {
    here!(Mine, "a_success_after_the_delivery_was_taken_back_counts");
    let proxy = Proxy::start(Mode::Open).await;
    let (bus, other) = (Bus::connect(through(&proxy)).await.unwrap(), Bus::connect(config()).await.unwrap());
    let (script, gate, mut calls) = gated::<Mine>(|| Ok(()));
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    other.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    assert_eq!(calls.recv().await, Some((1, 1)));
    take_back(&proxy, &bus).await;
    // the queue is empty, so the requeued event comes before this one
    other.emit(Ping::<Mine>::new(2), context()).await.unwrap();
    assert_eq!(calls.recv().await, Some((2, 1)));
    gate.add_permits(2);
    running.stop().await;
    assert_eq!(calls.recv().await, None, "it was handled twice");
    assert_eq!(waiting("a_success_after_the_delivery_was_taken_back_counts.ping.one").await, 0);
    bus.close().await;
    other.close().await;
}

async fn a_failure_after_the_delivery_was_taken_back_is_dead_lettered_once() {
    here!(Mine, "a_failure_after_the_delivery_was_taken_back_is_dead_lettered_once");
    let proxy = Proxy::start(Mode::Open).await;
    let (bus, other) = (Bus::connect(through(&proxy)).await.unwrap(), Bus::connect(config()).await.unwrap());
    let (script, gate, mut calls) = gated::<Mine>(|| Err("no such order"));
    let service = bus.service().state(script).retry(Retry::never());
    let running = service.listeners([listener::<Mine>("one")]).start().await.unwrap();
    other.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    assert_eq!(calls.recv().await, Some((1, 1)));
    take_back(&proxy, &bus).await;
    gate.add_permits(1);
    let letters = dead_letters(&other, Mine::EVENT, "one", 1).await;
    assert_eq!((letters[0].attempts, letters[0].error.as_str()), (1, "no such order"));
    running.stop().await;
    assert_eq!(calls.recv().await, None, "it was handled twice");
    assert_eq!(dead_letters(&other, Mine::EVENT, "one", 1).await.len(), 1);
    bus.close().await;
    other.close().await;
}

async fn a_long_pause_goes_through_its_queue_after_the_delivery_was_taken_back() {
    here!(Mine, "a_long_pause_goes_through_its_queue_after_the_delivery_was_taken_back");
    let proxy = Proxy::start(Mode::Open).await;
    let (bus, other) = (Bus::connect(through(&proxy)).await.unwrap(), Bus::connect(config()).await.unwrap());
    let (script, gate, mut calls) = gated::<Mine>(|| Err("not today"));
    let hour = Duration::from_secs(3600);
    let service = bus.service().state(script).retry(Retry { attempts: 2, first: hour, max: hour });
    let running = service.listeners([listener::<Mine>("one")]).start().await.unwrap();
    other.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    assert_eq!(calls.recv().await, Some((1, 1)));
    take_back(&proxy, &bus).await;
    gate.add_permits(1);
    let queue = format!("{}.one.retry.1h", Mine::EVENT);
    let passive = lapin::options::QueueDeclareOptions { passive: true, ..Default::default() };
    loop {
        let (_connection, channel) = lapin().await;
        let there = channel.queue_declare(queue.as_str().into(), passive, Default::default()).await;
        if there.is_ok_and(|queue| queue.message_count() == 1) {
            break;
        }
    }
    running.stop().await;
    assert_eq!(calls.recv().await, None, "it was handled twice");
    assert_eq!(waiting(&format!("{}.one", Mine::EVENT)).await, 0);
    bus.close().await;
    other.close().await;
}

async fn attempts_go_on_counting_after_the_delivery_was_taken_back() {
    here!(Mine, "attempts_go_on_counting_after_the_delivery_was_taken_back");
    let proxy = Proxy::start(Mode::Open).await;
    let (bus, other) = (Bus::connect(through(&proxy)).await.unwrap(), Bus::connect(config()).await.unwrap());
    let (script, gate, mut calls) = gated::<Mine>(|| Err("no such order"));
    gate.add_permits(100);
    let second = Duration::from_secs(1);
    let retry = Retry { attempts: 3, first: second, max: second };
    let running = bus.service().state(script).listeners([in_order::<Mine>(retry)]).start().await.unwrap();
    other.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    for attempt in 1..=3 {
        assert_eq!(calls.recv().await, Some((1, attempt)));
        if attempt < 3 {
            take_back(&proxy, &bus).await;
        }
    }
    let letters = dead_letters(&other, Mine::EVENT, "one", 1).await;
    assert_eq!((letters[0].attempts, letters[0].error.as_str()), (3, "no such order"));
    running.stop().await;
    assert_eq!(calls.recv().await, None, "an attempt too many");
    assert_eq!(dead_letters(&other, Mine::EVENT, "one", 1).await.len(), 1);
    bus.close().await;
    other.close().await;
}

async fn a_long_pause_in_order_is_given_back_in_time_and_keeps_the_order() {
    here!(Mine, "a_long_pause_in_order_is_given_back_in_time_and_keeps_the_order");
    let bus = Bus::connect(config()).await.unwrap();
    let (sender, mut calls) = mpsc::unbounded_channel();
    let script = Script::new(move |call: Call<Mine>| {
        let failed = call.ping.n == 1 && call.meta.attempt < 3;
        let _ = sender.send((call.ping.n, call.meta.attempt, call.meta.redelivered));
        async move { if failed { Err("not yet".into()) } else { Ok(()) } }
    });
    let pause = Duration::from_secs(3);
    let retry = Retry { attempts: 3, first: pause, max: pause };
    // The broker's own limit is longer and never reached: no delivery is held for more than half a second of a pause.
    let service = bus.service().state(script).consumer_timeout(Duration::from_secs(1));
    let running = service.listeners([in_order::<Mine>(retry)]).start().await.unwrap();
    for n in 1..=3 {
        bus.emit(Ping::<Mine>::new(n), context()).await.unwrap();
    }
    let mut seen = Vec::new();
    while seen.len() < 5 {
        seen.push(calls.recv().await.unwrap());
    }
    let order: Vec<_> = seen.iter().map(|(n, attempt, _)| (*n, *attempt)).collect();
    assert_eq!(order, [(1, 1), (1, 2), (1, 3), (2, 1), (3, 1)]);
    assert!(seen[1].2 && seen[2].2, "it was held: {seen:?}");
    running.stop().await;
    assert_eq!(calls.recv().await, None);
    bus.close().await;
}

/// The test's runtime has one thread.
async fn a_handler_that_keeps_its_thread_keeps_its_connection_and_is_named() {
    here!(Mine, "a_handler_that_keeps_its_thread_keeps_its_connection_and_is_named");
    let warnings = Warnings::about(Mine::DOMAIN);
    // The broker closes a connection after two silent intervals.
    let heartbeat = Duration::from_secs(1);
    let bus = Bus::connect(config().heartbeat(heartbeat)).await.unwrap();
    let (sender, mut calls) = mpsc::unbounded_channel();
    let script = Script::<Mine>::new(move |call| {
        let _ = sender.send(call.meta.redelivered);
        std::thread::sleep(heartbeat * 6);
        async { Ok(()) }
    });
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    let mut state = bus.state();
    state.mark_unchanged();
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    assert_eq!(calls.recv().await, Some(false));
    // During the block, and after it.
    for text in ["a handler blocks its thread", "a handler blocked its thread"] {
        let warning = warnings.with(text).await;
        assert!(warning.contains(r#"handler="scripted""#) && warning.contains(Mine::EVENT), "{warning}");
    }
    running.stop().await;
    assert!(!state.has_changed().unwrap(), "the connection was lost: {:?}", state.borrow());
    assert!(calls.try_recv().is_err(), "the event came again");
    bus.close().await;
}

/// Each batch is held until the test lets it end; every third one loses its connection first.
async fn batches_take_effect_once_and_in_order_while_connections_are_lost() {
    const EVENTS: u32 = 120;
    here!(Mine, "batches_take_effect_once_and_in_order");
    fn by_ten(keyed: &Keyed<'_>) -> Option<u64> {
        let content: serde_json::Value = serde_json::from_slice(keyed.content).ok()?;
        content["n"].as_u64().map(|n| n % 10)
    }
    let pool = postgres_schema(Mine::DOMAIN).await;
    sqlx::raw_sql("CREATE TABLE effects (n bigint)").execute(&pool).await.unwrap();
    let proxy = Proxy::start(Mode::Open).await;
    let (bus, other) = (Bus::connect(through(&proxy)).await.unwrap(), Bus::connect(config()).await.unwrap());
    let (sender, mut calls) = mpsc::unbounded_channel();
    let gate = Arc::new(Semaphore::new(0));
    let gates = gate.clone();
    let script = BatchScript::<Mine>::with_parts(move |batch, parts| {
        let (tx, sender, gate) = (Tx::<Postgres>::take(parts).unwrap(), sender.clone(), gates.clone());
        async move {
            let mut tx = tx.lock().await;
            for event in &batch {
                Postgres::write(&mut tx, event.content.n.into()).await?;
            }
            let _ = sender.send(batch.iter().map(|event| event.content.n).collect::<Vec<_>>());
            gate.acquire().await.unwrap().forget();
            Ok(())
        }
    });
    let mut listener = batches::<Mine>(8, Policy { key: Some(by_ten), concurrency: Some(2), ..soon() });
    listener.needs.extend(<Tx<Postgres> as BatchArgument>::need());
    let dedupe = Dedupe::sql(pool.clone()).await.unwrap();
    let running = bus.service().dedupe(dedupe).state(script).listeners([listener]).start().await.unwrap();
    for n in 0..EVENTS {
        other.emit(Ping::<Mine>::new(n), context()).await.unwrap();
    }
    let (mut seen, mut begun) = (Vec::new(), 0);
    while seen.len() < EVENTS as usize {
        seen.extend(calls.recv().await.unwrap());
        begun += 1;
        if begun % 3 == 0 {
            take_back(&proxy, &bus).await;
        }
        gate.add_permits(1);
    }
    // each of these waits until those before it with its key are acked that were delivered again
    for n in EVENTS..EVENTS + 10 {
        other.emit(Ping::<Mine>::new(n), context()).await.unwrap();
    }
    while seen.len() < EVENTS as usize + 10 {
        seen.extend(calls.recv().await.unwrap());
        gate.add_permits(1);
    }
    running.stop().await;
    assert_eq!(calls.recv().await, None, "a batch was handled twice");
    let in_order = |key| seen.iter().filter(|n| **n % 10 == key).is_sorted();
    assert!((0..10).all(in_order), "{seen:?}");
    let rows = sqlx::raw_sql("SELECT n FROM effects ORDER BY n").fetch_all(&pool).await.unwrap();
    let rows: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(rows, (0..i64::from(EVENTS) + 10).collect::<Vec<_>>());
    assert_eq!(waiting(&format!("{}.one", Mine::EVENT)).await, 0);
    bus.close().await;
    other.close().await;
}
