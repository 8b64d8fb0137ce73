//! Batch listeners: how batches fill and end, what a failure does, order by key, and dedupe; in memory and over RabbitMQ.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lapin::BasicProperties;
use lapin::options::BasicPublishOptions;
use sqlx::{Pool, Row};
use tokio::sync::{Notify, Semaphore, mpsc};
use twyla_runtime::handler::{BatchArgument, Keyed, Policy};
use twyla_runtime::sql::Tx;
use twyla_runtime::{Batch, BatchFail, Bus, Dedupe, Fail, Reason, Retry, session_id};
use twyla_tests::batch::{BatchScript, batches, soon, within};
use twyla_tests::broker::{config, lapin};
use twyla_tests::work::{Works, postgres_schema, sqlite};
use twyla_tests::{Here, Ping, Place, both_transports, dead_letters, here};

both_transports!(
    hands_over_full_batches_in_the_order_of_arrival,
    hands_over_content_context_and_meta_of_each_event,
    a_batch_ends_some_time_after_its_first_event,
    a_batch_fills_whatever_the_services_prefetch_is,
    one_poison_event_is_found_and_dead_lettered_alone,
    the_events_of_a_failed_batch_are_handled_before_the_next_batch,
    what_a_handler_asks_for_a_batch_concerns_the_event_that_is_alone,
    a_batch_that_is_never_retried_fails_as_a_whole,
    a_batch_is_retried_as_it_is_after_a_failure_that_may_pass,
    events_join_a_batch_again_after_a_long_pause,
    only_events_at_their_last_attempt_leave_a_batch_that_fails_for_a_time,
    events_that_wait_while_the_handler_runs_share_a_batch,
    a_panic_in_a_batch_is_found_too,
    the_handler_says_which_events_failed,
    an_invalid_event_does_not_spoil_its_batch,
    a_half_filled_batch_is_handled_before_the_service_ends,
    a_batch_that_does_not_end_in_time_goes_back,
    one_batch_gathers_while_another_is_handled,
    as_many_batches_as_allowed_are_handled_at_once,
    events_of_a_key_keep_their_order_within_and_across_batches,
    events_of_a_key_wait_for_one_that_failed,
    other_batches_are_handled_while_one_in_order_waits_for_its_retry,
    an_event_with_a_final_failure_does_not_let_the_next_of_its_key_go_on,
    the_outbox_repeats_only_the_events_that_it_made_fail,
    events_have_their_index_however_they_are_sorted,
);

twyla_tests::with_rabbitmq!(
    skips_handled_events_in_memory,
    skips_handled_events_with_sqlite,
    skips_handled_events_with_postgres,
    a_faulty_store_never_splits_a_batch_with_sqlite,
    a_faulty_store_never_splits_a_batch_with_postgres,
    a_batch_is_one_transaction_with_sqlite,
    a_batch_is_one_transaction_with_postgres,
    events_that_end_the_process_take_no_other_to_the_dead_queue,
    a_final_failure_keeps_the_order_after_a_rollback_with_sqlite,
    a_final_failure_keeps_the_order_after_a_rollback_with_postgres,
    a_batch_that_is_never_retried_is_split_with_sqlite,
    a_batch_that_is_never_retried_is_split_with_postgres,
);

const QUICK: Retry = Retry { attempts: 3, first: Duration::from_millis(1), max: Duration::from_millis(2) };

fn context() -> Here {
    Here::new("web")
}

async fn emit<P: Place>(bus: &Bus, numbers: impl IntoIterator<Item = u32>) {
    for n in numbers {
        bus.emit(Ping::<P>::new(n), context()).await.unwrap();
    }
}

/// Receives batches until they have `count` events.
async fn received(batches: &mut mpsc::UnboundedReceiver<Vec<u32>>, count: usize) -> Vec<Vec<u32>> {
    let (mut all, mut events) = (Vec::new(), 0);
    while events < count {
        let batch = batches.recv().await.unwrap();
        events += batch.len();
        all.push(batch);
    }
    assert_eq!(events, count, "{all:?}");
    all
}

/// Orders by the last digit of the number: ten keys.
fn by_ten(keyed: &Keyed<'_>) -> Option<u64> {
    let content: serde_json::Value = serde_json::from_slice(keyed.content).ok()?;
    content["n"].as_u64().map(|n| n % 10)
}

async fn hands_over_full_batches_in_the_order_of_arrival(bus: Bus) {
    here!(Mine, "hands_over_full_batches");
    let (script, mut calls) = BatchScript::<Mine>::numbers(|_| Ok(()));
    let running =
        bus.service().state(script).listeners([batches::<Mine>(50, Policy::default())]).start().await.unwrap();
    emit::<Mine>(&bus, 0..200).await;
    let all = received(&mut calls, 200).await;
    assert_eq!(all.len(), 4);
    assert_eq!(all.concat(), (0..200).collect::<Vec<_>>());
    running.stop().await;
    assert!(calls.recv().await.is_none(), "an event came twice");
}

async fn hands_over_content_context_and_meta_of_each_event(bus: Bus) {
    here!(Mine, "hands_over_content_context_and_meta_of_each_event");
    let (sender, mut calls) = mpsc::unbounded_channel();
    let script = BatchScript::<Mine>::new(move |batch: Batch<Ping<Mine>>| {
        let _ = sender.send(batch);
        async { Ok(()) }
    });
    let running = bus.service().state(script).listeners([batches::<Mine>(2, Policy::default())]).start().await.unwrap();
    for n in 1..=2 {
        let bus = bus.with_session(session_id(&n.to_string()));
        bus.emit(Ping::<Mine>::new(n), Here::new(&format!("channel {n}"))).await.unwrap();
    }
    let batch = calls.recv().await.unwrap();
    for (event, n) in batch.into_iter().zip(1..) {
        assert_eq!((event.content.n, event.context.channel), (n, format!("channel {n}")));
        assert_eq!((event.meta.session_id, event.meta.attempt), (session_id(&n.to_string()), 1));
        assert!(event.meta.message_id.is_some() && !event.meta.redelivered);
    }
    running.stop().await;
}

