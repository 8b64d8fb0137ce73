//! Calls within one process. Their messages are encoded as text too, so that encoding, validation and decoding are the same
//! as over HTTP.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use tokio::time::Instant;

use super::env::UnsetVariables;
use crate::rpc::handler::too_large;
use crate::rpc::protocol::attempt::{Answer, AttemptError, CallAttempt};
use crate::rpc::server::dispatch::{ServedMethod, Server};
use crate::telemetry::metrics;

/// The callable services of this process.
pub(crate) struct Network {
    methods: RwLock<HashMap<String, Vec<InProcessService>>>,
    /// The environment variables without addresses, for the error of a call to a service that isn't in this process.
    unset: Option<UnsetVariables>,
}

struct InProcessService {
    server: Weak<Server>,
    served: Arc<ServedMethod>,
}

impl Network {
    pub(crate) fn new(unset: Option<UnsetVariables>) -> Self {
        Self { methods: RwLock::default(), unset }
    }

    /// Makes the RPCs of a service callable while it exists.
    pub(crate) fn attach(&self, server: &Arc<Server>) {
        let mut methods = self.methods.write().unwrap_or_else(PoisonError::into_inner);
        for served in server.methods() {
            let services = methods.entry(served.registration.name.to_owned()).or_default();
            services.retain(|entry| entry.server.strong_count() > 0);
            services.push(InProcessService { server: Arc::downgrade(server), served: served.clone() });
        }
    }

    /// Returns the newest service that serves the RPC, preferring one that accepts calls.
    fn find(&self, service: &str, method: &str) -> Option<(Arc<Server>, Arc<ServedMethod>)> {
        let methods = self.methods.read().unwrap_or_else(PoisonError::into_inner);
        let services = methods.get(&format!("{service}.{method}"))?;
        let mut found = services.iter().rev().filter_map(|entry| Some((entry.server.upgrade()?, entry.served.clone())));
        let newest = found.next()?;
        if newest.0.is_running() {
            Some(newest)
        } else {
            found.find(|(server, _)| server.is_running()).or(Some(newest))
        }
    }

    pub(crate) async fn send(&self, attempt: CallAttempt) -> Result<Answer, AttemptError> {
        let Some((server, served)) = self.find(attempt.service, attempt.method) else {
            let mut why = format!("no service in this process serves {}.{}", attempt.service, attempt.method);
            match &self.unset {
                Some(unset) => why.push_str(&format!(", and {}", unset.missing(attempt.service))),
                None => why.push_str(": pass this `Rpc` to the service with `.rpc(..)`, before the service starts"),
            }
            return Err(AttemptError { maybe_begun: false, why });
        };
        let most = server.settings.max_request;
        if attempt.request.len() > most {
            let answer = too_large(served.registration.name, most);
            metrics::served(served.registration.name, answer.status);
            return Ok(answer);
        }
        let _permit = match server.admit(&served) {
            Ok(permit) => permit,
            Err(busy) => return Ok(busy),
        };
        tokio::select! {
            biased;
            answer = server.answer(&served, attempt, Instant::now()) => Ok(answer),
            () = server.ended() => Err(AttemptError { maybe_begun: true, why: "the service stopped before it answered".to_owned() }),
        }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}
