//! What is counted and timed, through the `metrics` facade (feature `metrics`): the names are in the page [`telemetry`].
//!
//! [`telemetry`]: crate::telemetry

#[cfg(feature = "metrics")]
mod counters;

use std::time::Duration;

#[cfg(feature = "metrics")]
use metrics::{Counter, Gauge, Histogram};

#[cfg(feature = "metrics")]
use super::metrics::counters::{Batch, Figures, Tally};
#[cfg(feature = "telemetry")]
pub(crate) use super::metrics::counters::{Settle, register, settle};

/// Declares a set of figures, and one without any where there are no metrics.
macro_rules! figures {
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
figures! {
    /// Of the emits of one event.
    OfEmits {
        emitted: Counter = counter "twyla_emitted_total",
        confirmed: Counter = counter "twyla_confirmed_total",
        refused: Counter = counter "twyla_refused_total",
        unconfirmed: Counter = counter "twyla_unconfirmed_total",
        confirming: Gauge = gauge "twyla_confirming",
        seconds: Histogram = histogram "twyla_confirm_seconds",
    }
}

#[cfg(feature = "metrics")]
figures! {
    /// Of one listener.
    OfListens {
        handled: Counter = counter "twyla_handled_total",
        skipped: Counter = counter "twyla_skipped_total",
        store_failed: Counter = counter "twyla_store_errors_total",
        failed: Counter = counter "twyla_failed_total",
        retried: Counter = counter "twyla_retried_total",
        parked: Counter = counter "twyla_parked_total",
        dropped: Counter = counter "twyla_dropped_total",
        held: Gauge = gauge "twyla_held",
        handling: Gauge = gauge "twyla_handling",
        seconds: Histogram = histogram "twyla_handler_seconds",
        ready: Gauge = gauge "twyla_queue_ready",
    }
}

figures! {
    /// Of the calls of one RPC that are served here.
    Serves {
        turned_away: Counter = counter "twyla_turned_away_total",
        serving: Gauge = gauge "twyla_serving",
        seconds: Histogram = histogram "twyla_serve_seconds",
    }
}

#[cfg(feature = "amqp")]
figures! {
    /// Of one of the connections.
    Links {
        reconnects: Counter = counter "twyla_reconnects_total",
        up: Gauge = gauge "twyla_connected",
    }
}

/// What a figure is, for exporters.
#[cfg(feature = "telemetry")]
#[derive(Clone, Copy)]
pub(crate) struct Description {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) unit: metrics::Unit,
    describe: fn(metrics::KeyName, Option<metrics::Unit>, metrics::SharedString),
}

#[cfg(feature = "telemetry")]
const fn counter(name: &'static str, what: &'static str) -> Description {
    let describe = |name, unit, what| metrics::with_recorder(|recorder| recorder.describe_counter(name, unit, what));
    Description { name, what, unit: metrics::Unit::Count, describe }
}

#[cfg(feature = "telemetry")]
const fn gauge(name: &'static str, what: &'static str) -> Description {
    let describe = |name, unit, what| metrics::with_recorder(|recorder| recorder.describe_gauge(name, unit, what));
    Description { name, what, unit: metrics::Unit::Count, describe }
}

#[cfg(feature = "telemetry")]
const fn seconds(name: &'static str, what: &'static str) -> Description {
    let describe = |name, unit, what| metrics::with_recorder(|recorder| recorder.describe_histogram(name, unit, what));
    Description { name, what, unit: metrics::Unit::Seconds, describe }
}