async fn a_batch_ends_some_time_after_its_first_event(bus: Bus) {
    here!(Mine, "a_batch_ends_some_time_after_its_first_event");
    let (script, mut calls) = BatchScript::<Mine>::numbers(|_| Ok(()));
    let running = bus.service().state(script).listeners([batches::<Mine>(500, soon())]).start().await.unwrap();
    emit::<Mine>(&bus, 0..3).await;
    assert_eq!(received(&mut calls, 3).await.concat(), [0, 1, 2]);
    emit::<Mine>(&bus, 3..4).await;
    assert_eq!(calls.recv().await, Some(vec![3]));
    running.stop().await;
}

async fn a_batch_fills_whatever_the_services_prefetch_is(bus: Bus) {
    here!(Mine, "a_batch_fills_whatever_the_services_prefetch_is");
    let (script, mut calls) = BatchScript::<Mine>::numbers(|_| Ok(()));
    let service = bus.service().prefetch(1).state(script).listeners([batches::<Mine>(20, Policy::default())]);
    let running = service.start().await.unwrap();
    emit::<Mine>(&bus, 0..20).await;
    assert_eq!(calls.recv().await, Some((0..20).collect()));
    running.stop().await;
}

fn without_13(numbers: &[u32]) -> Result<(), BatchFail> {
    if numbers.contains(&13) { Err(BatchFail::whole(format!("13 of {}", numbers.len()))) } else { Ok(()) }
}

async fn one_poison_event_is_found_and_dead_lettered_alone(bus: Bus) {
    here!(Mine, "one_poison_event_is_found");
    let (script, mut calls) = BatchScript::<Mine>::numbers(without_13);
    let service = bus.service().retry(QUICK).state(script).listeners([batches::<Mine>(20, Policy::default())]);
    let running = service.start().await.unwrap();
    emit::<Mine>(&bus, 0..20).await;
    let letters = dead_letters(&bus, Mine::EVENT, "one", 1).await;
    let letter = &letters[0];
    // the batch doesn't count as an attempt of the event
    assert_eq!((letter.reason, letter.attempts, letter.error.as_str()), (Some(Reason::Handler), 3, "13 of 1"));
    running.stop().await;
    let mut seen = Vec::new();
    while let Some(batch) = calls.recv().await {
        seen.push(batch);
    }
    assert_eq!(seen.remove(0), (0..20).collect::<Vec<_>>());
    let mut alone = seen.concat();
    assert_eq!(alone.len(), seen.len(), "each is handled alone: {seen:?}");
    let mut again = 0;
    alone.retain(|n| {
        again += u32::from(*n == 13);
        *n != 13 || again == 1
    });
    assert_eq!((alone, again), ((0..20).collect(), 3), "they begin in their order");
}

async fn the_events_of_a_failed_batch_are_handled_before_the_next_batch(bus: Bus) {
    here!(Mine, "the_events_of_a_failed_batch");
    let (script, mut calls) = BatchScript::<Mine>::numbers(|numbers| match numbers {
        [0, _, ..] => Err(BatchFail::whole("nothing of it holds")),
        _ => Ok(()),
    });
    let service = || bus.service().state(script.clone()).listeners([batches::<Mine>(3, Policy::default())]).start();
    // the events wait in the queue, and come at once
    service().await.unwrap().stop().await;
    emit::<Mine>(&bus, 0..6).await;
    let running = service().await.unwrap();
    let seen = received(&mut calls, 9).await;
    assert_eq!(seen, [vec![0, 1, 2], vec![0], vec![1], vec![2], vec![3, 4, 5]]);
    running.stop().await;
}

async fn what_a_handler_asks_for_a_batch_concerns_the_event_that_is_alone(bus: Bus) {
    here!(Mine, "what_a_handler_asks_for_a_batch");
    let (script, mut calls) = BatchScript::<Mine>::numbers(|numbers| {
        without_13(numbers).map_err(|_| BatchFail::whole(Fail::park("no number")))
    });
    let service = bus.service().retry(QUICK).state(script).listeners([batches::<Mine>(20, Policy::default())]);
    let running = service.start().await.unwrap();
    emit::<Mine>(&bus, 0..20).await;
    assert_eq!(dead_letters(&bus, Mine::EVENT, "one", 1).await[0].attempts, 1);
    received(&mut calls, 40).await;
    running.stop().await;
    assert_eq!(dead_letters(&bus, Mine::EVENT, "one", 1).await.len(), 1);
}

async fn a_batch_that_is_never_retried_fails_as_a_whole(bus: Bus) {
    here!(Mine, "a_batch_that_is_never_retried_fails_as_a_whole");
    let (script, mut calls) = BatchScript::<Mine>::numbers(without_13);
    let service = bus.service().retry(Retry::never()).state(script).listeners([batches::<Mine>(3, Policy::default())]);
    let running = service.start().await.unwrap();
    emit::<Mine>(&bus, 12..15).await;
    let letters = dead_letters(&bus, Mine::EVENT, "one", 3).await;
    assert!(letters.iter().all(|letter| (letter.attempts, &*letter.error) == (1, "13 of 3")), "{letters:?}");
    running.stop().await;
    assert_eq!(received(&mut calls, 3).await, [[12, 13, 14]]);
    assert!(calls.recv().await.is_none(), "nothing is done twice");
}

