//! A service that is called, by itself over HTTP: answered, answered with an error of its contract, failed, and turned away.

use std::error::Error;

use tokio::sync::mpsc;
use twyla_runtime::rpc::{CallError, Config, Serve};
use twyla_runtime::{Bus, Fail, Rpc, State, rpc, rpcs, session_id};

use crate::contracts::Context;
use crate::contracts::rpc::navitaire_api::{GetBooking, GetBookingError, GetBookingErrorReason, GetBookingRequest};
use crate::contracts::shared::{Booking, BookingFlightsItem};

#[rpc("navitaire-api.get_booking", concurrency = 1)]
async fn get_booking(
    request: GetBookingRequest,
    State(begun): State<mpsc::UnboundedSender<()>>,
) -> Result<Booking, Fail> {
    tracing::info!("looking");
    match request.pnr.as_str() {
        "AAAAAA" => Err(GetBookingError::new("no such booking", GetBookingErrorReason::NotFound).into()),
        "BROKEN" => Err(Fail::retry("the disk is full")),
        "WAITS1" => {
            let _ = begun.send(());
            std::future::pending().await
        }
        pnr => {
            let flight = BookingFlightsItem::new("2026-05-04T08:15:00+02:00".parse()?, "BER", "TW512", "LIS");
            Ok(Booking::new(vec![flight], vec!["Ada Lovelace".to_owned()], pnr))
        }
    }
}

pub(crate) async fn run(bus: &Bus) -> Result<(), Box<dyn Error>> {
    let (begun, mut begins) = mpsc::unbounded_channel::<()>();
    let service = bus.service().state(begun).rpcs(rpcs![get_booking]).serve(Serve::on("127.0.0.1:0"));
    let running = service.start().await?;
    let address = running.address().ok_or("no address")?;
    let config = Config::new().address("navitaire-api", [format!("http://{address}")]).attempts(1);
    let rpc = Rpc::new(config)?.with_session(session_id("a session"));
    let call = |pnr: &str| rpc.call::<GetBooking>(GetBookingRequest::new(pnr), Context::new("web"));
    call("A1324B").await?;
    let missing = call("AAAAAA").await;
    let broken = call("BROKEN").await;
    let waiting = tokio::spawn(call("WAITS1").into_future());
    begins.recv().await;
    let full = call("A1324B").await;
    waiting.abort();
    let _ = waiting.await;
    match (missing, broken, full) {
        (
            Err(CallError::Domain(_)),
            Err(CallError::Fault { status: 500, .. }),
            Err(CallError::Fault { status: 503, .. }),
        ) => {}
        other => return Err(format!("{other:?}").into()),
    }
    running.stop().await;
    Ok(())
}
