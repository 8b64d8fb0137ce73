//! The setup of a service's RPC server: checks the configuration, binds the socket, and serves while the service runs.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep_until, timeout_at};

use super::dispatch::Server;
use crate::bus::Bus;
use crate::bus::error::Error;
use crate::rpc::handler::{Dependencies, Registration};
use crate::rpc::{Rpc, Serve};
use crate::service::handler::States;
use crate::service::phase::{Phase, stopping};
use crate::service::running::Running;
use crate::service::shutdown::ShutdownDeadlines;

/// Builds an app around the routes.
#[cfg(feature = "rpc-server")]
type App = Box<dyn FnOnce(axum::Router) -> axum::Router + Send>;

/// The RPCs of a service that is not yet started.
#[derive(Default)]
pub(crate) struct ServerSetup {
    pub(crate) registrations: Vec<Registration>,
    pub(crate) rpc: Option<Rpc>,
    pub(crate) settings: Option<Serve>,
    #[cfg(feature = "rpc-server")]
    pub(crate) app: Option<App>,
}

/// The RPCs of a service whose sockets are bound, so that serving can't fail any more.
pub(crate) struct BoundServer {
    server: Option<Arc<Server>>,
    rpc: Option<Rpc>,
    #[cfg(feature = "rpc-server")]
    bound: Option<(crate::rpc::server::listener::HttpListener, Option<App>)>,
}

impl ServerSetup {
    pub(crate) fn check(&self, states: &States) -> Result<(), Error> {
        #[cfg(feature = "rpc-server")]
        if self.lacks_an_address() {
            return Err(Error::NoAddress { what: "the app of `.app(..)`" });
        }
        for (i, handler) in self.registrations.iter().enumerate() {
            if let Some(need) = handler.needs.iter().find(|need| !states.contains_key(&need.id)) {
                return Err(Error::MissingState { listener: handler.handler, state: need.name, by: need.by });
            }
            let twin = |other: &&Registration| other.method == handler.method;
            if let Some(first) = self.registrations[..i].iter().find(twin) {
                return Err(Error::DuplicateRpc {
                    method: handler.method,
                    first: first.handler,
                    second: handler.handler,
                });
            }
        }
        Ok(())
    }

    /// Checks that the RPCs are reachable even though no app mounts their routes.
    pub(crate) fn check_without_routes(&self) -> Result<(), Error> {
        let is_mounted = self.settings.as_ref().is_some_and(|settings| settings.address.is_none());
        let in_memory = self.rpc.as_ref().is_some_and(Rpc::is_in_memory);
        if is_mounted && !in_memory && !self.registrations.is_empty() {
            return Err(Error::NoAddress { what: "the RPCs of a service that was started with `run()`" });
        }
        Ok(())
    }

    /// Returns whether there is an app (`.app(..)`) but no address to serve it on.
    #[cfg(feature = "rpc-server")]
    fn lacks_an_address(&self) -> bool {
        self.app.is_some() && self.settings.as_ref().is_some_and(|settings| settings.address.is_none())
    }

    /// Returns whether anything is served over HTTP.
    fn over_http(&self) -> bool {
        #[cfg(feature = "rpc-server")]
        let app = self.app.is_some();
        #[cfg(not(feature = "rpc-server"))]
        let app = false;
        let in_memory = self.rpc.as_ref().is_some_and(Rpc::is_in_memory);
        let by_default = !self.registrations.is_empty() && !in_memory;
        app || self.settings.as_ref().map_or(by_default, |settings| settings.address.is_some())
    }

    /// Binds the address, if anything is served over HTTP.
    pub(crate) async fn open(
        self,
        bus: Bus,
        states: Arc<States>,
        phase: watch::Receiver<Phase>,
    ) -> Result<BoundServer, Error> {
        let over_http = self.over_http();
        let settings = self.settings.unwrap_or_default();
        #[cfg_attr(
            not(feature = "rpc-server"),
            allow(unused_variables, reason = "without the feature no socket is bound")
        )]
        let bound = if over_http { Self::bind(&settings).await? } else { None };
        let dependencies = Dependencies { bus, states };
        let server = (over_http || !self.registrations.is_empty())
            .then(|| Arc::new(Server::new(self.registrations, dependencies, settings, phase)));
        Ok(BoundServer {
            server,
            rpc: self.rpc,
            #[cfg(feature = "rpc-server")]
            bound: bound.map(|bound| (bound, self.app)),
        })
    }

    #[cfg(feature = "rpc-server")]
    async fn bind(settings: &Serve) -> Result<Option<crate::rpc::server::listener::HttpListener>, Error> {
        match &settings.address {
            Some(address) => crate::rpc::server::listener::HttpListener::bind(address).await.map(Some),
            None => Ok(None),
        }
    }

    #[cfg(not(feature = "rpc-server"))]
    async fn bind(_: &Serve) -> Result<Option<()>, Error> {
        Err(Error::NoRpcServer)
    }
}

impl BoundServer {
    /// Serves until the service stops.
    pub(crate) fn begin(self, running: &mut Running, phase: watch::Receiver<Phase>, drain: Duration) {
        let Some(server) = self.server else { return };
        if let Some(rpc) = &self.rpc {
            rpc.attach(&server);
        }
        #[cfg_attr(not(feature = "rpc-server"), allow(unused_mut, reason = "there is no socket"))]
        let mut socket: Option<Pin<Box<dyn Future<Output = ()> + Send>>> = None;
        #[cfg(feature = "rpc-server")]
        if let Some((bound, app)) = self.bound {
            let routes = crate::rpc::server::endpoint::router(&server).merge(running.health().routes());
            let app = match app {
                Some(app) => app(routes),
                None => routes,
            };
            tracing::info!(address = %bound.address(), "serving HTTP");
            running.address = Some(bound.address());
            socket = Some(Box::pin(bound.serve(app, server.settings.clone(), phase.clone(), drain)));
        }
        running.add(serve(server.clone(), socket, phase, drain));
        running.server = Some(server);
    }
}

/// Serves until the service stops, on the socket if there is one. Then waits for the active calls within `drain`, and stops the
/// remaining ones. It waits for calls in memory and through a user's own app, too: no other code does.
async fn serve(
    server: Arc<Server>,
    socket: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    mut phase: watch::Receiver<Phase>,
    drain: Duration,
) {
    let calls = async {
        stopping(&mut phase).await;
        let mut ending = ShutdownDeadlines::within(drain);
        tokio::select! {
            () = server.drained() => {}
            () = sleep_until(ending.handlers) => {}
            Ok(_) = phase.wait_for(|phase| *phase == Phase::Ending) => ending = ending.hurry(),
        }
        ending
    };
    let Some(socket) = socket else {
        let ending = calls.await;
        server.end();
        // a handler that blocks its thread can't be stopped
        let _ = timeout_at(ending.steps, server.drained()).await;
        return;
    };
    // the remaining calls on the socket end with their connections, without an answer
    tokio::join!(socket, calls);
    server.end();
}

impl fmt::Debug for ServerSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerSetup")
            .field("registrations", &self.registrations)
            .field("rpc", &self.rpc)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
