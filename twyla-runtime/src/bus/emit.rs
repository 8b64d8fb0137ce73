//! The future of an emit: encoded when `emit` is called, sent when it is polled.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Instant;

use super::config::FOREVER;
use super::error::Error;
use super::shared::BusShared;
use crate::future::BoxFuture;
use crate::telemetry::metrics::EmitOutcome;
use crate::telemetry::span::ActiveSpan;
use crate::transport::{Outgoing, PublishFailure, Unpublished};
use crate::wire::Wire;

/// The future of [`Bus::emit`](crate::Bus::emit).
///
/// It is a named type so that the compiler reports a wrong event once, and not at each use of the future.
#[must_use = "nothing is sent until this is awaited"]
pub struct Emitting {
    event: &'static str,
    bus: Arc<BusShared>,
    deadline: Duration,
    span: ActiveSpan,
    wire: Wire,
    stage: Stage,
}

enum Stage {
    /// The encoded message, or the reason of its refusal. The first poll takes it.
    Encoded(Option<Result<Outgoing, Error>>),
    /// The message is on its way.
    Sending { message_id: Arc<str>, sending: BoxFuture<'static, Result<(), Unpublished>>, counted: Counted },
}

impl Emitting {
    pub(crate) fn new(
        event: &'static str,
        message: Result<Outgoing, Error>,
        bus: Arc<BusShared>,
        span: ActiveSpan,
        wire: Wire,
    ) -> Self {
        Self { event, deadline: bus.emit_deadline, bus, span, wire, stage: Stage::Encoded(Some(message)) }
    }

    /// Waits at most `deadline` for the broker's confirm, instead of the bus's emit deadline. The time starts at the first
    /// poll; a call after that has no effect.
    ///
    /// ```text
    /// bus.emit(content, context).within(Duration::from_secs(2)).await?;
    /// ```
    pub fn within(mut self, deadline: Duration) -> Self {
        if let Stage::Encoded(_) = self.stage {
            self.deadline = deadline.min(FOREVER);
        }
        self
    }

    /// Returns the message's id, or the error of a refused event; `None` once publishing has begun.
    #[cfg(feature = "testing")]
    pub(crate) fn encoded(&self) -> Option<Result<Arc<str>, &Error>> {
        match &self.stage {
            Stage::Encoded(Some(message)) => Some(message.as_ref().map(|message| message.message_id.clone())),
            _ => None,
        }
    }

    fn ended(&self, message_id: &str, outcome: Result<(), Unpublished>) -> Result<(), Error> {
        let event = self.event;
        match outcome {
            Ok(()) => {
                tracing::debug!(event, message_id, "emitted");
                Ok(())
            }
            Err(Unpublished { maybe_sent: false, cause: PublishFailure::Closed, .. }) => {
                self.span.failed("closed", None);
                Err(Error::Closed)
            }
            Err(Unpublished { maybe_sent: false, cause: PublishFailure::TooLarge { bytes, most }, why }) => {
                tracing::warn!(event, message_id, error = why, "the event was refused");
                self.span.failed("size", Some(&why));
                Err(Error::TooLarge { event, bytes, most, broker: true })
            }
            Err(Unpublished { maybe_sent, cause: PublishFailure::Refused | PublishFailure::TooLarge { .. }, why }) => {
                tracing::warn!(event, message_id, maybe_sent, error = why, "the event was refused");
                self.span.failed("refused", Some(&why));
                let message_id = message_id.to_owned();
                Err(Error::Refused { event, message_id, maybe_sent, why })
            }
            Err(Unpublished { maybe_sent, why, .. }) => {
                tracing::warn!(event, message_id, maybe_sent, error = why, "the event was not confirmed in time");
                self.span.failed("unconfirmed", Some(&why));
                let message_id = message_id.to_owned();
                Err(Error::Unconfirmed { event, message_id, maybe_sent, deadline: self.deadline, why })
            }
        }
    }

