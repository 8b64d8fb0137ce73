//! Behaviour specific to RabbitMQ: refused and lost connections, foreign queues, and the messages on the wire.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use lapin::options::{
    BasicGetOptions, ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions,
    QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ExchangeKind};
use tokio::sync::mpsc;
use twyla_runtime::__private::publish_raw;
use twyla_runtime::{Bus, BusState, Config, Error, LinkState, QueueKind, Reason, Retry, session_id};
use twyla_tests::broker::{clean, config, connections, lapin};
use twyla_tests::proxy::{Mode, Proxy};
use twyla_tests::{Here, Ping, Place, Script, dead_letters, here, listener, rabbitmq, within};

twyla_tests::with_rabbitmq!(
    comes_back_after_every_cut,
    goes_on_to_the_next_node,
    loses_nothing_when_confirms_are_lost,
    reports_that_an_event_was_not_sent,
    reports_that_an_event_may_have_been_sent,
    waits_for_one_event_within_its_own_deadline,
    shows_whether_it_is_connected,
    reports_whether_it_is_ready,
    keeps_passwords_to_itself,
    fits_the_golden_wire,
    adopts_queues_with_other_arguments,
    keeps_its_connections_when_channels_end,
    leaves_no_connection_behind,
    adopts_an_exchange_of_another_kind,
    restores_topology_that_an_operator_deletes,
    makes_a_classic_queue_as_the_original_does,
);

fn through(proxy: &Proxy) -> Config {
    config().port(proxy.port())
}

fn context() -> Here {
    Here::new("web")
}

async fn comes_back_after_every_cut() {
    here!(Mine, "comes_back_after_every_cut");
    let proxy = Proxy::start(Mode::Open).await;
    let bus = Bus::connect(through(&proxy)).await.unwrap();
    let (script, mut calls) = Script::<Mine>::numbers();
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    let mut seen = HashSet::new();
    for round in 0..5 {
        for n in 0..20 {
            bus.emit(Ping::<Mine>::new(round * 20 + n), context()).await.unwrap();
        }
        proxy.cut();
    }
    bus.emit(Ping::<Mine>::new(100), context()).await.unwrap();
    while seen.len() < 101 {
        seen.insert(calls.recv().await.unwrap());
    }
    running.stop().await;
    bus.close().await;
}

async fn goes_on_to_the_next_node() {
    here!(Mine, "goes_on_to_the_next_node");
    let (one, two) = (Proxy::start(Mode::Open).await, Proxy::start(Mode::Open).await);
    let nodes = through(&one).or(format!("127.0.0.1:{}", two.port()));
    let bus = Bus::connect(nodes).await.unwrap();
    let (script, mut calls) = Script::<Mine>::numbers();
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    for (n, down) in (0..).zip([&one, &two, &one]) {
        down.set(Mode::Shut);
        down.cut();
        bus.emit(Ping::<Mine>::new(n), context()).await.unwrap();
        while calls.recv().await != Some(n) {}
        down.set(Mode::Open);
    }
    running.stop().await;
    bus.close().await;
}

async fn loses_nothing_when_confirms_are_lost() {
    here!(Mine, "loses_nothing_when_confirms_are_lost");
    let proxy = Proxy::start(Mode::Open).await;
    let bus = Bus::connect(through(&proxy)).await.unwrap();
    let listening = Bus::connect(config()).await.unwrap();
    let (script, mut calls) = Script::<Mine>::sending(|call| (call.ping.n, call.meta.message_id));
    let running = listening.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    bus.emit(Ping::<Mine>::new(0), context()).await.unwrap();
    let first = calls.recv().await.unwrap();
    assert_eq!(first.0, 0);

    // The event arrives, its confirm doesn't, and then the connection closes.
    proxy.set(Mode::Deaf);
    let emit = tokio::spawn(bus.emit(Ping::<Mine>::new(1), context()));
    let once = calls.recv().await.unwrap();
    assert!(!emit.is_finished());
    proxy.set(Mode::Open);
    proxy.cut();
    emit.await.unwrap().unwrap();
    let twice = calls.recv().await.unwrap();
    assert_eq!((once.0, &once), (1, &twice), "sent again under another id");
    running.stop().await;
    listening.close().await;
    bus.close().await;
}

