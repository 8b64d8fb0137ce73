//! Places an order, and shows when its parcel is sent: `cargo run -- o-4711 1999 AT`.
//!
//! The service `shipping` quotes the price of the parcel over HTTP; the rest are events over RabbitMQ.

use std::process::ExitCode;

use platform_contracts as contracts;

use contracts::rpc::shipping::{Quote, QuoteRequest};
use contracts::{Context, orders::OrderPlaced, shipping::ParcelSent};
use tokio::sync::mpsc;
use twyla_runtime::{Bus, Rpc, State, listener, listeners};

/// Passes parcels on to `main`.
#[derive(Clone)]
struct Parcels(mpsc::UnboundedSender<ParcelSent>);

#[listener("shipping.parcel_sent", group = "orders")]
async fn parcel_sent(parcel: ParcelSent, State(parcels): State<Parcels>) {
    // without a receiver, the program ends
    let _ = parcels.0.send(parcel);
}

async fn order(order_id: &str, cents: u64, country: &str) -> Result<(), Box<dyn std::error::Error>> {
    let context = Context::new("c-1");
    let quote = Rpc::from_env("PLATFORM")?.call::<Quote>(QuoteRequest::new(country), &context).await?;
    println!("{order_id}: shipping to {country} costs {} cents", quote.cents);

    let (parcels, mut sent) = mpsc::unbounded_channel();
    let bus = Bus::from_env("EVENT_BUS").await?;
    let running = bus.service().state(Parcels(parcels)).listeners(listeners![parcel_sent]).start().await?;
    bus.emit(OrderPlaced::new(cents + quote.cents, country, order_id), context).await?;
    println!("{order_id}: placed");
    while let Some(parcel) = sent.recv().await {
        if parcel.order_id == order_id {
            println!("{order_id}: sent as {} with receipt {}", parcel.parcel, parcel.receipt.unwrap_or_default());
            break;
        }
    }
    running.stop().await;
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [order_id, cents, country] = arguments.as_slice() else {
        eprintln!("expected an order, its price in cents, and a country: orders o-4711 1999 AT");
        return ExitCode::FAILURE;
    };
    let Ok(cents) = cents.parse() else {
        eprintln!("expected a price in cents, found {cents:?}");
        return ExitCode::FAILURE;
    };
    match order(order_id, cents, country).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
