//! The calls with Twyla: everything checked against its contract, on both sides.

use std::sync::Arc;

use tokio::task::JoinSet;
use twyla_runtime::rpc::{Config, Serve};
use twyla_runtime::{Bus, Rpc, State, rpc, rpcs};

use crate::child::{self, Child};
use crate::contracts::Context;
use crate::contracts::rpc::navitaire_api::{GetBooking, GetBookingRequest};
use crate::contracts::shared::{Booking, BookingFlightsItem};
use crate::measure::Result;
use crate::way::{Doing, Way};

/// The booking that answers every call.
pub(crate) fn booking() -> Result<Booking> {
    let flight = |number: &str, from: &str, to: &str, departs: &str| {
        Ok::<_, twyla_runtime::InvalidDateTime>(BookingFlightsItem::new(departs.parse()?, from, number, to))
    };
    let flights = vec![
        flight("TW512", "BER", "LIS", "2026-05-04T08:15:00+02:00")?,
        flight("TW513", "LIS", "BER", "2026-05-11T17:40:00+01:00")?,
    ];
    let passengers = vec!["Ada Lovelace".to_owned(), "Charles Babbage".to_owned()];
    Ok(Booking { price: Some(31_880), ..Booking::new(flights, passengers, "A1324B") })
}

#[rpc("navitaire-api.get_booking")]
async fn get_booking(request: GetBookingRequest, booking: State<Arc<Booking>>) -> Result<Booking> {
    Ok(Booking { pnr: request.pnr, ..(**booking).clone() })
}

/// Serves until standard input ends.
pub(crate) async fn serve() -> Result {
    let service = Bus::in_memory().service().state(Arc::new(booking()?)).rpcs(rpcs![get_booking]);
    let running = service.serve(Serve::on("127.0.0.1:0")).start().await?;
    child::serving(running.address().ok_or("nothing is served")?).await;
    running.stop().await;
    Ok(())
}

pub(crate) async fn way() -> Result<Way> {
    called("Twyla, validated", Child::serving("twyla")?)
}

/// Calls a Twyla service with one worker thread.
pub(crate) async fn with_one_worker() -> Result<Way> {
    called("Twyla, one worker", Child::with_one_worker("twyla")?)
}

fn called(name: &'static str, service: Child) -> Result<Way> {
    let config = Config::new().address("navitaire-api", [format!("http://{}", service.address)]);
    let rpc = Rpc::new(config)?;
    let calls = move |count, together| -> Doing { Box::pin(calls(rpc.clone(), count, together)) };
    Ok(Way { name, service, calls: Box::new(calls) })
}

async fn calls(rpc: Rpc, count: u32, together: u32) -> Result {
    let mut tasks = JoinSet::new();
    for _ in 0..together {
        let rpc = rpc.clone();
        tasks.spawn(async move {
            let context = Context::new("bench");
            for _ in 0..count / together {
                let booking = rpc.call::<GetBooking>(GetBookingRequest::new("A1324B"), &context).await?;
                if booking.flights.len() != 2 {
                    return Err("another booking".into());
                }
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}
