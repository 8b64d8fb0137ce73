//! The behaviour of a bus: each test runs in memory and over RabbitMQ.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use tokio::sync::{Barrier, Notify, mpsc};
use twyla_runtime::handler::{Policy, Registration};
use twyla_runtime::{Bus, Error, Reason, Retry, session_id};
use twyla_tests::{Call, Here, Ping, Script, both_transports, dead_letters, here, listener};

both_transports!(
    hands_over_content_context_and_meta,
    is_content_without_listeners,
    gives_each_event_to_each_group_and_one_member,
    keeps_the_session_in_handlers,
    retries_an_error_then_dead_letters,
    retries_a_panic_then_dead_letters,
    dead_letters_nothing_that_succeeds_in_the_end,
    lets_the_handler_decide,
    refuses_to_emit_invalid_events,
    handles_as_many_at_once_as_prefetched,
    handles_one_by_one_in_order,
    handles_each_of_many_events_emitted_at_once,
    drains_running_handlers_and_leaves_the_rest,
    requeues_events_whose_handlers_do_not_end_in_time,
    requeues_events_that_wait_for_a_retry,
    drains_when_dropped,
    runs_until_its_future_resolves_and_closes,
    checks_before_it_consumes,
    carries_20_megabytes,
    shows_dead_letters_and_leaves_them,
);

const QUICK: Retry = Retry { attempts: 3, first: Duration::from_millis(1), max: Duration::from_millis(2) };

fn context() -> Here {
    Here::new("web")
}

/// A script that sends each call to the test.
fn pass_on<P: 'static>() -> (Script<P>, mpsc::UnboundedReceiver<Call<P>>) {
    let (sender, calls) = mpsc::unbounded_channel();
    let script = Script::new(move |call| {
        let _ = sender.send(call);
        async { Ok(()) }
    });
    (script, calls)
}

async fn hands_over_content_context_and_meta(bus: Bus) {
    here!(Mine, "hands_over_content_context_and_meta");
    let (script, mut calls) = pass_on::<Mine>();
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    let before = chrono::Utc::now();
    bus.emit(Ping::<Mine>::saying(7, "ü\"\u{0}"), context()).await.unwrap();
    bus.emit(Ping::<Mine>::new(8), context()).await.unwrap();
    let (first, second) = (calls.recv().await.unwrap(), calls.recv().await.unwrap());
    assert_eq!((first.ping.n, first.ping.text.as_str(), first.context), (7, "ü\"\u{0}", context()));
    let meta = first.meta;
    assert_eq!((meta.event, meta.attempt, meta.redelivered), ("hands_over_content_context_and_meta.ping", 1, false));
    assert!(meta.timestamp.timestamp_micros() >= before.timestamp_micros() && meta.timestamp <= second.meta.timestamp);
    assert_eq!(uuid::Uuid::parse_str(meta.message_id.as_deref().unwrap()).unwrap().get_version_num(), 7);
    assert_eq!(meta.session_id.get_version_num(), 4);
    assert_ne!(meta.session_id, second.meta.session_id);
    running.stop().await;
}

async fn is_content_without_listeners(bus: Bus) {
    here!(Mine, "is_content_without_listeners");
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    // Events emitted before the queue existed are lost.
    let (script, mut calls) = pass_on::<Mine>();
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    bus.emit(Ping::<Mine>::new(2), context()).await.unwrap();
    assert_eq!(calls.recv().await.unwrap().ping.n, 2);
    running.stop().await;
}

async fn gives_each_event_to_each_group_and_one_member(bus: Bus) {
    here!(Mine, "gives_each_event_to_each_group_and_one_member");
    let (both, mut in_both) = pass_on::<Mine>();
    let (other, mut in_other) = pass_on::<Mine>();
    let listeners = [listener::<Mine>("one"), listener::<Mine>("two")];
    let first = bus.service().state(both).listeners(listeners).start().await.unwrap();
    let second = bus.service().state(other).listeners([listener::<Mine>("one")]).start().await.unwrap();
    for n in 0..20 {
        bus.emit(Ping::<Mine>::new(n), context()).await.unwrap();
    }
    let mut seen = [0; 20];
    for _ in 0..40 {
        let call = tokio::select! {
            Some(call) = in_both.recv() => call,
            Some(call) = in_other.recv() => call,
        };
        seen[call.ping.n as usize] += 1;
    }
    assert_eq!(seen, [2; 20]);
    first.stop().await;
    second.stop().await;
    assert!(in_both.recv().await.is_none() && in_other.recv().await.is_none(), "an event came too often");
}

