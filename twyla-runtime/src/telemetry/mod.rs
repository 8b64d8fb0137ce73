#![doc = include_str!("../../docs/telemetry.md")]

mod error;
pub(crate) mod here;
mod lines;
mod otlp;
mod record;
pub(crate) mod sampling;
mod setup;
mod sink;

pub use error::SetupError;
#[cfg(feature = "rpc-server")]
pub(crate) use setup::figures;
pub use setup::{Telemetry, init};
