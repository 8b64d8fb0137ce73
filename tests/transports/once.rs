//! Exactly-once effects: handled events are skipped, transactions commit or roll back as a whole, and outbox events are
//! emitted if they commit. With SQLite and PostgreSQL, and over RabbitMQ where an event must arrive twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use lapin::BasicProperties;
use lapin::options::BasicPublishOptions;
use sqlx::{Pool, Postgres, Row, Sqlite};
use tokio::sync::mpsc;
use twyla_runtime::sql::Outbox;
use twyla_runtime::{Bus, Dedupe, Error, Retry, Running, session_id};
use twyla_tests::broker::{config, lapin};
use twyla_tests::work::{Shop, Works, postgres_schema, sqlite, worker};
use twyla_tests::{Call, Here, Ping, Place, Script, here, listener, within};

twyla_tests::with_rabbitmq!(
    skips_handled_events,
    handles_each_event_without_an_id_or_with_a_blank_one,
    handles_each_event_whose_id_a_database_can_not_keep,
    distinguishes_events_with_one_id_by_name_in_memory,
    distinguishes_events_with_one_id_by_name_in_sqlite,
    distinguishes_events_with_one_id_by_name_in_postgres,
    skips_events_of_earlier_versions_in_sqlite,
    skips_events_of_earlier_versions_in_postgres,
    requeues_events_that_a_handler_rejects,
    takes_effect_once_with_sqlite,
    forgets_old_events_in_sqlite,
    forgets_old_events_in_postgres,
    takes_effect_once_with_postgres,
    takes_effect_once_whenever_it_is_killed,
);

const QUICK: Retry =
    Retry { attempts: 5, first: std::time::Duration::from_millis(1), max: std::time::Duration::from_millis(1) };

