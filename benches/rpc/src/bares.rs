//! The benchmark's calls without Twyla: axum's `Json`, reqwest's `json`, and serde's derive on types without rules. The caller also
//! calls FastAPI with pydantic.

use std::process::Command;
use std::sync::Arc;

use axum::extract::State;
use axum::routing::post;
use axum::serve::ListenerExt;
use axum::{Json, Router};
use chrono::{DateTime, FixedOffset};
use reqwest::Client;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::child::{self, Child};
use crate::measure::Result;
use crate::way::{Doing, Way};

#[derive(Clone, Serialize, Deserialize)]
struct GetBookingRequest {
    pnr: String,
}

#[derive(Clone, Serialize, Deserialize)]
struct Booking {
    pnr: String,
    passengers: Vec<String>,
    flights: Vec<Flight>,
    price: Option<u64>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Flight {
    number: String,
    from: String,
    to: String,
    departs: DateTime<FixedOffset>,
}

fn booking() -> Result<Booking> {
    let flight = |number: &str, from: &str, to: &str, departs: &str| {
        let (number, from, to) = (number.to_owned(), from.to_owned(), to.to_owned());
        Ok::<_, chrono::ParseError>(Flight { number, from, to, departs: departs.parse()? })
    };
    let flights = vec![
        flight("TW512", "BER", "LIS", "2026-05-04T08:15:00+02:00")?,
        flight("TW513", "LIS", "BER", "2026-05-11T17:40:00+01:00")?,
    ];
    let passengers = vec!["Ada Lovelace".to_owned(), "Charles Babbage".to_owned()];
    Ok(Booking { pnr: "A1324B".to_owned(), passengers, flights, price: Some(31_880) })
}

async fn get_booking(State(booking): State<Arc<Booking>>, Json(request): Json<GetBookingRequest>) -> Json<Booking> {
    Json(Booking { pnr: request.pnr, ..(*booking).clone() })
}

/// Serves until standard input ends.
pub(crate) async fn serve() -> Result {
    let app = Router::new().route("/rpc/get_booking", post(get_booking)).with_state(Arc::new(booking()?));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    tokio::select! {
        ended = async { axum::serve(listener, app).await } => Ok(ended?),
        () = child::serving(address) => Ok(()),
    }
}

pub(crate) async fn way() -> Result<Way> {
    called("axum and reqwest by hand, serde", Child::serving("bare")?)
}

/// Starts FastAPI behind uvicorn, as one process.
pub(crate) async fn fastapi(python: &str) -> Result<Way> {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/fastapi_service.py");
    called("FastAPI, pydantic, uvicorn", Child::of(Command::new(python).arg(program))?)
}

fn called(name: &'static str, service: Child) -> Result<Way> {
    let url = format!("http://{}/rpc/get_booking", service.address);
    let client = Client::builder().no_proxy().build()?;
    let calls = move |count, together| -> Doing { Box::pin(calls(client.clone(), url.clone(), count, together)) };
    Ok(Way { name, service, calls: Box::new(calls) })
}

async fn calls(client: Client, url: String, count: u32, together: u32) -> Result {
    let mut tasks = JoinSet::new();
    for _ in 0..together {
        let (client, url) = (client.clone(), url.clone());
        tasks.spawn(async move {
            for _ in 0..count / together {
                let request = GetBookingRequest { pnr: "A1324B".to_owned() };
                let answer = client.post(&url).json(&request).send().await?.error_for_status()?;
                let booking: Booking = answer.json().await?;
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