async fn reports_that_an_event_was_not_sent() {
    here!(Mine, "reports_that_an_event_was_not_sent");
    let proxy = Proxy::start(Mode::Open).await;
    let bus = Bus::connect(through(&proxy).emit_deadline(Duration::from_millis(300))).await.unwrap();
    proxy.set(Mode::Shut);
    proxy.cut();
    // The third connection is the first reconnect.
    proxy.accepted(3).await;
    let error = bus.emit(Ping::<Mine>::new(1), context()).await.unwrap_err();
    let Error::Unconfirmed { maybe_sent: false, event, .. } = &error else { panic!("{error}") };
    assert_eq!(*event, "reports_that_an_event_was_not_sent.ping");
    assert!(error.to_string().ends_with("it was not sent"), "{error}");
    bus.close().await;
}

async fn waits_for_one_event_within_its_own_deadline() {
    here!(Mine, "waits_for_one_event_within_its_own_deadline");
    let proxy = Proxy::start(Mode::Open).await;
    let bus = Bus::connect(through(&proxy).emit_deadline(Duration::MAX)).await.unwrap();
    proxy.set(Mode::Shut);
    proxy.cut();
    let short = Duration::from_millis(300);
    let error = bus.emit(Ping::<Mine>::new(1), context()).within(short).await.unwrap_err();
    assert!(matches!(&error, Error::Unconfirmed { deadline, .. } if *deadline == short), "{error}");
    // and the others keep waiting
    let mut waiting = std::pin::pin!(bus.emit(Ping::<Mine>::new(2), context()));
    assert!(tokio::time::timeout(short, &mut waiting).await.is_err());
    proxy.set(Mode::Open);
    waiting.await.unwrap();
    bus.close().await;
}

async fn reports_whether_it_is_ready() {
    here!(Mine, "reports_whether_it_is_ready");
    let proxy = Proxy::start(Mode::Open).await;
    let bus = Bus::connect(through(&proxy)).await.unwrap();
    let (script, _calls) = Script::<Mine>::numbers();
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    let health = running.health();
    assert_eq!(health.unready(), [""; 0]);
    proxy.set(Mode::Shut);
    proxy.cut();
    bus.state().wait_for(|state| !state.is_up()).await.unwrap();
    let reasons = loop {
        let reasons = health.unready();
        if reasons.len() == 3 {
            break reasons;
        }
        tokio::task::yield_now().await;
    };
    for (reason, wanted) in
        reasons.iter().zip(["the connection for publishing has been down since", "the connection for consuming"])
    {
        assert!(reason.starts_with(wanted), "{reason}");
    }
    assert_eq!(reasons[2], "the queue `reports_whether_it_is_ready.ping.one` has no consumer of this service");
    proxy.set(Mode::Open);
    while !health.is_ready() {
        tokio::task::yield_now().await;
    }
    running.stop().await;
    assert_eq!(health.unready()[0], "the service is stopping");
    bus.close().await;
}

async fn shows_whether_it_is_connected() {
    let proxy = Proxy::start(Mode::Open).await;
    let bus = Bus::connect(through(&proxy)).await.unwrap();
    let mut state = bus.state();
    assert!(state.borrow().is_up());
    proxy.set(Mode::Shut);
    proxy.cut();
    let both = |state: &BusState, what: fn(&LinkState) -> bool| what(&state.publish) && what(&state.consume);
    let before = chrono::Utc::now();
    let down =
        state.wait_for(|state| both(state, |link| matches!(link, LinkState::Down { .. }))).await.unwrap().clone();
    let LinkState::Down { since, why } = &down.publish else { panic!("{down:?}") };
    assert!(!why.is_empty() && *since <= chrono::Utc::now() && before - *since < chrono::TimeDelta::minutes(1));
    // `since` stays the same across failed attempts.
    proxy.accepted(5).await;
    let LinkState::Down { since: still, .. } = state.borrow().publish.clone() else { panic!("it is shut") };
    assert_eq!(still, *since);
    proxy.set(Mode::Open);
    state.wait_for(BusState::is_up).await.unwrap();
    bus.close().await;
    assert!(both(&state.borrow(), |link| *link == LinkState::Closed));
}

