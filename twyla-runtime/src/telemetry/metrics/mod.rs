//! Metrics through the `metrics` facade (feature `metrics`). [`telemetry`] lists their names.
//!
//! [`telemetry`]: crate::telemetry

#[cfg(feature = "metrics")]
mod counters;

use std::time::Duration;

#[cfg(feature = "metrics")]
use metrics::{Counter, Gauge, Histogram};

#[cfg(feature = "metrics")]
use super::metrics::counters::{Batch, Counters, MetricSet};
#[cfg(feature = "telemetry")]
pub(crate) use super::metrics::counters::{Flush, flush, register};

/// Declares a struct of metrics; without the feature `metrics` the struct is empty.
macro_rules! metric_set {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ident = $make:ident $metric:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub(crate) struct $name {
            $(#[cfg(feature = "metrics")] $field: $kind,)+
        }

        impl $name {
            fn labelled(labels: &[(&'static str, &'static str)]) -> Self {
                #[cfg(feature = "metrics")]
                let labels: Vec<_> = labels.iter().map(|(name, value)| metrics::Label::new(*name, *value)).collect();
                #[cfg(not(feature = "metrics"))]
                let _ = labels;
                Self {
                    $(#[cfg(feature = "metrics")] $field: metrics::$make!($metric, labels.clone()),)+
                }
            }
        }
    };
}

#[cfg(feature = "metrics")]
metric_set! {
    /// Metrics of the emits of one event.
    EmitMetricSet {
        emitted: Counter = counter "twyla_emitted_total",
        confirmed: Counter = counter "twyla_confirmed_total",
        refused: Counter = counter "twyla_refused_total",
        unconfirmed: Counter = counter "twyla_unconfirmed_total",
        confirming: Gauge = gauge "twyla_confirming",
        seconds: Histogram = histogram "twyla_confirm_seconds",
    }
}

#[cfg(feature = "metrics")]
metric_set! {
    /// Metrics of one listener.
    ListenerMetricSet {
        handled: Counter = counter "twyla_handled_total",
        skipped: Counter = counter "twyla_skipped_total",
        store_failed: Counter = counter "twyla_store_errors_total",
        failed: Counter = counter "twyla_failed_total",
        retried: Counter = counter "twyla_retried_total",
        dead_lettered: Counter = counter "twyla_parked_total",
        dropped: Counter = counter "twyla_dropped_total",
        rate_waits: Counter = counter "twyla_rate_waits_total",
        pauses: Counter = counter "twyla_pauses_total",
        paused: Gauge = gauge "twyla_paused",
        held: Gauge = gauge "twyla_held",
        handling: Gauge = gauge "twyla_handling",
        seconds: Histogram = histogram "twyla_handler_seconds",
        ready: Gauge = gauge "twyla_queue_ready",
    }
}

metric_set! {
    /// Metrics of the served calls of one RPC.
    RpcMetrics {
        turned_away: Counter = counter "twyla_turned_away_total",
        serving: Gauge = gauge "twyla_serving",
        seconds: Histogram = histogram "twyla_serve_seconds",
    }
}

#[cfg(feature = "amqp")]
metric_set! {
    /// Metrics of one connection.
    LinkMetrics {
        reconnects: Counter = counter "twyla_reconnects_total",
        up: Gauge = gauge "twyla_connected",
    }
}

/// The description of a metric, for exporters.
#[cfg(feature = "telemetry")]
#[derive(Clone, Copy)]
pub(crate) struct MetricDescription {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) unit: metrics::Unit,
    describe: fn(metrics::KeyName, Option<metrics::Unit>, metrics::SharedString),
}

#[cfg(feature = "telemetry")]
const fn counter(name: &'static str, help: &'static str) -> MetricDescription {
    let describe = |name, unit, help| metrics::with_recorder(|recorder| recorder.describe_counter(name, unit, help));
    MetricDescription { name, help, unit: metrics::Unit::Count, describe }
}

