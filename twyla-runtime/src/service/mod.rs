//! A service: listeners and RPCs with their state, checked and started together.

pub(crate) mod ack;
pub(crate) mod active_listener;
pub(crate) mod admission;
pub(crate) mod attempt;
pub(crate) mod attempts;
pub(crate) mod backlog;
pub(crate) mod batch_answers;
pub(crate) mod batch_attempt;
pub(crate) mod batch_call;
pub(crate) mod batch_fail;
pub(crate) mod batch_failure;
pub(crate) mod batch_intake;
pub(crate) mod batch_keys;
pub(crate) mod batch_run;
pub(crate) mod breaker;
pub(crate) mod call;
pub(crate) mod call_outcome;
pub(crate) mod catch_panic;
pub(crate) mod consumer_loop;
pub(crate) mod dedupe;
pub(crate) mod fail;
pub(crate) mod gather;
pub(crate) mod handler;
pub(crate) mod health;
pub(crate) mod hold;
pub(crate) mod key_order;
pub(crate) mod limits;
pub(crate) mod meta;
pub(crate) mod pace;
pub(crate) mod passing;
pub(crate) mod pauses;
pub(crate) mod phase;
pub(crate) mod rate;
pub(crate) mod rate_limit;
pub(crate) mod recall;
pub(crate) mod requeue;
pub(crate) mod retry;
pub(crate) mod running;
pub(crate) mod running_handlers;
pub(crate) mod shutdown;
pub(crate) mod signals;
pub(crate) mod slow_handlers;
pub(crate) mod start;
pub(crate) mod state;
pub(crate) mod store_backoff;
pub(crate) mod store_state;
pub(crate) mod together;
pub(crate) mod verdict;

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use self::active_listener::ActiveListener;
use self::backlog::HeldDeliveries;
use self::breaker::PauseAfter;
use self::dedupe::{Dedupe, forget};
use self::gather::Gathering;
use self::handler::{Batching, Registration, States};
use self::limits::{LimitSettings, Limits};
use self::pace::Pace;
use self::phase::Phase;
use self::rate::Rate;
use self::recall::Recall;
use self::retry::Retry;
use self::running::Running;
use self::running_handlers::RunningHandlers;
use self::signals::Signals;
use self::store_state::StoreState;
use crate::bus::Bus;
use crate::bus::config::FOREVER;
use crate::bus::error::Error;
use crate::future::BoxFuture;
#[cfg(feature = "rpc-server")]
use crate::rpc::HttpListener;
use crate::rpc::{self, Rpc, Serve, ServerSetup};
use crate::telemetry::metrics::ListenerMetrics;
use crate::transport::{QueueKind, QueueSpec, dead_name, queue_name};

/// Starts the relay of an outbox, which publishes its events until the service stops.
type StartRelay = Box<dyn FnOnce(Bus, watch::Receiver<Phase>) -> BoxFuture<'static, ()> + Send>;

/// Listeners and RPCs that run together, created by [`Bus::service`].
///
/// Each event goes to each group that listens to it, and within a group to one member, be it in this process or
/// another. Handlers run concurrently. The return value of a handler decides: `Ok` acks; an error or a panic is retried
/// ([`retry`](Self::retry)) and then dead-lettered to `<domain>.<event_type>.<group>.dead`; a message that breaks its contract is
/// dead-lettered at once, without a call of the handler.
///
/// An event is handled at least once: if a process or a connection dies, its unfinished events are delivered again.
#[must_use = "a service does nothing until it is run"]
pub struct Service {
    bus: Bus,
    states: States,
    listeners: Vec<Registration>,
    prefetch: u16,
    redeliveries: u32,
    retry: Retry,
    rate: Option<Rate>,
    pause_after: Option<PauseAfter>,
    kind: QueueKind,
    dedupe: Option<Dedupe>,
    relays: Vec<StartRelay>,
    drain_deadline: Duration,
    shutdown_delay: Duration,
    consumer_timeout: Duration,
    rpcs: ServerSetup,
    #[cfg(feature = "rpc-server")]
    operations: Option<String>,
}

