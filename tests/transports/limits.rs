//! The effect of a broker's limits on events. The tests change broker-wide limits, so they run one after another.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use twyla_runtime::sql::Outbox;
use twyla_runtime::{Bus, Error, Fail, LinkState, Reason, Retry};
use twyla_tests::broker::{clean, close_connection, config, ctl, lapin, user};
use twyla_tests::proxy::{Mode, Proxy};
use twyla_tests::work::sqlite;
use twyla_tests::{Here, Ping, Place, Script, dead_letters, here, listener, within};

/// Defines the named tests, each alone on the broker.
macro_rules! alone {
    ($($test:ident),* $(,)?) => {
        mod with_rabbitmq {
            $(#[tokio::test]
            #[ignore = "needs RabbitMQ: cargo xtask test starts one"]
            async fn $test() {
                let _alone = super::BROKER.lock().await;
                super::within(async {
                    // Undo the changes of an aborted test.
                    super::set_most(super::USUAL).await;
                    super::clean(stringify!($test)).await;
                    super::$test().await;
                })
                .await;
            })*
        }
    };
}

alone!(
    small_events_do_not_notice_those_too_large,
    does_not_send_the_next_event_too_large,
    keeps_events_that_the_dead_queue_refuses,
    retries_in_place_if_the_retry_queue_refuses,
    keeps_a_pause_longer_than_the_consumer_timeout,
    requeues_events_that_the_dead_queue_refuses_when_it_stops,
    keeps_too_large_outbox_events_apart,
    waits_until_the_broker_has_memory_again,
    shortens_a_dead_letters_headers_to_a_small_frame,
);

static BROKER: Mutex<()> = Mutex::const_new(());

const MIB: usize = 1 << 20;
/// The broker's limit unless a test changes it.
const USUAL: usize = 128 * MIB;

fn context() -> Here {
    Here::new("web")
}

fn large<P>(n: u32, mib: usize) -> Ping<P> {
    Ping::saying(n, "x".repeat(mib * MIB))
}

/// Sets the broker's maximum message size, for channels opened from now on.
async fn set_most(bytes: usize) {
    // RabbitMQ 3 reads the first, RabbitMQ 4 the second.
    let set = format!(
        "application:set_env(rabbit, max_message_size, {bytes}), persistent_term:put(max_message_size, {bytes})."
    );
    ctl(&["eval", &set]).await;
}

/// Runs `work` with the broker's maximum message size set to `bytes`.
async fn with_most<T>(bytes: usize, work: impl Future<Output = T>) -> T {
    set_most(bytes).await;
    let done = work.await;
    set_most(USUAL).await;
    done
}

async fn small_events_do_not_notice_those_too_large() {
    here!(Mine, "small_events_do_not_notice_those_too_large");
    here!(Large, "small_events_do_not_notice_those_too_large_large");
    let listening = Bus::connect(config()).await.unwrap();
    let (script, mut calls) = Script::<Mine>::numbers();
    let service = listening.service().state(script).listeners([listener::<Mine>("one")]).prefetch(1);
    let running = service.start().await.unwrap();
    let bus = with_most(MIB, async {
        let bus = Bus::connect(config()).await.unwrap();
        let mut state = bus.state();
        state.mark_unchanged();
        let mut emits = JoinSet::new();
        for n in 0..1000 {
            emits.spawn(bus.emit(Ping::<Mine>::new(n), context()));
            if n % 200 == 0 {
                // The first of these are sent, and refused.
                emits.spawn({
                    let bus = bus.clone();
                    async move {
                        let error = bus.emit(large::<Large>(n, 2), context()).await.unwrap_err();
                        let Error::TooLarge { event, bytes, most, broker: true } = error else { panic!("{error}") };
                        assert_eq!((event, most), (Large::EVENT, MIB));
                        assert!(bytes > 2 * MIB);
                        Ok(())
                    }
                });
                tokio::task::yield_now().await;
            }
        }
        while let Some(emitted) = emits.join_next().await {
            emitted.unwrap().unwrap();
        }
        assert!(!state.has_changed().unwrap(), "the connection was given up: {:?}", state.borrow());
        bus
    })
    .await;
    // Duplicates are in the queue before this one.
    bus.emit(Ping::<Mine>::new(1000), context()).await.unwrap();
    let mut counts = BTreeMap::<u32, u32>::new();
    while !counts.contains_key(&1000) {
        *counts.entry(calls.recv().await.unwrap()).or_default() += 1;
    }
    assert_eq!(counts.len(), 1001);
    assert!(counts.values().all(|times| *times == 1), "sent twice: {counts:?}");
    bus.close().await;
    running.stop().await;
    listening.close().await;
}