#[cfg(feature = "telemetry")]
const DESCRIPTIONS: &[Description] = &[
    counter("twyla_emitted_total", "events that were given to the bus to be emitted"),
    counter("twyla_confirmed_total", "events that the broker has confirmed"),
    counter("twyla_refused_total", "events that were not sent, since they break their contract or are too large"),
    counter("twyla_unconfirmed_total", "events that the broker has not confirmed within their deadline"),
    counter("twyla_handled_total", "events that were handled"),
    counter("twyla_skipped_total", "events that their group has handled before"),
    counter("twyla_failed_total", "attempts that failed"),
    counter("twyla_store_errors_total", "times that the store of what was handled could not be used"),
    counter("twyla_retried_total", "attempts that are made again"),
    counter("twyla_parked_total", "events that were put into the dead queue"),
    counter("twyla_dropped_total", "events that their handler has dropped"),
    counter("twyla_outbox_refused_total", "events of an outbox that were put aside, since the broker refuses them"),
    counter("twyla_reconnects_total", "connections that were made again"),
    counter("twyla_calls_total", "calls of RPCs that have come to an end, of whichever kind"),
    counter("twyla_served_total", "calls that were answered, by their HTTP status"),
    counter("twyla_turned_away_total", "calls for which there was no place"),
    counter("twyla_log_lines_dropped_total", "lines of the log that no collector has taken"),
    gauge("twyla_connected", "1 while the connection is up, else 0"),
    gauge("twyla_confirming", "events whose confirm is waited for"),
    gauge("twyla_held", "events that wait in the service, since their dead queue or retry queue doesn't take them"),
    gauge("twyla_handling", "events that are being handled"),
    gauge("twyla_queue_ready", "events that wait in the queue, looked at every few seconds"),
    gauge("twyla_serving", "calls that are being served"),
    seconds("twyla_confirm_seconds", "how long the broker took to confirm"),
    seconds("twyla_call_seconds", "how long a call took, all attempts together"),
    seconds("twyla_serve_seconds", "how long a call took to be answered here"),
    seconds("twyla_handler_seconds", "how long an attempt took"),
];

/// What the figure with this name is.
#[cfg(feature = "telemetry")]
pub(crate) fn description(name: &str) -> Option<Description> {
    DESCRIPTIONS.iter().copied().find(|description| description.name == name)
}

/// Says what each figure is to the exporters.
#[cfg(feature = "telemetry")]
pub(crate) fn describe() {
    for &Description { name, what, unit, describe } in DESCRIPTIONS {
        describe(name.into(), Some(unit), what.into());
    }
}

/// Of the emits of one event; each is tallied.
#[cfg_attr(not(feature = "metrics"), allow(dead_code, reason = "nothing is counted"))]
pub(crate) struct Emits {
    #[cfg(feature = "metrics")]
    tally: Tally<OfEmits>,
}

#[cfg(feature = "metrics")]
impl Figures for OfEmits {
    fn add(&self, batch: &Batch) {
        let [confirmed, unconfirmed, _] = batch.came;
        add(&self.emitted, batch.begun);
        add(&self.confirmed, confirmed);
        add(&self.unconfirmed, unconfirmed);
        shift(&self.confirming, batch);
        batch.took.iter().for_each(|took| self.seconds.record(*took));
    }
}

#[cfg(feature = "metrics")]
fn add(counter: &Counter, count: u64) {
    if count > 0 {
        counter.increment(count);
    }
}

/// What has begun and not ended.
#[cfg(feature = "metrics")]
#[allow(clippy::cast_precision_loss, reason = "a batch is small")]
fn shift(under_way: &Gauge, batch: &Batch) {
    match batch.begun.cmp(&batch.ended) {
        std::cmp::Ordering::Greater => under_way.increment((batch.begun - batch.ended) as f64),
        std::cmp::Ordering::Less => under_way.decrement((batch.ended - batch.begun) as f64),
        std::cmp::Ordering::Equal => {}
    }
}

#[cfg_attr(not(feature = "metrics"), allow(clippy::unused_self, unused_variables, reason = "nothing is counted"))]
#[cfg_attr(not(feature = "metrics"), allow(dead_code, reason = "nothing is counted"))]
impl Emits {
    pub(crate) fn new(event: &'static str) -> Self {
        Self {
            #[cfg(feature = "metrics")]
            tally: Tally::into(OfEmits::labelled(&[("event", event)])),
        }
    }

    pub(crate) fn begun(&self) {
        #[cfg(feature = "metrics")]
        self.tally.note(|batch| batch.begun += 1);
    }