/// A script that fails `times` times, as if a database were unreachable. Sends the numbers and attempts of each batch.
fn unreachable<P: Place>(times: usize) -> (BatchScript<P>, mpsc::UnboundedReceiver<Vec<(u32, u32)>>) {
    let (sender, calls) = mpsc::unbounded_channel();
    let gone = Arc::new(AtomicUsize::new(times));
    let script = BatchScript::new(move |batch: Batch<Ping<P>>| {
        let mut numbers: Vec<_> = batch.iter().map(|event| (event.content.n, event.meta.attempt)).collect();
        numbers.sort_unstable();
        let _ = sender.send(numbers);
        let is_gone = gone.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        async move {
            match is_gone {
                true => Err(BatchFail::from(io::Error::from(io::ErrorKind::ConnectionRefused))),
                false => Ok(()),
            }
        }
    });
    (script, calls)
}

async fn a_batch_is_retried_as_it_is_after_a_failure_that_may_pass(bus: Bus) {
    here!(Mine, "a_batch_is_retried_as_it_is");
    let (script, mut calls) = unreachable::<Mine>(2);
    let service = bus.service().retry(QUICK).state(script).listeners([batches::<Mine>(3, Policy::default())]);
    let running = service.start().await.unwrap();
    emit::<Mine>(&bus, 0..3).await;
    for attempt in 1..=3 {
        assert_eq!(calls.recv().await, Some(vec![(0, attempt), (1, attempt), (2, attempt)]));
    }
    running.stop().await;
    assert!(calls.recv().await.is_none());
    assert!(dead_letters(&bus, Mine::EVENT, "one", 0).await.is_empty());
}

async fn events_join_a_batch_again_after_a_long_pause(bus: Bus) {
    here!(Mine, "events_join_a_batch_again");
    let (script, mut calls) = unreachable::<Mine>(1);
    let pause = Duration::from_millis(1001);
    let slow = Retry { attempts: 2, first: pause, max: pause };
    let service = bus.service().retry(slow).state(script).listeners([batches::<Mine>(3, Policy::default())]);
    let running = service.start().await.unwrap();
    emit::<Mine>(&bus, 0..3).await;
    assert_eq!(calls.recv().await, Some(vec![(0, 1), (1, 1), (2, 1)]));
    assert_eq!(calls.recv().await, Some(vec![(0, 2), (1, 2), (2, 2)]));
    running.stop().await;
    assert!(calls.recv().await.is_none());
}

async fn only_events_at_their_last_attempt_leave_a_batch_that_fails_for_a_time(bus: Bus) {
    here!(Mine, "only_events_at_their_last_attempt");
    let (script, mut calls) = unreachable::<Mine>(2);
    let pause = Duration::from_millis(1001);
    let slow = Retry { attempts: 2, first: pause, max: pause };
    let service = bus.service().retry(slow).state(script).listeners([batches::<Mine>(3, Policy::default())]);
    let running = service.start().await.unwrap();
    emit::<Mine>(&bus, 0..3).await;
    assert_eq!(calls.recv().await, Some(vec![(0, 1), (1, 1), (2, 1)]));
    // it shares a batch with two of those that come back
    emit::<Mine>(&bus, 3..4).await;
    let mixed = calls.recv().await.unwrap();
    assert_eq!((mixed.len(), mixed[2]), (3, (3, 1)), "{mixed:?}");
    for last in &mixed[..2] {
        assert_eq!(calls.recv().await, Some(vec![*last]), "handled alone");
    }
    // the third of them, the fresh one at its second attempt, and another
    emit::<Mine>(&bus, 4..5).await;
    let rest = calls.recv().await.unwrap();
    assert_eq!(rest[1..], [(3, 2), (4, 1)], "it stays in a batch");
    assert!(rest[0].1 == 2 && !mixed.contains(&rest[0]), "{rest:?}");
    running.stop().await;
    assert!(calls.recv().await.is_none());
}

async fn events_that_wait_while_the_handler_runs_share_a_batch(bus: Bus) {
    here!(Mine, "events_that_wait_while_the_handler_runs");
    let (script, mut begun, gate) = gated::<Mine>();
    let at_once = within(Duration::ZERO);
    let running = bus.service().state(script).listeners([batches::<Mine>(20, at_once)]).start().await.unwrap();
    emit::<Mine>(&bus, 0..1).await;
    assert_eq!(begun.recv().await, Some(vec![0]));
    emit::<Mine>(&bus, 1..11).await;
    // it is dead-lettered when it would join the batch: those before it have joined
    publish_invalid::<Mine>(&bus).await;
    dead_letters(&bus, Mine::EVENT, "one", 1).await;
    gate.add_permits(2);
    assert_eq!(begun.recv().await, Some((1..11).collect()));
    running.stop().await;
}

async fn a_panic_in_a_batch_is_found_too(bus: Bus) {
    here!(Mine, "a_panic_in_a_batch_is_found_too");
    let (script, mut calls) = BatchScript::<Mine>::numbers(|numbers| {
        assert!(!numbers.contains(&1), "a bug");
        Ok(())
    });
    let service = bus.service().retry(QUICK).state(script).listeners([batches::<Mine>(3, Policy::default())]);
    let running = service.start().await.unwrap();
    emit::<Mine>(&bus, 0..3).await;
    let letters = dead_letters(&bus, Mine::EVENT, "one", 1).await;
    assert_eq!(letters[0].reason, Some(Reason::Panic));
    assert!(letters[0].error.contains("a bug"));
    assert_eq!(received(&mut calls, 2).await.concat(), [0, 2]);
    running.stop().await;
}

