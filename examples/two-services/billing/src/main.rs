//! Sends an invoice for each order: `cargo run -p billing`. It ends with ctrl-C.
//!
//! It runs on RabbitMQ if `EVENT_BUS_AMQP_HOST` is set. Without a broker no orders arrive, but its tests run.

mod contracts {
    twyla_runtime::include_contracts!();
}

use contracts::{Context, billing::InvoiceSent, shop::OrderPlaced};
use twyla_runtime::{Bus, Error, Listeners, listener, listeners};

fn handlers() -> Listeners {
    listeners![send_invoice]
}

#[listener("shop.order_placed", group = "billing")]
async fn send_invoice(order: OrderPlaced, context: Context, bus: Bus) -> Result<(), Error> {
    println!("invoice for order {}: {} cents", order.order_id, order.cents);
    let number = format!("INV-{}", order.order_id);
    bus.emit(InvoiceSent::new(number, order.order_id), context).await
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let bus = Bus::from_env("EVENT_BUS").await?;
    println!("billing waits for orders; ctrl-C ends");
    bus.service().listeners(handlers()).run().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use twyla_runtime::testing::{Neighbour, TestBus};

    #[tokio::test]
    async fn an_order_gets_an_invoice_that_the_shop_accepts() {
        let test = TestBus::new();
        test.run(|service| service.listeners(handlers())).await.unwrap();
        test.give(OrderPlaced::new(1_999, "o-4711"), Context::new("web")).await;
        let shop = Neighbour::read("../manifests/shop.contracts.json").unwrap();
        assert_eq!(shop.expect_accepts_emitted(&test), 1);
        assert_eq!(test.expect_emitted::<InvoiceSent>().content.number, "INV-o-4711");
    }

    #[test]
    fn every_order_of_the_shop_is_understood() {
        Neighbour::read("../manifests/shop.contracts.json").unwrap().expect_understood(handlers());
    }
}
