//! The handlers: each inserts its events into PostgreSQL, with a statement of their own or in the transaction that dedupes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::{Pool, Postgres};
use tokio::sync::Notify;
use twyla_runtime::sql::Tx;
use twyla_runtime::{State, listener};

use crate::contracts::api::UserInput;

/// Counts the inserted rows.
#[derive(Clone, Default)]
pub(crate) struct Rows(Arc<(AtomicUsize, Notify)>);

impl Rows {
    fn add(&self, rows: usize) {
        self.0.0.fetch_add(rows, Ordering::Relaxed);
        self.0.1.notify_one();
    }

    /// Waits until `count` rows have been inserted, and starts again from none.
    pub(crate) async fn until(&self, count: usize) {
        while self.0.0.load(Ordering::Relaxed) < count {
            self.0.1.notified().await;
        }
        self.0.0.store(0, Ordering::Relaxed);
    }
}

const ONE: &str = "INSERT INTO bench_inputs (emission) VALUES ($1)";
const MANY: &str = "INSERT INTO bench_inputs (emission) SELECT * FROM unnest($1::text[])";

fn emissions(inputs: Vec<UserInput>) -> Vec<String> {
    inputs.into_iter().map(|input| input.emission).collect()
}

#[listener("api.user_input", group = "bench", concurrency = 1)]
pub(crate) async fn one(input: UserInput, pool: State<Pool<Postgres>>, rows: State<Rows>) -> Result<(), sqlx::Error> {
    sqlx::query(ONE).bind(input.emission).execute(&*pool).await?;
    rows.add(1);
    Ok(())
}

#[listener("api.user_input", group = "bench", concurrency = 10)]
pub(crate) async fn ten(input: UserInput, pool: State<Pool<Postgres>>, rows: State<Rows>) -> Result<(), sqlx::Error> {
    sqlx::query(ONE).bind(input.emission).execute(&*pool).await?;
    rows.add(1);
    Ok(())
}

#[listener("api.user_input", group = "bench", batch = 500)]
pub(crate) async fn batch(
    inputs: Vec<UserInput>,
    pool: State<Pool<Postgres>>,
    rows: State<Rows>,
) -> Result<(), sqlx::Error> {
    let count = inputs.len();
    sqlx::query(MANY).bind(emissions(inputs)).execute(&*pool).await?;
    rows.add(count);
    Ok(())
}

#[listener("api.user_input", group = "bench", concurrency = 1)]
pub(crate) async fn one_tx(input: UserInput, tx: Tx<Postgres>, rows: State<Rows>) -> Result<(), sqlx::Error> {
    sqlx::query(ONE).bind(input.emission).execute(&mut *tx.lock().await).await?;
    rows.add(1);
    Ok(())
}

#[listener("api.user_input", group = "bench", concurrency = 10)]
pub(crate) async fn ten_tx(input: UserInput, tx: Tx<Postgres>, rows: State<Rows>) -> Result<(), sqlx::Error> {
    sqlx::query(ONE).bind(input.emission).execute(&mut *tx.lock().await).await?;
    rows.add(1);
    Ok(())
}

#[listener("api.user_input", group = "bench", batch = 500)]
pub(crate) async fn batch_tx(inputs: Vec<UserInput>, tx: Tx<Postgres>, rows: State<Rows>) -> Result<(), sqlx::Error> {
    let count = inputs.len();
    sqlx::query(MANY).bind(emissions(inputs)).execute(&mut *tx.lock().await).await?;
    rows.add(count);
    Ok(())
}
