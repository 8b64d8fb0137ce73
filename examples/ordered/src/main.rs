//! Handles the changes of one order in their order, and different orders side by side: `cargo run -p ordered`.
//!
//! `ordered_by` names the key. Events with the same key are begun one after another, each when the one before has succeeded or
//! was dead-lettered, also while one of them waits for a retry. On RabbitMQ that holds across restarts and the members of a group.

mod contracts {
    twyla_runtime::include_contracts!();
}

use std::time::Duration;

use contracts::Context;
use contracts::shop::{OrderChanged, OrderChangedStatus};
use tokio::sync::mpsc;
use twyla_runtime::{Bus, Error, Fail, Listeners, Meta, State, listener, listeners};

/// Where the handler reports what it has done.
type Done = mpsc::UnboundedSender<(String, OrderChangedStatus)>;

const ORDERS: [&str; 3] = ["o-1", "o-2", "o-3"];
const STATUSES: [OrderChangedStatus; 3] =
    [OrderChangedStatus::Placed, OrderChangedStatus::Paid, OrderChangedStatus::Shipped];

fn handlers() -> Listeners {
    listeners![show]
}

/// The first attempt at the payment of `o-2` fails. Its shipment waits for the second one; the other orders don't.
#[listener("shop.order_changed", group = "tracking", ordered_by = content.order_id, retry = "5x 100ms..1s")]
async fn show(change: OrderChanged, meta: Meta, State(done): State<Done>) -> Result<(), Fail> {
    if change.order_id == "o-2" && change.status == OrderChangedStatus::Paid && meta.attempt == 1 {
        println!("{}  paid: failed, will be retried", change.order_id);
        return Err(Fail::retry("the payment service is busy"));
    }
    // work that takes longer for some orders than for others
    tokio::time::sleep(Duration::from_millis(if change.order_id == "o-1" { 30 } else { 5 })).await;
    println!("{}  {:?}", change.order_id, change.status);
    // without a receiver, the report is not needed
    let _ = done.send((change.order_id, change.status));
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let bus = Bus::in_memory();
    let (sender, mut done) = mpsc::unbounded_channel();
    let running = bus.service().state::<Done>(sender).listeners(handlers()).start().await?;
    for status in STATUSES {
        for order in ORDERS {
            bus.emit(OrderChanged::new(order, status), Context::new("web")).await?;
        }
    }
    for _ in 0..ORDERS.len() * STATUSES.len() {
        done.recv().await;
    }
    println!("each order went from placed to paid to shipped");
    running.stop().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use twyla_runtime::testing::TestBus;

    #[tokio::test]
    async fn a_shipment_waits_for_the_retry_of_its_payment() {
        let (sender, mut done) = mpsc::unbounded_channel();
        let test = TestBus::new();
        test.run(|service| service.state::<Done>(sender).listeners(handlers())).await.unwrap();
        for status in STATUSES {
            test.bus().emit(OrderChanged::new("o-2", status), Context::new("web")).await.unwrap();
        }
        test.settle().await;
        for status in STATUSES {
            assert_eq!(done.recv().await, Some(("o-2".to_owned(), status)));
        }
    }
}
