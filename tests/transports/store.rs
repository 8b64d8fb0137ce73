//! Faults of the store used for dedupe: they delay events, and never count as attempts.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use sqlx::pool::PoolOptions;
use sqlx::{Pool, Postgres, Sqlite};
use tokio::sync::mpsc;
use twyla_runtime::sql::{Dialect, Outbox};
use twyla_runtime::{Bus, Dedupe, Retry, Running};
use twyla_tests::log::Warnings;
use twyla_tests::work::{Shop, Works, postgres_pool, postgres_schema, sqlite, sqlite_file, worker};
use twyla_tests::{Call, Here, Ping, Place, Script, dead_letters, here, listener, within};

fn context() -> Here {
    Here::new("web")
}

/// A service that dead-letters an event at its first failure, and a receiver of its calls with their attempts.
async fn service<P: Place>(
    bus: &Bus,
    dedupe: Dedupe,
    work: Duration,
) -> (Running, mpsc::UnboundedReceiver<(u32, u32)>) {
    let (sender, calls) = mpsc::unbounded_channel();
    let script = Script::new(move |call: Call<P>| {
        let sender = sender.clone();
        async move {
            tokio::time::sleep(work).await;
            let _ = sender.send((call.ping.n, call.meta.attempt));
            Ok(())
        }
    });
    let service = bus.service().state(script).dedupe(dedupe).retry(Retry::never());
    (service.listeners([listener::<P>("one")]).start().await.unwrap(), calls)
}

/// Eight events at once; the store serves one at a time, and the others time out waiting several times.
async fn all_are_handled_at_the_first_attempt<P: Place, DB: Dialect>(pool: Pool<DB>) {
    let bus = Bus::in_memory();
    let (running, mut calls) = service::<P>(&bus, Dedupe::sql(pool).await.unwrap(), Duration::from_millis(150)).await;
    for n in 0..8 {
        bus.emit(Ping::<P>::new(n), context()).await.unwrap();
    }
    let mut seen = BTreeSet::new();
    while seen.len() < 8 {
        let (n, attempt) = calls.recv().await.unwrap();
        assert_eq!(attempt, 1, "{n}");
        assert!(seen.insert(n), "{n} came twice");
        assert!(running.health().is_ready(), "{:?}", running.health());
    }
    running.stop().await;
    assert!(dead_letters(&bus, &format!("{}.ping", P::DOMAIN), "one", 0).await.is_empty());
}

#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test starts it"]
async fn events_wait_for_a_connection_of_a_small_pool() {
    here!(Mine, "events_wait_for_a_connection");
    let options = PoolOptions::new().max_connections(1).acquire_timeout(Duration::from_millis(60));
    within(async {
        let pool = postgres_pool(Mine::DOMAIN, options).await;
        all_are_handled_at_the_first_attempt::<Mine, Postgres>(pool).await;
    })
    .await;
}

#[tokio::test]
async fn events_wait_for_the_one_writer_of_sqlite() {
    here!(Mine, "events_wait_for_the_one_writer");
    let (_dir, options) = sqlite_file();
    within(async {
        let pool = Pool::<Sqlite>::connect_with(options.busy_timeout(Duration::from_millis(20))).await.unwrap();
        all_are_handled_at_the_first_attempt::<Mine, Sqlite>(pool).await;
    })
    .await;
}