async fn keeps_the_session_in_handlers(bus: Bus) {
    here!(Mine, "keeps_the_session_in_handlers");
    let (sender, mut seen) = mpsc::unbounded_channel();
    let script = Script::<Mine>::new(move |call| {
        let sender = sender.clone();
        async move {
            if call.ping.n < 3 {
                call.bus.emit(Ping::<Mine>::new(call.ping.n + 1), &call.context).await?;
            }
            sender.send((call.ping.n, call.meta.session_id))?;
            Ok(())
        }
    });
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    bus.with_session(session_id("my session")).emit(Ping::<Mine>::new(1), context()).await.unwrap();
    let mut sessions: Vec<_> =
        [seen.recv().await, seen.recv().await, seen.recv().await].into_iter().flatten().collect();
    sessions.sort();
    assert_eq!(sessions, [1, 2, 3].map(|n| (n, session_id("my session"))));
    running.stop().await;
}

async fn retries_an_error_then_dead_letters(bus: Bus) {
    here!(Mine, "retries_an_error_then_dead_letters");
    let (sender, mut attempts) = mpsc::unbounded_channel();
    let script = Script::<Mine>::new(move |call| {
        let sender = sender.clone();
        async move {
            sender.send((call.ping.n, call.meta.attempt))?;
            if call.ping.n == 1 { Err("no such person".into()) } else { Ok(()) }
        }
    });
    let service = bus.service().state(script).listeners([listener::<Mine>("one")]).retry(QUICK).prefetch(1);
    let running = service.start().await.unwrap();
    bus.with_session(session_id("s")).emit(Ping::<Mine>::new(1), context()).await.unwrap();
    bus.emit(Ping::<Mine>::new(2), context()).await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(attempts.recv().await.unwrap());
    }
    assert_eq!(seen, [(1, 1), (1, 2), (1, 3), (2, 1)]);
    let letters = dead_letters(&bus, "retries_an_error_then_dead_letters.ping", "one", 1).await;
    let letter = &letters[0];
    assert_eq!(letter.reason, Some(Reason::Handler));
    assert_eq!((letter.error.as_str(), letter.attempts), ("no such person", 3));
    assert_eq!((letter.event.as_str(), letter.group.as_str()), ("retries_an_error_then_dead_letters.ping", "one"));
    assert_eq!((letter.exchange.as_str(), letter.routing_key.as_str()), ("retries_an_error_then_dead_letters", "ping"));
    assert!(letter.violations.is_empty() && letter.parked_at.is_some() && letter.message_id.is_some());
    let body: serde_json::Value = serde_json::from_slice(&letter.body).unwrap();
    assert_eq!(body["content"]["n"], 1);
    assert_eq!(body["meta"]["session_id"], session_id("s").to_string());
    running.stop().await;
}

async fn retries_a_panic_then_dead_letters(bus: Bus) {
    here!(Mine, "retries_a_panic_then_dead_letters");
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let script = Script::<Mine>::new(move |_| {
        let calls = counted.clone();
        async move {
            assert_eq!(calls.fetch_add(1, SeqCst), u32::MAX, "a bug");
            Ok(())
        }
    });
    let service = bus.service().state(script).listeners([listener::<Mine>("one")]).retry(QUICK);
    let running = service.start().await.unwrap();
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    let letters = dead_letters(&bus, "retries_a_panic_then_dead_letters.ping", "one", 1).await;
    assert_eq!((letters[0].reason, letters[0].attempts), (Some(Reason::Panic), 3));
    assert!(letters[0].error.contains("a bug"), "{}", letters[0].error);
    assert_eq!(calls.load(SeqCst), 3);
    running.stop().await;
}

async fn dead_letters_nothing_that_succeeds_in_the_end(bus: Bus) {
    here!(Mine, "dead_letters_nothing_that_succeeds_in_the_end");
    let (sender, mut done) = mpsc::unbounded_channel();
    let script = Script::<Mine>::new(move |call| {
        let sender = sender.clone();
        async move {
            match call.meta.attempt {
                1 => Err("not yet".into()),
                2 => panic!("nor now"),
                attempt => Ok(sender.send(attempt)?),
            }
        }
    });
    let service = bus.service().state(script).listeners([listener::<Mine>("one")]).retry(QUICK);
    let running = service.start().await.unwrap();
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    assert_eq!(done.recv().await, Some(3));
    running.stop().await;
    assert_eq!(bus.dead_letters("dead_letters_nothing_that_succeeds_in_the_end.ping", "one", 9).await.unwrap(), []);
}

