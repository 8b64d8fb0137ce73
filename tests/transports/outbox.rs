//! The outbox: permanently refused events are kept apart, the others are sent in order, with any kind of database
//! access.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use lapin::ExchangeKind;
use lapin::options::ExchangeDeclareOptions;
use lapin::types::FieldTable;
use serde_json::json;
use sqlx::{Pool, Postgres, Row, Sqlite};
use twyla_runtime::sql::{Dialect, Outbox};
use twyla_runtime::{Bus, Dedupe, Fail, Retry, Wire};
use twyla_tests::broker::{clean, config, lapin, permit, user};
use twyla_tests::proxy::{Mode, Proxy};
use twyla_tests::work::{Shop, Works, postgres, postgres_schema, sqlite, worker};
use twyla_tests::{Here, Ping, Place, Script, dead_letters, here, listener, within};

twyla_tests::with_rabbitmq!(
    keeps_refused_events_apart_in_postgres,
    keeps_refused_events_apart_in_sqlite,
    does_not_delay_the_end_of_its_service,
    keeps_the_order_among_several_services,
    writes_stored_events_in_the_form_of_its_bus,
    works_through_a_pooler_that_shares_by_transaction,
);

fn context() -> Here {
    Here::new("web")
}

/// Puts these events into the outbox, each in its own transaction.
async fn put<P: Place, DB: Dialect>(outbox: &Outbox<DB>, pool: &Pool<DB>, numbers: impl IntoIterator<Item = u32>) {
    for n in numbers {
        let mut transaction = pool.begin().await.unwrap();
        outbox.emit(&mut transaction, Ping::<P>::new(n), context()).await.unwrap();
        transaction.commit().await.unwrap();
    }
}

async fn keeps_refused_apart<Mine: Place, Forbidden: Place, DB: Dialect>(pool: Pool<DB>) {
    let listening = Bus::connect(config()).await.unwrap();
    let (script, mut calls) = Script::<Mine>::numbers();
    let (forbidden, mut late) = Script::<Forbidden>::numbers();
    let service = listening.service().state(script).state(forbidden).prefetch(1);
    let service = service.listeners([listener::<Mine>("one"), listener::<Forbidden>("one")]);
    let hearing = service.start().await.unwrap();

    let bus = Bus::connect(user(Mine::DOMAIN, [".*", &format!("^{}$", Mine::DOMAIN), ".*"]).await).await.unwrap();
    let outbox = Outbox::sql(pool.clone()).await.unwrap();
    put::<Mine, _>(&outbox, &pool, 0..3).await;
    put::<Forbidden, _>(&outbox, &pool, 3..5).await;
    put::<Mine, _>(&outbox, &pool, 5..8).await;
    let relaying = bus.service().outbox(outbox.clone()).start().await.unwrap();
    for n in [0, 1, 2, 5, 6, 7] {
        assert_eq!(calls.recv().await, Some(n));
    }
    while outbox.counts().await.unwrap() != (0, 2) {
        tokio::task::yield_now().await;
    }
    let refused = outbox.refused(10).await.unwrap();
    assert_eq!(refused.iter().map(|row| row.event.as_str()).collect::<Vec<_>>(), [Forbidden::EVENT; 2]);
    let (first, second) = (&refused[0], &refused[1]);
    assert!(first.why.contains("ACCESS_REFUSED") && first.why.contains(Forbidden::DOMAIN), "{}", first.why);
    assert!(first.id < second.id && first.put_at <= first.refused_at, "{refused:?}");
    assert!((chrono::Utc::now() - first.put_at).abs() < chrono::TimeDelta::hours(1), "{refused:?}");
    let body = outbox.refused_body(first.id).await.unwrap().unwrap();
    assert_eq!(body.len() as u64, first.bytes);
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["content"]["n"], 3);
    assert_eq!(outbox.refused(1).await.unwrap(), refused[..1]);

    // One is dropped, and one is retried once the user may publish it.
    assert!(outbox.drop_refused(first.id).await.unwrap());
    assert!(!outbox.drop_refused(first.id).await.unwrap() && !outbox.retry_refused(first.id).await.unwrap());
    permit(Mine::DOMAIN, [".*", ".*", ".*"]).await;
    assert!(outbox.retry_refused(second.id).await.unwrap());
    assert_eq!(late.recv().await, Some(4));
    while outbox.counts().await.unwrap() != (0, 0) {
        tokio::task::yield_now().await;
    }
    relaying.stop().await;
    bus.close().await;
    hearing.stop().await;
    assert!(late.try_recv().is_err() && calls.try_recv().is_err());
    listening.close().await;
}

