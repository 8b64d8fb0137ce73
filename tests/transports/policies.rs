//! Retries, failures, key ordering and concurrency of a listener, in memory and over RabbitMQ.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use twyla_runtime::event::Listen;
use twyla_runtime::handler::{Failure, HandleFuture, Incoming, Keyed, Policy, Registration};
use twyla_runtime::{Bus, Fail, Meta, Reason, Retry, session_id};
use twyla_tests::{Here, Ping, Place, Script, both_transports, dead_letters, here, listener};

both_transports!(
    retries_through_a_queue_with_its_failures,
    dead_letters_after_the_last_retry_through_a_queue,
    nothing_waits_behind_a_long_pause,
    dead_letters_at_once_if_a_handler_asks_for_it,
    keeps_the_first_failure_of_an_event_that_then_breaks_its_contract,
    drops_events_if_a_handler_asks_for_it,
    waits_as_long_as_a_handler_asks,
    dead_letters_events_requeued_too_often,
    keeps_the_order_of_each_key,
    waits_in_place_if_ordered,
    runs_as_many_handlers_as_allowed,
);

/// The first pause is just long enough for a retry queue, whose shortest step is two seconds.
const SLOW: Retry = Retry { attempts: 2, first: Duration::from_millis(1001), max: Duration::from_millis(1001) };
const QUICK: Retry = Retry { attempts: 3, first: Duration::from_millis(1), max: Duration::from_millis(2) };

fn context() -> Here {
    Here::new("web")
}

fn with<P: Place>(policy: Policy) -> Registration {
    Registration { policy, ..listener::<P>("one") }
}

fn slow() -> Policy {
    Policy { retry: Some(SLOW), ..Policy::default() }
}

/// Orders by the last digit of the number: ten keys.
fn by_ten(keyed: &Keyed<'_>) -> Option<u64> {
    let content: serde_json::Value = serde_json::from_slice(keyed.content).ok()?;
    content["n"].as_u64().map(|n| n % 10)
}

fn metas<P: 'static>(
    answer: impl Fn(&Meta) -> Result<(), Fail> + Send + Sync + 'static,
) -> (Script<P>, mpsc::UnboundedReceiver<Meta>) {
    let (sender, metas) = mpsc::unbounded_channel();
    let script = Script::new(move |call: twyla_tests::Call<P>| {
        let answer = answer(&call.meta).map_err(Into::into);
        let _ = sender.send(call.meta);
        async { answer }
    });
    (script, metas)
}

async fn retries_through_a_queue_with_its_failures(bus: Bus) {
    here!(Mine, "retries_through_a_queue_with_its_failures");
    let (script, mut metas) = metas::<Mine>(|meta| match meta.attempt {
        1 => Err(Fail::retry("no database")),
        _ => Ok(()),
    });
    let running = bus.service().state(script).listeners([with::<Mine>(slow())]).start().await.unwrap();
    let before = chrono::Utc::now();
    bus.with_session(session_id("s")).emit(Ping::<Mine>::new(1), context()).await.unwrap();
    let (first, second) = (metas.recv().await.unwrap(), metas.recv().await.unwrap());
    assert_eq!((first.attempt, first.first_failure), (1, None));
    assert_eq!((second.attempt, second.session_id), (2, session_id("s")));
    assert_eq!((second.message_id, second.timestamp), (first.message_id, first.timestamp));
    let failure = second.first_failure.unwrap();
    assert_eq!(failure.error, "no database");
    assert!(failure.at.timestamp_micros() >= before.timestamp_micros());
    assert!(chrono::Utc::now() - failure.at >= chrono::TimeDelta::milliseconds(1900), "it came back too soon");
    running.stop().await;
    assert!(bus.dead_letters(Mine::EVENT, "one", 1).await.unwrap().is_empty());
}

async fn dead_letters_after_the_last_retry_through_a_queue(bus: Bus) {
    here!(Mine, "dead_letters_after_the_last_retry_through_a_queue");
    let (script, mut metas) = metas::<Mine>(|meta| Err(Fail::retry(format!("failure {}", meta.attempt))));
    let running = bus.service().state(script).listeners([with::<Mine>(slow())]).start().await.unwrap();
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    let letters = dead_letters(&bus, Mine::EVENT, "one", 1).await;
    let letter = &letters[0];
    assert_eq!((letter.reason, letter.error.as_str(), letter.attempts), (Some(Reason::Handler), "failure 2", 2));
    assert_eq!(letter.first_error, "failure 1");
    assert!(letter.first_failed_at.unwrap() < letter.parked_at.unwrap());
    assert_eq!((letter.exchange.as_str(), letter.routing_key.as_str()), (Mine::DOMAIN, "ping"));
    assert_eq!(letter.message_id, metas.recv().await.unwrap().message_id);
    running.stop().await;
}