impl Bus {
    /// Creates a service on this bus, without listeners.
    pub fn service(&self) -> Service {
        Service::new(self.plain())
    }
}

impl Service {
    fn new(bus: Bus) -> Self {
        Self {
            bus,
            states: HashMap::new(),
            listeners: Vec::new(),
            prefetch: 64,
            redeliveries: 20,
            retry: Retry::default(),
            rate: None,
            pause_after: None,
            kind: QueueKind::default(),
            dedupe: None,
            relays: Vec::new(),
            drain_deadline: Duration::from_secs(25),
            shutdown_delay: Duration::ZERO,
            consumer_timeout: Duration::from_secs(30 * 60),
            rpcs: ServerSetup::default(),
            #[cfg(feature = "rpc-server")]
            operations: None,
        }
    }

    /// Adds a state. Handlers that take a [`State<T>`](crate::State) receive a clone. A second state of the same type replaces the first.
    pub fn state<T: Clone + Send + Sync + 'static>(mut self, state: T) -> Self {
        self.states.insert(TypeId::of::<T>(), Box::new(state) as Box<dyn Any + Send + Sync>);
        self
    }

    /// Adds the listeners of a [`listeners!`](crate::listeners) list.
    pub fn listeners(mut self, listeners: impl IntoIterator<Item = Registration>) -> Self {
        self.listeners.extend(listeners);
        self
    }

    /// Adds the handlers of an [`rpcs!`](crate::rpcs) list. They use the service's states, and are served as long as it runs.
    ///
    /// With the feature `rpc-server` they are served over HTTP, on `127.0.0.1:8080` or the address of [`serve`](Self::serve). If the
    /// service has an [`Rpc::in_memory`](Rpc::in_memory) and no address, they are served within this process only.
    pub fn rpcs(mut self, rpcs: impl IntoIterator<Item = rpc::Registration>) -> Self {
        self.rpcs.registrations.extend(rpcs);
        self
    }

    /// Sets where and how RPCs are served over HTTP.
    pub fn serve(mut self, settings: Serve) -> Self {
        self.rpcs.settings = Some(settings);
        self
    }

    /// Sets the [`Rpc`] that handlers receive, with the session and the trace of their event or call. If it is an
    /// [`Rpc::in_memory`](Rpc::in_memory), this service's own RPCs can be called through it.
    pub fn rpc(mut self, rpc: Rpc) -> Self {
        self.states.insert(TypeId::of::<Rpc>(), Box::new(rpc.clone()) as Box<dyn Any + Send + Sync>);
        self.rpcs.rpc = Some(rpc);
        self
    }

    /// Serves your own app on the service's address. `app` receives a router with the routes of the RPCs, `POST /rpc/<method>`,
    /// and of the service's health, `GET /health/live` and `GET /health/ready`, and returns the router to serve. Axum panics at
    /// start if two routes have the same path.
    ///
    /// With [`Serve::mounted`](crate::rpc::Serve::mounted) there is no address: the service fails to start with
    /// [`Error::NoAddress`](crate::Error::NoAddress).
    ///
    /// ```text
    /// service.app(|rpcs| rpcs.route("/version", get(|| async { "1.0" })).layer(TraceLayer::new_for_http()))
    /// ```
    #[cfg(feature = "rpc-server")]
    pub fn app(mut self, app: impl FnOnce(axum::Router) -> axum::Router + Send + 'static) -> Self {
        self.rpcs.app = Some(Box::new(app));
        self
    }

    /// Serves the service's health on a separate address, for example `0.0.0.0:9090`: `GET /health/live` and `GET
    /// /health/ready` ([`Health`](crate::Health)), and `GET /metrics` with the feature `telemetry`. The address is open from the
    /// start of the service until it has drained.
    #[cfg(feature = "rpc-server")]
    pub fn operations(mut self, address: impl Into<String>) -> Self {
        self.operations = Some(address.into());
        self
    }

    /// Sets how many events of each listener may be in progress at once; 64 unless set, 0 counts as 1. A listener with a rate takes no more
    /// than come within half of the [`consumer_timeout`](Self::consumer_timeout), unless its own `prefetch` is set.
    ///
    /// A listener with `batch` has at least enough for its batches and one that gathers meanwhile, unless its own `prefetch` says less.
    pub fn prefetch(mut self, events: u16) -> Self {
        self.prefetch = events.max(1);
        self
    }

    /// Sets how often an event may be redelivered without being settled before it is dead-lettered; 20 unless set.
    ///
    /// An event is redelivered when the service ends while it handles the event, when the connection is lost, and when a
    /// handler returns it ([`Ack::reject`](crate::Ack::reject)). The limit stops an event that crashes the process each time.
    /// Only quorum queues count redeliveries: on a classic queue, only the limit 0 takes effect.
    pub fn redeliveries(mut self, times: u32) -> Self {
        self.redeliveries = times;
        self
    }

    /// Sets the broker's `consumer_timeout`. Default: 30 minutes, as in RabbitMQ.
    ///
    /// The broker takes back a delivery that isn't settled within that time, and closes its channel. The bus can't query this value, so
    /// set it to the broker's. The log warns of a handler that runs for half of it. After half of it, deliveries that an ordered listener
    /// keeps for a retry, a token of its rate or the end of a pause, and deliveries that their dead queue or retry queue refuses, return to
    /// the broker. Those of other listeners that wait for a token or the end of a pause wait on in a retry queue.
    pub fn consumer_timeout(mut self, timeout: Duration) -> Self {
        self.consumer_timeout = timeout.min(FOREVER);
        self
    }

    /// Sets the retry policy of failed handlers; five attempts unless set.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Sets the rate of each listener whose attribute has none; there is no limit unless set.
    pub fn rate(mut self, rate: Rate) -> Self {
        self.rate = Some(rate);
        self
    }

    /// Sets after which failures a listener pauses whose attribute doesn't say it; none pauses unless set.
    pub fn pause_after(mut self, failures: PauseAfter) -> Self {
        self.pause_after = Some(failures);
        self
    }

    /// Sets the kind of the queues that this service declares; quorum unless set. An existing queue is used as it is.
    pub fn queue(mut self, kind: QueueKind) -> Self {
        self.kind = kind;
        self
    }

    /// Skips events that their group has already handled.
    pub fn dedupe(mut self, dedupe: Dedupe) -> Self {
        if let Some(given) = dedupe.gives {
            self.states.insert(given, Box::new(()));
        }
        self.dedupe = Some(dedupe);
        self
    }

    /// Publishes the events of an outbox as long as the service runs.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub fn outbox<DB: crate::sql::Dialect>(mut self, outbox: crate::sql::Outbox<DB>) -> Self {
        self.relays.push(Box::new(|bus, phase| crate::sql::relay(outbox, bus, phase)));
        self
    }

    /// Sets how long the shutdown may take from the signal on; 25 s unless set, because Kubernetes kills a process after 30.
    ///
    /// The [`shutdown_delay`](Self::shutdown_delay) is part of it. Running handlers have four fifths of the rest, or all but 5 s if
    /// that is more. In the last steps, unfinished events return to their queues, acks are sent, confirms arrive, and connections are
    /// closed. These steps have at least one second.
    pub fn drain_deadline(mut self, deadline: Duration) -> Self {
        self.drain_deadline = deadline;
        self
    }

    /// Sets how long the service keeps working after the signal to stop while [`Health`](crate::Health) reports it as not ready; zero
    /// unless set.
    ///
    /// A load balancer keeps sending calls for some seconds; meanwhile the port of RPCs stays open. The delay is part of the
    /// [`drain_deadline`](Self::drain_deadline), and at most as long.
    pub fn shutdown_delay(mut self, delay: Duration) -> Self {
        self.shutdown_delay = delay;
        self
    }

    /// Runs until the process gets SIGINT or SIGTERM (Ctrl-C where there are no signals), then drains and closes the bus.
    ///
    /// To drain means: take no more events, let running handlers finish within the drain deadline, return the rest to the broker, and wait
    /// for pending confirms. A second signal ends the wait for handlers at once.
    ///
    /// # Errors
    /// As [`start`](Self::start), [`Error::Signals`], and [`Error::NoAddress`] if RPCs are
    /// [`mounted`](crate::rpc::Serve::mounted), because no caller can get their routes.
    ///
    /// # Cancel safety
    /// Dropping the future starts to drain in the background.
    pub async fn run(self) -> Result<(), Error> {
        self.rpcs.check_without_routes()?;
        let signals = Signals::new()?;
        self.start().await?.run_until(signals).await;
        Ok(())
    }

    /// Runs until `end` resolves, then drains and closes the bus as [`run`](Self::run) does.
    ///
    /// # Errors
    /// As [`start`](Self::start), and [`Error::NoAddress`] as [`run`](Self::run).
    ///
    /// # Cancel safety
    /// Dropping the future starts to drain in the background.
    pub async fn run_until(self, end: impl Future<Output = ()>) -> Result<(), Error> {
        self.rpcs.check_without_routes()?;
        let running = self.start().await?;
        end.await;
        running.end().await;
        Ok(())
    }

    /// Starts the listeners; resolves when every consumer exists. For programs that do more than run the service, and for tests:
    /// [`Running::stop`] drains and leaves the bus open.
    ///
    /// # Errors
    /// Before any event is consumed: [`Error::MissingState`], [`Error::DuplicateListener`], [`Error::DuplicateRpc`],
    /// [`Error::NoAddress`], [`Error::NoRpcServer`], and [`Error::Serve`] if an address for RPCs or health can't be opened.
    /// Then [`Error::Listen`] if the broker refuses a queue or can't be reached.
    ///
    /// # Cancel safety
    /// Dropping the future stops the listeners and servers that were started.
    pub async fn start(self) -> Result<Running, Error> {
        self.check()?;
        let states = Arc::new(self.states);
        let (stop, stopping) = watch::channel(Phase::Running);
        let drain = self.drain_deadline.saturating_sub(self.shutdown_delay);
        let mut running = Running::new(self.bus.clone(), stop, self.shutdown_delay.min(self.drain_deadline), drain);
        #[cfg(feature = "rpc-server")]
        let operations = match &self.operations {
            Some(address) => Some(HttpListener::bind(address).await?),
            None => None,
        };
        let rpcs = self.rpcs.open(self.bus.clone(), states.clone(), stopping.clone()).await?;
        if let Some(Dedupe { store, kept: Some(kept), .. }) = &self.dedupe {
            running.add(forget(store.clone(), *kept, stopping.clone()));
        }
        for listener in self.listeners {
            let policy = listener.policy;
            let batch = policy.batch.map(|batching| Batching { size: batching.size.max(1), ..batching });
            // batches are handled one after another unless the attribute says more
            let concurrency = policy.concurrency.or(batch.map(|_| 1)).map(|places| places.max(1));
            let prefetch = match batch {
                // one batch gathers while others are handled
                Some(Batching { size, .. }) => {
                    let batches = concurrency.map_or(2, |places| places.saturating_add(1));
                    policy.prefetch.unwrap_or(self.prefetch.max(size.saturating_mul(batches))).max(size)
                }
                None => policy.prefetch.unwrap_or(self.prefetch).max(1),
            };
            let limits =
                LimitSettings { rate: policy.rate.or(self.rate), pause_after: policy.pause_after.or(self.pause_after) };
            let limits = limits.bounded();
            let largest = batch.map_or(1, |batch| batch.size);
            let prefetch = match policy.prefetch {
                Some(_) => prefetch,
                None => limits.prefetch(prefetch, largest, self.consumer_timeout / 2),
            };
            let places = concurrency.filter(|places| batch.is_some() || *places < prefetch);
            let queue = Arc::new(QueueSpec {
                event: listener.record.subject(),
                domain: listener.domain,
                event_type: listener.event_type,
                group: listener.group,
                name: queue_name(listener.event, listener.group),
                dead: dead_name(listener.event, listener.group),
                kind: self.kind,
                prefetch,
                single: policy.key.is_some(),
            });
            let subscription = self.bus.transport().subscribe(queue.clone()).await?;
            tracing::info!(event = queue.event, group = queue.group, handler = listener.handler, "listening");
            let (event, group) = (queue.event, queue.group);
            let retry = policy.retry.unwrap_or(self.retry);
            let metrics = ListenerMetrics::new(event, group);
            let limits = Limits::new(limits, largest, &queue, self.dedupe.as_ref(), &metrics, &stopping);
            let pauses = limits.as_ref().and_then(|limits| limits.pauses.as_ref());
            running.paused.extend(pauses.map(|pauses| (queue.name.clone(), pauses.subscribe())));
            let listening = Arc::new(ActiveListener {
                bus: self.bus.clone(),
                states: states.clone(),
                listener,
                queue,
                retry: Retry { max: retry.max.min(FOREVER), ..retry },
                redeliveries: self.redeliveries,
                dedupe: self.dedupe.clone(),
                gathering: batch.map(Gathering::new),
                places: places.map(|places| Arc::new(Semaphore::new(places.into()))),
                stopping: stopping.clone(),
                limits,
                pace: Pace::default(),
                metrics,
                store: StoreState::new(event, group),
                hold: HeldDeliveries::new(prefetch),
                recall: Recall::new(prefetch),
                runs: RunningHandlers::default(),
                renew: subscription.renew.clone(),
                consumer_timeout: self.consumer_timeout,
            });
            running.stores.push((listening.queue.name.clone(), listening.store.subscribe()));
            if let Some(dedupe) = &self.dedupe {
                let at_once = concurrency.unwrap_or(prefetch).min(prefetch);
                if let Some(connections) = dedupe.store.connections().filter(|most| *most < u32::from(at_once)) {
                    tracing::info!(
                        event,
                        group,
                        at_once,
                        connections,
                        "the dedupe store's pool has fewer connections than the listener's concurrency: some events wait for a connection"
                    );
                }
            }
            running.held.push((listening.queue.name.clone(), listening.hold.subscribe()));
            running.consumers.push((listening.queue.name.clone(), subscription.consuming.clone()));
            slow_handlers::watch(&listening);
            running.add(consumer_loop::serve(listening, subscription, drain));
        }
        // After the listeners: an event whose group has no queue yet would be dropped.
        for relay in self.relays {
            running.add(relay(self.bus.clone(), stopping.clone()));
        }
        #[cfg(feature = "rpc-server")]
        if let Some(bound) = operations {
            running.operate(bound);
        }
        // started last, because handlers may need all of the above
        rpcs.begin(&mut running, stopping, drain);
        Ok(running)
    }

    fn check(&self) -> Result<(), Error> {
        for (i, listener) in self.listeners.iter().enumerate() {
            for need in &listener.needs {
                if !self.states.contains_key(&need.id) {
                    return Err(Error::MissingState { listener: listener.handler, state: need.name, by: need.by });
                }
            }
            let twin = |other: &&Registration| (other.event, other.group) == (listener.event, listener.group);
            if let Some(first) = self.listeners[..i].iter().find(twin) {
                return Err(Error::DuplicateListener {
                    event: listener.event,
                    group: listener.group,
                    first: first.handler,
                    second: listener.handler,
                });
            }
        }
        self.rpcs.check(&self.states)
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("bus", &self.bus)
            .field("listeners", &self.listeners)
            .field("states", &self.states.len())
            .field("prefetch", &self.prefetch)
            .field("redeliveries", &self.redeliveries)
            .field("retry", &self.retry)
            .field("rate", &self.rate)
            .field("pause_after", &self.pause_after)
            .field("queue", &self.kind)
            .field("drain_deadline", &self.drain_deadline)
            .field("rpcs", &self.rpcs)
            .finish()
    }
}
