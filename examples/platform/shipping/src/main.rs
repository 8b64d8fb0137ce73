//! Quotes the price of parcels over HTTP, and sends those that are paid.

use platform_contracts as contracts;

use contracts::rpc::shipping::{QuoteError, QuoteErrorReason, QuoteRequest, QuoteResponse};
use contracts::{Context, payments::PaymentReceived, shipping::ParcelSent};
use twyla_runtime::rpc::Serve;
use twyla_runtime::{Bus, Error, listener, listeners, rpc, rpcs};

#[rpc("shipping.quote")]
async fn quote(request: QuoteRequest) -> Result<QuoteResponse, QuoteError> {
    match request.country.as_str() {
        "AT" => Ok(QuoteResponse::new(490)),
        "DE" | "CH" => Ok(QuoteResponse::new(990)),
        "AQ" => Err(QuoteError::new(QuoteErrorReason::NoCarrier)),
        _ => Err(QuoteError::new(QuoteErrorReason::UnknownCountry)),
    }
}

#[listener("payments.payment_received", group = "shipping")]
async fn send(payment: PaymentReceived, context: Context, bus: Bus) -> Result<(), Error> {
    let parcel = format!("P-{}", payment.order_id);
    println!("{}: paid, sent as {parcel}", payment.order_id);
    let sent = ParcelSent { receipt: Some(payment.receipt), ..ParcelSent::new(payment.order_id, parcel) };
    bus.emit(sent, context).await
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let bus = Bus::from_env("EVENT_BUS").await?;
    let service = bus.service().listeners(listeners![send]).rpcs(rpcs![quote]).serve(Serve::from_env("SHIPPING")?);
    let running = service.start().await?;
    if let Some(address) = running.address() {
        println!("shipping serves on http://{address}; ctrl-C ends");
    }
    running.run().await
}
