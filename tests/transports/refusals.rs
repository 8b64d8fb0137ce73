//! Permanent and temporary refusals of a broker: the former fail at once and alone, the latter wait.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_lite::future::zip;
use lapin::ExchangeKind;
use lapin::options::{
    ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
    QueuePurgeOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use twyla_runtime::{Bus, Config, Error, Running};
use twyla_tests::broker::{config, ctl, lapin, permit, user};
use twyla_tests::{Here, Ping, Place, Script, here, listener, with_rabbitmq};

with_rabbitmq!(
    an_exchange_that_may_not_be_written_to_disturbs_no_other,
    a_routing_key_that_may_not_be_written_to_disturbs_no_other,
    reports_a_missing_exchange_that_may_not_be_declared,
    sends_again_once_a_right_is_given_back,
    waits_for_room_in_a_full_queue,
    backs_off_while_a_queue_is_full,
    sends_to_a_queue_whose_limit_was_taken_away_on_the_same_connection,
);

fn context() -> Here {
    Here::new("web")
}

/// Emits 1,000 events to an exchange that the user may write to, mixed with events of `Forbidden`.
async fn emit_beside<Mine: Place, Forbidden: Place>(config: Config) {
    let listening = Bus::connect(twyla_tests::broker::config()).await.unwrap();
    let (script, mut calls) = Script::<Mine>::numbers();
    let service = listening.service().state(script).listeners([listener::<Mine>("one")]).prefetch(1);
    let running = service.start().await.unwrap();

    let bus = Bus::connect(config).await.unwrap();
    let mut state = bus.state();
    state.mark_unchanged();
    let mut emits = JoinSet::new();
    for n in 0..1000 {
        emits.spawn(bus.emit(Ping::<Mine>::new(n), context()));
        if n % 300 == 0 {
            let error = bus.emit(Ping::<Forbidden>::new(n), context()).await.unwrap_err();
            let Error::Refused { maybe_sent: false, event, why, .. } = &error else { panic!("{error}") };
            assert_eq!(*event, Forbidden::EVENT);
            assert!(why.contains("ACCESS_REFUSED") && why.contains(&format!("'{}'", Forbidden::DOMAIN)), "{why}");
        }
    }
    while let Some(emitted) = emits.join_next().await {
        emitted.unwrap().unwrap();
    }
    let mut arrived = BTreeMap::<u32, u32>::new();
    while arrived.len() < 1000 {
        *arrived.entry(calls.recv().await.unwrap()).or_default() += 1;
    }
    // Duplicates are in the queue before this one.
    bus.emit(Ping::<Mine>::new(1000), context()).await.unwrap();
    while let Some(n) = calls.recv().await
        && n < 1000
    {
        *arrived.entry(n).or_default() += 1;
    }
    assert!(arrived.values().all(|times| *times == 1), "sent twice: {arrived:?}");
    assert!(!state.has_changed().unwrap(), "the connection was given up: {:?}", state.borrow());
    bus.close().await;
    running.stop().await;
    listening.close().await;
}

/// Declares a test's exchange that its own user may not declare.
async fn exchange(name: &str) {
    let (_connection, channel) = lapin().await;
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(name.into(), ExchangeKind::Topic, options, FieldTable::default()).await.unwrap();
}

async fn an_exchange_that_may_not_be_written_to_disturbs_no_other() {
    here!(Mine, "an_exchange_that_may_not_be_written_to_disturbs_no_other");
    here!(Forbidden, "an_exchange_that_may_not_be_written_to");
    exchange(Forbidden::DOMAIN).await;
    let config = user(Mine::DOMAIN, [".*", Mine::DOMAIN, ".*"]).await;
    emit_beside::<Mine, Forbidden>(config).await;
}

async fn a_routing_key_that_may_not_be_written_to_disturbs_no_other() {
    here!(Mine, "a_routing_key_that_may_not_be_written_to_disturbs_no_other");
    here!(Forbidden, "a_routing_key_that_may_not_be_written_to");
    exchange(Forbidden::DOMAIN).await;
    let config = user(Mine::DOMAIN, [".*", ".*", ".*"]).await;
    ctl(&["set_topic_permissions", Mine::DOMAIN, Forbidden::DOMAIN, "^pong$", ".*"]).await;
    emit_beside::<Mine, Forbidden>(config).await;
}

async fn reports_a_missing_exchange_that_may_not_be_declared() {
    here!(Mine, "says_at_once_that_an_exchange_is_missing");
    let (_connection, channel) = lapin().await;
    channel.exchange_delete(Mine::DOMAIN.into(), ExchangeDeleteOptions::default()).await.unwrap();
    let bus = Bus::connect(user(Mine::DOMAIN, ["", ".*", ".*"]).await).await.unwrap();
    let error = bus.emit(Ping::<Mine>::new(1), context()).within(Duration::MAX).await.unwrap_err();
    let Error::Refused { maybe_sent: false, why, .. } = &error else { panic!("{error}") };
    assert!(why.contains("exchange 'says_at_once_that_an_exchange_is_missing'"), "{why}");
    bus.close().await;
}

async fn sends_again_once_a_right_is_given_back() {
    here!(Mine, "sends_again_once_a_right_is_given_back");
    let bus = Bus::connect(user(Mine::DOMAIN, [".*", ".*", ".*"]).await).await.unwrap();
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    permit(Mine::DOMAIN, [".*", "", ".*"]).await;
    let forbidden = || bus.emit(Ping::<Mine>::new(2), context()).within(Duration::MAX);
    // The broker caches a channel's permissions until the channel has been idle for a second or more.
    let error = loop {
        if let Err(error) = forbidden().await {
            break error;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    };
    assert!(matches!(error, Error::Refused { .. }), "{error}");
    let error = forbidden().await.unwrap_err();
    assert!(matches!(error, Error::Refused { maybe_sent: false, .. }), "{error}");
    permit(Mine::DOMAIN, [".*", ".*", ".*"]).await;
    bus.emit(Ping::<Mine>::new(3), context()).await.unwrap();
    bus.close().await;
}

/// A queue that is bound to the event and has room for one more message.
async fn small_queue(domain: &str, event: &str) -> (lapin::Connection, lapin::Channel, String) {
    let (connection, channel) = lapin().await;
    exchange(domain).await;
    let queue = format!("{event}.small");
    channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await.unwrap();
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(1));
    arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    channel.queue_declare(queue.as_str().into(), QueueDeclareOptions::durable(), arguments).await.unwrap();
    let options = QueueBindOptions::default();
    channel
        .queue_bind(queue.as_str().into(), domain.into(), "ping".into(), options, FieldTable::default())
        .await
        .unwrap();
    (connection, channel, queue)
}

async fn waits_for_room_in_a_full_queue() {
    here!(Mine, "waits_for_room_in_a_full_queue");
    let bus = Bus::connect(config()).await.unwrap();
    let (script, mut calls) = Script::<Mine>::sending(|call| (call.ping.n, call.meta.message_id));
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    let (_connection, channel, queue) = small_queue(Mine::DOMAIN, Mine::EVENT).await;
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    assert_eq!(calls.recv().await.unwrap().0, 1);

    let emit = bus.emit(Ping::<Mine>::new(2), context());
    let room = async {
        let first = calls.recv().await.unwrap();
        // It arrives again because it was refused and sent again.
        assert_eq!(calls.recv().await.unwrap(), first);
        channel.queue_purge(queue.as_str().into(), QueuePurgeOptions::default()).await.unwrap();
    };
    let (emitted, ()) = zip(emit, room).await;
    emitted.unwrap();
    running.stop().await;
    channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await.unwrap();
    bus.close().await;
}

async fn backs_off_while_a_queue_is_full() {
    here!(Mine, "backs_off_while_a_queue_is_full");
    let bus = Bus::connect(config()).await.unwrap();
    let (script, mut calls) = Script::<Mine>::numbers();
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    let (_connection, channel, queue) = small_queue(Mine::DOMAIN, Mine::EVENT).await;
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    let error = bus.emit(Ping::<Mine>::new(2), context()).within(Duration::from_secs(7)).await.unwrap_err();
    let Error::Unconfirmed { maybe_sent: true, why, .. } = &error else { panic!("{error}") };
    assert!(why.starts_with("a queue refused the message, perhaps because it is full"), "{why}");
    channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await.unwrap();
    bus.emit(Ping::<Mine>::new(3), context()).await.unwrap();
    let mut handled = Vec::new();
    while handled.last() != Some(&3) {
        handled.push(calls.recv().await.unwrap());
    }
    // At once, after at least a second, and after three.
    let times = handled.iter().filter(|n| **n == 2).count();
    assert!((2..=3).contains(&times), "{handled:?}");
    running.stop().await;
    bus.close().await;
}

/// A bus on which the group handles pings and sends their numbers.
async fn handled<P: Place>(group: &'static str) -> (Bus, Running, mpsc::UnboundedReceiver<u32>) {
    let bus = Bus::connect(config()).await.unwrap();
    let (script, calls) = Script::<P>::numbers();
    let running = bus.service().state(script).listeners([listener::<P>(group)]).prefetch(1).start().await.unwrap();
    (bus, running, calls)
}

/// How many channels the bus with this app id has to publish on.
async fn publish_channels(app_id: &str) -> usize {
    let listed = ctl(&["list_connections", "channels", "client_properties"]).await;
    let line = listed.lines().find(|line| line.contains(&format!("\"{app_id} publish\""))).unwrap();
    line.split('\t').next().unwrap().parse().unwrap()
}

async fn sends_to_a_queue_whose_limit_was_taken_away_on_the_same_connection() {
    here!(Mine, "sends_to_a_queue_whose_limit_was_taken_away");
    here!(Other, "sends_beside_a_queue_whose_limit_was_taken_away");
    // The queue of group `one` becomes full; that of `two` gets the event each time that it is sent.
    let (one, running, _) = handled::<Mine>("one").await;
    running.stop().await;
    let (two, running_two, mut sent) = handled::<Mine>("two").await;
    let (other, running_other, mut others) = handled::<Other>("one").await;
    let pattern = format!("^{}[.]ping[.]one$", Mine::DOMAIN);
    let full = r#"{"max-length":1,"overflow":"reject-publish"}"#;
    ctl(&["set_policy", "--apply-to", "queues", "--priority", "9", Mine::DOMAIN, &pattern, full]).await;

    let bus = Bus::connect(config().app_id(Mine::DOMAIN)).await.unwrap();
    let mut state = bus.state();
    state.mark_unchanged();
    let (end, mut ended) = oneshot::channel::<()>();
    // Events to another exchange, all the while.
    let beside = tokio::spawn({
        let bus = bus.clone();
        async move {
            let (mut emits, mut count) = (JoinSet::new(), 0);
            while ended.try_recv().is_err() {
                emits.spawn(bus.emit(Ping::<Other>::new(count), context()));
                count += 1;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            while let Some(emitted) = emits.join_next().await {
                emitted.unwrap().unwrap();
            }
            count
        }
    });
    // A policy is there for a queue a moment later.
    let mut first = 0;
    while bus.emit(Ping::<Mine>::new(first), context()).within(Duration::from_secs(1)).await.is_ok() {
        first += 1;
    }
    let emits = (first + 1..first + 5)
        .map(|n| tokio::spawn(bus.emit(Ping::<Mine>::new(n), context()).within(Duration::from_secs(40))));
    let emits: Vec<_> = emits.collect();
    let mut times = BTreeMap::<u32, u32>::new();
    while times.values().filter(|times| **times > 2).count() < 4 {
        *times.entry(sent.recv().await.unwrap()).or_default() += 1;
    }
    ctl(&["clear_policy", Mine::DOMAIN]).await;
    for emit in emits {
        emit.await.unwrap().unwrap();
    }
    bus.emit(Ping::<Mine>::new(first + 5), context()).await.unwrap();
    assert!(!state.has_changed().unwrap(), "the connection was given up: {:?}", state.borrow());

    end.send(()).unwrap();
    let count = beside.await.unwrap();
    bus.emit(Ping::<Other>::new(count), context()).await.unwrap();
    let mut came = Vec::new();
    while came.last() != Some(&count) {
        came.push(others.recv().await.unwrap());
    }
    came.sort_unstable();
    assert!(came.iter().copied().eq(0..=count), "an event beside was lost or sent twice");
    // The old channel is closed: there is one for all, and at most one for what is new.
    while publish_channels(Mine::DOMAIN).await > 2 {}
    for bus in [one, two, other, bus] {
        bus.close().await;
    }
    running_two.stop().await;
    running_other.stop().await;
}
