//! Groups with members of both kinds: each event is handled by one member, no matter which side declared the queue.

use std::collections::HashSet;

use serde_json::json;
use tokio::sync::mpsc;
use twyla_runtime::{Bus, QueueKind};
use twyla_tests::broker::config;
use twyla_tests::{Here, Ping, Place, Script, here, listener};

use crate::peer::{Emitter, Listener, Schemata, cannot_join};

twyla_tests::with_rabbitmq!(
    shares_a_classic_group_with_the_original,
    joins_the_originals_group_as_classic,
    joins_the_originals_queue_though_set_to_quorum,
    a_quorum_group_is_closed_to_the_original,
    handles_events_rejected_by_the_original,
    rejects_events_that_the_original_then_handles,
    leaves_events_dropped_by_the_original,
);

/// Emits from both sides until each member of a group has received events of both, and checks that each event was
/// handled once.
async fn share<P: Place>(kind: QueueKind, python_first: bool) {
    let bus = Bus::connect(config()).await.unwrap();
    let (sender, mut calls) = mpsc::unbounded_channel();
    let script = Script::<P>::new(move |call| {
        let _ = sender.send(call.ping.n);
        async { Ok(()) }
    });
    let service = bus.service().state(script).listeners([listener::<P>("one")]).queue(kind).prefetch(1);
    let schemata = Schemata::of_ping();
    let joins = Listener::start(P::EVENT, "one", "ack", &schemata);
    let (mut python, running) = if python_first {
        let python = joins.await;
        (python, service.start().await.unwrap())
    } else {
        let running = service.start().await.unwrap();
        (joins.await, running)
    };
    let mut emitter = Emitter::start(P::EVENT, &schemata);
    let (mut seen, mut next) = (HashSet::new(), 0);
    // events handled by Rust, then by Python: Rust's own events, and Python's
    let mut handled = [[0; 2]; 2];
    while handled.as_flattened().contains(&0) || next < 30 {
        // three at a time: the broker alternates between two members, which would give each member only its own events
        for n in next..next + 2 {
            bus.emit(Ping::<P>::new(n), Here::new("rust")).await.unwrap();
        }
        let content = json!({ "n": next + 2, "text": "a" });
        emitter.emit(&json!({ "content": content, "context": { "channel": "python" } })).await;
        next += 3;
        for _ in 0..3 {
            let (member, n) = tokio::select! {
                n = calls.recv() => (0, n.unwrap()),
                payload = python.payload() => (1, number(&payload)),
            };
            handled[member][usize::from(n % 3 == 2)] += 1;
            assert!(seen.insert(n));
        }
    }
    emitter.finish().await;
    for delivery in python.stop().await {
        assert!(seen.insert(number(&delivery["payload"])));
    }
    // Rust is now the only member, and receives the rest.
    while seen.len() < next as usize {
        assert!(seen.insert(calls.recv().await.unwrap()));
    }
    running.stop().await;
    assert!(calls.recv().await.is_none(), "an event came twice");
    bus.close().await;
}

fn number(payload: &serde_json::Value) -> u32 {
    payload["content"]["n"].as_u64().and_then(|n| n.try_into().ok()).unwrap()
}

async fn shares_a_classic_group_with_the_original() {
    here!(Mine, "shares_a_classic_group_with_the_original");
    share::<Mine>(QueueKind::Classic, false).await;
}

async fn joins_the_originals_group_as_classic() {
    here!(Mine, "joins_the_originals_group_as_classic");
    share::<Mine>(QueueKind::Classic, true).await;
}

async fn joins_the_originals_queue_though_set_to_quorum() {
    here!(Mine, "joins_the_originals_queue_though_set_to_quorum");
    share::<Mine>(QueueKind::Quorum, true).await;
}