#[cfg(feature = "telemetry")]
const fn gauge(name: &'static str, help: &'static str) -> MetricDescription {
    let describe = |name, unit, help| metrics::with_recorder(|recorder| recorder.describe_gauge(name, unit, help));
    MetricDescription { name, help, unit: metrics::Unit::Count, describe }
}

#[cfg(feature = "telemetry")]
const fn seconds(name: &'static str, help: &'static str) -> MetricDescription {
    let describe = |name, unit, help| metrics::with_recorder(|recorder| recorder.describe_histogram(name, unit, help));
    MetricDescription { name, help, unit: metrics::Unit::Seconds, describe }
}

#[cfg(feature = "telemetry")]
const DESCRIPTIONS: &[MetricDescription] = &[
    counter("twyla_emitted_total", "events passed to the bus"),
    counter("twyla_confirmed_total", "events that the broker confirmed"),
    counter(
        "twyla_refused_total",
        "events refused permanently: they break their contract, are too large, or the broker refused them",
    ),
    counter("twyla_unconfirmed_total", "events that the broker did not confirm within their deadline"),
    counter("twyla_handled_total", "events handled"),
    counter("twyla_skipped_total", "events skipped because their group had handled them before"),
    counter("twyla_failed_total", "attempts that failed"),
    counter("twyla_store_errors_total", "failures of the dedupe store"),
    counter("twyla_retried_total", "failed attempts that are retried"),
    counter("twyla_parked_total", "events dead-lettered"),
    counter("twyla_dropped_total", "events dropped by their handler"),
    counter("twyla_rate_waits_total", "attempts that waited for the rate of their listener; a batch counts once"),
    counter("twyla_pauses_total", "pauses of listeners after failures"),
    counter("twyla_outbox_refused_total", "outbox events that the broker refused permanently"),
    counter("twyla_reconnects_total", "reconnects"),
    counter("twyla_calls_total", "finished RPC calls, by outcome"),
    counter("twyla_served_total", "calls answered, by HTTP status"),
    counter("twyla_turned_away_total", "calls refused for lack of capacity"),
    counter("twyla_log_lines_dropped_total", "log lines that the collector did not accept"),
    gauge("twyla_connected", "1 while the connection is up, else 0"),
    gauge("twyla_confirming", "events waiting for the broker's confirm"),
    gauge("twyla_paused", "1 while the listener pauses after failures, else 0"),
    gauge("twyla_held", "events held in the service because their dead queue or retry queue doesn't accept them"),
    gauge("twyla_handling", "events being handled"),
    gauge("twyla_queue_ready", "events ready in the queue, sampled every few seconds"),
    gauge("twyla_serving", "calls being served"),
    seconds("twyla_confirm_seconds", "how long the broker took to confirm"),
    seconds("twyla_call_seconds", "how long a call took, all attempts together"),
    seconds("twyla_serve_seconds", "how long the service took to answer a call"),
    seconds("twyla_handler_seconds", "how long an attempt took"),
];

/// Returns the description of the metric with this name.
#[cfg(feature = "telemetry")]
pub(crate) fn description(name: &str) -> Option<MetricDescription> {
    DESCRIPTIONS.iter().copied().find(|description| description.name == name)
}

/// Passes all descriptions to the recorder.
#[cfg(feature = "telemetry")]
pub(crate) fn describe() {
    for &MetricDescription { name, help, unit, describe } in DESCRIPTIONS {
        describe(name.into(), Some(unit), help.into());
    }
}

/// How a started emit ended.
#[derive(Clone, Copy)]
pub(crate) enum EmitOutcome {
    Confirmed,
    /// A retry may succeed.
    Unconfirmed,
    /// The broker refused the event permanently.
    Refused,
}

