//! Notifies customers of their parcels: reads of the event only what the message needs.

use platform_contracts as contracts;

use contracts::Context;
use twyla_runtime::{Bus, Error, event, listener, listeners};

#[event("shipping.parcel_sent", listen)]
struct Parcel {
    order_id: String,
    parcel: String,
}

#[listener("shipping.parcel_sent", group = "notifications")]
async fn notify(parcel: Parcel, context: Context) {
    println!("to {}: your order {} is on its way, look for {}", context.customer, parcel.order_id, parcel.parcel);
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let bus = Bus::from_env("EVENT_BUS").await?;
    let running = bus.service().listeners(listeners![notify]).start().await?;
    println!("notifications waits for parcels; ctrl-C ends");
    running.run().await
}