async fn keeps_refused_events_apart_in_postgres() {
    here!(Mine, "keeps_refused_events_apart_in_postgres");
    here!(Forbidden, "keeps_refused_events_apart_in_postgres_forbidden");
    clean(Forbidden::DOMAIN).await;
    keeps_refused_apart::<Mine, Forbidden, Postgres>(postgres_schema(Mine::DOMAIN).await).await;
}

async fn keeps_refused_events_apart_in_sqlite() {
    here!(Mine, "keeps_refused_events_apart_in_sqlite");
    here!(Forbidden, "keeps_refused_events_apart_in_sqlite_forbidden");
    clean(Forbidden::DOMAIN).await;
    let (_dir, pool) = sqlite().await;
    keeps_refused_apart::<Mine, Forbidden, Sqlite>(pool).await;
}

async fn does_not_delay_the_end_of_its_service() {
    here!(Mine, "does_not_delay_the_end_of_its_service");
    let (_dir, pool) = sqlite().await;
    let outbox = Outbox::sql(pool.clone()).await.unwrap();
    let proxy = Proxy::start(Mode::Open).await;
    let bus = Bus::connect(config().port(proxy.port()).emit_deadline(Duration::MAX)).await.unwrap();
    let (_connection, channel) = lapin().await;
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(Mine::DOMAIN.into(), ExchangeKind::Topic, options, FieldTable::default()).await.unwrap();
    let running = bus.service().outbox(outbox.clone()).start().await.unwrap();
    put::<Mine, _>(&outbox, &pool, [1]).await;
    while outbox.counts().await.unwrap().0 > 0 {
        tokio::task::yield_now().await;
    }
    // The broker receives the next event, and its confirm never arrives.
    let (script, mut calls) = Script::<Mine>::numbers();
    let listening = Bus::connect(config()).await.unwrap();
    let hearing = listening.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    proxy.set(Mode::Deaf);
    put::<Mine, _>(&outbox, &pool, [2]).await;
    assert_eq!(calls.recv().await, Some(2));
    running.stop().await;
    assert_eq!(outbox.counts().await.unwrap(), (1, 0), "it is lost if it is not published again");
    hearing.stop().await;
    listening.close().await;
}

async fn keeps_the_order_among_several_services() {
    here!(Mine, "keeps_the_order_among_several_services");
    let pool = postgres_schema(Mine::DOMAIN).await;
    let bus = Bus::connect(config()).await.unwrap();
    let (script, mut calls) = Script::<Mine>::numbers();
    let hearing = bus.service().state(script).prefetch(1).listeners([listener::<Mine>("one")]).start().await.unwrap();
    let outbox = Outbox::sql(pool.clone()).await.unwrap();
    let mut relaying = Vec::new();
    for _ in 0..3 {
        relaying.push(bus.service().outbox(outbox.clone()).start().await.unwrap());
    }
    put::<Mine, _>(&outbox, &pool, 0..300).await;
    for n in 0..300 {
        assert_eq!(calls.recv().await, Some(n));
    }
    // The other relays continue.
    drop(relaying.pop());
    put::<Mine, _>(&outbox, &pool, 300..310).await;
    for n in 300..310 {
        assert_eq!(calls.recv().await, Some(n));
    }
    while outbox.counts().await.unwrap().0 > 0 {
        tokio::task::yield_now().await;
    }
    for relaying in relaying {
        relaying.stop().await;
    }
    hearing.stop().await;
    assert!(calls.try_recv().is_err(), "one was published twice");
    bus.close().await;
}

async fn writes_stored_events_in_the_form_of_its_bus() {
    here!(Mine, "writes_stored_events_in_the_form_of_its_bus");
    let (_dir, pool) = sqlite().await;
    let outbox = Outbox::sql(pool.clone()).await.unwrap();
    let bus = Bus::connect(config()).await.unwrap();
    let script = Script::<Mine>::new(|_| async { Err(Fail::park("as it came").into()) });
    let hearing = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    let wire = bus.wire(Wire::CloudEventsStructured);
    let relaying = wire.service().outbox(outbox.clone()).start().await.unwrap();
    put::<Mine, _>(&outbox, &pool, [7]).await;
    let letter = dead_letters(&bus, Mine::EVENT, "one", 1).await.remove(0);
    let event: serde_json::Value = serde_json::from_slice(&letter.body).unwrap();
    assert_eq!((&event["specversion"], &event["type"]), (&json!("1.0"), &json!(Mine::EVENT)));
    assert_eq!((&event["id"], &event["data"]["n"]), (&json!(letter.message_id), &json!(7)));
    relaying.stop().await;
    hearing.stop().await;
    bus.close().await;
}