fn context() -> Here {
    Here::new("web")
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

async fn skips_handled_events() {
    here!(Mine, "skips_handled_events");
    let bus = Bus::connect(config()).await.unwrap();
    let (script, mut calls) = Script::<Mine>::numbers();
    let service = bus.service().state(script).dedupe(Dedupe::in_memory(100)).prefetch(1);
    let running = service.listeners([listener::<Mine>("one")]).start().await.unwrap();
    for (id, n) in [("a", 1), ("a", 2), ("b", 3), ("a", 4), ("b", 5), ("c", 6)] {
        publish(Mine::DOMAIN, id, n).await;
    }
    for want in [1, 3, 6] {
        assert_eq!(calls.recv().await, Some(want));
    }
    running.stop().await;
    bus.close().await;
}

/// A service with a listener that forwards its calls.
async fn remembering<P: Place>(bus: &Bus, dedupe: Dedupe) -> (Running, mpsc::UnboundedReceiver<u32>) {
    let (script, calls) = Script::<P>::numbers();
    let service = bus.service().state(script).dedupe(dedupe).prefetch(1);
    (service.listeners([listener::<P>("one")]).start().await.unwrap(), calls)
}

async fn handles_each_event_without_an_id_or_with_a_blank_one() {
    here!(Mine, "handles_each_event_without_an_id");
    let bus = Bus::connect(config()).await.unwrap();
    let (_dir, pool) = sqlite().await;
    for dedupe in [Dedupe::in_memory(100), Dedupe::sql(pool).await.unwrap()] {
        let (running, mut calls) = remembering::<Mine>(&bus, dedupe).await;
        for (id, n) in [("", 1), ("", 2), ("", 3), (" ", 4), (" ", 5), ("\t\n", 6), ("\t\n", 7)] {
            publish(Mine::DOMAIN, id, n).await;
        }
        for want in 1..=7 {
            assert_eq!(calls.recv().await, Some(want));
        }
        running.stop().await;
    }
    bus.close().await;
}

async fn handles_each_event_whose_id_a_database_can_not_keep() {
    here!(Mine, "handles_each_event_whose_id_a_database_can_not_keep");
    let bus = Bus::connect(config()).await.unwrap();
    let pool = postgres_schema(Mine::DOMAIN).await;
    let (running, mut calls) = remembering::<Mine>(&bus, Dedupe::sql(pool).await.unwrap()).await;
    for (id, n) in [("a\0b", 1), ("a\0b", 2), ("plain", 3)] {
        publish(Mine::DOMAIN, id, n).await;
    }
    for want in 1..=3 {
        assert_eq!(calls.recv().await, Some(want));
    }
    running.stop().await;
    bus.close().await;
}

async fn distinguishes_events_with_one_id_by_name_in_memory() {
    here!(Job, "one_id_in_memory_job");
    here!(Other, "one_id_in_memory_other");
    distinguishes_events::<Job, Other>(Dedupe::in_memory(100)).await;
}

async fn distinguishes_events_with_one_id_by_name_in_sqlite() {
    here!(Job, "one_id_in_sqlite_job");
    here!(Other, "one_id_in_sqlite_other");
    let (_dir, pool) = sqlite().await;
    distinguishes_events::<Job, Other>(Dedupe::sql(pool).await.unwrap()).await;
}

async fn distinguishes_events_with_one_id_by_name_in_postgres() {
    here!(Job, "one_id_in_postgres_job");
    here!(Other, "one_id_in_postgres_other");
    let pool = postgres_schema("one_id_in_postgres").await;
    distinguishes_events::<Job, Other>(Dedupe::sql(pool).await.unwrap()).await;
}

/// Two events of different names with the same id are two events, even in one group.
async fn distinguishes_events<A: Place, B: Place>(dedupe: Dedupe) {
    twyla_tests::broker::clean(A::DOMAIN).await;
    twyla_tests::broker::clean(B::DOMAIN).await;
    let bus = Bus::connect(config()).await.unwrap();
    let (jobs, mut in_jobs) = remembering::<A>(&bus, dedupe.clone()).await;
    let (others, mut in_others) = remembering::<B>(&bus, dedupe).await;
    for n in 1..=2 {
        publish(A::DOMAIN, "same", n).await;
        publish(B::DOMAIN, "same", n).await;
    }
    for domain in [A::DOMAIN, B::DOMAIN] {
        publish(domain, "last", 9).await;
    }
    for calls in [&mut in_jobs, &mut in_others] {
        assert_eq!((calls.recv().await, calls.recv().await), (Some(1), Some(9)));
    }
    jobs.stop().await;
    others.stop().await;
    bus.close().await;
}

async fn skips_events_of_earlier_versions_in_sqlite() {
    here!(Mine, "handled_by_an_earlier_version_in_sqlite");
    let (_dir, pool) = sqlite().await;
    let dedupe = Dedupe::sql(pool.clone()).await.unwrap();
    sqlx::raw_sql("INSERT INTO twyla_handled (group_name, message_id) VALUES ('one', 'old')")
        .execute(&pool)
        .await
        .unwrap();
    skips_handled_events_per_group::<Mine>(dedupe).await;
}

async fn skips_events_of_earlier_versions_in_postgres() {
    here!(Mine, "handled_by_an_earlier_version_in_postgres");
    let pool = postgres_schema("handled_by_an_earlier_version").await;
    let dedupe = Dedupe::sql(pool.clone()).await.unwrap();
    sqlx::raw_sql("INSERT INTO twyla_handled (group_name, message_id) VALUES ('one', 'old')")
        .execute(&pool)
        .await
        .unwrap();
    skips_handled_events_per_group::<Mine>(dedupe).await;
}

async fn skips_handled_events_per_group<P: Place>(dedupe: Dedupe) {
    let bus = Bus::connect(config()).await.unwrap();
    let (running, mut calls) = remembering::<P>(&bus, dedupe).await;
    publish(P::DOMAIN, "old", 1).await;
    publish(P::DOMAIN, "new", 2).await;
    assert_eq!(calls.recv().await, Some(2));
    running.stop().await;
    bus.close().await;
}

async fn forgets_old_events_in_sqlite() {
    here!(Mine, "forgets_in_sqlite");
    let (_dir, pool) = sqlite().await;
    let dedupe = Dedupe::sql(pool.clone()).await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO twyla_handled VALUES ('one', 'old', datetime('now', '-2 hours')), ('one', 'new', datetime('now'))",
    )
    .execute(&pool)
    .await
    .unwrap();
    forgets::<Mine>(dedupe).await;
}

