#![cfg_attr(feature = "telemetry", doc = include_str!("../../docs/telemetry.md"))]

#[cfg(feature = "telemetry")]
pub(crate) mod current;
#[cfg(feature = "telemetry")]
mod error;
#[cfg(feature = "telemetry")]
mod log_format;
#[cfg(feature = "telemetry")]
mod log_record;
#[cfg(feature = "telemetry")]
mod log_sink;
pub(crate) mod metrics;
#[cfg(feature = "telemetry")]
mod otlp;
#[cfg(feature = "telemetry")]
pub(crate) mod sampling;
#[cfg(feature = "telemetry")]
mod setup;
pub(crate) mod span;
pub(crate) mod trace;

#[cfg(feature = "telemetry")]
pub use error::SetupError;
#[cfg(all(feature = "telemetry", feature = "rpc-server"))]
pub(crate) use setup::metrics_text;
#[cfg(feature = "telemetry")]
pub use setup::{Telemetry, init};