async fn nothing_waits_behind_a_long_pause(bus: Bus) {
    here!(Mine, "nothing_waits_behind_a_long_pause");
    let (sender, mut calls) = mpsc::unbounded_channel();
    let script = Script::new(move |call: twyla_tests::Call<Mine>| {
        let _ = sender.send(call.ping.n);
        async move { if call.ping.n < 20 { Err("not yet".into()) } else { Ok(()) } }
    });
    let hour = Duration::from_secs(3600);
    let policy =
        Policy { retry: Some(Retry { attempts: 2, first: hour, max: hour }), prefetch: Some(2), ..Policy::default() };
    let running = bus.service().state(script).listeners([with::<Mine>(policy)]).start().await.unwrap();
    for n in 0..=20 {
        bus.emit(Ping::<Mine>::new(n), context()).await.unwrap();
    }
    while calls.recv().await.unwrap() != 20 {}
    running.stop().await;
}

async fn dead_letters_at_once_if_a_handler_asks_for_it(bus: Bus) {
    here!(Mine, "dead_letters_at_once_if_a_handler_asks_for_it");
    let (script, _metas) = metas::<Mine>(|_| Err(Fail::park("no such customer")));
    let running = bus.service().state(script).retry(QUICK).listeners([listener::<Mine>("one")]).start().await.unwrap();
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    let letters = dead_letters(&bus, Mine::EVENT, "one", 1).await;
    assert_eq!((letters[0].attempts, letters[0].error.as_str()), (1, "no such customer"));
    running.stop().await;
}

/// As when a member of the group with another version of the contract gets the event at its second attempt.
async fn keeps_the_first_failure_of_an_event_that_then_breaks_its_contract(bus: Bus) {
    here!(Mine, "keeps_the_first_failure_of_an_event_that_then_breaks");
    fn handle(incoming: Incoming) -> HandleFuture {
        let failure = match incoming.meta.attempt {
            1 => Failure::Handler("no database".into()),
            _ => Failure::Content(Ping::<Mine>::decode(b"{}").err().unwrap()),
        };
        Box::pin(async { Err(failure) })
    }
    for (group, retry) in [("one", QUICK), ("two", Retry { attempts: 3, ..SLOW })] {
        let listener = Registration {
            handle,
            needs: Vec::new(),
            policy: Policy { retry: Some(retry), ..Policy::default() },
            ..listener::<Mine>(group)
        };
        let running = bus.service().listeners([listener]).start().await.unwrap();
        bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
        let letters = dead_letters(&bus, Mine::EVENT, group, 1).await;
        let letter = &letters[0];
        assert_eq!((letter.reason, letter.attempts), (Some(Reason::Contract), 1), "{}", letter.error);
        assert_eq!(letter.first_error, "no database");
        assert!(letter.first_failed_at.unwrap() < letter.parked_at.unwrap());
        running.stop().await;
    }
}

async fn drops_events_if_a_handler_asks_for_it(bus: Bus) {
    here!(Mine, "drops_events_if_a_handler_asks_for_it");
    let (script, mut metas) = metas::<Mine>(|_| Err(Fail::drop("not for us")));
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    for n in 0..2 {
        bus.emit(Ping::<Mine>::new(n), context()).await.unwrap();
        assert_eq!(metas.recv().await.unwrap().attempt, 1);
    }
    running.stop().await;
    assert!(metas.try_recv().is_err() && bus.dead_letters(Mine::EVENT, "one", 1).await.unwrap().is_empty());
}

async fn waits_as_long_as_a_handler_asks(bus: Bus) {
    here!(Mine, "waits_as_long_as_a_handler_asks");
    let (script, mut metas) = metas::<Mine>(|meta| match meta.attempt {
        1 => Err(Fail::retry_after(Duration::from_millis(1001), "busy")),
        2 => Err(Fail::retry_after(Duration::from_millis(1), "busy")),
        _ => Ok(()),
    });
    let hour = Duration::from_secs(3600);
    let policy = Policy { retry: Some(Retry { attempts: 3, first: hour, max: hour }), ..Policy::default() };
    let running = bus.service().state(script).listeners([with::<Mine>(policy)]).start().await.unwrap();
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    for attempt in 1..=3 {
        assert_eq!(metas.recv().await.unwrap().attempt, attempt);
    }
    running.stop().await;
}

