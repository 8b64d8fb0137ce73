//! The command line of the bench.

use clap::Parser;

/// Measures the cost of an event over RabbitMQ.
#[derive(Parser)]
pub(crate) struct Args {
    /// The number of events of each work in each round.
    #[arg(long, default_value_t = 20_000)]
    pub(crate) events: u32,
    /// The number of rounds; the median counts.
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// Runs only the variants whose names contain this, for a profiler.
    #[arg(long)]
    pub(crate) way: Option<String>,
    /// Only emits and handles this many events, and reports the memory of this process from time to time.
    #[arg(long)]
    pub(crate) flat: Option<u32>,
    /// Only measures the cost of telemetry (with the feature `seen`).
    #[cfg(feature = "seen")]
    #[arg(long)]
    pub(crate) seen: bool,
    /// Runs one process of that measurement.
    #[cfg(feature = "seen")]
    #[arg(long, hide = true)]
    pub(crate) seen_as: Option<String>,
    /// Runs only the works whose names contain this.
    pub(crate) only: Option<String>,
}