/// Batched metrics of the emits of one event.
#[cfg_attr(not(feature = "metrics"), allow(dead_code, reason = "nothing is counted"))]
pub(crate) struct EmitMetrics {
    #[cfg(feature = "metrics")]
    counters: Counters<EmitMetricSet>,
}

#[cfg(feature = "metrics")]
impl MetricSet for EmitMetricSet {
    fn add(&self, batch: &Batch) {
        let [confirmed, unconfirmed, refused] = batch.outcomes;
        add(&self.emitted, batch.begun);
        add(&self.confirmed, confirmed);
        add(&self.unconfirmed, unconfirmed);
        add(&self.refused, refused);
        shift(&self.confirming, batch);
        batch.durations.iter().for_each(|took| self.seconds.record(*took));
    }
}

#[cfg(feature = "metrics")]
fn add(counter: &Counter, count: u64) {
    if count > 0 {
        counter.increment(count);
    }
}

/// Changes the gauge of operations in progress by the operations that began and ended in a batch.
#[cfg(feature = "metrics")]
#[allow(clippy::cast_precision_loss, reason = "a batch is small")]
fn shift(in_progress: &Gauge, batch: &Batch) {
    match batch.begun.cmp(&batch.ended) {
        std::cmp::Ordering::Greater => in_progress.increment((batch.begun - batch.ended) as f64),
        std::cmp::Ordering::Less => in_progress.decrement((batch.ended - batch.begun) as f64),
        std::cmp::Ordering::Equal => {}
    }
}

#[cfg_attr(not(feature = "metrics"), allow(clippy::unused_self, unused_variables, reason = "nothing is counted"))]
#[cfg_attr(not(feature = "metrics"), allow(dead_code, reason = "nothing is counted"))]
impl EmitMetrics {
    pub(crate) fn new(event: &'static str) -> Self {
        Self {
            #[cfg(feature = "metrics")]
            counters: Counters::into(EmitMetricSet::labelled(&[("event", event)])),
        }
    }

    pub(crate) fn begun(&self) {
        #[cfg(feature = "metrics")]
        self.counters.record(|batch| batch.begun += 1);
    }

    pub(crate) fn refused(&self) {
        #[cfg(feature = "metrics")]
        self.counters.metrics().refused.increment(1);
    }

    /// Counts the end of an emit; `None` if its future was dropped before the publish ended.
    pub(crate) fn ended(&self, outcome: Option<EmitOutcome>, took: Duration) {
        #[cfg(feature = "metrics")]
        self.counters.record(|batch| {
            batch.ended += 1;
            let Some(outcome) = outcome else { return };
            batch.outcomes[outcome as usize] += 1;
            if matches!(outcome, EmitOutcome::Confirmed) {
                batch.durations.push(took);
            }
        });
    }
}

/// The outcome of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptOutcome {
    Handled,
    Failed,
    Skipped,
}

/// Batched metrics of one listener.
#[derive(Clone)]
pub(crate) struct ListenerMetrics {
    #[cfg(feature = "metrics")]
    counters: Counters<ListenerMetricSet>,
}

#[cfg(feature = "metrics")]
impl MetricSet for ListenerMetricSet {
    fn add(&self, batch: &Batch) {
        let [handled, failed, skipped] = batch.outcomes;
        add(&self.handled, handled);
        add(&self.failed, failed);
        add(&self.skipped, skipped);
        shift(&self.handling, batch);
        batch.durations.iter().for_each(|took| self.seconds.record(*took));
    }
}

#[cfg_attr(not(feature = "metrics"), allow(clippy::unused_self, unused_variables, reason = "nothing is counted"))]
impl ListenerMetrics {
    pub(crate) fn new(event: &'static str, group: &'static str) -> Self {
        Self {
            #[cfg(feature = "metrics")]
            counters: Counters::into(ListenerMetricSet::labelled(&[("event", event), ("group", group)])),
        }
    }

    pub(crate) fn begun(&self) {
        #[cfg(feature = "metrics")]
        self.counters.record(|batch| batch.begun += 1);
    }

