//! Dead letters kept, replayed and dropped, in memory and over RabbitMQ.

use std::collections::BTreeSet;
use std::time::Duration;

use lapin::options::{QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use twyla_runtime::{Bus, DeadLetter, Error, Fail, Sort};
use twyla_tests::broker::{config, connections, lapin};
use twyla_tests::proxy::{Mode, Proxy};
use twyla_tests::{Call, Here, Ping, Place, Script, both_transports, dead_letters, here, listener};

both_transports!(
    replays_drops_and_keeps_as_decided,
    stops_half_way_and_goes_on,
    counts_all_once_they_were_looked_at,
    replays_only_existing_letters,
    finds_no_dead_letters_without_a_queue,
);

twyla_tests::with_rabbitmq!(
    reports_a_group_without_a_queue,
    reads_again_if_the_connection_ends_meanwhile,
    loses_none_of_two_groups_letters_if_the_dead_queue_of_one_is_gone,
    reading_a_queue_that_is_made_and_deleted_ends_no_consumer,
);

fn context() -> Here {
    Here::new("web")
}

/// Dead-letters `count` events, and stops the listener.
async fn park<P: Place>(bus: &Bus, count: u32) {
    let script = Script::new(|call: Call<P>| async move { Err(Fail::park(format!("number {}", call.ping.n)).into()) });
    let running = bus.service().state(script).listeners([listener::<P>("one")]).start().await.unwrap();
    for n in 0..count {
        bus.emit(Ping::<P>::new(n), context()).await.unwrap();
    }
    dead_letters(bus, P::EVENT, "one", count as usize).await;
    running.stop().await;
}

async fn replays_drops_and_keeps_as_decided(bus: Bus) {
    here!(Mine, "replays_drops_and_keeps_as_decided");
    park::<Mine>(&bus, 9).await;
    assert_eq!(bus.count_dead_letters(Mine::EVENT, "one").await.unwrap(), 9);
    let mut ids = Vec::new();
    let sorted = bus.sort_dead_letters(Mine::EVENT, "one", |letter| {
        let n: u32 = letter.error["number ".len()..].parse().unwrap();
        ids.push((n, letter.message_id.clone()));
        [Sort::Keep, Sort::Replay, Sort::Drop][n as usize % 3]
    });
    let sorted = sorted.await.unwrap();
    assert_eq!((sorted.kept, sorted.replayed, sorted.dropped), (3, 3, 3));
    let (script, mut calls) = Script::<Mine>::attempts();
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    let mut handled = Vec::new();
    for _ in 0..3 {
        handled.push(calls.recv().await.unwrap());
    }
    handled.sort_unstable();
    // The attempt counter starts again.
    assert_eq!(handled, [(1, 1), (4, 1), (7, 1)]);
    running.stop().await;
    let mut kept: Vec<_> =
        dead_letters(&bus, Mine::EVENT, "one", 3).await.into_iter().map(|letter| letter.error).collect();
    kept.sort();
    assert_eq!(kept, ["number 0", "number 3", "number 6"]);
}

async fn stops_half_way_and_goes_on(bus: Bus) {
    here!(Mine, "stops_half_way_and_goes_on");
    park::<Mine>(&bus, 200).await;
    let mut seen = 0;
    let sorted = bus.sort_dead_letters(Mine::EVENT, "one", |_| {
        seen += 1;
        if seen <= 100 { Sort::Replay } else { Sort::Stop }
    });
    assert_eq!(sorted.await.unwrap().replayed, 100);
    // The requeued letters are back.
    let sorted = bus.sort_dead_letters(Mine::EVENT, "one", |_| Sort::Replay).await.unwrap();
    assert_eq!(sorted.replayed, 100);
    let (script, mut calls) = Script::<Mine>::attempts();
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    let mut handled = Vec::new();
    for _ in 0..200 {
        handled.push(calls.recv().await.unwrap().0);
    }
    running.stop().await;
    handled.sort_unstable();
    assert_eq!(handled, (0..200).collect::<Vec<_>>());
    assert!(calls.try_recv().is_err(), "one was replayed twice");
    assert_eq!(bus.count_dead_letters(Mine::EVENT, "one").await.unwrap(), 0);
}

/// A quorum queue answers before requeued messages are back.
async fn counts_all_once_they_were_looked_at(bus: Bus) {
    here!(Mine, "counts_all_once_they_were_looked_at");
    park::<Mine>(&bus, 200).await;
    for _ in 0..20 {
        assert_eq!(bus.dead_letters(Mine::EVENT, "one", 150).await.unwrap().len(), 150);
        assert_eq!(bus.count_dead_letters(Mine::EVENT, "one").await.unwrap(), 200);
        assert_eq!(bus.dead_letters(Mine::EVENT, "one", 1000).await.unwrap().len(), 200);
    }
}

async fn replays_only_existing_letters(bus: Bus) {
    here!(Mine, "replays_only_existing_letters");
    park::<Mine>(&bus, 3).await;
    // Each is dead-lettered again at once, and isn't read again.
    let script = Script::new(|_: Call<Mine>| async { Err(Fail::park("still").into()) });
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    let sorted = bus.sort_dead_letters(Mine::EVENT, "one", |_| Sort::Replay).await.unwrap();
    assert_eq!(sorted.replayed, 3);
    dead_letters(&bus, Mine::EVENT, "one", 3).await;
    running.stop().await;
}

async fn finds_no_dead_letters_without_a_queue(bus: Bus) {
    let event = "finds_no_dead_letters_without_a_queue.ping";
    assert_eq!(bus.count_dead_letters(event, "one").await.unwrap(), 0);
    let sorted = bus.sort_dead_letters(event, "one", |_| unreachable!("there is none")).await.unwrap();
    assert_eq!(sorted, twyla_runtime::Sorted::default());
}

async fn reports_a_group_without_a_queue() {
    here!(Mine, "reports_a_group_without_a_queue");
    let bus = Bus::connect(config()).await.unwrap();
    park::<Mine>(&bus, 1).await;
    let (_connection, channel) = lapin().await;
    let queue = "reports_a_group_without_a_queue.ping.one";
    channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    let error = bus.sort_dead_letters(Mine::EVENT, "one", |_| Sort::Replay).await;
    let Err(Error::DeadLetters { why, .. }) = error else { panic!("{error:?}") };
    assert_eq!(why, format!("there is no queue `{queue}`: a service of its group declares it when it starts"));
    // The dead queue still exists.
    dead_letters(&bus, Mine::EVENT, "one", 1).await;
    bus.close().await;
}

async fn reads_again_if_the_connection_ends_meanwhile() {
    here!(Mine, "reads_again_if_the_connection_ends_meanwhile");
    let proxy = Proxy::start(Mode::Open).await;
    let bus = Bus::connect(config().port(proxy.port())).await.unwrap();
    park::<Mine>(&bus, 2).await;
    // each request is sent, gets no answer, and then loses its connection
    let cut = async |connections| {
        proxy.accepted(connections).await;
        proxy.set(Mode::Open);
        proxy.cut();
    };
    let before = proxy.count();
    proxy.set(Mode::Deaf);
    let (letters, ()) = tokio::join!(bus.dead_letters(Mine::EVENT, "one", 10), cut(before + 1));
    assert_eq!(letters.unwrap().len(), 2);
    let mut state = bus.state();
    state.wait_for(twyla_runtime::BusState::is_up).await.unwrap();
    let before = proxy.count();
    proxy.set(Mode::Deaf);
    let (count, ()) = tokio::join!(bus.count_dead_letters(Mine::EVENT, "one"), cut(before + 1));
    assert_eq!(count.unwrap(), 2);
    bus.close().await;
}

/// The numbers of the pings in some dead letters.
fn counted(letters: &[DeadLetter]) -> BTreeSet<u32> {
    let number = |letter: &DeadLetter| {
        let message: serde_json::Value = serde_json::from_slice(&letter.body).unwrap();
        u32::try_from(message["content"]["n"].as_u64().unwrap()).unwrap()
    };
    letters.iter().map(number).collect()
}

async fn loses_none_of_two_groups_letters_if_the_dead_queue_of_one_is_gone() {
    here!(Mine, "loses_none_of_two_groups_letters_if_the_dead_queue_of_one_is_gone");
    let bus = Bus::connect(config()).await.unwrap();
    let mut state = bus.state();
    state.mark_unchanged();
    let script = Script::new(|_: Call<Mine>| async { Err(Fail::park("no").into()) });
    let listeners = ["one", "two"].map(listener::<Mine>);
    let running = bus.service().state(script).listeners(listeners).start().await.unwrap();
    let (_connection, channel) = lapin().await;
    const MANY: u32 = 100;
    for round in 0..5 {
        // Both dead queues are known to exist.
        let dead = format!("{}.one.dead", Mine::EVENT);
        channel.queue_delete(dead.as_str().into(), QueueDeleteOptions::default()).await.unwrap();
        let sent: BTreeSet<u32> = (round * MANY..(round + 1) * MANY).collect();
        let emits = sent.iter().map(|n| tokio::spawn(bus.emit(Ping::<Mine>::new(*n), context())));
        for emit in emits.collect::<Vec<_>>() {
            emit.await.unwrap().unwrap();
        }
        // A letter that was unconfirmed when its queue was deleted arrives again, with those of the next round.
        while !sent.is_subset(&counted(&bus.dead_letters(Mine::EVENT, "one", 3 * MANY as usize).await.unwrap())) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        dead_letters(&bus, Mine::EVENT, "two", (MANY * (round + 1)) as usize).await;
    }
    assert!(!state.has_changed().unwrap(), "a connection was given up: {:?}", state.borrow());
    running.stop().await;
    bus.close().await;
}

/// RabbitMQ closes a connection that reads a quorum queue while it is declared or deleted.
async fn reading_a_queue_that_is_made_and_deleted_ends_no_consumer() {
    here!(Mine, "reading_a_queue_that_is_made_and_deleted");
    let bus = Bus::connect(config().app_id(Mine::DOMAIN)).await.unwrap();
    let (script, mut calls) = Script::<Mine>::sending(|call| (call.ping.n, call.meta.redelivered));
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    let mut state = bus.state();
    state.mark_unchanged();
    let (connection, channel) = lapin().await;
    let queue = "reading_a_queue_that_is_made_and_deleted.pong.one.dead";
    for n in 0..40 {
        let made_and_deleted = async {
            let mut arguments = FieldTable::default();
            arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
            channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), arguments).await.unwrap();
            channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
        };
        let read = async {
            for _ in 0..5 {
                let event = "reading_a_queue_that_is_made_and_deleted.pong";
                assert!(bus.dead_letters(event, "one", 10).await.unwrap().is_empty());
            }
        };
        tokio::join!(made_and_deleted, read);
        bus.emit(Ping::<Mine>::new(n), context()).await.unwrap();
        assert_eq!(calls.recv().await, Some((n, false)));
    }
    assert!(!state.has_changed().unwrap(), "a connection was given up: {:?}", state.borrow());
    assert_eq!(connections(Mine::DOMAIN).await, 2, "a connection was left behind");
    connection.close(200, "OK".into()).await.unwrap();
    running.stop().await;
    bus.close().await;
}