async fn reports_that_an_event_may_have_been_sent() {
    here!(Mine, "reports_that_an_event_may_have_been_sent");
    let proxy = Proxy::start(Mode::Open).await;
    let bus = Bus::connect(through(&proxy).emit_deadline(Duration::from_secs(1))).await.unwrap();
    bus.emit(Ping::<Mine>::new(0), context()).await.unwrap();
    proxy.set(Mode::Deaf);
    let error = bus.emit(Ping::<Mine>::new(1), context()).await.unwrap_err();
    assert!(matches!(error, Error::Unconfirmed { maybe_sent: true, .. }), "{error}");
    assert!(error.to_string().ends_with("it may have been sent"), "{error}");
    proxy.set(Mode::Shut);
    proxy.cut();
    bus.close().await;
}

async fn keeps_passwords_to_itself() {
    let secret = "hunter2-is-no-secret";
    let port = std::env::var("TWYLA_TEST_AMQP_PORT").unwrap().parse().unwrap();
    let wrong = Config::new(std::env::var("TWYLA_TEST_AMQP_HOST").unwrap(), "guest", secret).port(port);
    let refused = Bus::connect(wrong.clone()).await.unwrap_err();
    let no_vhost = Bus::connect(config().vhost("no such vhost")).await.unwrap_err();
    let long_vhost = Bus::connect(wrong.clone().vhost("v".repeat(300))).await.unwrap_err();
    let quick = Duration::from_millis(200);
    let no_broker = Bus::connect(wrong.clone().port(1).connect_deadline(quick)).await.unwrap_err();
    let proxy = Proxy::start(Mode::Silent).await;
    let silent = Bus::connect(wrong.clone().port(proxy.port()).connect_deadline(quick)).await.unwrap_err();
    for (error, why) in [
        (&refused, "ACCESS_REFUSED"),
        (&no_vhost, "no such vhost"),
        (&long_vhost, "255 bytes"),
        (&no_broker, "refused"),
        (&silent, "no answer within"),
    ] {
        assert!(matches!(error, Error::Connect { .. }));
        assert!(error.to_string().contains(why), "{error}");
        let mut text = format!("{error}{error:?}{error:#?}");
        let mut source = std::error::Error::source(error);
        while let Some(error) = source {
            text.push_str(&format!("{error}{error:?}"));
            source = error.source();
        }
        assert!(!text.contains(secret), "{text}");
    }
    let bus = Bus::connect(config()).await.unwrap();
    assert!(!format!("{wrong:?}").contains(secret));
    assert!(!format!("{bus:?}{:?}", bus.service()).contains("password"));
    bus.close().await;
}