async fn lets_the_handler_decide(bus: Bus) {
    here!(Mine, "lets_the_handler_decide");
    let (sender, mut calls) = mpsc::unbounded_channel();
    let script = Script::<Mine>::new(move |call| {
        let sender = sender.clone();
        async move {
            sender.send((call.ping.n, call.meta.redelivered))?;
            match (call.ping.n, call.meta.redelivered) {
                (1, _) => assert!(call.ack.ack() && !call.ack.reject()),
                (2, false) => assert!(call.ack.reject() && !call.ack.ack()),
                (3, _) => assert!(call.ack.drop()),
                _ => return Ok(()),
            }
            // After an explicit decision, the handler's result has no effect.
            Err("decided".into())
        }
    });
    let service = bus.service().state(script).listeners([listener::<Mine>("one")]).retry(QUICK).prefetch(1);
    let running = service.start().await.unwrap();
    for n in 1..=4 {
        bus.emit(Ping::<Mine>::new(n), context()).await.unwrap();
    }
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(calls.recv().await.unwrap());
    }
    // The broker decides where a requeued message goes in the queue.
    seen.sort_unstable();
    assert_eq!(seen, [(1, false), (2, false), (2, true), (3, false), (4, false)]);
    running.stop().await;
    assert!(calls.recv().await.is_none(), "something was delivered again");
    assert_eq!(bus.dead_letters("lets_the_handler_decide.ping", "one", 9).await.unwrap(), []);
}

async fn refuses_to_emit_invalid_events(bus: Bus) {
    here!(Mine, "refuses_to_emit_invalid_events");
    let (script, mut calls) = pass_on::<Mine>();
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    let content = bus.emit(Ping::<Mine>::saying(1, ""), context()).await.unwrap_err();
    let context_ = bus.emit(Ping::<Mine>::new(2), Here::new("")).await.unwrap_err();
    bus.emit(Ping::<Mine>::new(3), context()).await.unwrap();
    assert_eq!(calls.recv().await.unwrap().ping.n, 3);
    assert!(matches!(content, Error::Content { .. }) && matches!(context_, Error::Context { .. }));
    assert_eq!(
        content.to_string(),
        "refuses_to_emit_invalid_events.ping was not sent: its content breaks the contract in \
         schemas/events/test/ping.json:1: /text: is shorter than 1 character"
    );
    assert_eq!(context_.refusal().unwrap().violations[0].pointer, "/channel");
    running.stop().await;
    assert!(calls.recv().await.is_none());
}

async fn handles_as_many_at_once_as_prefetched(bus: Bus) {
    here!(Mine, "handles_as_many_at_once_as_prefetched");
    let (now, most, barrier) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)), Arc::new(Barrier::new(3)));
    let (sender, mut done) = mpsc::unbounded_channel();
    let seen = most.clone();
    let script = Script::<Mine>::new(move |_| {
        let (now, most, barrier, sender) = (now.clone(), most.clone(), barrier.clone(), sender.clone());
        async move {
            most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
            // Passes only when three handlers run concurrently.
            barrier.wait().await;
            now.fetch_sub(1, SeqCst);
            Ok(sender.send(())?)
        }
    });
    let service = bus.service().state(script).listeners([listener::<Mine>("one")]).prefetch(3);
    let running = service.start().await.unwrap();
    for n in 0..12 {
        bus.emit(Ping::<Mine>::new(n), context()).await.unwrap();
    }
    for _ in 0..12 {
        done.recv().await.unwrap();
    }
    assert_eq!(seen.load(SeqCst), 3);
    running.stop().await;
}

async fn handles_one_by_one_in_order(bus: Bus) {
    here!(Mine, "handles_one_by_one_in_order");
    let (script, mut calls) = pass_on::<Mine>();
    let service = bus.service().state(script).listeners([listener::<Mine>("one")]).prefetch(1);
    let running = service.start().await.unwrap();
    for n in 0..50 {
        bus.emit(Ping::<Mine>::new(n), context()).await.unwrap();
    }
    for n in 0..50 {
        assert_eq!(calls.recv().await.unwrap().ping.n, n);
    }
    running.stop().await;
}