async fn the_handler_says_which_events_failed(bus: Bus) {
    here!(Mine, "the_handler_says_which_events_failed");
    let (script, mut calls) = BatchScript::<Mine>::numbers(|numbers| {
        let mut failed = BatchFail::new();
        for (index, n) in numbers.iter().enumerate() {
            match n {
                1 => failed.add(index, Fail::park("no use")),
                2 if numbers.len() > 1 => failed.add(index, "not yet"),
                3 => failed.add(index, Fail::drop("not for us")),
                _ => {}
            }
        }
        failed.into_result()
    });
    let service = bus.service().retry(QUICK).state(script).listeners([batches::<Mine>(5, Policy::default())]);
    let running = service.start().await.unwrap();
    emit::<Mine>(&bus, 0..5).await;
    let letters = dead_letters(&bus, Mine::EVENT, "one", 1).await;
    assert_eq!((letters[0].error.as_str(), letters[0].attempts), ("no use", 1));
    assert_eq!(received(&mut calls, 6).await, [vec![0, 1, 2, 3, 4], vec![2]]);
    running.stop().await;
    assert!(calls.recv().await.is_none());
}

async fn publish_invalid<P: Place>(bus: &Bus) {
    let invalid = r#"{"content":{"n":7,"text":""},"context":{"channel":"web"}}"#;
    twyla_runtime::__private::publish_raw(bus, P::DOMAIN, "ping", invalid.as_bytes().to_vec()).await.unwrap();
}

async fn an_invalid_event_does_not_spoil_its_batch(bus: Bus) {
    here!(Mine, "an_invalid_event_does_not_spoil_its_batch");
    let (script, mut calls) = BatchScript::<Mine>::numbers(|_| Ok(()));
    let running = bus.service().state(script).listeners([batches::<Mine>(3, Policy::default())]).start().await.unwrap();
    emit::<Mine>(&bus, 0..2).await;
    publish_invalid::<Mine>(&bus).await;
    emit::<Mine>(&bus, 2..3).await;
    assert_eq!(calls.recv().await, Some(vec![0, 1, 2]));
    let letters = dead_letters(&bus, Mine::EVENT, "one", 1).await;
    assert_eq!((letters[0].reason, letters[0].attempts), (Some(Reason::Contract), 0));
    running.stop().await;
}

async fn a_half_filled_batch_is_handled_before_the_service_ends(bus: Bus) {
    here!(Mine, "a_half_filled_batch_is_handled");
    let (script, mut calls) = BatchScript::<Mine>::numbers(|_| Ok(()));
    let running =
        bus.service().state(script.clone()).listeners([batches::<Mine>(500, Policy::default())]).start().await.unwrap();
    emit::<Mine>(&bus, 0..3).await;
    // over RabbitMQ, what hasn't arrived yet stays in the queue
    running.stop().await;
    let mut seen: Vec<u32> = Vec::new();
    while let Ok(batch) = calls.try_recv() {
        seen.extend(batch);
    }
    let running = bus.service().state(script).listeners([batches::<Mine>(500, soon())]).start().await.unwrap();
    seen.extend(received(&mut calls, 3 - seen.len()).await.concat());
    assert_eq!(seen, [0, 1, 2]);
    running.stop().await;
    assert!(calls.try_recv().is_err());
}

/// A script that sends the numbers of each batch as it begins, and continues with a permit.
fn gated<P: Place>() -> (BatchScript<P>, mpsc::UnboundedReceiver<Vec<u32>>, Arc<Semaphore>) {
    let (sender, begun) = mpsc::unbounded_channel();
    let gate = Arc::new(Semaphore::new(0));
    let permits = gate.clone();
    let script = BatchScript::new(move |batch: Batch<Ping<P>>| {
        let permits = permits.clone();
        let _ = sender.send(batch.iter().map(|event| event.content.n).collect());
        async move {
            permits.acquire().await.unwrap().forget();
            Ok(())
        }
    });
    (script, begun, gate)
}

async fn a_batch_that_does_not_end_in_time_goes_back(bus: Bus) {
    here!(Mine, "a_batch_that_does_not_end_in_time_goes_back");
    let (script, mut begun, _never_opened) = gated::<Mine>();
    let service = bus.service().state(script).listeners([batches::<Mine>(2, Policy::default())]);
    let running = service.drain_deadline(Duration::from_millis(20)).start().await.unwrap();
    emit::<Mine>(&bus, 0..5).await;
    assert_eq!(begun.recv().await, Some(vec![0, 1]));
    running.stop().await;
    let (script, mut calls) = BatchScript::<Mine>::numbers(|_| Ok(()));
    let running = bus.service().state(script).listeners([batches::<Mine>(5, Policy::default())]).start().await.unwrap();
    let mut seen = calls.recv().await.unwrap();
    seen.sort_unstable();
    assert_eq!(seen, [0, 1, 2, 3, 4]);
    running.stop().await;
}

async fn one_batch_gathers_while_another_is_handled(bus: Bus) {
    here!(Mine, "one_batch_gathers_while_another_is_handled");
    let (script, mut begun, gate) = gated::<Mine>();
    let running = bus.service().state(script).listeners([batches::<Mine>(2, Policy::default())]).start().await.unwrap();
    emit::<Mine>(&bus, 0..4).await;
    assert_eq!(begun.recv().await, Some(vec![0, 1]));
    assert!(begun.try_recv().is_err(), "batches are handled one after another");
    gate.add_permits(1);
    assert_eq!(begun.recv().await, Some(vec![2, 3]));
    gate.add_permits(1);
    running.stop().await;
}