/// Each transaction uses one of two connections, which several clients share.
async fn works_through_a_pooler_that_shares_by_transaction() {
    here!(Mine, "works_through_a_pooler_that_shares_by_transaction");
    here!(Answer, "works_through_a_pooler_that_shares_by_transaction_answer");
    clean(Answer::DOMAIN).await;
    let admin = Pool::<Postgres>::connect_with(postgres()).await.unwrap();
    for sql in ["DROP DATABASE IF EXISTS twyla_pooled WITH (FORCE)", "CREATE DATABASE twyla_pooled"] {
        sqlx::raw_sql(sql).execute(&admin).await.unwrap();
    }
    let url = std::env::var("TWYLA_TEST_PGBOUNCER").expect("TWYLA_TEST_PGBOUNCER is not set: run `cargo xtask test`");
    let options: sqlx::postgres::PgConnectOptions = format!("{url}twyla_pooled").parse().unwrap();
    let pool = || Pool::<Postgres>::connect_with(options.clone().extra_float_digits(None));
    let pools = [pool().await.unwrap(), pool().await.unwrap()];
    sqlx::raw_sql("CREATE TABLE effects (n bigint)").execute(&pools[0]).await.unwrap();

    let bus = Bus::connect(config()).await.unwrap();
    let (script, mut answers) = Script::<Answer>::numbers();
    let service = bus.service().state(script).prefetch(1).dedupe(Dedupe::in_memory(1000));
    let hearing = service.listeners([listener::<Answer>("two")]).start().await.unwrap();
    let calls = Arc::new(AtomicU32::new(0));
    let mut running = Vec::new();
    for pool in &pools {
        let outbox = Outbox::sql(pool.clone()).await.unwrap();
        let shop = Shop { outbox: outbox.clone(), calls: calls.clone(), fail_first: false };
        let dedupe = Dedupe::sql(pool.clone()).await.unwrap().keep_for(Duration::from_secs(3600));
        let service = bus.service().state(shop).retry(Retry::never()).dedupe(dedupe).outbox(outbox);
        running.push(service.listeners([worker::<Mine, Answer, Postgres>("one")]).start().await.unwrap());
    }
    for n in 0..100 {
        bus.emit(Ping::<Mine>::new(n), context()).await.unwrap();
    }
    let mut answered = Vec::new();
    while answered.len() < 100 {
        answered.push(answers.recv().await.unwrap());
    }
    for running in running {
        running.stop().await;
    }
    hearing.stop().await;
    answered.sort_unstable();
    assert_eq!(answered, (0..100).collect::<Vec<_>>());
    assert_eq!(calls.load(SeqCst), 100);
    let rows = sqlx::raw_sql("SELECT n FROM effects ORDER BY n").fetch_all(&pools[0]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get::<i64, _>(0)).collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
    bus.close().await;
}

/// Two operators retry the same refused events at the same time: each event is sent once.
async fn retries_once<DB: Works>(pool: Pool<DB>)
where
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
{
    const EVENTS: u32 = 20;
    let outbox = Outbox::sql(pool.clone()).await.unwrap();
    let mut connection = pool.acquire().await.unwrap();
    for id in 0..EVENTS {
        let sql = format!(
            "INSERT INTO twyla_outbox_refused (id, message_id, exchange, routing_key, body, put_at, why) \
             VALUES ({id}, '{id}', 'a', 'b', 'body', CURRENT_TIMESTAMP, 'no')"
        );
        sqlx::Executor::execute(&mut *connection, sqlx::raw_sql(sqlx::AssertSqlSafe(sql))).await.unwrap();
    }
    drop(connection);
    for id in 0..EVENTS.into() {
        let both = [outbox.clone(), outbox.clone()]
            .map(|outbox| tokio::spawn(async move { outbox.retry_refused(id).await.unwrap() }));
        let [one, other] = both;
        assert_eq!(u32::from(one.await.unwrap()) + u32::from(other.await.unwrap()), 1, "{id}");
    }
    assert_eq!(outbox.counts().await.unwrap(), (EVENTS.into(), 0));
}

#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test starts it"]
async fn an_event_is_retried_once_with_postgres() {
    within(async { retries_once(postgres_schema("an_event_is_put_back_once").await).await }).await;
}

#[tokio::test]
async fn an_event_is_retried_once_with_sqlite() {
    let (_dir, pool) = sqlite().await;
    within(retries_once(pool)).await;
}