/// Takes the next message from a queue, once there is one.
async fn get(channel: &Channel, queue: &str) -> lapin::message::Delivery {
    loop {
        if let Some(message) = channel.basic_get(queue.into(), BasicGetOptions { no_ack: true }).await.unwrap() {
            return message.delivery;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Replaces values that differ between runs with their form.
fn normalised(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Array(values) => values.iter_mut().for_each(normalised),
        serde_json::Value::Object(map) => map.values_mut().for_each(normalised),
        serde_json::Value::String(text) => {
            if let Ok(id) = uuid::Uuid::parse_str(text) {
                *text = format!("UUID v{}", id.get_version_num());
            } else if chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.6f+00:00").is_ok() {
                *text = "RFC 3339 in UTC with microseconds".to_owned();
            }
        }
        _ => {}
    }
}

fn golden(name: &str, found: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("wire").join(name);
    if std::env::var_os("TWYLA_BLESS").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let want = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(want, found, "{name} differs; TWYLA_BLESS=1 updates it");
}

fn properties(delivery: &lapin::message::Delivery) -> serde_json::Value {
    let p = &delivery.properties;
    let text = |value: &Option<lapin::types::ShortString>| value.as_ref().map(|text| text.as_str().to_owned());
    let headers: Option<BTreeMap<_, _>> = p.headers().as_ref().map(|headers| {
        let value = |value: &AMQPValue| match value {
            AMQPValue::LongString(text) => serde_json::Value::from(String::from_utf8_lossy(text.as_bytes())),
            AMQPValue::LongLongInt(number) => serde_json::Value::from(*number),
            other => serde_json::Value::from(format!("{other:?}")),
        };
        // RabbitMQ adds its own headers.
        let ours = headers.inner().iter().filter(|(name, _)| name.as_str().starts_with("x-twyla-"));
        ours.map(|(name, v)| (name.as_str().to_owned(), value(v))).collect()
    });
    let mut json = serde_json::json!({
        "exchange": delivery.exchange.as_str(),
        "routing_key": delivery.routing_key.as_str(),
        "content_type": text(p.content_type()),
        "delivery_mode": p.delivery_mode(),
        "message_id": text(p.message_id()),
        "timestamp": p.timestamp().map(|_| "seconds since 1970"),
        "app_id": text(p.app_id()),
        "headers": headers,
    });
    normalised(&mut json);
    json
}

async fn fits_the_golden_wire() {
    here!(Mine, "fits_the_golden_wire");
    let bus = Bus::connect(config().app_id("golden")).await.unwrap();
    let (_connection, channel) = lapin().await;
    // A queue of the test beside the service's queue.
    let queue = "fits_the_golden_wire.ping.two";
    let script = Script::<Mine>::new(|_| async { Err("said by the handler".into()) });
    let service = bus.service().state(script).listeners([listener::<Mine>("one")]).retry(Retry::never());
    let running = service.prefetch(1).start().await.unwrap();
    channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), FieldTable::default()).await.unwrap();
    let (exchange, key) = ("fits_the_golden_wire".into(), "ping".into());
    channel.queue_bind(queue.into(), exchange, key, QueueBindOptions::default(), FieldTable::default()).await.unwrap();

    let text = "quoted \"ü\" \u{1f600}\n\u{0}";
    bus.with_session(session_id("session \"1\"")).emit(Ping::<Mine>::saying(7, text), context()).await.unwrap();
    let emitted = get(&channel, queue).await;
    let body = String::from_utf8(emitted.data.clone()).unwrap();
    let begin = body.find("\"timestamp\":\"").unwrap() + 13;
    let (timestamp, end) = (&body[begin..begin + 32], &body[begin + 32..]);
    chrono::NaiveDateTime::parse_from_str(timestamp, "%Y-%m-%dT%H:%M:%S%.6f+00:00").unwrap();
    golden("envelope.json", &format!("{}2020-02-03T04:05:06.000789+00:00{end}\n", &body[..begin]));
    golden("emitted.properties.json", &(serde_json::to_string_pretty(&properties(&emitted)).unwrap() + "\n"));

    let handler = get(&channel, "fits_the_golden_wire.ping.one.dead").await;
    assert_eq!(handler.data, emitted.data, "the parked bytes were touched");
    assert_eq!(handler.properties.message_id(), emitted.properties.message_id());
    golden("parked.handler.json", &(serde_json::to_string_pretty(&properties(&handler)).unwrap() + "\n"));

    let broken = r#"{"content":{"n":1,"text":""},"context":{"channel":"web"}}"#;
    publish_raw(&bus, "fits_the_golden_wire", "ping", broken).await.unwrap();
    let contract = get(&channel, "fits_the_golden_wire.ping.one.dead").await;
    golden("parked.contract.json", &(serde_json::to_string_pretty(&properties(&contract)).unwrap() + "\n"));

    publish_raw(&bus, "fits_the_golden_wire", "ping", "{\"content\":").await.unwrap();
    let envelope = get(&channel, "fits_the_golden_wire.ping.one.dead").await;
    golden("parked.envelope.json", &(serde_json::to_string_pretty(&properties(&envelope)).unwrap() + "\n"));
    running.stop().await;
    bus.close().await;
}

