//! The errors of a run of chaos.

use std::io;

use crate::{broker, machine, postgres, target};

/// A run that could not be made, or that did not pass.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Machine(#[from] machine::Error),
    #[error(transparent)]
    Broker(#[from] broker::Error),
    #[error(transparent)]
    Postgres(#[from] postgres::Error),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the producers and consumers could not be built")]
    Build,
    #[error(transparent)]
    Target(#[from] target::Error),
    #[error("{0} did not begin to consume")]
    NotReady(String),
    #[error("node {0} of 3 was not cut off from the others")]
    NotCutOff(usize),
    #[error("a run has lost, reordered or duplicated events: see its report above")]
    Failed,
}
