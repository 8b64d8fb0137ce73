//! A reservation and the event about it take effect together, once: `cargo run -p outbox`.
//!
//! On SQLite in a temporary file, or on PostgreSQL if `DATABASE_URL` names one. `o-2` fails after its first attempt has written
//! both; the transaction is rolled back, and the retry writes them once. `reservations.rs` is the listener on either database.

mod contracts {
    twyla_runtime::include_contracts!();
}
mod postgres {
    use sqlx::Postgres as Database;
    include!("reservations.rs");
}
mod sqlite {
    use sqlx::Sqlite as Database;
    include!("reservations.rs");
}

use std::error::Error;

use contracts::{Context, shop::OrderPlaced, shop::SeatsReserved};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{PgPool, SqlitePool};
use tokio::sync::mpsc;
use twyla_runtime::{Bus, Service, State, listener, listeners};

const ORDERS: [(&str, u64); 3] = [("o-1", 2), ("o-2", 9), ("o-3", 1)];

/// Where the notifications go.
type Notified = mpsc::UnboundedSender<SeatsReserved>;

/// The listener of another service, which receives the event of the reservation.
#[listener("shop.seats_reserved", group = "notifications")]
async fn notify(reserved: SeatsReserved, State(notified): State<Notified>) {
    println!("{}: the customer is notified of {} seats", reserved.order_id, reserved.seats);
    // without a receiver, the notification is not needed
    let _ = notified.send(reserved);
}

/// Runs the service, emits the orders, and waits until the customer of each is notified.
async fn run(bus: &Bus, service: Service) -> Result<Vec<String>, Box<dyn Error>> {
    let (sender, mut notified) = mpsc::unbounded_channel();
    let notifying = bus.service().state::<Notified>(sender).listeners(listeners![notify]).start().await?;
    let running = service.start().await?;
    for (order, seats) in ORDERS {
        bus.emit(OrderPlaced::new(order, seats), Context::new("web")).await?;
    }
    let mut orders = Vec::new();
    for _ in ORDERS {
        orders.extend(notified.recv().await.map(|reserved| reserved.order_id));
    }
    running.stop().await;
    notifying.stop().await;
    Ok(orders)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let bus = Bus::in_memory();
    let reservations = match std::env::var("DATABASE_URL") {
        Ok(url) => {
            let pool = PgPool::connect(&url).await?;
            run(&bus, postgres::on(bus.service(), &pool).await?).await?;
            postgres::reservations(&pool).await?
        }
        Err(_) => {
            let folder = tempfile::tempdir()?;
            let file = SqliteConnectOptions::new().filename(folder.path().join("shop.db")).create_if_missing(true);
            let pool = SqlitePool::connect_with(file).await?;
            run(&bus, sqlite::on(bus.service(), &pool).await?).await?;
            sqlite::reservations(&pool).await?
        }
    };
    println!("{reservations} reservations in the database");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(mut orders: Vec<String>) -> Vec<String> {
        orders.sort();
        orders
    }

    #[tokio::test]
    async fn each_order_is_reserved_and_announced_once_on_sqlite() {
        let folder = tempfile::tempdir().unwrap();
        let file = SqliteConnectOptions::new().filename(folder.path().join("shop.db")).create_if_missing(true);
        let pool = SqlitePool::connect_with(file).await.unwrap();
        let bus = Bus::in_memory();
        let announced = run(&bus, sqlite::on(bus.service(), &pool).await.unwrap()).await.unwrap();
        assert_eq!(sorted(announced), ["o-1", "o-2", "o-3"]);
        assert_eq!(sqlite::reservations(&pool).await.unwrap(), 3);
    }

    #[tokio::test]
    #[ignore = "needs PostgreSQL: run `cargo xtask test`"]
    async fn each_order_is_reserved_and_announced_once_on_postgres() {
        let url = std::env::var("TWYLA_TEST_POSTGRES").expect("TWYLA_TEST_POSTGRES is set by `cargo xtask test`");
        let admin = PgPool::connect(&url).await.unwrap();
        sqlx::raw_sql("DROP SCHEMA IF EXISTS example CASCADE; CREATE SCHEMA example").execute(&admin).await.unwrap();
        let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
        let pool = PgPool::connect_with(options.options([("search_path", "example")])).await.unwrap();
        let bus = Bus::in_memory();
        let announced = run(&bus, postgres::on(bus.service(), &pool).await.unwrap()).await.unwrap();
        assert_eq!(sorted(announced), ["o-1", "o-2", "o-3"]);
        assert_eq!(postgres::reservations(&pool).await.unwrap(), 3);
    }
}