async fn handles_each_of_many_events_emitted_at_once(bus: Bus) {
    here!(Mine, "handles_each_of_many_events_emitted_at_once");
    let (script, mut calls) = pass_on::<Mine>();
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    let mut emits = tokio::task::JoinSet::new();
    for n in 0..2000 {
        emits.spawn(bus.emit(Ping::<Mine>::new(n), context()));
    }
    emits.join_all().await.into_iter().collect::<Result<(), _>>().unwrap();
    let (mut numbers, mut ids) = (HashSet::new(), HashSet::new());
    for _ in 0..2000 {
        let call = calls.recv().await.unwrap();
        assert!(numbers.insert(call.ping.n), "{} came twice", call.ping.n);
        assert!(ids.insert(call.meta.message_id), "a message id was used twice");
    }
    running.stop().await;
}

/// A script that reports when it begins, and continues when the gate opens.
fn gated<P: 'static>() -> (Script<P>, mpsc::UnboundedReceiver<(u32, bool)>, Arc<Notify>) {
    let (sender, begun) = mpsc::unbounded_channel();
    let gate = Arc::new(Notify::new());
    let handlers_gate = gate.clone();
    let script = Script::new(move |call: Call<P>| {
        let (sender, gate) = (sender.clone(), handlers_gate.clone());
        async move {
            sender.send((call.ping.n, call.meta.redelivered))?;
            gate.notified().await;
            Ok(())
        }
    });
    (script, begun, gate)
}

async fn drains_running_handlers_and_leaves_the_rest(bus: Bus) {
    here!(Mine, "drains_running_handlers_and_leaves_the_rest");
    let (script, mut begun, gate) = gated::<Mine>();
    let service = bus.service().state(script).listeners([listener::<Mine>("one")]).prefetch(1);
    let running = service.start().await.unwrap();
    for n in 1..=3 {
        bus.emit(Ping::<Mine>::new(n), context()).await.unwrap();
    }
    assert_eq!(begun.recv().await, Some((1, false)));
    let stopping = tokio::spawn(running.stop());
    gate.notify_one();
    stopping.await.unwrap();
    assert_eq!(begun.recv().await, None, "an event was taken while draining");

    let (script, mut calls) = pass_on::<Mine>();
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).prefetch(1).start().await.unwrap();
    assert_eq!([calls.recv().await.unwrap().ping.n, calls.recv().await.unwrap().ping.n], [2, 3]);
    running.stop().await;
    assert!(calls.recv().await.is_none());
}

async fn requeues_events_whose_handlers_do_not_end_in_time(bus: Bus) {
    here!(Mine, "requeues_events_whose_handlers_do_not_end_in_time");
    let (script, mut begun, _never_opened) = gated::<Mine>();
    let service = bus.service().state(script).listeners([listener::<Mine>("one")]).prefetch(2);
    let running = service.drain_deadline(Duration::from_millis(20)).start().await.unwrap();
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    assert_eq!(begun.recv().await, Some((1, false)));
    running.stop().await;

    let (script, mut calls) = pass_on::<Mine>();
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    let call = calls.recv().await.unwrap();
    assert_eq!((call.ping.n, call.meta.redelivered), (1, true));
    running.stop().await;
}

async fn requeues_events_that_wait_for_a_retry(bus: Bus) {
    here!(Mine, "requeues_events_that_wait_for_a_retry");
    // Ordered, so that the retry waits in the consumer however long the pause is.
    let ordered = || {
        let policy = Policy { key: Some(|_| Some(1)), ..Policy::default() };
        Registration { policy, ..listener::<Mine>("one") }
    };
    let (sender, mut tried) = mpsc::unbounded_channel();
    let script = Script::<Mine>::new(move |call| {
        let sender = sender.clone();
        async move {
            sender.send(call.meta.attempt)?;
            Err("not now".into())
        }
    });
    let hour = Duration::from_secs(3600);
    let service = bus.service().state(script).listeners([ordered()]);
    let running = service.retry(Retry { attempts: 2, first: hour, max: hour }).start().await.unwrap();
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    assert_eq!(tried.recv().await, Some(1));
    running.stop().await;
    assert_eq!(tried.recv().await, None);

    let (script, mut calls) = pass_on::<Mine>();
    let running = bus.service().state(script).listeners([ordered()]).start().await.unwrap();
    assert!(calls.recv().await.unwrap().meta.redelivered);
    running.stop().await;
}