async fn forgets_old_events_in_postgres() {
    here!(Mine, "forgets_in_postgres");
    let pool = postgres_schema("forgets_in_postgres").await;
    let dedupe = Dedupe::sql(pool.clone()).await.unwrap();
    sqlx::raw_sql("INSERT INTO twyla_handled VALUES ('one', 'old', now() - interval '2 hours'), ('one', 'new', now())")
        .execute(&pool)
        .await
        .unwrap();
    forgets::<Mine>(dedupe).await;
}

/// An event handled two hours ago is handled again once it is forgotten; one handled just now isn't.
async fn forgets<P: Place>(dedupe: Dedupe) {
    let bus = Bus::connect(config()).await.unwrap();
    let (script, mut calls) = Script::<P>::numbers();
    let service = bus.service().state(script).dedupe(dedupe.keep_for(std::time::Duration::from_secs(3600)));
    let running = service.prefetch(1).listeners([listener::<P>("one")]).start().await.unwrap();
    // A task beside the listener removes the old entry: until then the event is skipped; the new one is always skipped.
    let (mut n, mut again) = (0, None);
    while again.is_none() {
        n += 1;
        publish(P::DOMAIN, "new", 0).await;
        publish(P::DOMAIN, "old", n).await;
        publish(P::DOMAIN, &format!("other {n}"), 1000 + n).await;
        while let Some(call) = calls.recv().await
            && call < 1000
        {
            again = Some(call);
        }
    }
    assert!((1..1000).contains(&again.unwrap()), "{again:?}");
    running.stop().await;
    bus.close().await;
}

async fn requeues_events_that_a_handler_rejects() {
    here!(Mine, "requeues_events_that_a_handler_rejects");
    let bus = Bus::connect(config()).await.unwrap();
    let (sender, mut calls) = mpsc::unbounded_channel();
    let script = Script::new(move |call: Call<Mine>| {
        if !call.meta.redelivered {
            call.ack.reject();
        }
        let _ = sender.send(call.meta.redelivered);
        async { Ok(()) }
    });
    let service = bus.service().state(script).dedupe(Dedupe::in_memory(100));
    let running = service.listeners([listener::<Mine>("one")]).start().await.unwrap();
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    assert_eq!((calls.recv().await, calls.recv().await), (Some(false), Some(true)));
    running.stop().await;
    bus.close().await;
}

/// `in_calls` is the expected number of calls of the handler.
async fn takes_effect_once<P: Place, A: Place, DB: Works>(pool: Pool<DB>, in_calls: u32) {
    let bus = Bus::connect(config()).await.unwrap();
    let outbox = Outbox::sql(pool.clone()).await.unwrap();
    let calls = Arc::new(AtomicU32::new(0));
    let shop = Shop { outbox: outbox.clone(), calls: calls.clone(), fail_first: true };

    // without a store the service refuses to start
    let error = bus.service().state(shop.clone()).listeners([worker::<P, A, DB>("one")]).start().await.unwrap_err();
    let Error::MissingState { by, .. } = error else { panic!("{error}") };
    assert_eq!(by, ".dedupe(Dedupe::sql(pool).await?)");

    let (script, mut answers) = Script::<A>::sending(|call| (call.ping.n, call.meta.session_id, call.meta.message_id));
    let hearing = bus.service().state(script).prefetch(1).listeners([listener::<A>("two")]).start().await.unwrap();
    let service = bus.service().state(shop).retry(QUICK).prefetch(1).dedupe(Dedupe::sql(pool.clone()).await.unwrap());
    let running = service.outbox(outbox.clone()).listeners([worker::<P, A, DB>("one")]).start().await.unwrap();

    for n in 0..20 {
        bus.with_session(session_id(&format!("s{n}"))).emit(Ping::<P>::new(n), context()).await.unwrap();
    }
    for id in ["again", "again", "again"] {
        publish(P::DOMAIN, id, 20).await;
    }
    for n in 0..=20 {
        let (answered, session, id) = answers.recv().await.unwrap();
        assert_eq!(answered, n, "in the order in which they were put");
        assert!(n == 20 || session == session_id(&format!("s{n}")));
        assert!(id.is_some());
    }
    running.stop().await;
    hearing.stop().await;
    assert!(answers.try_recv().is_err(), "an answer too many");
    assert_eq!(calls.load(SeqCst), in_calls);
    bus.close().await;
}

