// The listener on the `Database` of the module that includes this file.

use contracts::{Context, shop::OrderPlaced, shop::SeatsReserved};
use sqlx::Pool;
use twyla_runtime::sql::{Outbox, Tx};
use twyla_runtime::{Dedupe, Fail, Meta, Service, State, listener, listeners};

use crate::contracts;

/// Adds the listener, its outbox and its memory of handled events to a service.
pub(crate) async fn on(service: Service, pool: &Pool<Database>) -> Result<Service, sqlx::Error> {
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS reservations (order_id text, seats bigint)").execute(pool).await?;
    let outbox = Outbox::sql(pool.clone()).await?;
    let dedupe = Dedupe::sql(pool.clone()).await?;
    Ok(service.dedupe(dedupe).outbox(outbox.clone()).state(outbox).listeners(listeners![reserve]))
}

/// Works in the transaction that records the event as handled. It commits when this returns `Ok`, and with it the reservation
/// and the event in the outbox; after an error there is neither.
#[listener("shop.order_placed", group = "seats", retry = "5x 100ms..1s")]
async fn reserve(
    order: OrderPlaced,
    context: Context,
    meta: Meta,
    tx: Tx<Database>,
    State(outbox): State<Outbox<Database>>,
) -> Result<(), Fail> {
    let mut tx = tx.lock().await;
    let insert = sqlx::query("INSERT INTO reservations (order_id, seats) VALUES ($1, $2)");
    insert.bind(&order.order_id).bind(i64::try_from(order.seats)?).execute(&mut *tx).await?;
    outbox.of(&meta).emit(&mut tx, SeatsReserved::new(&order.order_id, order.seats), context).await?;
    if order.seats == 9 && meta.attempt == 1 {
        println!("{}: fails after its insert and its event; both are rolled back", order.order_id);
        return Err(Fail::retry("the seat map is locked"));
    }
    println!("{}: {} seats reserved at attempt {}", order.order_id, order.seats, meta.attempt);
    Ok(())
}

/// Returns the number of reservations.
pub(crate) async fn reservations(pool: &Pool<Database>) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT count(*) FROM reservations").fetch_one(pool).await
}