async fn drains_when_dropped(bus: Bus) {
    here!(Mine, "drains_when_dropped");
    let (script, mut begun, gate) = gated::<Mine>();
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    assert_eq!(begun.recv().await, Some((1, false)));
    drop(running);
    gate.notify_one();
    // Its listeners end, and drop their script.
    assert_eq!(begun.recv().await, None);
    assert_eq!(bus.dead_letters("drains_when_dropped.ping", "one", 9).await.unwrap(), []);
}

async fn runs_until_its_future_resolves_and_closes(bus: Bus) {
    here!(Mine, "runs_until_its_future_resolves_and_closes");
    let (script, mut begun, gate) = gated::<Mine>();
    let end = Arc::new(Notify::new());
    let stopped = end.clone();
    let service = bus.service().state(script).listeners([listener::<Mine>("one")]);
    let run = tokio::spawn(service.run_until(async move { stopped.notified().await }));
    // Until the queue exists, emitted events are lost.
    let first = loop {
        bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
        if let Ok(first) = begun.try_recv() {
            break first;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(first, (1, false));
    end.notify_one();
    while !run.is_finished() {
        gate.notify_waiters();
        gate.notify_one();
        tokio::task::yield_now().await;
    }
    run.await.unwrap().unwrap();
    assert!(matches!(bus.emit(Ping::<Mine>::new(2), context()).await, Err(Error::Closed)));
    let (script, _calls) = pass_on::<Mine>();
    let again = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await;
    assert!(matches!(again, Err(Error::Closed)));
}

async fn checks_before_it_consumes(bus: Bus) {
    here!(Mine, "checks_before_it_consumes");
    let error = bus.service().listeners([listener::<Mine>("one")]).start().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the handler `scripted` takes `State<Script>`, but the service has no such state: add `.state(..)`"
    );
    let (script, _calls) = pass_on::<Mine>();
    let twins = [listener::<Mine>("one"), listener::<Mine>("two"), listener::<Mine>("one")];
    let error = bus.service().state(script).listeners(twins).start().await.unwrap_err();
    assert!(matches!(error, Error::DuplicateListener { group: "one", .. }), "{error}");
}

async fn carries_20_megabytes(bus: Bus) {
    here!(Mine, "carries_20_megabytes");
    let (script, mut calls) = pass_on::<Mine>();
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    let text: String = ('a'..='z').cycle().take(20_000_000).collect();
    bus.emit(Ping::<Mine>::saying(1, text.as_str()), context()).await.unwrap();
    assert!(calls.recv().await.unwrap().ping.text == text);
    running.stop().await;
}

async fn shows_dead_letters_and_leaves_them(bus: Bus) {
    here!(Mine, "shows_dead_letters_and_leaves_them");
    let event = "shows_dead_letters_and_leaves_them.ping";
    assert_eq!(bus.dead_letters(event, "one", 9).await.unwrap(), []);
    assert_eq!(bus.dead_letters(&"x".repeat(300), "one", 9).await.unwrap(), []);
    let script = Script::<Mine>::new(|_| async { Err("never".into()) });
    let service = bus.service().state(script).listeners([listener::<Mine>("one")]).retry(Retry::never()).prefetch(1);
    let running = service.start().await.unwrap();
    for n in 0..3 {
        bus.emit(Ping::<Mine>::new(n), context()).await.unwrap();
    }
    let numbers = |letters: Vec<twyla_runtime::DeadLetter>| -> Vec<u64> {
        let number = |l: &twyla_runtime::DeadLetter| {
            serde_json::from_slice::<serde_json::Value>(&l.body).unwrap()["content"]["n"].as_u64()
        };
        letters.iter().filter_map(number).collect()
    };
    assert_eq!(numbers(dead_letters(&bus, event, "one", 3).await), [0, 1, 2]);
    // The broker may take a moment to requeue the messages that were read.
    while bus.dead_letters(event, "one", 2).await.unwrap().len() != 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(numbers(dead_letters(&bus, event, "one", 3).await), [0, 1, 2]);
    running.stop().await;
}
