//! The command line of the bench.

use clap::Parser;

/// What an event costs on its way over RabbitMQ.
#[derive(Parser)]
pub(crate) struct Args {
    /// How many events each work has in each round.
    #[arg(long, default_value_t = 20_000)]
    pub(crate) events: u32,
    /// How often each work is done; the median counts.
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// Only the ways whose names contain this, for a profiler.
    #[arg(long)]
    pub(crate) way: Option<String>,
    /// Nothing but this: emits and handles so many events, and tells now and then how much memory this process has.
    #[arg(long)]
    pub(crate) flat: Option<u32>,
    /// Nothing but this: what it costs that an operator sees it (with the feature `seen`).
    #[cfg(feature = "seen")]
    #[arg(long)]
    pub(crate) seen: bool,
    /// One process of that.
    #[cfg(feature = "seen")]
    #[arg(long, hide = true)]
    pub(crate) seen_as: Option<String>,
    /// Only the works whose names contain this.
    pub(crate) only: Option<String>,
}
