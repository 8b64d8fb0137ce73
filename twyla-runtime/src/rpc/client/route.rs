//! The destination of attempts: a service of this process, or a service's addresses in turn.

use std::fmt;
use std::sync::Arc;

use super::budget::Budget;
use super::env::UnsetVariables;
use super::in_process::Network;
use crate::rpc::protocol::attempt::{Answer, AttemptError, CallAttempt, NoRoute};
use crate::rpc::server::dispatch::Server;

/// The transport of calls.
pub(crate) enum Link {
    Memory {
        network: Network,
        budget: Budget,
    },
    #[cfg(feature = "rpc-client")]
    Http(crate::rpc::client::http::Http),
}

/// The destination of the attempts at one call.
pub(crate) enum Route<'a> {
    Memory {
        network: &'a Network,
        budget: &'a Budget,
    },
    #[cfg(feature = "rpc-client")]
    Http(crate::rpc::client::http::HttpRoute<'a>),
}

impl Link {
    /// Creates an in-process link. `unset` has the environment variables without addresses, for errors.
    pub(crate) fn in_memory(unset: Option<UnsetVariables>) -> Self {
        Self::Memory { network: Network::new(unset), budget: Budget::default() }
    }

    pub(crate) fn is_in_memory(&self) -> bool {
        matches!(self, Self::Memory { .. })
    }

    pub(crate) fn attach(&self, server: &Arc<Server>) {
        match self {
            Self::Memory { network, .. } => network.attach(server),
            #[cfg(feature = "rpc-client")]
            Self::Http(_) => {}
        }
    }

    /// Finds the destination for a service.
    #[cfg_attr(
        not(feature = "rpc-client"),
        allow(unused_variables, reason = "a call within the process needs no address")
    )]
    pub(crate) async fn route(&self, service: &'static str) -> Result<Route<'_>, NoRoute> {
        match self {
            Self::Memory { network, budget } => Ok(Route::Memory { network, budget }),
            #[cfg(feature = "rpc-client")]
            Self::Http(http) => Ok(Route::Http(http.route(service).await?)),
        }
    }
}

impl Route<'_> {
    /// Sends one attempt to the next address.
    pub(crate) async fn send(&mut self, attempt: &CallAttempt) -> Result<Answer, AttemptError> {
        match self {
            // boxed, so that the future of a call over HTTP doesn't contain a service
            Self::Memory { network, .. } => Box::pin(network.send(attempt.clone())).await,
            #[cfg(feature = "rpc-client")]
            Self::Http(route) => route.send(attempt).await,
        }
    }

    /// Returns whether an address is not yet tried in this round.
    pub(crate) fn another(&self) -> bool {
        match self {
            Self::Memory { .. } => false,
            #[cfg(feature = "rpc-client")]
            Self::Http(route) => route.another(),
        }
    }

    /// Begins another round, in which all addresses are tried again.
    pub(crate) fn all_again(&mut self) {
        match self {
            Self::Memory { .. } => {}
            #[cfg(feature = "rpc-client")]
            Self::Http(route) => route.all_again(),
        }
    }

    pub(crate) fn budget(&self) -> &Budget {
        match self {
            Self::Memory { budget, .. } => budget,
            #[cfg(feature = "rpc-client")]
            Self::Http(route) => route.budget(),
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory { .. } => f.write_str("in memory"),
            #[cfg(feature = "rpc-client")]
            Self::Http(http) => http.fmt(f),
        }
    }
}