async fn as_many_batches_as_allowed_are_handled_at_once(bus: Bus) {
    here!(Mine, "as_many_batches_as_allowed");
    let (script, mut begun, gate) = gated::<Mine>();
    let policy = Policy { concurrency: Some(2), ..Policy::default() };
    let running = bus.service().state(script).listeners([batches::<Mine>(2, policy)]).start().await.unwrap();
    emit::<Mine>(&bus, 0..6).await;
    let mut two = [begun.recv().await.unwrap(), begun.recv().await.unwrap()];
    two.sort();
    assert_eq!(two, [[0, 1], [2, 3]]);
    assert!(begun.try_recv().is_err());
    gate.add_permits(3);
    assert_eq!(begun.recv().await, Some(vec![4, 5]));
    running.stop().await;
}

async fn events_of_a_key_keep_their_order_within_and_across_batches(bus: Bus) {
    here!(Mine, "events_of_a_key_keep_their_order");
    let (sender, mut calls) = mpsc::unbounded_channel();
    let script = BatchScript::<Mine>::new(move |batch: Batch<Ping<Mine>>| {
        let sender = sender.clone();
        async move {
            let numbers: Vec<u32> = batch.iter().map(|event| event.content.n).collect();
            let once = batch.iter().all(|event| event.meta.attempt == 1);
            // others may run meanwhile
            tokio::task::yield_now().await;
            // some batches fail once, so that their events are handled alone
            if once && numbers.len() > 1 && numbers[0].is_multiple_of(3) {
                return Err(BatchFail::whole("not yet"));
            }
            let _ = sender.send(numbers);
            Ok(())
        }
    });
    // so short that batches end while events join them
    let short = within(Duration::from_millis(1));
    let policy = Policy { key: Some(by_ten), concurrency: Some(3), retry: Some(QUICK), ..short };
    let service = || bus.service().state(script.clone()).listeners([batches::<Mine>(16, policy)]).start();
    // the events wait in the queue, and come at once
    service().await.unwrap().stop().await;
    emit::<Mine>(&bus, 0..400).await;
    let running = service().await.unwrap();
    let mut next = [0; 10];
    let all = received(&mut calls, 400).await;
    for n in all.iter().flatten() {
        let key = *n as usize % 10;
        assert_eq!(n / 10, next[key], "out of order: {all:?}");
        next[key] += 1;
    }
    let shares = |batch: &Vec<u32>| batch.iter().filter(|n| **n % 10 == batch[0] % 10).count() > 1;
    assert!(all.iter().any(shares), "events with the same key share batches");
    running.stop().await;
}

async fn events_of_a_key_wait_for_one_that_failed(bus: Bus) {
    here!(Mine, "events_of_a_key_wait_for_one_that_failed");
    let (sender, mut calls) = mpsc::unbounded_channel();
    let script = BatchScript::<Mine>::new(move |batch: Batch<Ping<Mine>>| {
        let seen: Vec<_> = batch.iter().map(|event| (event.content.n, event.meta.attempt)).collect();
        let _ = sender.send(seen.clone());
        async move {
            match &*seen {
                [(1, 1)] => Err(BatchFail::at(0, "not yet")),
                [(1, 1), _, ..] => Err(BatchFail::whole("the batch")),
                _ => Ok(()),
            }
        }
    });
    let pause = Duration::from_secs(2);
    let slow = Retry { attempts: 5, first: pause, max: pause };
    let policy = Policy { key: Some(by_ten), retry: Some(slow), ..within(Duration::ZERO) };
    let running = bus.service().state(script).listeners([batches::<Mine>(4, policy)]).start().await.unwrap();
    emit::<Mine>(&bus, [1, 11, 2, 21]).await;
    let mut seen = Vec::new();
    loop {
        let call = calls.recv().await.unwrap();
        seen.extend(call.clone());
        if call == [(1, 1)] {
            break;
        }
    }
    // they come while the first one waits, and are not in its batch
    emit::<Mine>(&bus, [31, 12]).await;
    while !seen.contains(&(31, 1)) || !seen.contains(&(12, 1)) {
        seen.extend(calls.recv().await.unwrap());
    }
    let at = |wanted: (u32, u32)| seen.iter().rposition(|it| *it == wanted).unwrap();
    assert!(at((12, 1)) < at((1, 2)), "another key waits: {seen:?}");
    let of_key: Vec<_> = [(1, 1), (1, 2), (11, 1), (21, 1), (31, 1)].map(at).into();
    assert!(of_key.is_sorted(), "{seen:?}");
    running.stop().await;
}

async fn other_batches_are_handled_while_one_in_order_waits_for_its_retry(bus: Bus) {
    here!(Mine, "other_batches_are_handled");
    let (sender, mut calls) = mpsc::unbounded_channel();
    let script = BatchScript::<Mine>::new(move |batch: Batch<Ping<Mine>>| {
        let seen: Vec<_> = batch.iter().map(|event| (event.content.n, event.meta.attempt)).collect();
        let _ = sender.send(seen.clone());
        async move {
            match &*seen {
                [(1, 1), ..] => Err(BatchFail::whole(Fail::retry_after(Duration::from_secs(2), "1 is limited"))),
                _ => Ok(()),
            }
        }
    });
    let policy = Policy { key: Some(by_ten), ..Policy::default() };
    let running = bus.service().state(script).listeners([batches::<Mine>(2, policy)]).start().await.unwrap();
    emit::<Mine>(&bus, 1..5).await;
    let mut seen = Vec::new();
    while seen.len() < 3 {
        seen.push(calls.recv().await.unwrap());
    }
    assert_eq!(seen, [[(1, 1), (2, 1)], [(3, 1), (4, 1)], [(1, 2), (2, 2)]]);
    running.stop().await;
    assert!(calls.recv().await.is_none());
}

