//! Listens and emits with structs of its own instead of the generated types: `cargo run -p own-struct`.
//!
//! `#[event]` checks each field against the schema at compile time. A view declares only what its handler needs. Try a field
//! `cent`, a type `String` for `cents`, or emit a [`Sale`], and read what `cargo check` reports.

mod contracts {
    twyla_runtime::include_contracts!();
}

use std::sync::Arc;

use contracts::Context;
use contracts::shop::{OrderPlaced, OrderPlacedCustomer};
use tokio::sync::watch;
use twyla_runtime::{Bus, Error, Listeners, State, event, listener, listeners};

/// What the statistics need of an order: two of its four properties. It lacks required ones, so it can't be emitted.
#[event("shop.order_placed")]
struct Sale {
    cents: u64,
    note: Option<String>,
}

/// A struct that is only emitted. It has every required property.
#[event("statistics.turnover_changed", emit)]
struct Turnover {
    cents: u64,
    orders: u32,
}

/// The turnover of the day so far: cents, and the number of orders.
type Day = Arc<watch::Sender<(u64, u32)>>;

fn handlers() -> Listeners {
    listeners![count]
}

#[listener(group = "statistics")]
async fn count(sale: Sale, context: Context, State(day): State<Day>, bus: Bus) -> Result<(), Error> {
    println!("{} cents{}", sale.cents, sale.note.map(|note| format!(", {note}")).unwrap_or_default());
    let (mut cents, mut orders) = (0, 0);
    day.send_modify(|day| {
        *day = (day.0 + sale.cents, day.1 + 1);
        (cents, orders) = *day;
    });
    println!("turnover: {cents} cents in {orders} orders");
    bus.emit(Turnover { cents, orders }, context).await
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let bus = Bus::in_memory();
    let day = Day::default();
    let mut turnover = day.subscribe();
    let running = bus.service().state(day).listeners(handlers()).start().await?;
    for (id, cents) in [("o-1", 1_999), ("o-2", 501)] {
        let order = OrderPlaced::new(cents, OrderPlacedCustomer::new("Ada Lovelace"), id);
        bus.emit(OrderPlaced { note: Some("as a gift".to_owned()), ..order }, Context::new("web")).await?;
    }
    // In memory, events that still wait when the service stops are lost.
    let _ = turnover.wait_for(|(_, orders)| *orders == 2).await;
    running.stop().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::statistics::TurnoverChanged;
    use twyla_runtime::testing::TestBus;

    #[tokio::test]
    async fn each_order_adds_to_the_turnover() {
        let test = TestBus::new();
        test.run(|service| service.state(Day::default()).listeners(handlers())).await.unwrap();
        for cents in [1_999, 501] {
            let customer = OrderPlacedCustomer::new("Ada Lovelace");
            test.give(OrderPlaced::new(cents, customer, "o-1"), Context::new("web")).await;
        }
        assert_eq!(test.expect_emitted::<TurnoverChanged>().content.cents, 1_999);
        let turnover = test.expect_emitted::<TurnoverChanged>().content;
        assert_eq!((turnover.cents, turnover.orders), (2_500, 2));
    }
}