async fn adopts_queues_with_other_arguments() {
    here!(Mine, "adopts_queues_with_other_arguments");
    let (_connection, channel) = lapin().await;
    for queue in ["adopts_queues_with_other_arguments.ping.one", "adopts_queues_with_other_arguments.ping.one.dead"] {
        let mut arguments = FieldTable::default();
        arguments.insert("x-max-length".into(), AMQPValue::LongInt(1000));
        channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), arguments).await.unwrap();
    }
    let bus = Bus::connect(config()).await.unwrap();
    let (sender, mut calls) = mpsc::unbounded_channel();
    let script = Script::<Mine>::new(move |call| {
        let _ = sender.send(call.ping.n);
        async move { if call.ping.n == 1 { Err("parked".into()) } else { Ok(()) } }
    });
    let service = bus.service().state(script).listeners([listener::<Mine>("one")]).retry(Retry::never()).prefetch(1);
    let running = service.start().await.unwrap();
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    bus.emit(Ping::<Mine>::new(2), context()).await.unwrap();
    assert_eq!([calls.recv().await, calls.recv().await], [Some(1), Some(2)]);
    let letters = dead_letters(&bus, "adopts_queues_with_other_arguments.ping", "one", 1).await;
    assert_eq!(letters[0].reason, Some(Reason::Handler));
    running.stop().await;
    bus.close().await;
}

/// An existing queue with other arguments closes the channel that declares it.
async fn keeps_its_connections_when_channels_end() {
    here!(Mine, "keeps_its_connections_when_channels_end");
    let (_connection, channel) = lapin().await;
    for queue in ["one", "one.dead", "two", "two.dead"] {
        let queue = format!("{}.{queue}", Mine::EVENT);
        channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), FieldTable::default()).await.unwrap();
    }
    let bus = Bus::connect(config().app_id(Mine::DOMAIN)).await.unwrap();
    let mut state = bus.state();
    state.mark_unchanged();
    let (script, mut calls) = Script::<Mine>::numbers();
    let listeners = [listener::<Mine>("one"), listener::<Mine>("two")];
    let running = bus.service().state(script).listeners(listeners).start().await.unwrap();
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    assert_eq!([calls.recv().await, calls.recv().await], [Some(1), Some(1)]);
    assert!(!state.has_changed().unwrap(), "a connection was given up: {:?}", state.borrow());
    assert_eq!(connections(Mine::DOMAIN).await, 2);
    running.stop().await;
    bus.close().await;
}

async fn leaves_no_connection_behind() {
    here!(Mine, "leaves_no_connection_behind");
    let proxy = Proxy::start(Mode::Open).await;
    let bus = Bus::connect(through(&proxy).app_id(Mine::DOMAIN)).await.unwrap();
    let (script, mut calls) = Script::<Mine>::numbers();
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    // Close the client's side.
    proxy.cut();
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    while calls.recv().await != Some(1) {}
    assert_eq!(connections(Mine::DOMAIN).await, 2);
    running.stop().await;
    bus.close().await;
    assert_eq!(connections(Mine::DOMAIN).await, 0);
}