async fn an_event_with_a_final_failure_does_not_let_the_next_of_its_key_go_on(bus: Bus) {
    here!(Mine, "an_event_with_a_final_failure");
    let (sender, mut calls) = mpsc::unbounded_channel();
    let script = BatchScript::<Mine>::new(move |batch: Batch<Ping<Mine>>| {
        let seen: Vec<_> = batch.iter().map(|event| (event.content.n, event.meta.attempt)).collect();
        let _ = sender.send(seen.clone());
        async move {
            match &*seen {
                [(1, 1), _, _] => {
                    let mut failed = BatchFail::at(0, "not yet");
                    failed.add(1, Fail::park("no use"));
                    failed.add(2, "after 1");
                    Err(failed)
                }
                [(1, 2)] => Err(BatchFail::at(0, "not yet")),
                _ => Ok(()),
            }
        }
    });
    let pause = Duration::from_millis(100);
    let retry = Retry { attempts: 5, first: pause, max: pause };
    let policy = Policy { key: Some(by_ten), retry: Some(retry), ..Policy::default() };
    let running = bus.service().state(script).listeners([batches::<Mine>(3, policy)]).start().await.unwrap();
    emit::<Mine>(&bus, [1, 11, 21]).await;
    let mut seen = Vec::new();
    while seen.len() < 4 {
        seen.push(calls.recv().await.unwrap());
    }
    assert_eq!(seen, [vec![(1, 1), (11, 1), (21, 1)], vec![(1, 2)], vec![(1, 3)], vec![(21, 2)]]);
    dead_letters(&bus, Mine::EVENT, "one", 1).await;
    running.stop().await;
    assert!(calls.recv().await.is_none());
}

async fn the_outbox_repeats_only_the_events_that_it_made_fail(bus: Bus) {
    here!(Mine, "the_outbox_repeats_only_the_events");
    let (script, mut calls) = BatchScript::<Mine>::numbers(|numbers| match numbers {
        [1, 2, 3] => {
            let why = "a lock timeout".to_owned();
            let mut failed = BatchFail::at(0, twyla_runtime::Error::Outbox { event: Mine::EVENT, why, passes: true });
            failed.add(2, Fail::park("no use"));
            Err(failed)
        }
        _ => Ok(()),
    });
    let service = bus.service().retry(Retry::never()).state(script);
    let running = service.listeners([batches::<Mine>(3, Policy::default())]).start().await.unwrap();
    emit::<Mine>(&bus, 1..4).await;
    assert_eq!(received(&mut calls, 4).await, [vec![1, 2, 3], vec![1]]);
    assert_eq!(dead_letters(&bus, Mine::EVENT, "one", 1).await[0].error, "no use");
    running.stop().await;
    assert!(calls.recv().await.is_none());
}

async fn events_have_their_index_however_they_are_sorted(bus: Bus) {
    here!(Mine, "events_have_their_index");
    let (sender, mut calls) = mpsc::unbounded_channel();
    let script = BatchScript::<Mine>::new(move |batch: Batch<Ping<Mine>>| {
        let mut events: Vec<_> = batch.into_iter().collect();
        events.sort_by_key(|event| std::cmp::Reverse(event.content.n));
        let _ = sender.send(events.iter().map(|event| event.content.n).collect::<Vec<_>>());
        let failed = events.iter().find(|event| event.content.n == 3 && event.meta.attempt == 1);
        let failed = failed.map_or(Ok(()), |event| Err(BatchFail::at(event.index(), "not yet")));
        async { failed }
    });
    let service = bus.service().retry(QUICK).state(script).listeners([batches::<Mine>(3, Policy::default())]);
    let running = service.start().await.unwrap();
    emit::<Mine>(&bus, 1..4).await;
    let mut seen = Vec::new();
    while seen.len() < 2 {
        seen.push(calls.recv().await.unwrap());
    }
    assert_eq!(seen, [vec![3, 2, 1], vec![3]]);
    running.stop().await;
}

/// A connection that is closed while the handler runs stands for a process that ends: the broker counts one delivery of all its events.
async fn events_that_end_the_process_take_no_other_to_the_dead_queue() {
    here!(Mine, "events_that_end_the_process");
    let bus = Bus::connect(config()).await.unwrap();
    let (sender, mut handled) = mpsc::unbounded_channel();
    let ended = Arc::new(Notify::new());
    let ends = ended.clone();
    let script = BatchScript::<Mine>::new(move |batch: Batch<Ping<Mine>>| {
        let (sender, ends) = (sender.clone(), ends.clone());
        async move {
            if batch.iter().any(|event| [2, 5].contains(&event.content.n)) {
                ends.notify_one();
                std::future::pending::<()>().await;
            }
            for event in &batch {
                let _ = sender.send(event.content.n);
            }
            Ok(())
        }
    });
    let service = |bus: &Bus| {
        let service = bus.service().state(script.clone()).redeliveries(4).drain_deadline(Duration::from_millis(20));
        service.listeners([batches::<Mine>(8, soon())]).start()
    };
    // the events wait in the queue, and come at once
    service(&bus).await.unwrap().stop().await;
    emit::<Mine>(&bus, 0..8).await;
    let letters = loop {
        let process = Bus::connect(config()).await.unwrap();
        let running = service(&process).await.unwrap();
        let letters = tokio::select! {
            () = ended.notified() => None,
            letters = dead_letters(&bus, Mine::EVENT, "one", 2) => Some(letters),
        };
        process.close().await;
        running.stop().await;
        if let Some(letters) = letters {
            break letters;
        }
    };
    drop(script);
    let mut others = Vec::new();
    while let Some(n) = handled.recv().await {
        others.push(n);
    }
    others.sort_unstable();
    assert_eq!((others, letters.len()), (vec![0, 1, 3, 4, 6, 7], 2));
    assert!(letters.iter().all(|letter| letter.reason == Some(Reason::Redelivered)), "{letters:?}");
    bus.close().await;
}