async fn dead_letters_events_requeued_too_often(bus: Bus) {
    here!(Mine, "dead_letters_events_requeued_too_often");
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let script = Script::new(move |call: twyla_tests::Call<Mine>| {
        counted.fetch_add(1, SeqCst);
        call.ack.reject();
        async { Ok(()) }
    });
    let service = bus.service().state(script).redeliveries(4).listeners([listener::<Mine>("one")]);
    let running = service.start().await.unwrap();
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    let letters = dead_letters(&bus, Mine::EVENT, "one", 1).await;
    assert_eq!((letters[0].reason, calls.load(SeqCst)), (Some(Reason::Redelivered), 5));
    running.stop().await;
}

async fn keeps_the_order_of_each_key(bus: Bus) {
    here!(Mine, "keeps_the_order_of_each_key");
    let (sender, mut calls) = mpsc::unbounded_channel();
    let (running_now, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (now, max) = (running_now.clone(), most.clone());
    let script = Script::new(move |call: twyla_tests::Call<Mine>| {
        let (sender, now, max) = (sender.clone(), now.clone(), max.clone());
        async move {
            max.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
            // Later events are quicker, so that one that doesn't wait arrives too early.
            tokio::time::sleep(Duration::from_millis(20 - u64::from(call.ping.n / 10))).await;
            now.fetch_sub(1, SeqCst);
            let _ = sender.send(call.ping.n);
            Ok(())
        }
    });
    let policy = Policy { key: Some(by_ten), ..Policy::default() };
    let running = bus.service().state(script).listeners([with::<Mine>(policy)]).start().await.unwrap();
    for n in 0..200 {
        bus.emit(Ping::<Mine>::new(n), context()).await.unwrap();
    }
    let mut next = [0; 10];
    for _ in 0..200 {
        let n = calls.recv().await.unwrap();
        let key = n as usize % 10;
        assert_eq!(n / 10, next[key], "out of order");
        next[key] += 1;
    }
    assert!((2..=10).contains(&most.load(SeqCst)), "{most:?}");
    running.stop().await;
}

async fn waits_in_place_if_ordered(bus: Bus) {
    here!(Mine, "waits_in_place_if_ordered");
    let (sender, mut calls) = mpsc::unbounded_channel();
    let script = Script::new(move |call: twyla_tests::Call<Mine>| {
        let _ = sender.send((call.ping.n, call.meta.attempt));
        async move { if (call.ping.n, call.meta.attempt) == (1, 1) { Err("not yet".into()) } else { Ok(()) } }
    });
    let policy = Policy { key: Some(by_ten), retry: Some(SLOW), ..Policy::default() };
    let running = bus.service().state(script).listeners([with::<Mine>(policy)]).start().await.unwrap();
    for n in [1, 11, 2] {
        bus.emit(Ping::<Mine>::new(n), context()).await.unwrap();
    }
    let mut seen = Vec::new();
    while seen.len() < 4 {
        seen.push(calls.recv().await.unwrap());
    }
    seen.retain(|(n, _)| *n != 2);
    assert_eq!(seen, [(1, 1), (1, 2), (11, 1)]);
    running.stop().await;
}

async fn runs_as_many_handlers_as_allowed(bus: Bus) {
    here!(Mine, "runs_as_many_handlers_as_allowed");
    let (begun, may_end) = (Arc::new(AtomicU32::new(0)), Arc::new(Semaphore::new(0)));
    let (count, gate) = (begun.clone(), may_end.clone());
    let (sender, mut ended) = mpsc::unbounded_channel();
    let script = Script::new(move |_: twyla_tests::Call<Mine>| {
        let (count, gate, sender) = (count.clone(), gate.clone(), sender.clone());
        async move {
            count.fetch_add(1, SeqCst);
            gate.acquire().await.unwrap().forget();
            let _ = sender.send(());
            Ok(())
        }
    });
    let policy = Policy { concurrency: Some(3), ..Policy::default() };
    let running = bus.service().state(script).listeners([with::<Mine>(policy)]).start().await.unwrap();
    for n in 0..10 {
        bus.emit(Ping::<Mine>::new(n), context()).await.unwrap();
    }
    for done in 0..10 {
        let places = (done + 3).min(10);
        while begun.load(SeqCst) < places {
            tokio::task::yield_now().await;
        }
        assert_eq!(begun.load(SeqCst), places);
        may_end.add_permits(1);
        ended.recv().await.unwrap();
    }
    running.stop().await;
}
