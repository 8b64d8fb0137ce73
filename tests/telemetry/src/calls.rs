//! A service that calls itself over HTTP: answered, answered with a contract error, failed, and refused.

use std::error::Error;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
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

/// Sends requests that a service refuses before the call begins, one for each status; none reaches the handler.
pub(crate) async fn refuse(bus: &Bus) -> Result<(), Box<dyn Error>> {
    let (begun, _) = mpsc::unbounded_channel::<()>();
    let settings = Serve::on("127.0.0.1:0").max_request(100).read_deadline(Duration::from_millis(300));
    let running = bus.service().state(begun).rpcs(rpcs![get_booking]).serve(settings).start().await?;
    let address = running.address().ok_or("no address")?;
    let json = "content-type: application/json\r\n";
    for (status, request) in [
        (
            400,
            format!("POST /rpc/get_booking HTTP/1.1\r\n{json}twyla-timeout-ms: soon\r\ncontent-length: 2\r\n\r\n{{}}"),
        ),
        (404, format!("POST /rpc/get_bookings HTTP/1.1\r\n{json}content-length: 2\r\n\r\n{{}}")),
        (405, "GET /rpc/get_booking HTTP/1.1\r\n\r\n".to_owned()),
        (408, format!("POST /rpc/get_booking HTTP/1.1\r\n{json}content-length: 2\r\n\r\n")),
        (413, format!("POST /rpc/get_booking HTTP/1.1\r\n{json}content-length: 101\r\n\r\n")),
        (415, "POST /rpc/get_booking HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}".to_owned()),
        (
            415,
            format!("POST /rpc/get_booking HTTP/1.1\r\n{json}content-encoding: gzip\r\ncontent-length: 2\r\n\r\n{{}}"),
        ),
    ] {
        let mut stream = TcpStream::connect(address).await?;
        let (line, rest) = request.split_once("\r\n").ok_or("no head")?;
        stream.write_all(format!("{line}\r\nhost: x\r\nconnection: close\r\n{rest}").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        if !answer.starts_with(&format!("HTTP/1.1 {status} ")) {
            return Err(format!("{request}: {answer}").into());
        }
    }
    running.stop().await;
    Ok(())
}