/// Waits until the service is ready, or until it isn't.
async fn until_ready(running: &Running, ready: bool) -> Vec<String> {
    loop {
        let reasons = running.health().unready();
        if reasons.is_empty() == ready {
            return reasons;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn waits_for_its_table<P: Place, DB: Works>(pool: Pool<DB>)
where
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
{
    let run = async |sql: &'static str| {
        let mut connection = pool.acquire().await.unwrap();
        sqlx::Executor::execute(&mut *connection, sqlx::raw_sql(sql)).await.unwrap();
    };
    let bus = Bus::in_memory();
    let (running, mut calls) = service::<P>(&bus, Dedupe::sql(pool.clone()).await.unwrap(), Duration::ZERO).await;
    run("ALTER TABLE twyla_handled RENAME TO away").await;
    bus.emit(Ping::<P>::new(1), context()).await.unwrap();
    let reasons = until_ready(&running, false).await;
    let due = format!("the events of `{}.ping.one` wait until the dedupe store and the outbox work again: ", P::DOMAIN);
    assert!(reasons.len() == 1 && reasons[0].starts_with(&due), "{reasons:?}");
    assert!(calls.try_recv().is_err(), "it was handled without the store");
    run("ALTER TABLE away RENAME TO twyla_handled").await;
    assert_eq!(calls.recv().await, Some((1, 1)));
    until_ready(&running, true).await;
    running.stop().await;
    assert!(dead_letters(&bus, &format!("{}.ping", P::DOMAIN), "one", 0).await.is_empty());
}

#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test starts it"]
async fn a_faulty_store_delays_events_and_readiness_with_postgres() {
    here!(Mine, "a_store_in_trouble");
    within(async { waits_for_its_table::<Mine, Postgres>(postgres_schema(Mine::DOMAIN).await).await }).await;
}

#[tokio::test]
async fn a_faulty_store_delays_events_and_readiness_with_sqlite() {
    here!(Mine, "a_store_in_trouble_sqlite");
    let (_dir, pool) = sqlite().await;
    within(waits_for_its_table::<Mine, Sqlite>(pool)).await;
}

#[tokio::test]
async fn a_failing_outbox_counts_as_one_failure_until_it_works() {
    here!(Mine, "a_failing_outbox_counts_as_one_failure");
    let warnings = Warnings::about(Mine::DOMAIN);
    let bus = Bus::in_memory();
    let calls = AtomicU32::new(0);
    let script = Script::<Mine>::new(move |_| {
        let fails = calls.fetch_add(1, SeqCst) < 3;
        let outbox = |why: &str| twyla_runtime::Error::Outbox { event: Mine::EVENT, why: why.to_owned(), passes: true };
        async move { if fails { Err(outbox("no connection").into()) } else { Ok(()) } }
    });
    let service = bus.service().state(script).dedupe(Dedupe::in_memory(8)).retry(Retry::never());
    let running = service.listeners([listener::<Mine>("one")]).start().await.unwrap();
    within(async {
        bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
        until_ready(&running, false).await;
        until_ready(&running, true).await;
        running.stop().await;
    })
    .await;
    let lines = warnings.lines();
    assert_eq!(lines.iter().filter(|line| line.contains("no connection")).count(), 1, "{lines:?}");
}

#[tokio::test]
async fn an_event_that_does_not_use_the_failing_outbox_ends_no_failure() {
    here!(Mine, "an_event_beside_a_failing_outbox");
    let warnings = Warnings::about(Mine::DOMAIN);
    let bus = Bus::in_memory();
    let (sender, mut calls) = mpsc::unbounded_channel();
    let left = AtomicU32::new(4);
    let script = Script::<Mine>::new(move |call| {
        let n = call.ping.n;
        let fails = n == 1 && left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
        let _ = sender.send((n, fails));
        let outbox = |why: &str| twyla_runtime::Error::Outbox { event: Mine::EVENT, why: why.to_owned(), passes: true };
        async move { if fails { Err(outbox("no connection").into()) } else { Ok(()) } }
    });
    let service = bus.service().state(script).retry(Retry::never());
    let running = service.listeners([listener::<Mine>("one")]).start().await.unwrap();
    within(async {
        bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
        until_ready(&running, false).await;
        bus.emit(Ping::<Mine>::new(2), context()).await.unwrap();
        while calls.recv().await != Some((1, false)) {}
        until_ready(&running, true).await;
        running.stop().await;
    })
    .await;
    let lines = warnings.lines();
    assert_eq!(lines.iter().filter(|line| line.contains("no connection")).count(), 1, "{lines:?}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test starts it"]
async fn a_refused_commit_of_an_acked_event_leaves_the_service_ready() {
    here!(Mine, "a_refused_commit_of_an_acked_event");
    within(async {
        let pool = postgres_schema(Mine::DOMAIN).await;
        let dedupe = Dedupe::sql(pool.clone()).await.unwrap();
        let refuse = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '40001'; END $$;
             CREATE CONSTRAINT TRIGGER refuses AFTER INSERT ON twyla_handled DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION refuse();";
        sqlx::raw_sql(refuse).execute(&pool).await.unwrap();
        let (sender, mut calls) = mpsc::unbounded_channel();
        let script = Script::<Mine>::new(move |call: Call<Mine>| {
            call.ack.ack();
            let _ = sender.send(());
            async { Ok(()) }
        });
        let bus = Bus::in_memory();
        let service = bus.service().state(script).dedupe(dedupe).retry(Retry::never());
        let running = service.listeners([listener::<Mine>("one")]).start().await.unwrap();
        bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
        calls.recv().await.unwrap();
        let health = running.health();
        running.stop().await;
        assert_eq!(health.unready(), ["the service is stopping"]);
    })
    .await;
}

/// Emits one event to a handler that works in a transaction; returns the number of calls until the work committed or
/// the event was dead-lettered.
async fn works<P: Place, A: Place>(pool: &Pool<Postgres>) -> (u32, usize) {
    let bus = Bus::in_memory();
    let calls = Arc::new(AtomicU32::new(0));
    let outbox = Outbox::sql(pool.clone()).await.unwrap();
    let shop = Shop { outbox, calls: calls.clone(), fail_first: false };
    let service = bus.service().state(shop).dedupe(Dedupe::sql(pool.clone()).await.unwrap()).retry(Retry::never());
    let running = service.listeners([worker::<P, A, Postgres>("one")]).start().await.unwrap();
    bus.emit(Ping::<P>::new(1), context()).await.unwrap();
    let event = format!("{}.ping", P::DOMAIN);
    loop {
        let effects: i64 = sqlx::query_scalar("SELECT count(*) FROM effects").fetch_one(pool).await.unwrap();
        let dead = bus.count_dead_letters(&event, "one").await.unwrap();
        if effects + i64::try_from(dead).unwrap() > 0 {
            running.stop().await;
            return (calls.load(SeqCst), dead);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Refuses the first commits to `effects` with this error code. A sequence counts them, because it isn't rolled back.
async fn refusing(test: &str, commits: u32, code: &str) -> Pool<Postgres> {
    let pool = postgres_schema(test).await;
    let sql = format!(
        "CREATE TABLE effects (n bigint);
         CREATE SEQUENCE commits;
         CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             IF nextval('commits') <= {commits} THEN RAISE EXCEPTION 'refused' USING ERRCODE = '{code}'; END IF;
             RETURN NULL;
         END $$;
         CREATE CONSTRAINT TRIGGER refuses AFTER INSERT ON effects DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION refuse();"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&pool).await.unwrap();
    pool
}

#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test starts it"]
async fn a_temporarily_refused_commit_costs_no_attempt() {
    here!(Mine, "a_commit_refused_for_the_moment");
    here!(Answer, "a_commit_refused_for_the_moment_answer");
    within(async {
        // serialization_failure
        let pool = refusing(Mine::DOMAIN, 3, "40001").await;
        assert_eq!(works::<Mine, Answer>(&pool).await, (4, 0));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test starts it"]
async fn a_commit_refused_by_a_constraint_counts_as_an_attempt() {
    here!(Mine, "a_commit_that_a_constraint_refuses");
    here!(Answer, "a_commit_that_a_constraint_refuses_answer");
    within(async {
        // check_violation
        let pool = refusing(Mine::DOMAIN, 3, "23514").await;
        assert_eq!(works::<Mine, Answer>(&pool).await, (1, 1));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test starts it"]
async fn a_faulty_outbox_costs_no_attempt() {
    here!(Mine, "an_outbox_in_trouble");
    here!(Answer, "an_outbox_in_trouble_answer");
    within(async {
        let pool = postgres_schema(Mine::DOMAIN).await;
        // the first three rows are refused as if the disk were full
        let sql = "CREATE TABLE effects (n bigint); CREATE SEQUENCE puts;
             CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 IF nextval('puts') <= 3 THEN RAISE EXCEPTION 'full' USING ERRCODE = '53100'; END IF;
                 RETURN NEW;
             END $$;";
        sqlx::raw_sql(sql).execute(&pool).await.unwrap();
        drop(Outbox::sql(pool.clone()).await.unwrap());
        let trigger = "CREATE TRIGGER refuses BEFORE INSERT ON twyla_outbox FOR EACH ROW EXECUTE FUNCTION refuse()";
        sqlx::raw_sql(trigger).execute(&pool).await.unwrap();
        assert_eq!(works::<Mine, Answer>(&pool).await, (4, 0));
    })
    .await;
}

/// As when members of a group start on an empty database.
#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test starts it"]
async fn services_that_start_together_create_the_tables_once() {
    within(async {
        let options = PoolOptions::new().max_connections(8);
        for _ in 0..5 {
            let pool = postgres_pool("services_that_start_at_once", options.clone()).await;
            let starts = (0..8).map(|_| {
                let pool = pool.clone();
                tokio::spawn(async move {
                    Dedupe::sql(pool.clone()).await.unwrap();
                    Outbox::sql(pool).await.unwrap();
                })
            });
            for start in starts.collect::<Vec<_>>() {
                start.await.unwrap();
            }
            pool.close().await;
        }
    })
    .await;
}

/// Names of groups and ids of messages come from other programs: no text of theirs is SQL.
async fn keeps_texts_as_values<DB: Dialect>(pool: Pool<DB>) {
    let _ = Dedupe::sql(pool.clone()).await.unwrap();
    let mut connection = pool.acquire().await.unwrap();
    let texts = [
        "'; DROP TABLE twyla_handled; --",
        "' OR '1'='1",
        "\"twyla_handled\"",
        "a\\' b",
        "$1",
        "?1",
        ":id",
        "/* a */ -- b\n;",
        "$$; DELETE FROM twyla_handled; $$",
        "%_",
        "ß\u{202e}\u{1f600}",
        " ",
    ];
    for text in texts {
        for other in texts {
            let names = || [text, "one", other].map(str::to_owned);
            let mut handled = async || DB::handled(&mut *connection, names()).await.unwrap();
            assert!(handled().await, "{text:?} and {other:?} were there before");
            assert!(!handled().await, "{text:?} and {other:?} are gone");
        }
    }
    let forgotten = DB::forget(&pool, -60.0).await.unwrap();
    assert_eq!(forgotten, (texts.len() * texts.len()) as u64);
}

#[tokio::test]
async fn text_never_becomes_a_statement_in_sqlite() {
    let (_dir, pool) = sqlite().await;
    keeps_texts_as_values(pool).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test starts it"]
async fn text_never_becomes_a_statement_in_postgres() {
    keeps_texts_as_values(postgres_schema("text_is_no_statement").await).await;
}
