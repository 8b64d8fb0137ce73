//! Where the attempts at a call go: to a service of this process, or to one after another of a service's addresses.

use std::fmt;
use std::sync::Arc;

use super::budget::Budget;
use super::env::Unset;
use super::in_process::Network;
use crate::rpc::protocol::ask::{Answer, Ask, Lost, NoRoute};
use crate::rpc::server::server::Server;

/// What carries calls.
pub(crate) enum Link {
    Memory {
        network: Network,
        budget: Budget,
    },
    #[cfg(feature = "rpc-client")]
    Http(crate::rpc::client::http::Http),
}

/// Where the attempts at one call go.
pub(crate) enum Route<'a> {
    Memory {
        network: &'a Network,
        budget: &'a Budget,
    },
    #[cfg(feature = "rpc-client")]
    Http(crate::rpc::client::http::Route<'a>),
}

impl Link {
    /// Within this process; with the variables that would have said otherwise.
    pub(crate) fn in_memory(unset: Option<Unset>) -> Self {
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

    /// The way to a service.
    #[cfg_attr(
        not(feature = "rpc-client"),
        allow(unused_variables, reason = "within the process nothing is to be found out")
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
    /// One attempt, at the next place.
    pub(crate) async fn send(&mut self, ask: &Ask) -> Result<Answer, Lost> {
        match self {
            // behind a pointer, so that a call over HTTP needn't have room for a service in it
            Self::Memory { network, .. } => Box::pin(network.send(ask.clone())).await,
            #[cfg(feature = "rpc-client")]
            Self::Http(route) => route.send(ask).await,
        }
    }

    /// Whether there is a place that was not tried in this round.
    pub(crate) fn another(&self) -> bool {
        match self {
            Self::Memory { .. } => false,
            #[cfg(feature = "rpc-client")]
            Self::Http(route) => route.another(),
        }
    }

    /// Begins another round.
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
