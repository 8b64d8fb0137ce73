//! `cargo twyla outbox` against SQLite and PostgreSQL, as an operator uses it.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::process::{Command, Output, Stdio};

use sqlx::{AssertSqlSafe, Pool, Postgres, Sqlite, raw_sql};
use twyla_runtime::sql::{Dialect, Outbox};
use twyla_tests::work::{postgres_pool, sqlite_file};

fn twyla(url: &str, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-twyla"));
    command.args(["twyla", "outbox"]).args(args).env("DATABASE_URL", url).stdin(Stdio::null()).output().unwrap()
}

fn said(url: &str, args: &[&str]) -> String {
    let output = twyla(url, args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(url: &str, args: &[&str]) -> String {
    let output = twyla(url, args);
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8(output.stderr).unwrap()
}

/// Has four events refused, of which two have one name; and one that waits.
fn rows(binary: &str) -> String {
    let why = "ACCESS_REFUSED - write access to exchange ''shop'' refused\u{7}";
    let row = |id: u32, key: &str| {
        format!(
            "INSERT INTO twyla_outbox_refused (id, message_id, exchange, routing_key, body, put_at, why) VALUES ({id}, \
             'message-{id}', 'shop', '{key}', {binary}, '2026-01-02 03:04:05', '{why}');"
        )
    };
    let refused = [row(7, "order"), row(8, "return"), row(9, "order"), row(10, "bill")].concat();
    format!(
        "{refused} INSERT INTO twyla_outbox (message_id, exchange, routing_key, body) VALUES ('waits', 'shop', 'order', {binary})"
    )
}

async fn lists_shows_retries_and_drops<DB: Dialect>(url: &str, pool: &Pool<DB>) {
    let outbox = Outbox::sql(pool.clone()).await.unwrap();
    let listed = said(url, &["list"]);
    assert!(
        listed.contains("shop.return") && listed.contains("ACCESS_REFUSED") && !listed.contains('\u{7}'),
        "{listed}"
    );
    assert!(listed.ends_with("\n4 refused, 1 waiting to be published\n"), "{listed}");
    let one = said(url, &["list", "--event", "shop.return", "--json"]);
    let one: serde_json::Value = serde_json::from_str(&one).unwrap();
    assert_eq!((&one["id"], &one["message_id"], &one["bytes"]), (&8.into(), &"message-8".into(), &12.into()));
    assert_eq!(one["put_at"], "2026-01-02T03:04:05+00:00");

    // The event itself may have sensitive values.
    let shown = said(url, &["show", "7"]);
    assert!(shown.contains("message id     message-7\n") && !shown.contains("secret"), "{shown}");
    let shown = said(url, &["show", "7", "--reveal"]);
    assert!(shown.ends_with("\n{\n  \"secret\": 1\n}\n"), "{shown}");
    assert_eq!(refused(url, &["show", "11"]), "error: there is no refused event with the number 11\n");

    assert_eq!(
        refused(url, &["drop", "--all"]),
        "error: nothing was done: standard input is not a terminal, so confirm with --yes\n"
    );
    assert_eq!(refused(url, &["drop", "7", "11", "--yes"]), "error: there is no refused event with the number 11\n");
    assert_eq!(said(url, &["retry", "--event", "shop.order", "--yes"]), "2 retried, 2 left\n");
    assert_eq!(said(url, &["drop", "8", "--yes"]), "1 dropped, 1 left\n");
    assert_eq!(said(url, &["drop", "--event", "shop.order", "--yes"]), "0 dropped, 1 left\n");
    assert_eq!(outbox.counts().await.unwrap(), (3, 1));
    assert_eq!(said(url, &["retry", "--all", "--yes"]), "1 retried, 0 left\n");
    assert_eq!(said(url, &["list"]), "0 refused, 4 waiting to be published\n");
}

#[tokio::test]
async fn lists_shows_retries_and_drops_in_sqlite() {
    let (dir, options) = sqlite_file();
    let pool = Pool::<Sqlite>::connect_with(options).await.unwrap();
    Outbox::sql(pool.clone()).await.unwrap();
    raw_sql(AssertSqlSafe(rows("CAST('{\"secret\":1}' AS BLOB)"))).execute(&pool).await.unwrap();
    let url = format!("sqlite:{}", dir.path().join("db").display());
    lists_shows_retries_and_drops(&url, &pool).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test starts one"]
async fn lists_shows_retries_and_drops_in_postgres() {
    let schema = "lists_shows_retries_and_drops";
    let pool = postgres_pool(schema, sqlx::pool::PoolOptions::<Postgres>::new()).await;
    Outbox::sql(pool.clone()).await.unwrap();
    raw_sql(AssertSqlSafe(rows("'{\"secret\":1}'"))).execute(&pool).await.unwrap();
    let url = format!("{}?options=-csearch_path%3D{schema}", std::env::var("TWYLA_TEST_POSTGRES").unwrap());
    lists_shows_retries_and_drops(&url, &pool).await;
}

#[tokio::test]
async fn reports_what_is_wrong_with_a_database() {
    let unset = Command::new(env!("CARGO_BIN_EXE_cargo-twyla"))
        .args(["twyla", "outbox", "list"])
        .env_remove("DATABASE_URL")
        .output()
        .unwrap();
    let unset = String::from_utf8(unset.stderr).unwrap();
    assert_eq!(unset, "error: no database: pass --database URL, or set DATABASE_URL\n");
    for (url, words) in [
        ("mysql://root:hunter2@db/x", "error: unsupported database `mysql:`: use postgres:// or sqlite:\n"),
        ("sqlite:/nowhere/at/all.db", "unable to open database file"),
        ("postgres://u:hunter2@127.0.0.1:1/x", "refused"),
    ] {
        let error = refused(url, &["list"]);
        assert!(error.contains(words) && !error.contains("hunter2"), "{error}");
    }
    // Nothing is made by looking.
    let (dir, options) = sqlite_file();
    Pool::<Sqlite>::connect_with(options).await.unwrap();
    let error = refused(&format!("sqlite:{}", dir.path().join("db").display()), &["list"]);
    assert!(error.starts_with("error: the outbox can't be read: ") && error.contains("no such table"), "{error}");
}
