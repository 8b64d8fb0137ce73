//! Emits an order, and shows its invoice: `cargo run -p shop`.
//!
//! It runs on RabbitMQ if `EVENT_BUS_AMQP_HOST` is set; start `billing` first. Without a broker the order reaches no other
//! program, and the shop says so.

mod contracts {
    twyla_runtime::include_contracts!();
}

use std::time::Duration;

use contracts::{Context, billing::InvoiceSent, shop::OrderPlaced};
use twyla_runtime::{Bus, Error, Listeners, listener, listeners};

fn handlers() -> Listeners {
    listeners![show_invoice]
}

#[listener("billing.invoice_sent", group = "shop")]
async fn show_invoice(invoice: InvoiceSent) {
    println!("order {} has the invoice {}", invoice.order_id, invoice.number);
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let bus = Bus::from_env("EVENT_BUS").await?;
    if std::env::var_os("EVENT_BUS_AMQP_HOST").is_none() {
        println!("the bus is in memory, so billing gets no event and sends no invoice: set EVENT_BUS_AMQP_HOST");
    }
    let running = bus.service().listeners(handlers()).start().await?;
    bus.emit(OrderPlaced::new(1_999, "o-4711"), Context::new("web")).await?;
    println!("order o-4711 is placed");
    tokio::time::sleep(Duration::from_secs(1)).await;
    running.stop().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use twyla_runtime::testing::Neighbour;

    #[test]
    fn billing_accepts_every_order() {
        Neighbour::read("../manifests/billing.contracts.json").unwrap().expect_accepts::<OrderPlaced>();
    }

    #[test]
    fn every_invoice_of_billing_is_understood() {
        Neighbour::read("../manifests/billing.contracts.json").unwrap().expect_understood(handlers());
    }
}