async fn adopts_an_exchange_of_another_kind() {
    here!(Mine, "adopts_an_exchange_of_another_kind");
    let (_connection, channel) = lapin().await;
    let name = "adopts_an_exchange_of_another_kind";
    let options = ExchangeDeclareOptions::default();
    channel.exchange_declare(name.into(), ExchangeKind::Direct, options, FieldTable::default()).await.unwrap();
    let bus = Bus::connect(config()).await.unwrap();
    let (script, mut calls) = Script::<Mine>::numbers();
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    assert_eq!(calls.recv().await, Some(1));
    running.stop().await;
    bus.close().await;
}

async fn restores_topology_that_an_operator_deletes() {
    here!(Mine, "restores_topology_that_an_operator_deletes");
    let bus = rabbitmq("restores_topology_that_an_operator_deletes").await;
    let (sender, mut calls) = mpsc::unbounded_channel();
    let script = Script::<Mine>::new(move |call| {
        let _ = sender.send(call.ping.n);
        async move { if call.ping.n == 7 { Err("parked".into()) } else { Ok(()) } }
    });
    let service = bus.service().state(script).listeners([listener::<Mine>("one")]).retry(Retry::never());
    let running = service.start().await.unwrap();
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    assert_eq!(calls.recv().await, Some(1));
    let (_connection, channel) = lapin().await;

    // The dead queue is declared again when an event is dead-lettered.
    let dead = "restores_topology_that_an_operator_deletes.ping.one.dead";
    bus.emit(Ping::<Mine>::new(7), context()).await.unwrap();
    dead_letters(&bus, "restores_topology_that_an_operator_deletes.ping", "one", 1).await;
    channel.queue_delete(dead.into(), QueueDeleteOptions::default()).await.unwrap();
    bus.emit(Ping::<Mine>::new(7), context()).await.unwrap();
    dead_letters(&bus, "restores_topology_that_an_operator_deletes.ping", "one", 1).await;

    // The queue, and the exchange with its bindings: events emitted before they exist again are lost.
    let queue = "restores_topology_that_an_operator_deletes.ping.one";
    channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    while calls.try_recv().is_ok() {}
    until_it_comes::<Mine>(&bus, &mut calls, 2).await;
    while calls.try_recv().is_ok() {}
    let exchange = "restores_topology_that_an_operator_deletes";
    channel.exchange_delete(exchange.into(), ExchangeDeleteOptions::default()).await.unwrap();
    until_it_comes::<Mine>(&bus, &mut calls, 3).await;
    // The binding alone: RabbitMQ doesn't notify the client of that.
    let unbind = channel.queue_unbind(queue.into(), exchange.into(), "ping".into(), FieldTable::default());
    unbind.await.unwrap();
    until_it_comes::<Mine>(&bus, &mut calls, 4).await;
    running.stop().await;
    bus.close().await;
}

/// Emits until an event arrives: events emitted before the topology is restored are lost.
async fn until_it_comes<P: Place>(bus: &Bus, calls: &mut mpsc::UnboundedReceiver<u32>, n: u32) {
    loop {
        bus.emit(Ping::<P>::new(n), context()).await.unwrap();
        while let Ok(Some(arrived)) = tokio::time::timeout(Duration::from_millis(100), calls.recv()).await {
            if arrived == n {
                return;
            }
        }
    }
}

async fn makes_a_classic_queue_as_the_original_does() {
    here!(Mine, "makes_a_classic_queue_as_the_original_does");
    let bus = Bus::connect(config()).await.unwrap();
    let (script, _calls) = Script::<Mine>::numbers();
    let service = bus.service().state(script).listeners([listener::<Mine>("one")]).queue(QueueKind::Classic);
    let running = service.start().await.unwrap();
    let (_connection, channel) = lapin().await;
    for queue in ["", ".dead"] {
        let queue = format!("makes_a_classic_queue_as_the_original_does.ping.one{queue}");
        // Fails if the queue has any arguments.
        channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), FieldTable::default()).await.unwrap();
    }
    running.stop().await;
    bus.close().await;
    within(clean("makes_a_classic_queue_as_the_original_does")).await;
}
