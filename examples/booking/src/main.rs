//! The booking service over HTTP: `cargo run -p booking` serves on `127.0.0.1:8080`, or on `BOOKING_HTTP_ADDRESS`.

use std::process::ExitCode;

use booking::{Bookings, rpcs};
use twyla_runtime::rpc::Serve;
use twyla_runtime::{Bus, Error};

#[tokio::main]
async fn main() -> ExitCode {
    #[cfg(feature = "telemetry")]
    let _telemetry = match twyla_runtime::telemetry::init("PLATFORM") {
        Ok(telemetry) => telemetry,
        Err(error) => return failed(&error),
    };
    #[cfg(not(feature = "telemetry"))]
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .with_writer(std::io::stderr)
        .init();
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

async fn serve() -> Result<(), Error> {
    // a service needs a bus; this one has no listeners
    let bus = Bus::from_env("EVENT_BUS").await?;
    let service = bus.service().state(Bookings::demo()).rpcs(rpcs()).serve(Serve::from_env("BOOKING")?);
    let running = service.start().await?;
    if let Some(address) = running.address() {
        println!("serving on http://{address}; ctrl-C ends");
    }
    running.run().await
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::FAILURE
}