async fn takes_effect_once_with_sqlite() {
    here!(Mine, "takes_effect_once_with_sqlite");
    here!(Answer, "takes_effect_once_with_sqlite_answer");
    twyla_tests::broker::clean(Answer::DOMAIN).await;
    let (_dir, pool) = sqlite().await;
    sqlx::raw_sql("CREATE TABLE effects (n INTEGER)").execute(&pool).await.unwrap();
    // each once, and the first again
    within(takes_effect_once::<Mine, Answer, Sqlite>(pool.clone(), 22)).await;
    let rows = sqlx::query("SELECT n FROM effects ORDER BY n").fetch_all(&pool).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get::<i64, _>(0)).collect::<Vec<_>>(), (0..=20).collect::<Vec<_>>());
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM twyla_outbox").fetch_one(&pool).await.unwrap();
    assert_eq!(left, 0);
}

async fn takes_effect_once_with_postgres() {
    here!(Mine, "takes_effect_once_with_postgres");
    here!(Answer, "takes_effect_once_with_postgres_answer");
    twyla_tests::broker::clean(Answer::DOMAIN).await;
    let pool = postgres_schema("takes_effect_once").await;
    sqlx::raw_sql("CREATE TABLE effects (n bigint)").execute(&pool).await.unwrap();
    // each once, the first again, and once more after a failed statement, which aborts the transaction in PostgreSQL
    within(takes_effect_once::<Mine, Answer, Postgres>(pool.clone(), 23)).await;
    let rows = sqlx::query("SELECT n FROM effects ORDER BY n").fetch_all(&pool).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get::<i64, _>(0)).collect::<Vec<_>>(), (0..=20).collect::<Vec<_>>());
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM twyla_outbox").fetch_one(&pool).await.unwrap();
    assert_eq!(left, 0);
}

/// Kills the service again and again: each event has its effect once, and one answer.
async fn takes_effect_once_whenever_it_is_killed() {
    here!(Mine, "takes_effect_once_whenever_it_is_killed");
    here!(Answer, "takes_effect_once_whenever_it_is_killed_answer");
    const COUNT: u32 = 400;
    twyla_tests::broker::clean(Answer::DOMAIN).await;
    let pool = postgres_schema(Mine::DOMAIN).await;
    sqlx::raw_sql("CREATE TABLE effects (n bigint)").execute(&pool).await.unwrap();
    let start = || {
        let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_once-child"));
        child.arg(Mine::DOMAIN).stdin(std::process::Stdio::piped()).kill_on_drop(true).spawn().unwrap()
    };
    let bus = Bus::connect(config()).await.unwrap();
    let (script, mut answers) = Script::<Answer>::numbers();
    // An answer that was published twice has the same id both times.
    let service = bus.service().state(script).dedupe(Dedupe::in_memory(10_000));
    let hearing = service.listeners([listener::<Answer>("two")]).start().await.unwrap();
    // The queue must be declared and bound before events are emitted: the consumer starts last.
    let mut child = start();
    let passive = lapin::options::QueueDeclareOptions { passive: true, ..Default::default() };
    loop {
        let (connection, channel) = lapin().await;
        let queue = format!("{}.ping.one", Mine::DOMAIN);
        let there = channel.queue_declare(queue.into(), passive, Default::default()).await;
        let there = there.is_ok_and(|queue| queue.consumer_count() > 0);
        connection.close(200, "OK".into()).await.unwrap();
        if there {
            break;
        }
    }
    for n in 0..COUNT {
        bus.emit(Ping::<Mine>::new(n), context()).await.unwrap();
    }
    let mut answered = Vec::new();
    while answered.len() < COUNT as usize {
        answered.push(answers.recv().await.unwrap());
        if answered.len() % 37 == 0 {
            child.kill().await.unwrap();
            child = start();
        }
    }
    hearing.stop().await;
    while let Ok(more) = answers.try_recv() {
        answered.push(more);
    }
    answered.sort_unstable();
    assert_eq!(answered, (0..COUNT).collect::<Vec<_>>());
    let rows = sqlx::query("SELECT n FROM effects ORDER BY n").fetch_all(&pool).await.unwrap();
    let effects: Vec<_> = rows.iter().map(|row| row.get::<i64, _>(0)).collect();
    assert_eq!(effects, (0..i64::from(COUNT)).collect::<Vec<_>>());
    child.kill().await.unwrap();
    bus.close().await;
}