/// Why a group with Python members needs a classic queue.
async fn a_quorum_group_is_closed_to_the_original() {
    here!(Mine, "a_quorum_group_is_closed_to_the_original");
    let bus = Bus::connect(config()).await.unwrap();
    let script = Script::<Mine>::new(|_| async { Ok(()) });
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    let error = cannot_join(Mine::EVENT, "one", &Schemata::of_ping()).await;
    // Python declares its queue without arguments: the broker names the first argument that differs.
    assert!(error.contains("PRECONDITION_FAILED - inequivalent arg 'x-"), "{error}");
    running.stop().await;
    bus.close().await;
}

async fn handles_events_rejected_by_the_original() {
    here!(Mine, "handles_events_rejected_by_the_original");
    let bus = Bus::connect(config()).await.unwrap();
    let mut python = Listener::start(Mine::EVENT, "one", "reject", &Schemata::of_ping()).await;
    bus.emit(Ping::<Mine>::new(1), Here::new("rust")).await.unwrap();
    assert_eq!(number(&python.payload().await), 1);
    // The peer receives it again and again; now there is another member.
    let (sender, mut calls) = mpsc::unbounded_channel();
    let script = Script::<Mine>::new(move |call| {
        let _ = sender.send((call.ping.n, call.meta.redelivered));
        async { Ok(()) }
    });
    let service = bus.service().state(script).listeners([listener::<Mine>("one")]);
    let handled = async {
        let running = service.start().await.unwrap();
        assert_eq!(calls.recv().await.unwrap(), (1, true));
        running
    };
    // read the peer's reports meanwhile, because it blocks until they are read
    let rejected = async {
        loop {
            assert_eq!(number(&python.payload().await), 1);
        }
    };
    let running = tokio::select! {
        running = handled => running,
        () = rejected => unreachable!("it rejects for ever"),
    };
    python.stop().await;
    running.stop().await;
    assert!(calls.recv().await.is_none(), "the event came again after its ack");
    bus.close().await;
}

async fn rejects_events_that_the_original_then_handles() {
    here!(Mine, "rejects_events_that_the_original_then_handles");
    let bus = Bus::connect(config()).await.unwrap();
    let script = Script::<Mine>::new(|call| async move {
        assert!(call.ack.reject());
        Ok(())
    });
    let service = bus.service().state(script).listeners([listener::<Mine>("one")]).queue(QueueKind::Classic);
    let running = service.start().await.unwrap();
    let mut python = Listener::start(Mine::EVENT, "one", "ack", &Schemata::of_ping()).await;
    // The broker alternates between members, so the first or the second goes to Rust.
    let mut redelivered = Vec::new();
    for n in 1..=2 {
        bus.emit(Ping::<Mine>::new(n), Here::new("rust")).await.unwrap();
        let delivery = python.next().await;
        assert_eq!(number(&delivery["payload"]), n);
        redelivered.push(delivery["redelivered"].as_bool().unwrap());
    }
    assert!(redelivered.contains(&true), "{redelivered:?}");
    assert!(python.stop().await.is_empty(), "an event came again after its ack");
    running.stop().await;
    bus.close().await;
}

async fn leaves_events_dropped_by_the_original() {
    here!(Mine, "leaves_events_dropped_by_the_original");
    let bus = Bus::connect(config()).await.unwrap();
    let mut python = Listener::start(Mine::EVENT, "one", "drop", &Schemata::of_ping()).await;
    bus.emit(Ping::<Mine>::new(1), Here::new("rust")).await.unwrap();
    assert_eq!(number(&python.payload().await), 1);
    assert!(python.stop().await.is_empty(), "it came back");
    let (sender, mut calls) = mpsc::unbounded_channel();
    let script = Script::<Mine>::new(move |call| {
        let _ = sender.send(call.ping.n);
        async { Ok(()) }
    });
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    bus.emit(Ping::<Mine>::new(2), Here::new("rust")).await.unwrap();
    assert_eq!(calls.recv().await.unwrap(), 2);
    running.stop().await;
    bus.close().await;
}
