//! The phase of a service: running, draining or ending.

use tokio::sync::watch;

/// The phase of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Running,
    /// The service takes no more deliveries; handlers may finish.
    Draining,
    /// Handlers that are still running are stopped.
    Ending,
}

/// Resolves when the service takes no more deliveries.
pub(crate) async fn stopping(phase: &mut watch::Receiver<Phase>) {
    // An error means that the `Running` was dropped.
    let _ = phase.wait_for(|phase| *phase != Phase::Running).await;
}