    /// Counts the end of an attempt; `None` if the attempt was cancelled.
    pub(crate) fn ended(&self, outcome: Option<(AttemptOutcome, Duration)>) {
        #[cfg(feature = "metrics")]
        self.counters.record(|batch| {
            batch.ended += 1;
            let Some((outcome, took)) = outcome else { return };
            batch.outcomes[outcome as usize] += 1;
            if outcome != AttemptOutcome::Skipped {
                batch.durations.push(took);
            }
        });
    }

    pub(crate) fn retried(&self) {
        #[cfg(feature = "metrics")]
        self.counters.metrics().retried.increment(1);
    }

    /// Counts a failure of the dedupe store.
    pub(crate) fn store_failed(&self) {
        #[cfg(feature = "metrics")]
        self.counters.metrics().store_failed.increment(1);
    }

    pub(crate) fn dead_lettered(&self) {
        #[cfg(feature = "metrics")]
        self.counters.metrics().dead_lettered.increment(1);
    }

    pub(crate) fn dropped(&self) {
        #[cfg(feature = "metrics")]
        self.counters.metrics().dropped.increment(1);
    }

    /// Counts an attempt that waits for the rate of its listener.
    pub(crate) fn waits_for_rate(&self) {
        #[cfg(feature = "metrics")]
        self.counters.metrics().rate_waits.increment(1);
    }

    /// Counts a pause, which lasts until the listener goes on.
    pub(crate) fn pauses(&self) {
        #[cfg(feature = "metrics")]
        {
            self.counters.metrics().pauses.increment(1);
            self.counters.metrics().paused.set(1);
        }
    }

    /// Reports that the pause is over.
    pub(crate) fn goes_on(&self) {
        #[cfg(feature = "metrics")]
        self.counters.metrics().paused.set(0);
    }

    /// Counts an event as held until the guard is dropped.
    pub(crate) fn hold(&self) -> HeldGuard {
        #[cfg(feature = "metrics")]
        let held = self.counters.metrics().held.clone();
        #[cfg(feature = "metrics")]
        held.increment(1);
        HeldGuard {
            #[cfg(feature = "metrics")]
            held,
        }
    }

    #[cfg_attr(not(feature = "amqp"), allow(dead_code, reason = "only a broker reports how many messages are ready"))]
    pub(crate) fn ready(&self, count: u32) {
        #[cfg(feature = "metrics")]
        self.counters.metrics().ready.set(count);
    }
}

/// A guard that counts an event as held until the guard is dropped.
pub(crate) struct HeldGuard {
    #[cfg(feature = "metrics")]
    held: Gauge,
}

#[cfg(feature = "metrics")]
impl Drop for HeldGuard {
    fn drop(&mut self) {
        self.held.decrement(1);
    }
}

#[cfg_attr(not(feature = "metrics"), allow(clippy::unused_self, unused_variables, reason = "nothing is counted"))]
#[cfg(feature = "amqp")]
impl LinkMetrics {
    pub(crate) fn new(link: &'static str) -> Self {
        Self::labelled(&[("link", link)])
    }

    pub(crate) fn reconnected(&self) {
        #[cfg(feature = "metrics")]
        self.reconnects.increment(1);
    }

    pub(crate) fn up(&self, up: bool) {
        #[cfg(feature = "metrics")]
        self.up.set(f64::from(u8::from(up)));
    }
}

/// The emit metrics of a bus, by event.
#[derive(Default)]
pub(crate) struct EmitMetricsByEvent {
    #[cfg(feature = "metrics")]
    by_event: std::sync::RwLock<std::collections::HashMap<&'static str, std::sync::Arc<EmitMetrics>>>,
}

