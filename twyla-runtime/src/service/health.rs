//! Liveness and readiness of a service, for load balancers and supervisors.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

use super::backlog::Backlog;
use super::phase::Phase;
use super::store_state::WaitingForStore;
use crate::transport::state::{BusState, LinkState};

/// The health of a service, from [`Running::health`](crate::Running::health).
///
/// With the feature `rpc-server` it is also available over HTTP: `GET /health/live` and `GET /health/ready` next to the RPCs, or on the
/// address of [`Service::operations`](crate::Service::operations).
#[derive(Clone)]
pub struct Health {
    bus: watch::Receiver<BusState>,
    /// The name of each queue, and whether its consumer exists.
    consumers: Arc<[(String, watch::Receiver<bool>)]>,
    /// The name of each queue, and its deliveries that wait for the dedupe store or the outbox.
    stores: Arc<[(String, watch::Receiver<WaitingForStore>)]>,
    /// The name of each queue, and its deliveries that wait to be dead-lettered.
    held: Arc<[(String, watch::Receiver<Backlog>)]>,
    /// The name of each queue whose listener may pause, and the reason of its pause.
    paused: Arc<[(String, watch::Receiver<Option<String>>)]>,
    phase: watch::Receiver<Phase>,
    /// Whether the service reports that it isn't ready because it will stop soon.
    leaving: watch::Receiver<bool>,
}

impl Health {
    pub(crate) fn new(
        bus: watch::Receiver<BusState>,
        consumers: Vec<(String, watch::Receiver<bool>)>,
        stores: Vec<(String, watch::Receiver<WaitingForStore>)>,
        held: Vec<(String, watch::Receiver<Backlog>)>,
        paused: Vec<(String, watch::Receiver<Option<String>>)>,
        phase: watch::Receiver<Phase>,
        leaving: watch::Receiver<bool>,
    ) -> Self {
        let (consumers, stores, held, paused) = (consumers.into(), stores.into(), held.into(), paused.into());
        Self { bus, consumers, stores, held, paused, phase, leaving }
    }

    /// Returns the reasons why the service isn't ready; none if it is. It is ready if both connections are up, every consumer
    /// exists, no event waits for the store of [`Dedupe`](crate::Dedupe), for the outbox, or for its dead queue to accept it,
    /// no listener pauses after failures, and the service isn't stopping.
    ///
    /// A broker that accepts no messages for now (a memory alarm) doesn't make the service unready: it still handles events.
    #[must_use]
    pub fn unready(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        let stopping = self.phase.has_changed().is_err() || *self.phase.borrow() != Phase::Running;
        if stopping || *self.leaving.borrow() {
            reasons.push("the service is stopping".to_owned());
        }
        let bus = self.bus.borrow();
        for (link, state) in [("publishing", &bus.publish), ("consuming", &bus.consume)] {
            match state {
                LinkState::Up | LinkState::Blocked { .. } => {}
                LinkState::Down { why, since } => {
                    reasons
                        .push(format!("the connection for {link} has been down since {}: {why}", since.to_rfc3339()));
                }
                LinkState::Closed => reasons.push(format!("the connection for {link} is closed")),
            }
        }
        let missing = self.consumers.iter().filter(|(_, there)| !*there.borrow());
        reasons.extend(missing.map(|(queue, _)| format!("the queue `{queue}` has no consumer of this service")));
        reasons.extend(self.stores.iter().filter_map(|(queue, waiting)| waiting.borrow().reason(queue)));
        reasons.extend(self.held.iter().filter_map(|(queue, backlog)| backlog.borrow().reason(queue)));
        for (queue, pause) in self.paused.iter() {
            if let Some(why) = &*pause.borrow() {
                reasons.push(format!("the listener of `{queue}` pauses {why}"));
            }
        }
        reasons
    }

    /// Returns whether the service is ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.unready().is_empty()
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").field("unready", &self.unready()).finish()
    }
}

#[cfg(feature = "rpc-server")]
mod routes {
    use axum::Router;
    use axum::http::StatusCode;
    use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
    use axum::response::IntoResponse;
    use axum::routing::get;

    use super::Health;

    const JSON: &str = "application/json";

    impl Health {
        /// Returns the routes `GET /health/live` and `GET /health/ready`.
        pub(crate) fn routes(&self) -> Router {
            let health = self.clone();
            let ready = move || async move {
                let reasons = health.unready();
                let (code, status) = match reasons.as_slice() {
                    [] => (StatusCode::OK, "ready"),
                    _ => (StatusCode::SERVICE_UNAVAILABLE, "unready"),
                };
                answer(code, &serde_json::json!({ "status": status, "reasons": reasons }))
            };
            let live = || async { answer(StatusCode::OK, &serde_json::json!({ "status": "live" })) };
            Router::new().route("/health/live", get(live)).route("/health/ready", get(ready))
        }

        /// Returns the health routes, and `GET /metrics` with the feature `telemetry`.
        pub(crate) fn operations(&self) -> Router {
            let routes = self.routes();
            #[cfg(feature = "telemetry")]
            let routes = routes.route("/metrics", get(metrics));
            routes
        }
    }

    fn answer(code: StatusCode, body: &serde_json::Value) -> impl IntoResponse + use<> {
        (code, [(CONTENT_TYPE, JSON), (CACHE_CONTROL, "no-store")], body.to_string())
    }

    #[cfg(feature = "telemetry")]
    async fn metrics() -> axum::response::Response {
        match crate::telemetry::metrics_text() {
            Some(text) => ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response(),
            None => (StatusCode::NOT_FOUND, "no metrics: `telemetry::init` was not called").into_response(),
        }
    }
}