/// Publishes an event under this message id.
async fn publish(domain: &'static str, id: &str, n: u32) {
    let (_connection, channel) = lapin().await;
    let body = format!(r#"{{"content":{{"n":{n},"text":"hi"}},"context":{{"channel":"web"}}}}"#);
    let properties = BasicProperties::default().with_message_id(id.into());
    let options = BasicPublishOptions::default();
    channel.basic_publish(domain.into(), "ping".into(), options, body.as_bytes(), properties).await.unwrap();
    channel.close(200, "OK".into()).await.unwrap();
}

/// Events that were handled before, and a second one with the same id in a batch, are skipped; one that failed is handled again.
async fn skips_handled_events<P: Place>(dedupe: Dedupe) {
    let bus = Bus::connect(config()).await.unwrap();
    let (script, mut calls) = BatchScript::<P>::numbers(|numbers| match numbers.iter().position(|n| *n == 3) {
        Some(index) if numbers.len() > 1 => Err(BatchFail::at(index, "not yet")),
        _ => Ok(()),
    });
    let service = bus.service().dedupe(dedupe).retry(QUICK).state(script);
    let running = service.listeners([batches::<P>(4, Policy::default())]).start().await.unwrap();
    for (id, n) in [("a", 1), ("b", 2), ("a", 1), ("c", 3)] {
        publish(P::DOMAIN, id, n).await;
    }
    assert_eq!(received(&mut calls, 4).await, [vec![1, 2, 3], vec![3]]);
    for (id, n) in [("a", 1), ("c", 3), ("d", 4), ("b", 2)] {
        publish(P::DOMAIN, id, n).await;
    }
    assert_eq!(calls.recv().await, Some(vec![4]));
    running.stop().await;
    assert!(calls.recv().await.is_none());
    bus.close().await;
}

async fn skips_handled_events_in_memory() {
    here!(Mine, "skips_handled_events_of_batches_in_memory");
    skips_handled_events::<Mine>(Dedupe::in_memory(100)).await;
}

async fn skips_handled_events_with_sqlite() {
    here!(Mine, "skips_handled_events_of_batches_with_sqlite");
    let (_dir, pool) = sqlite().await;
    skips_handled_events::<Mine>(Dedupe::sql(pool).await.unwrap()).await;
}

async fn skips_handled_events_with_postgres() {
    here!(Mine, "skips_handled_events_of_batches_with_postgres");
    let pool = postgres_schema(Mine::DOMAIN).await;
    skips_handled_events::<Mine>(Dedupe::sql(pool).await.unwrap()).await;
}

/// The store fails until the service reports it; then the batch is handled as it is, at its first attempt.
async fn a_faulty_store_never_splits_a_batch<P: Place, DB: Works>(pool: Pool<DB>)
where
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
{
    let run = async |sql: &'static str| {
        let mut connection = pool.acquire().await.unwrap();
        sqlx::Executor::execute(&mut *connection, sqlx::raw_sql(sql)).await.unwrap();
    };
    let bus = Bus::connect(config()).await.unwrap();
    let (script, mut calls) = unreachable::<P>(0);
    let service = bus.service().dedupe(Dedupe::sql(pool.clone()).await.unwrap()).retry(Retry::never()).state(script);
    let running = service.listeners([batches::<P>(3, Policy::default())]).start().await.unwrap();
    run("ALTER TABLE twyla_handled RENAME TO away").await;
    emit::<P>(&bus, 0..3).await;
    while running.health().is_ready() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(calls.try_recv().is_err(), "it was handled without the store");
    run("ALTER TABLE away RENAME TO twyla_handled").await;
    assert_eq!(calls.recv().await, Some(vec![(0, 1), (1, 1), (2, 1)]));
    running.stop().await;
    assert!(calls.recv().await.is_none());
    bus.close().await;
}

async fn a_faulty_store_never_splits_a_batch_with_sqlite() {
    here!(Mine, "a_faulty_store_never_splits_sqlite");
    let (_dir, pool) = sqlite().await;
    a_faulty_store_never_splits_a_batch::<Mine, _>(pool).await;
}

async fn a_faulty_store_never_splits_a_batch_with_postgres() {
    here!(Mine, "a_faulty_store_never_splits_postgres");
    let pool = postgres_schema(Mine::DOMAIN).await;
    a_faulty_store_never_splits_a_batch::<Mine, _>(pool).await;
}

/// What a handler answers to the numbers and attempts of a batch.
type Answer = fn(&[(u32, u32)]) -> Result<(), BatchFail>;

/// Starts a service whose batches of three write the number of each event in their transaction, and then answer with `answer`, given
/// the numbers and attempts. Publishes the test's numbers, and checks what was called and written.
async fn transactions<P: Place, DB: Works>(test: Transactions, pool: Pool<DB>)
where
    for<'c> &'c Pool<DB>: sqlx::Executor<'c, Database = DB>,
    for<'r> i64: sqlx::Decode<'r, DB> + sqlx::Type<DB>,
    usize: sqlx::ColumnIndex<DB::Row>,
{
    let Transactions { policy, answer, numbers, events, dead, assert } = test;
    sqlx::raw_sql("CREATE TABLE effects (n bigint)").execute(&pool).await.unwrap();
    let bus = Bus::connect(config()).await.unwrap();
    let (sender, mut calls) = mpsc::unbounded_channel();
    let script = BatchScript::<P>::with_parts(move |batch, parts| {
        let (tx, sender) = (Tx::<DB>::take(parts).unwrap(), sender.clone());
        async move {
            let numbers: Vec<_> = batch.iter().map(|event| (event.content.n, event.meta.attempt)).collect();
            let mut tx = tx.lock().await;
            for (n, _) in &numbers {
                DB::write(&mut tx, i64::from(*n)).await?;
            }
            let answer = answer(&numbers);
            let _ = sender.send(numbers);
            answer
        }
    });
    let dedupe = Dedupe::sql(pool.clone()).await.unwrap();
    let mut listener = batches::<P>(3, policy);
    listener.needs.extend(<Tx<DB> as BatchArgument>::need());
    let running = bus.service().dedupe(dedupe).state(script).listeners([listener]).start().await.unwrap();
    for n in numbers {
        publish(P::DOMAIN, &format!("id-{n}"), *n).await;
    }
    let mut seen: Vec<Batched> = Vec::new();
    while seen.iter().map(Vec::len).sum::<usize>() < events {
        seen.push(calls.recv().await.unwrap());
    }
    running.stop().await;
    assert!(calls.recv().await.is_none());
    let letters = dead_letters(&bus, P::EVENT, "one", dead).await;
    assert!(letters.iter().all(|letter| letter.attempts == 1), "{letters:?}");
    bus.close().await;
    let rows = sqlx::raw_sql("SELECT n FROM effects ORDER BY n").fetch_all(&pool).await.unwrap();
    assert(seen, rows.iter().map(|row| row.get(0)).collect());
}