async fn does_not_send_the_next_event_too_large() {
    here!(Mine, "does_not_send_the_next_event_too_large");
    with_most(MIB, async {
        let proxy = Proxy::start(Mode::Open).await;
        let bus = Bus::connect(config().port(proxy.port())).await.unwrap();
        let error = bus.emit(large::<Mine>(1, 2), context()).await.unwrap_err();
        assert!(matches!(error, Error::TooLarge { broker: true, .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("RabbitMQ accepts at most 1048576 (`max_message_size`)"), "{text}");
        // From now on, messages get no answer.
        proxy.set(Mode::Deaf);
        let error = bus.emit(large::<Mine>(2, 3), context()).await.unwrap_err();
        assert!(matches!(error, Error::TooLarge { most: MIB, broker: true, .. }), "{error}");
        // A new connection may reach a broker with a higher limit.
        proxy.set(Mode::Open);
        proxy.cut();
        bus.emit(Ping::<Mine>::new(3), context()).await.unwrap();
        set_most(4 * MIB).await;
        proxy.cut();
        bus.emit(large::<Mine>(4, 3), context()).await.unwrap();
        bus.close().await;
    })
    .await;
}

/// Puts an event of 2 MiB into a queue, lowers the broker's limit to 1 MiB, and runs the listener.
async fn stuck<P: Place>(
    retry: Retry,
    script: Script<P>,
    check: impl AsyncFnOnce(Bus, twyla_runtime::Running, &Proxy),
) {
    let bus = Bus::connect(config()).await.unwrap();
    let service = bus.service().state(script.clone()).listeners([listener::<P>("one")]);
    service.start().await.unwrap().stop().await;
    bus.emit(large::<P>(1, 2), context()).await.unwrap();
    bus.close().await;
    with_most(MIB, async {
        let proxy = Proxy::start(Mode::Open).await;
        let bus = Bus::connect(config().port(proxy.port()).app_id(P::DOMAIN)).await.unwrap();
        let service = bus.service().state(script).listeners([listener::<P>("one")]).retry(retry);
        let running = service.start().await.unwrap();
        check(bus, running, &proxy).await;
    })
    .await;
}

async fn keeps_events_that_the_dead_queue_refuses() {
    here!(Mine, "keeps_events_that_the_dead_queue_refuses");
    let (sender, mut calls) = mpsc::unbounded_channel();
    let script = Script::<Mine>::new(move |call| {
        let _ = sender.send(call.ping.n);
        async { Err(Fail::park("no use").into()) }
    });
    stuck(Retry::never(), script, async |bus, running, _| {
        assert_eq!(calls.recv().await, Some(1));
        // Another event is handled meanwhile.
        bus.emit(Ping::<Mine>::new(2), context()).await.unwrap();
        assert_eq!(calls.recv().await, Some(2));
        let letters = dead_letters(&bus, Mine::EVENT, "one", 1).await;
        assert!(letters[0].body.len() < MIB);
        // and the service reports one waiting event
        let health = running.health();
        let reasons = loop {
            let reasons = health.unready();
            if !reasons.is_empty() {
                break reasons;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        let queue = format!("{}.one", Mine::EVENT);
        let due = format!("1 of at most 64 deliveries of `{queue}` wait, because its dead queue doesn't accept them: ");
        assert!(reasons.len() == 1 && reasons[0].starts_with(&due), "{reasons:?}");
        // The broker's limit rises, and a new connection reads it.
        set_most(4 * MIB).await;
        close_connection(Mine::DOMAIN, "publish").await;
        let letters = dead_letters(&bus, Mine::EVENT, "one", 2).await;
        assert!(letters.iter().any(|letter| letter.body.len() > 2 * MIB && letter.reason == Some(Reason::Handler)));
        assert!(calls.try_recv().is_err(), "it was handled again");
        while !health.is_ready() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        running.stop().await;
        bus.close().await;
    })
    .await;
}

async fn retries_in_place_if_the_retry_queue_refuses() {
    here!(Mine, "retries_in_place_if_the_retry_queue_refuses");
    let (sender, mut calls) = mpsc::unbounded_channel();
    let script = Script::<Mine>::new(move |call| {
        let attempt = call.meta.attempt;
        let _ = sender.send((attempt, call.meta.first_failure.map(|first| first.error)));
        async move { if attempt < 3 { Err(format!("number {attempt}").into()) } else { Ok(()) } }
    });
    let pause = Duration::from_millis(1500);
    let retry = Retry { attempts: 5, first: pause, max: pause };
    stuck(retry, script, async |bus, running, _| {
        let first = Some("number 1".to_owned());
        for want in [(1, None), (2, first.clone()), (3, first)] {
            assert_eq!(calls.recv().await, Some(want));
        }
        running.stop().await;
        let (_connection, channel) = lapin().await;
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        let queue = format!("{}.one", Mine::EVENT);
        let left = channel.queue_declare(queue.into(), passive, FieldTable::default()).await.unwrap();
        assert_eq!(left.message_count(), 0);
        bus.close().await;
    })
    .await;
}

async fn keeps_a_pause_longer_than_the_consumer_timeout() {
    here!(Mine, "keeps_a_pause_longer_than_the_consumer_timeout");
    // The user may not declare retry queues.
    let queues = format!("^{}$|^{}[.]one$|^{}[.]one[.]dead$", Mine::DOMAIN, Mine::EVENT, Mine::EVENT);
    let bus = Bus::connect(user(Mine::DOMAIN, [&queues, ".*", ".*"]).await).await.unwrap();
    let (sender, mut calls) = mpsc::unbounded_channel();
    let pause = Duration::from_millis(2500);
    let script = Script::<Mine>::new(move |call| {
        let attempt = call.meta.attempt;
        let _ = sender.send((attempt, call.meta.redelivered, call.meta.first_failure.map(|first| first.at)));
        async move { if attempt < 2 { Err("not yet".into()) } else { Ok(()) } }
    });
    let retry = Retry { attempts: 5, first: pause, max: pause };
    let service = bus.service().state(script).listeners([listener::<Mine>("one")]).retry(retry);
    // Half of it is shorter than the pause.
    let running = service.consumer_timeout(Duration::from_secs(2)).start().await.unwrap();
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    assert_eq!(calls.recv().await, Some((1, false, None)));
    let Some((2, true, Some(failed))) = calls.recv().await else { panic!("it was not given back and tried again") };
    let waited = (chrono::Utc::now() - failed).to_std().unwrap();
    assert!(waited >= pause, "the pause was {waited:?}");
    running.stop().await;
    bus.close().await;
}

async fn requeues_events_that_the_dead_queue_refuses_when_it_stops() {
    here!(Mine, "requeues_events_that_the_dead_queue_refuses_when_it_stops");
    let (sender, mut calls) = mpsc::unbounded_channel();
    let script = Script::<Mine>::new(move |call| {
        let _ = sender.send(call.ping.n);
        async { Err(Fail::park("no use").into()) }
    });
    stuck(Retry::never(), script, async |bus, running, _| {
        assert_eq!(calls.recv().await, Some(1));
        running.stop().await;
        bus.close().await;
        let (_connection, channel) = lapin().await;
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        let queue = format!("{}.one", Mine::EVENT);
        let left = channel.queue_declare(queue.into(), passive, FieldTable::default()).await.unwrap();
        assert_eq!(left.message_count(), 1);
    })
    .await;
}

async fn keeps_too_large_outbox_events_apart() {
    here!(Mine, "keeps_too_large_outbox_events_apart");
    let (_dir, pool) = sqlite().await;
    let outbox = Outbox::sql(pool.clone()).await.unwrap();
    let mut connection = pool.acquire().await.unwrap();
    with_most(MIB, async {
        let bus = Bus::connect(config()).await.unwrap();
        let (script, mut calls) = Script::<Mine>::numbers();
        for n in 0..3 {
            let ping = if n == 1 { large(n, 2) } else { Ping::<Mine>::new(n) };
            outbox.emit(&mut connection, ping, context()).await.unwrap();
        }
        let service = bus.service().state(script).listeners([listener::<Mine>("one")]).prefetch(1);
        let running = service.outbox(outbox.clone()).start().await.unwrap();
        assert_eq!([calls.recv().await, calls.recv().await], [Some(0), Some(2)]);
        while outbox.counts().await.unwrap() != (0, 1) {
            tokio::task::yield_now().await;
        }
        let refused = &outbox.refused(10).await.unwrap()[0];
        assert!(refused.why.contains("larger than") && refused.bytes > 2 << 20, "{refused:?}");
        // From now on every clone of the outbox refuses larger events.
        let again = outbox.clone().emit(&mut connection, large::<Mine>(3, 2), context()).await;
        let error = again.unwrap_err();
        assert!(matches!(error, Error::TooLarge { most: MIB, broker: true, .. }), "{error}");
        running.stop().await;
        bus.close().await;
    })
    .await;
}

/// An oversized frame would close the connection, again and again.
async fn shortens_a_dead_letters_headers_to_a_small_frame() {
    here!(Mine, "shortens_a_dead_letters_headers_to_a_small_frame");
    // The smallest value that lapin negotiates.
    const FRAME_MAX: usize = 8192;
    let usual = ctl(&["eval", "{ok, Usual} = application:get_env(rabbit, frame_max), Usual."]).await;
    ctl(&["eval", &format!("application:set_env(rabbit, frame_max, {FRAME_MAX}).")]).await;
    let bus = Bus::connect(config()).await;
    ctl(&["eval", &format!("application:set_env(rabbit, frame_max, {}).", usual.trim())]).await;
    let bus = bus.unwrap();
    let mut state = bus.state();
    state.mark_unchanged();
    let script = Script::<Mine>::new(|call| async move {
        let error = format!("attempt {}: {}", call.meta.attempt, "ü".repeat(20_000));
        if call.meta.attempt < 2 { Err(error.into()) } else { Err(Fail::park(error).into()) }
    });
    let pause = Duration::from_millis(1500);
    let retry = Retry { attempts: 5, first: pause, max: pause };
    let service = bus.service().state(script).listeners([listener::<Mine>("one")]).retry(retry);
    let running = service.start().await.unwrap();
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    let letters = dead_letters(&bus, Mine::EVENT, "one", 1).await;
    let letter = &letters[0];
    assert!(letter.error.starts_with("attempt 2: üü") && letter.first_error.starts_with("attempt 1: üü"));
    let texts = letter.error.len() + letter.first_error.len();
    assert!((FRAME_MAX / 2..FRAME_MAX).contains(&texts), "{texts}");
    assert_eq!((letter.attempts, letter.event.as_str(), letter.group.as_str()), (2, Mine::EVENT, "one"));
    assert!(!state.has_changed().unwrap(), "a connection was lost: {:?}", state.borrow());
    running.stop().await;
    bus.close().await;
}

async fn waits_until_the_broker_has_memory_again() {
    here!(Mine, "waits_until_the_broker_has_memory_again");
    let bus = Bus::connect(config()).await.unwrap();
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    let before = ctl(&["eval", "vm_memory_monitor:get_vm_memory_high_watermark()."]).await;
    ctl(&["set_vm_memory_high_watermark", "0"]).await;
    let emits = [bus.emit(Ping::<Mine>::new(2), context()), bus.emit(large::<Mine>(3, 1), context())].map(tokio::spawn);
    let blocked = bus.state().wait_for(|state| matches!(state.publish, LinkState::Blocked { .. })).await.map(drop);
    let pending = emits.iter().all(|emit| !emit.is_finished());
    ctl(&["set_vm_memory_high_watermark", before.trim()]).await;
    blocked.unwrap();
    assert!(pending);
    for emit in emits {
        emit.await.unwrap().unwrap();
    }
    bus.close().await;
}
