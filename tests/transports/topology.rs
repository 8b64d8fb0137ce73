//! Declared queues and exchanges, the use of existing ones, and errors if neither works.

use std::time::Duration;

use lapin::options::{QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use twyla_runtime::{Bus, Config, DeadLetter, Error, Fail, Retry, Sort};
use twyla_tests::broker::{config, ctl, lapin, permit, user};
use twyla_tests::log::Warnings;
use twyla_tests::strict::{Strict, StrictProxy};
use twyla_tests::{Call, Here, Ping, Place, Script, dead_letters, here, listener};

twyla_tests::with_rabbitmq!(
    a_delivery_limit_moves_events_to_the_dead_queue,
    a_time_to_live_moves_events_to_the_dead_queue,
    events_dropped_after_a_retry_keep_their_attempts,
    a_queue_made_before_is_used_and_a_policy_gives_it_its_way_to_the_dead_queue,
    a_user_who_may_not_write_to_the_default_exchange_gets_a_plain_queue,
    uses_queues_that_it_may_neither_declare_nor_inspect,
    reports_that_the_user_may_not_bind,
    reports_that_the_user_may_not_consume,
    reports_a_queue_locked_by_another_connection,
    reports_too_many_channels,
    reports_at_once_that_a_user_has_too_many_connections,
);

fn context() -> Here {
    Here::new("web")
}

/// A script that requeues each event forever.
fn gives_back<P: Place>() -> Script<P> {
    Script::new(|call: Call<P>| async move {
        call.ack.reject();
        Ok(())
    })
}

/// Sets a policy on a group's queue only.
async fn policy(event: &str, definition: &str) {
    let pattern = format!("^{}[.]one$", event.replace('.', "[.]"));
    ctl(&["set_policy", "--apply-to", "queues", "--priority", "9", event, &pattern, definition]).await;
}

fn moved(letter: &DeadLetter, event: &str, reason: &str) {
    let queue = format!("{event}.one");
    assert_eq!((letter.reason, letter.deaths.len()), (None, 1), "{letter:?}");
    let death = &letter.deaths[0];
    assert_eq!((death.queue.as_str(), death.reason.as_str(), death.count), (queue.as_str(), reason, 1));
    assert_eq!(letter.error, format!("dead-lettered by RabbitMQ from the queue `{queue}`: {reason}"));
    let domain = event.strip_suffix(".ping").unwrap();
    assert_eq!((letter.event.as_str(), letter.group.as_str()), (event, "one"));
    assert_eq!((letter.exchange.as_str(), letter.routing_key.as_str()), (domain, "ping"));
    assert!(letter.parked_at.is_some_and(|at| (chrono::Utc::now() - at).num_seconds().abs() < 60));
    // Twyla doesn't know which of its values are sensitive.
    assert!(!letter.shown().contains("hello"), "{}", letter.shown());
}

async fn a_delivery_limit_moves_events_to_the_dead_queue() {
    here!(Mine, "a_delivery_limit_moves_events_to_the_dead_queue");
    let bus = Bus::connect(config()).await.unwrap();
    let service = bus.service().state(gives_back::<Mine>()).listeners([listener::<Mine>("one")]);
    let running = service.start().await.unwrap();
    policy(Mine::EVENT, r#"{"delivery-limit":3}"#).await;
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    let letters = dead_letters(&bus, Mine::EVENT, "one", 1).await;
    moved(&letters[0], Mine::EVENT, "delivery_limit");
    running.stop().await;
    ctl(&["clear_policy", Mine::EVENT]).await;
    // It can be replayed like any other.
    assert_eq!(bus.sort_dead_letters(Mine::EVENT, "one", |_| Sort::Replay).await.unwrap().replayed, 1);
    let (script, mut calls) = Script::<Mine>::attempts();
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    assert_eq!(calls.recv().await, Some((1, 1)));
    running.stop().await;
    bus.close().await;
}

async fn a_time_to_live_moves_events_to_the_dead_queue() {
    here!(Mine, "a_time_to_live_moves_events_to_the_dead_queue");
    let bus = Bus::connect(config()).await.unwrap();
    let (script, _calls) = Script::<Mine>::attempts();
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    running.stop().await;
    policy(Mine::EVENT, r#"{"message-ttl":1}"#).await;
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    let letters = dead_letters(&bus, Mine::EVENT, "one", 1).await;
    moved(&letters[0], Mine::EVENT, "expired");
    ctl(&["clear_policy", Mine::EVENT]).await;
    bus.close().await;
}

async fn events_dropped_after_a_retry_keep_their_attempts() {
    here!(Mine, "what_the_broker_drops_after_a_retry");
    twyla_tests::broker::clean(Mine::DOMAIN).await;
    let bus = Bus::connect(config()).await.unwrap();
    let script = Script::<Mine>::new(|call| async move {
        if call.meta.attempt == 1 {
            return Err("not yet".into());
        }
        call.ack.reject();
        Ok(())
    });
    // Long enough for a retry queue.
    let pause = Duration::from_millis(1001);
    let retry = Retry { attempts: 5, first: pause, max: pause };
    let service = bus.service().state(script).listeners([listener::<Mine>("one")]).retry(retry);
    let running = service.start().await.unwrap();
    policy(Mine::EVENT, r#"{"delivery-limit":3}"#).await;
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    let letters = dead_letters(&bus, Mine::EVENT, "one", 1).await;
    let letter = &letters[0];
    let queue = format!("{}.one", Mine::EVENT);
    let deaths: Vec<_> = letter.deaths.iter().map(|death| (death.queue.as_str(), death.reason.as_str())).collect();
    assert_eq!(deaths, [(queue.as_str(), "delivery_limit"), (&format!("{queue}.retry.2s"), "expired")]);
    assert_eq!((letter.reason, letter.attempts, letter.first_error.as_str()), (None, 1, "not yet"));
    assert_eq!((letter.exchange.as_str(), letter.routing_key.as_str()), (Mine::DOMAIN, "ping"));
    assert_eq!((letter.event.as_str(), letter.group.as_str()), (Mine::EVENT, "one"));
    running.stop().await;
    ctl(&["clear_policy", Mine::EVENT]).await;
    bus.close().await;
    twyla_tests::broker::clean(Mine::DOMAIN).await;
}

async fn a_queue_made_before_is_used_and_a_policy_gives_it_its_way_to_the_dead_queue() {
    here!(Mine, "a_queue_made_before_is_used");
    twyla_tests::broker::clean(Mine::DOMAIN).await;
    let (_connection, channel) = lapin().await;
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(1_000_000_000));
    let queue = format!("{}.one", Mine::EVENT);
    channel.queue_declare(queue.as_str().into(), QueueDeclareOptions::durable(), arguments).await.unwrap();
    let warnings = Warnings::about(Mine::DOMAIN);
    let bus = Bus::connect(config()).await.unwrap();
    let service = bus.service().state(gives_back::<Mine>()).listeners([listener::<Mine>("one")]);
    let running = service.start().await.unwrap();
    let warning = warnings.with("rabbitmqctl set_policy").await;
    assert_eq!(warnings.lines().len(), 1, "{:?}", warnings.lines());
    let command = &warning[warning.find("rabbitmqctl").unwrap()..warning.find(". A queue has only one").unwrap()];
    // As an operator would set it, with a limit added.
    let command = command.replace("'{", r#"'{"delivery-limit":3,"#);
    let script = format!("rabbitmqctl() {{ \"$TWYLA_TEST_RABBITMQCTL\" \"$@\"; }}; {command}");
    let status = tokio::process::Command::new("sh").args(["-c", &script]).status().await.unwrap();
    assert!(status.success(), "{command}");
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    let letters = dead_letters(&bus, Mine::EVENT, "one", 1).await;
    moved(&letters[0], Mine::EVENT, "delivery_limit");
    running.stop().await;
    bus.close().await;
    ctl(&["clear_policy", &format!("{queue} to dead")]).await;
    twyla_tests::broker::clean(Mine::DOMAIN).await;
}

async fn a_user_who_may_not_write_to_the_default_exchange_gets_a_plain_queue() {
    here!(Mine, "a_user_who_may_not_write_to_the_default_exchange");
    twyla_tests::broker::clean(Mine::DOMAIN).await;
    let config = user(Mine::DOMAIN, [".*", &format!("^{}", Mine::DOMAIN), ".*"]).await;
    let warnings = Warnings::about(Mine::DOMAIN);
    let bus = Bus::connect(config).await.unwrap();
    let (script, mut calls) = Script::<Mine>::attempts();
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    assert_eq!(calls.recv().await, Some((1, 1)));
    let warning = warnings.with("rabbitmqctl set_policy").await;
    assert!(warning.contains("ACCESS_REFUSED"), "{warning}");
    running.stop().await;
    bus.close().await;
    twyla_tests::broker::clean(Mine::DOMAIN).await;
}

/// Declares the group's queues as a user who has the right.
async fn make<P: Place>() {
    let bus = Bus::connect(config()).await.unwrap();
    let (script, _calls) = Script::<P>::attempts();
    bus.service().state(script).listeners([listener::<P>("one")]).start().await.unwrap().stop().await;
    bus.close().await;
}

async fn uses_queues_that_it_may_neither_declare_nor_inspect() {
    here!(Mine, "uses_queues_that_it_may_neither_declare_nor_inspect");
    make::<Mine>().await;
    let proxy = StrictProxy::start(Strict { looks: true, ..Strict::default() }).await;
    let config = user(Mine::DOMAIN, ["", ".*", ".*"]).await.port(proxy.port());
    let bus = Bus::connect(config).await.unwrap();
    let script = Script::<Mine>::new(|_| async { Err(Fail::park("no").into()) });
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    let seeing = Bus::connect(self::config()).await.unwrap();
    dead_letters(&seeing, Mine::EVENT, "one", 1).await;
    seeing.close().await;
    let error = bus.dead_letters(Mine::EVENT, "one", 1).await.unwrap_err().to_string();
    assert!(error.contains("can't check the queue") && error.contains("the user needs a permission"), "{error}");
    running.stop().await;
    bus.close().await;
}

/// Why a listener of the bus can't start.
async fn why<P: Place>(config: Config) -> String {
    let bus = Bus::connect(config).await.unwrap();
    let (script, _calls) = Script::<P>::attempts();
    let error = bus.service().state(script).listeners([listener::<P>("one")]).start().await.unwrap_err();
    bus.close().await;
    let Error::Listen { why, .. } = error else { panic!("{error}") };
    why
}

async fn reports_that_the_user_may_not_bind() {
    here!(Mine, "reports_that_the_user_may_not_bind");
    make::<Mine>().await;
    let why = why::<Mine>(user(Mine::DOMAIN, ["", "", ".*"]).await).await;
    let (queue, exchange) = (format!("{}.one", Mine::EVENT), Mine::DOMAIN);
    assert!(why.starts_with(&format!("can't bind the queue `{queue}` to the exchange `{exchange}`: ")), "{why}");
    assert!(why.contains("ACCESS_REFUSED"), "{why}");
    assert!(why.ends_with(": the user needs the permissions `write` on the queue and `read` on the exchange"), "{why}");
}

async fn reports_that_the_user_may_not_consume() {
    here!(Mine, "reports_that_the_user_may_not_consume");
    make::<Mine>().await;
    let only_the_exchange = format!("^{}$", Mine::DOMAIN);
    let why = why::<Mine>(user(Mine::DOMAIN, ["", ".*", &only_the_exchange]).await).await;
    assert!(why.starts_with(&format!("can't consume from the queue `{}.one`: ", Mine::EVENT)), "{why}");
    assert!(why.ends_with(": the user needs the permission `read` on it"), "{why}");
    permit(Mine::DOMAIN, ["", "", ""]).await;
}

async fn reports_a_queue_locked_by_another_connection() {
    here!(Mine, "reports_a_queue_locked_by_another_connection");
    let (_connection, channel) = lapin().await;
    let queue = format!("{}.one", Mine::EVENT);
    let options = QueueDeclareOptions { exclusive: true, durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.as_str().into(), options, FieldTable::default()).await.unwrap();
    let why = why::<Mine>(config().connect_deadline(Duration::from_secs(2))).await;
    assert!(why.contains("RESOURCE_LOCKED") && why.contains(&format!("`{queue}`")), "{why}");
    channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await.unwrap();
}

async fn reports_too_many_channels() {
    here!(Mine, "reports_too_many_channels");
    let proxy = StrictProxy::start(Strict { channels: Some(1), ..Strict::default() }).await;
    let config = config().port(proxy.port()).connect_deadline(Duration::from_secs(2));
    let bus = Bus::connect(config.emit_deadline(Duration::from_secs(1))).await.unwrap();
    let (script, _calls) = Script::<Mine>::attempts();
    let listeners = ["one", "two"].map(listener::<Mine>);
    let error = bus.service().state(script).listeners(listeners).start().await.unwrap_err().to_string();
    assert!(error.contains("the maximum number of channels") && error.contains("raise `channel_max`"), "{error}");
    // An event to a new exchange briefly takes a second channel.
    let error = bus.emit(Ping::<Mine>::new(1), context()).await.unwrap_err().to_string();
    assert!(error.contains("the maximum number of channels"), "{error}");
    bus.close().await;
}

async fn reports_at_once_that_a_user_has_too_many_connections() {
    here!(Mine, "reports_at_once_that_a_user_has_too_many_connections");
    let config = user(Mine::DOMAIN, [".*", ".*", ".*"]).await;
    ctl(&["set_user_limits", Mine::DOMAIN, r#"{"max-connections":1}"#]).await;
    // The bus opens two.
    let error = Bus::connect(config.connect_deadline(Duration::MAX)).await.unwrap_err().to_string();
    assert!(error.contains("connection limit"), "{error}");
    ctl(&["clear_user_limits", Mine::DOMAIN, "all"]).await;
}
