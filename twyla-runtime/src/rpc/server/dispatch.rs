//! The serving of calls, independent of the transport: limits, deadlines, handlers and their panics.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::{Instant, timeout_at};

use super::settings::Serve;
use crate::bus::config::FOREVER;
use crate::contract::session::Session;
use crate::rpc::handler::{Dependencies, Incoming, Registration, problem};
use crate::rpc::protocol::attempt::{Answer, CallAttempt};
use crate::rpc::protocol::meta::CallMeta;
use crate::service::catch_panic::guarded;
use crate::service::phase::Phase;
use crate::telemetry::metrics::RpcMetrics;
use crate::telemetry::span;

/// The reason in the answer to a rejected call.
const FULL: &str = "the limit of concurrent calls is reached";

/// The delay after which a rejected call may be retried.
const SOON: Duration = Duration::from_secs(1);

/// The RPCs of a running service.
pub(crate) struct Server {
    methods: Vec<Arc<ServedMethod>>,
    dependencies: Arc<Dependencies>,
    pub(crate) settings: Serve,
    permits: Semaphore,
    /// The memory budget of requests that are still arriving: a permit is a byte.
    #[cfg(feature = "rpc-server")]
    pub(crate) body_budget: Semaphore,
    phase: watch::Receiver<Phase>,
    /// Whether active calls are to be dropped.
    ended: watch::Sender<bool>,
}

/// One served RPC.
pub(crate) struct ServedMethod {
    pub(crate) registration: Registration,
    /// The permits for concurrent calls, if the RPC has a lower limit than the service.
    permits: Option<Semaphore>,
    deadline: Duration,
    metrics: RpcMetrics,
}

/// The permits of a call in progress.
pub(crate) struct CallPermit<'a> {
    _all: SemaphorePermit<'a>,
    _own: Option<SemaphorePermit<'a>>,
}

impl Server {
    pub(crate) fn new(
        registrations: Vec<Registration>,
        dependencies: Dependencies,
        settings: Serve,
        phase: watch::Receiver<Phase>,
    ) -> Self {
        let served = registrations.into_iter().map(|registration| {
            let policy = registration.policy;
            let permits = policy.concurrency.map(|permits| Semaphore::new(permits.max(1).into()));
            let deadline = policy.deadline.unwrap_or(settings.deadline);
            let metrics = RpcMetrics::new(registration.name);
            Arc::new(ServedMethod { registration, permits, deadline, metrics })
        });
        Self {
            methods: served.collect(),
            dependencies: Arc::new(dependencies),
            permits: Semaphore::new(settings.permits() as usize),
            #[cfg(feature = "rpc-server")]
            body_budget: Semaphore::new(settings.max_buffered.max(settings.max_request).min(Semaphore::MAX_PERMITS)),
            settings,
            phase,
            ended: watch::Sender::new(false),
        }
    }

    /// Returns the served RPCs.
    pub(crate) fn methods(&self) -> &[Arc<ServedMethod>] {
        &self.methods
    }

    /// Returns whether the server accepts calls: whether the phase is unchanged, which it checks without a lock.
    pub(crate) fn is_running(&self) -> bool {
        matches!(self.phase.has_changed(), Ok(false))
    }

    /// Rejects a call if no permit is left for it, or if the service is stopping.
    pub(crate) fn takes(&self, served: &ServedMethod) -> Result<(), Answer> {
        if !self.is_running() {
            return Err(busy(served, "the service is stopping"));
        }
        let is_full = |permits: &Semaphore| permits.available_permits() == 0;
        if is_full(&self.permits) || served.permits.as_ref().is_some_and(is_full) {
            return Err(busy(served, FULL));
        }
        Ok(())
    }

    /// Admits a call or rejects it; a rejected call was not begun.
    pub(crate) fn admit<'a>(&'a self, served: &'a ServedMethod) -> Result<CallPermit<'a>, Answer> {
        self.takes(served)?;
        let permit = |permits: &'a Semaphore| permits.try_acquire().map_err(|_| busy(served, FULL));
        Ok(CallPermit { _all: permit(&self.permits)?, _own: served.permits.as_ref().map(permit).transpose()? })
    }

    /// Answers an admitted call, whose deadline counts from `received`.
    ///
    /// # Cancel safety
    /// Dropping the future stops the handler at its await point.
    pub(crate) async fn answer(&self, served: &ServedMethod, attempt: CallAttempt, received: Instant) -> Answer {
        let Registration { record, handle, policy, .. } = served.registration;
        let name = record.subject();
        let most = attempt.timeout.map_or(served.deadline, |timeout| timeout.min(served.deadline));
        let deadline = received + most.min(FOREVER);
        let session = attempt.session.unwrap_or_else(Session::new);
        let span = span::serve(name, attempt.number, &session, attempt.trace.as_ref());
        let counted = served.metrics.begin(name);
        let meta = CallMeta {
            method: name,
            session_id: session.id,
            deadline,
            attempt: attempt.number,
            idempotency_key: attempt.key,
            trace: span.context().cloned(),
        };
        let incoming = Incoming {
            request: attempt.request,
            context: attempt.context,
            meta,
            dependencies: self.dependencies.clone(),
        };
        let outcome = timeout_at(deadline, guarded(move || handle(incoming), || span.enter())).await;
        let answer = match outcome {
            // the handler's own calls share its deadline: if they fail at that time, the answer is 504, not 500
            Ok(Ok(answer)) if answer.status != 500 || Instant::now() < deadline => answer,
            Ok(Err(panic)) => {
                span.within(|| tracing::error!(method = name, error = panic, "the handler panicked"));
                problem(500, name, "the handler failed")
            }
            Ok(Ok(_)) | Err(_) => {
                span.within(
                    || tracing::warn!(method = name, deadline = ?most, "the handler was stopped: its deadline passed"),
                );
                problem(504, name, format!("the handler did not answer within {most:?}"))
            }
        };
        span.answered(answer.status);
        counted.end(answer.status);
        Answer { idempotent: policy.idempotent, ..answer }
    }

    /// Waits until no call is in progress.
    pub(crate) async fn drained(&self) {
        // an error would mean that the semaphore was closed, which never happens
        drop(self.permits.acquire_many(self.settings.permits()).await);
    }

    /// Stops the calls in progress.
    pub(crate) fn end(&self) {
        self.ended.send_replace(true);
    }

    /// Resolves when the calls in progress are to be dropped.
    pub(crate) async fn ended(&self) {
        // an error would mean that the sender is gone, but `self` has it
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }
}

/// Creates the answer to a rejected call: the call was not begun, and may be retried after [`SOON`].
pub(crate) fn busy(served: &ServedMethod, why: &str) -> Answer {
    let name = served.registration.name;
    tracing::debug!(method = name, why, "the call was rejected");
    served.metrics.turned_away();
    Answer { retry_after: Some(SOON), ..problem(503, name, why) }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<_> = self.methods.iter().map(|served| served.registration.name).collect();
        names.sort_unstable();
        f.debug_struct("Server").field("rpcs", &names).field("settings", &self.settings).finish()
    }
}