    /// Records that the event was refused before anything was sent.
    fn refused(&self, error: &Error) {
        self.bus.emits.of(self.event).refused();
        // Without the broken rules: they may show sensitive values.
        self.span.failed(
            match error {
                Error::Content { .. } => "content",
                Error::Context { .. } => "context",
                Error::TooLarge { .. } => "size",
                _ => "refused",
            },
            None,
        );
    }
}

impl Future for Emitting {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            match &mut self.stage {
                Stage::Encoded(message) => match message.take() {
                    Some(Ok(mut message)) => {
                        message.trace = self.span.take_context();
                        let message = self.wire.written(message, self.event);
                        let (bytes, most) = (message.body.len(), self.bus.max_event);
                        if bytes > most && self.wire != Wire::Envelope {
                            let error = Error::TooLarge { event: self.event, bytes, most, broker: false };
                            self.refused(&error);
                            return Poll::Ready(Err(error));
                        }
                        let message_id = message.message_id.clone();
                        let counted = Counted::begin(&self.bus, self.event);
                        let until = Instant::now() + self.deadline;
                        let sending = self.bus.transport.clone().publish(message, until);
                        self.stage = Stage::Sending { message_id, sending, counted };
                    }
                    Some(Err(error)) => {
                        self.refused(&error);
                        return Poll::Ready(Err(error));
                    }
                    // polled again after it returned the error
                    None => return Poll::Pending,
                },
                Stage::Sending { message_id, sending, counted } => {
                    let outcome = ready!(sending.as_mut().poll(context));
                    counted.end(EmitOutcome::of(&outcome));
                    let message_id = message_id.clone();
                    return Poll::Ready(self.ended(&message_id, outcome));
                }
            }
        }
    }
}

impl fmt::Debug for Emitting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Emitting")
    }
}

impl EmitOutcome {
    fn of(outcome: &Result<(), Unpublished>) -> Self {
        match outcome {
            Ok(()) => Self::Confirmed,
            Err(Unpublished { cause: PublishFailure::Refused | PublishFailure::TooLarge { .. }, .. }) => Self::Refused,
            Err(Unpublished { cause: PublishFailure::Deadline | PublishFailure::Closed, .. }) => Self::Unconfirmed,
        }
    }
}

/// Counts a started emit exactly once, even if its future is dropped.
#[cfg(feature = "metrics")]
struct Counted {
    emits: Arc<crate::telemetry::metrics::EmitMetrics>,
    begun: std::time::Instant,
    ended: bool,
}

#[cfg(feature = "metrics")]
impl Counted {
    fn begin(bus: &BusShared, event: &'static str) -> Self {
        let emits = bus.emits.of(event);
        emits.begun();
        Self { emits, begun: std::time::Instant::now(), ended: false }
    }

    fn end(&mut self, outcome: EmitOutcome) {
        if !std::mem::replace(&mut self.ended, true) {
            self.emits.ended(Some(outcome), self.begun.elapsed());
        }
    }
}

#[cfg(feature = "metrics")]
impl Drop for Counted {
    fn drop(&mut self) {
        if !self.ended {
            self.emits.ended(None, self.begun.elapsed());
        }
    }
}

#[cfg(not(feature = "metrics"))]
struct Counted;

#[cfg(not(feature = "metrics"))]
#[allow(clippy::unused_self, reason = "nothing is counted")]
impl Counted {
    fn begin(_: &BusShared, _: &'static str) -> Self {
        Self
    }

    fn end(&mut self, _: EmitOutcome) {}
}

#[cfg(all(test, feature = "telemetry"))]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;
    use crate::telemetry::metrics::EmitMetrics;

    #[test]
    fn an_event_refused_for_good_is_counted_as_refused() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let failed = |cause| Err(Unpublished { maybe_sent: false, why: String::new(), cause });
        metrics::with_local_recorder(&recorder, || {
            let emits = EmitMetrics::new("a.b");
            for outcome in [
                Ok(()),
                failed(PublishFailure::Refused),
                failed(PublishFailure::TooLarge { bytes: 2, most: 1 }),
                failed(PublishFailure::Deadline),
            ] {
                emits.begun();
                emits.ended(Some(EmitOutcome::of(&outcome)), Duration::ZERO);
            }
        });
        let text = recorder.handle().render();
        for (metric, count) in [("emitted", 4), ("confirmed", 1), ("refused", 2), ("unconfirmed", 1), ("confirming", 0)]
        {
            let total = if metric == "confirming" { "" } else { "_total" };
            let line = format!("twyla_{metric}{total}{{event=\"a.b\"}} {count}\n");
            assert!(text.contains(&line), "{line}in {text}");
        }
    }
}