fn retried(retry: Retry) -> Policy {
    Policy { retry: Some(retry), ..Policy::default() }
}

/// The first batch fails as a whole, and the second reports its first event as failed.
fn in_part(numbers: &[(u32, u32)]) -> Result<(), BatchFail> {
    match numbers {
        [(1, _), _, ..] => Err(BatchFail::whole("nothing of it holds")),
        [(10, 1), ..] => Err(BatchFail::at(0, "not yet")),
        _ => Ok(()),
    }
}

/// The number and the attempt of each event of one batch.
type Batched = Vec<(u32, u32)>;

/// A test of [`transactions`], which runs with each database.
struct Transactions {
    policy: Policy,
    answer: Answer,
    numbers: &'static [u32],
    /// The number of events in all batches.
    events: usize,
    /// The number of dead letters, each after its first attempt.
    dead: usize,
    /// Judges the batches that the handler got and the rows in the table `effects`.
    assert: fn(Vec<Batched>, Vec<i64>),
}

/// Defines each test with SQLite and with PostgreSQL.
macro_rules! with_each_database {
    ($($test:ident: $sqlite:ident, $postgres:ident;)*) => {
        $(async fn $sqlite() {
            here!(Mine, stringify!($sqlite));
            let (_dir, pool) = sqlite().await;
            transactions::<Mine, _>($test(), pool).await;
        }
        async fn $postgres() {
            here!(Mine, stringify!($postgres));
            transactions::<Mine, _>($test(), postgres_schema(Mine::DOMAIN).await).await;
        })*
    };
}

with_each_database! {
    a_batch_is_one_transaction:
        a_batch_is_one_transaction_with_sqlite, a_batch_is_one_transaction_with_postgres;
    a_final_failure_keeps_the_order_after_a_rollback:
        a_final_failure_keeps_the_order_after_a_rollback_with_sqlite,
        a_final_failure_keeps_the_order_after_a_rollback_with_postgres;
    a_batch_that_is_never_retried_is_split_after_a_rollback:
        a_batch_that_is_never_retried_is_split_with_sqlite, a_batch_that_is_never_retried_is_split_with_postgres;
}

/// The work of a batch takes effect as a whole with its marks, or not at all, and each event's work once.
fn a_batch_is_one_transaction() -> Transactions {
    Transactions {
        policy: retried(QUICK),
        answer: in_part,
        numbers: &[1, 2, 3, 10, 4, 5],
        events: 3 + 3 + 3 + 2 + 1,
        dead: 0,
        assert: |seen, rows| {
            assert_eq!(rows, [1, 2, 3, 4, 5, 10], "{seen:?}");
            assert!(seen.contains(&vec![(4, 1), (5, 1)]), "those that didn't fail share a transaction: {seen:?}");
            assert!(seen.contains(&vec![(10, 2)]), "the one that failed is alone: {seen:?}");
        },
    }
}

/// The event behind one that is dead-lettered waits for the one before that, which is retried.
fn a_final_failure_keeps_the_order_after_a_rollback() -> Transactions {
    let pause = Duration::from_millis(300);
    Transactions {
        policy: Policy { key: Some(by_ten), ..retried(Retry { attempts: 5, first: pause, max: pause }) },
        answer: |numbers| match numbers {
            [(1, 1), _, _] => {
                let mut failed = BatchFail::at(0, "not yet");
                failed.add(1, Fail::park("no use"));
                Err(failed)
            }
            _ => Ok(()),
        },
        numbers: &[1, 11, 21],
        events: 3 + 2,
        dead: 1,
        assert: |seen, rows| {
            assert_eq!(seen, [vec![(1, 1), (11, 1), (21, 1)], vec![(1, 2)], vec![(21, 1)]]);
            assert_eq!(rows, [1, 21]);
        },
    }
}

/// A batch that was rolled back has done nothing, so its events are handled alone even if nothing is retried.
fn a_batch_that_is_never_retried_is_split_after_a_rollback() -> Transactions {
    Transactions {
        policy: retried(Retry::never()),
        answer: |numbers| match numbers.iter().any(|(n, _)| *n == 2) {
            true => Err(BatchFail::whole("2")),
            false => Ok(()),
        },
        numbers: &[1, 2, 3],
        events: 3 + 3,
        dead: 1,
        assert: |seen, rows| {
            assert_eq!(rows, [1, 3], "{seen:?}");
            assert_eq!(seen, [vec![(1, 1), (2, 1), (3, 1)], vec![(1, 1)], vec![(2, 1)], vec![(3, 1)]]);
        },
    }
}
