//! How far a service is: it runs, drains or ends.

use tokio::sync::watch;

/// How far a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Running,
    /// Nothing more is taken; handlers may finish.
    Draining,
    /// Handlers that still run are stopped.
    Ending,
}

/// Resolves when the service takes nothing more.
pub(crate) async fn stopping(phase: &mut watch::Receiver<Phase>) {
    // An error means that the `Running` was dropped.
    let _ = phase.wait_for(|phase| *phase != Phase::Running).await;
}