    pub(crate) fn refused(&self) {
        #[cfg(feature = "metrics")]
        self.tally.figures().refused.increment(1);
    }

    /// What was begun has come to an end after this long; `confirmed` says to which, if to any.
    pub(crate) fn ended(&self, confirmed: Option<bool>, took: Duration) {
        #[cfg(feature = "metrics")]
        self.tally.note(|batch| {
            batch.ended += 1;
            match confirmed {
                Some(true) => {
                    batch.came[0] += 1;
                    batch.took.push(took);
                }
                Some(false) => batch.came[1] += 1,
                None => {}
            }
        });
    }
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    Handled,
    Failed,
    Skipped,
}

/// Of one listener; its attempts are tallied.
#[derive(Clone)]
pub(crate) struct Listens {
    #[cfg(feature = "metrics")]
    tally: Tally<OfListens>,
}

#[cfg(feature = "metrics")]
impl Figures for OfListens {
    fn add(&self, batch: &Batch) {
        let [handled, failed, skipped] = batch.came;
        add(&self.handled, handled);
        add(&self.failed, failed);
        add(&self.skipped, skipped);
        shift(&self.handling, batch);
        batch.took.iter().for_each(|took| self.seconds.record(*took));
    }
}

#[cfg_attr(not(feature = "metrics"), allow(clippy::unused_self, unused_variables, reason = "nothing is counted"))]
impl Listens {
    pub(crate) fn new(event: &'static str, group: &'static str) -> Self {
        Self {
            #[cfg(feature = "metrics")]
            tally: Tally::into(OfListens::labelled(&[("event", event), ("group", group)])),
        }
    }

    pub(crate) fn begun(&self) {
        #[cfg(feature = "metrics")]
        self.tally.note(|batch| batch.begun += 1);
    }

    /// An attempt has ended, and come to something after this long unless it was given up.
    pub(crate) fn ended(&self, came: Option<(Came, Duration)>) {
        #[cfg(feature = "metrics")]
        self.tally.note(|batch| {
            batch.ended += 1;
            let Some((came, took)) = came else { return };
            batch.came[came as usize] += 1;
            if came != Came::Skipped {
                batch.took.push(took);
            }
        });
    }

    pub(crate) fn retried(&self) {
        #[cfg(feature = "metrics")]
        self.tally.figures().retried.increment(1);
    }

    /// The store could not be used.
    pub(crate) fn store_failed(&self) {
        #[cfg(feature = "metrics")]
        self.tally.figures().store_failed.increment(1);
    }

    pub(crate) fn parked(&self) {
        #[cfg(feature = "metrics")]
        self.tally.figures().parked.increment(1);
    }

    pub(crate) fn dropped(&self) {
        #[cfg(feature = "metrics")]
        self.tally.figures().dropped.increment(1);
    }

    /// An event is held here, until what is returned is gone.
    pub(crate) fn hold(&self) -> Holds {
        #[cfg(feature = "metrics")]
        let held = self.tally.figures().held.clone();
        #[cfg(feature = "metrics")]
        held.increment(1);
        Holds {
            #[cfg(feature = "metrics")]
            held,
        }
    }

    #[cfg_attr(not(feature = "amqp"), allow(dead_code, reason = "only a broker has queues to ask for"))]
    pub(crate) fn ready(&self, count: u32) {
        #[cfg(feature = "metrics")]
        self.tally.figures().ready.set(count);
    }
}

/// An event that is held, until this is dropped.
pub(crate) struct Holds {
    #[cfg(feature = "metrics")]
    held: Gauge,
}

#[cfg(feature = "metrics")]
impl Drop for Holds {
    fn drop(&mut self) {
        self.held.decrement(1);
    }
}