impl EmitMetricsByEvent {
    #[cfg(feature = "metrics")]
    pub(crate) fn of(&self, event: &'static str) -> std::sync::Arc<EmitMetrics> {
        use std::sync::PoisonError;
        if let Some(emits) = self.by_event.read().unwrap_or_else(PoisonError::into_inner).get(event) {
            return emits.clone();
        }
        let mut all = self.by_event.write().unwrap_or_else(PoisonError::into_inner);
        all.entry(event).or_insert_with(|| EmitMetrics::new(event).into()).clone()
    }

    #[cfg(not(feature = "metrics"))]
    #[allow(clippy::unused_self, reason = "nothing is counted")]
    pub(crate) fn of(&self, event: &'static str) -> EmitMetrics {
        EmitMetrics::new(event)
    }
}

/// Counts an outbox event that the broker refused permanently.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
#[cfg_attr(not(feature = "metrics"), allow(unused_variables, reason = "nothing is counted"))]
pub(crate) fn refused_of_outbox(event: &str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("twyla_outbox_refused_total", "event" => event.to_owned()).increment(1);
}

/// Counts the end of a call that began at `begun`.
#[cfg_attr(not(feature = "metrics"), allow(unused_variables, reason = "nothing is counted"))]
pub(crate) fn called(method: &'static str, outcome: &'static str, begun: tokio::time::Instant) {
    #[cfg(feature = "metrics")]
    {
        metrics::counter!("twyla_calls_total", "method" => method, "outcome" => outcome).increment(1);
        metrics::histogram!("twyla_call_seconds", "method" => method).record(begun.elapsed());
    }
}

/// The label of all methods that the service doesn't have, because callers can send any number of names.
#[cfg(feature = "rpc-server")]
pub(crate) const UNKNOWN_METHOD: &str = "unknown";

/// Counts a response, even if the call never reached its handler.
#[cfg_attr(not(feature = "metrics"), allow(unused_variables, reason = "nothing is counted"))]
pub(crate) fn served(method: &'static str, status: u16) {
    #[cfg(feature = "metrics")]
    metrics::counter!("twyla_served_total", "method" => method, "status" => status.to_string()).increment(1);
}

#[cfg_attr(not(feature = "metrics"), allow(clippy::unused_self, unused_variables, reason = "nothing is counted"))]
impl RpcMetrics {
    pub(crate) fn new(method: &'static str) -> Self {
        Self::labelled(&[("method", method)])
    }

    /// Counts a call refused for lack of capacity.
    pub(crate) fn turned_away(&self) {
        #[cfg(feature = "metrics")]
        self.turned_away.increment(1);
    }

    /// Counts a call as being served until the guard is dropped.
    pub(crate) fn begin(&self, method: &'static str) -> ServingGuard<'_> {
        #[cfg(feature = "metrics")]
        self.serving.increment(1);
        ServingGuard {
            metrics: self,
            #[cfg(feature = "metrics")]
            method,
            #[cfg(feature = "metrics")]
            begun: std::time::Instant::now(),
        }
    }
}

/// A guard that counts a call as being served until the guard is dropped.
#[cfg_attr(not(feature = "metrics"), allow(dead_code, reason = "nothing is counted"))]
pub(crate) struct ServingGuard<'a> {
    metrics: &'a RpcMetrics,
    #[cfg(feature = "metrics")]
    method: &'static str,
    #[cfg(feature = "metrics")]
    begun: std::time::Instant,
}

#[cfg_attr(not(feature = "metrics"), allow(clippy::unused_self, unused_variables, reason = "nothing is counted"))]
impl ServingGuard<'_> {
    /// Records the status and the duration.
    pub(crate) fn end(self, status: u16) {
        #[cfg(feature = "metrics")]
        {
            served(self.method, status);
            self.metrics.seconds.record(self.begun.elapsed());
        }
    }
}

/// Ends the count even if the caller disconnects.
#[cfg(feature = "metrics")]
impl Drop for ServingGuard<'_> {
    fn drop(&mut self) {
        self.metrics.serving.decrement(1);
    }
}