#[cfg_attr(not(feature = "metrics"), allow(clippy::unused_self, unused_variables, reason = "nothing is counted"))]
#[cfg(feature = "amqp")]
impl Links {
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

/// The figures of all events that a bus emits.
#[derive(Default)]
pub(crate) struct AllEmits {
    #[cfg(feature = "metrics")]
    by_event: std::sync::RwLock<std::collections::HashMap<&'static str, std::sync::Arc<Emits>>>,
}

impl AllEmits {
    #[cfg(feature = "metrics")]
    pub(crate) fn of(&self, event: &'static str) -> std::sync::Arc<Emits> {
        use std::sync::PoisonError;
        if let Some(emits) = self.by_event.read().unwrap_or_else(PoisonError::into_inner).get(event) {
            return emits.clone();
        }
        let mut all = self.by_event.write().unwrap_or_else(PoisonError::into_inner);
        all.entry(event).or_insert_with(|| Emits::new(event).into()).clone()
    }

    #[cfg(not(feature = "metrics"))]
    #[allow(clippy::unused_self, reason = "nothing is counted")]
    pub(crate) fn of(&self, event: &'static str) -> Emits {
        Emits::new(event)
    }
}

/// An event of an outbox is refused for good.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
#[cfg_attr(not(feature = "metrics"), allow(unused_variables, reason = "nothing is counted"))]
pub(crate) fn refused_of_outbox(event: &str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("twyla_outbox_refused_total", "event" => event.to_owned()).increment(1);
}

/// A call that began then has come to an end, of this kind.
#[cfg_attr(not(feature = "metrics"), allow(unused_variables, reason = "nothing is counted"))]
pub(crate) fn called(method: &'static str, outcome: &'static str, begun: tokio::time::Instant) {
    #[cfg(feature = "metrics")]
    {
        metrics::counter!("twyla_calls_total", "method" => method, "outcome" => outcome).increment(1);
        metrics::histogram!("twyla_call_seconds", "method" => method).record(begun.elapsed());
    }
}

/// The method of calls of RPCs that the service doesn't have: their names are the callers', and without a bound.
#[cfg(feature = "rpc-server")]
pub(crate) const UNKNOWN_METHOD: &str = "unknown";

/// A call was answered with this status, be it before it began.
#[cfg_attr(not(feature = "metrics"), allow(unused_variables, reason = "nothing is counted"))]
pub(crate) fn served(method: &'static str, status: u16) {
    #[cfg(feature = "metrics")]
    metrics::counter!("twyla_served_total", "method" => method, "status" => status.to_string()).increment(1);
}

#[cfg_attr(not(feature = "metrics"), allow(clippy::unused_self, unused_variables, reason = "nothing is counted"))]
impl Serves {
    pub(crate) fn new(method: &'static str) -> Self {
        Self::labelled(&[("method", method)])
    }

    /// A call was turned away, as there was no place for it.
    pub(crate) fn turned_away(&self) {
        #[cfg(feature = "metrics")]
        self.turned_away.increment(1);
    }

    /// A call is being served, until what is returned is gone.
    pub(crate) fn begin(&self, method: &'static str) -> Serving<'_> {
        #[cfg(feature = "metrics")]
        self.serving.increment(1);
        Serving {
            figures: self,
            #[cfg(feature = "metrics")]
            method,
            #[cfg(feature = "metrics")]
            begun: std::time::Instant::now(),
        }
    }
}

/// A call that is being served.
#[cfg_attr(not(feature = "metrics"), allow(dead_code, reason = "nothing is counted"))]
pub(crate) struct Serving<'a> {
    figures: &'a Serves,
    #[cfg(feature = "metrics")]
    method: &'static str,
    #[cfg(feature = "metrics")]
    begun: std::time::Instant,
}

#[cfg_attr(not(feature = "metrics"), allow(clippy::unused_self, unused_variables, reason = "nothing is counted"))]
impl Serving<'_> {
    /// It was answered with this status.
    pub(crate) fn end(self, status: u16) {
        #[cfg(feature = "metrics")]
        {
            served(self.method, status);
            self.figures.seconds.record(self.begun.elapsed());
        }
    }
}

/// Also where its caller has given up.
#[cfg(feature = "metrics")]
impl Drop for Serving<'_> {
    fn drop(&mut self) {
        self.figures.serving.decrement(1);
    }
}
