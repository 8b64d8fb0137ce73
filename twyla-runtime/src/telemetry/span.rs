//! Spans for emits, attempts, retries, dead letters and calls, with OpenTelemetry's attributes for RabbitMQ and HTTP.
//!
//! By the [semantic conventions](https://opentelemetry.io/docs/specs/semconv/messaging/rabbitmq/), a producer's destination is
//! `exchange:routing_key`, and a consumer's destination is `exchange:routing_key:queue`.

#[cfg(feature = "telemetry")]
use std::sync::Arc;

use tracing::Span;
use tracing::field::Empty;
use tracing::level_filters::LevelFilter;
use uuid::Uuid;

#[cfg(feature = "telemetry")]
use super::current::{self, LogContext, WorkItem};
#[cfg(feature = "telemetry")]
use super::sampling;
use super::trace::TraceContext;
use crate::contract::session::Session;
use crate::dead_letter::letter::Reason;
use crate::transport::{Delivery, Outgoing, QueueSpec};

/// A started span with its trace context.
#[derive(Clone, Debug)]
pub(crate) struct ActiveSpan {
    span: Span,
    context: Option<TraceContext>,
    #[cfg(feature = "telemetry")]
    log_context: Option<Arc<LogContext>>,
    /// Whether neither this span nor its children are recorded.
    #[cfg(feature = "telemetry")]
    unrecorded: bool,
}

impl ActiveSpan {
    /// Starts a span as a child of the current one, or else of `parent`; a no-op span if the trace isn't sampled.
    fn begin(parent: Option<&TraceContext>, span: impl FnOnce() -> Span) -> Self {
        let mut begun = Self::begin_without_context(parent, span);
        begun.context = begun.take_context();
        begun
    }

    /// Starts a span like [`begin`](Self::begin), but creates no trace context for an unsampled root span:
    /// [`take_context`](Self::take_context) creates it if the caller needs it.
    fn begin_without_context(parent: Option<&TraceContext>, span: impl FnOnce() -> Span) -> Self {
        #[cfg(feature = "telemetry")]
        let (span, context) = match sampling::installed() {
            Some(sampling) => sampling.begin(parent, span),
            None => (span(), parent.cloned()),
        };
        #[cfg(not(feature = "telemetry"))]
        let (span, context) = (span(), parent.cloned());
        Self {
            #[cfg(feature = "telemetry")]
            unrecorded: span.is_none() && sampling::installed().is_some(),
            span,
            context,
            #[cfg(feature = "telemetry")]
            log_context: None,
        }
    }

    /// Returns a span that records nothing, without a trace.
    pub(crate) fn none() -> Self {
        Self {
            span: Span::none(),
            context: None,
            #[cfg(feature = "telemetry")]
            log_context: None,
            #[cfg(feature = "telemetry")]
            unrecorded: false,
        }
    }

    /// Adds the log context whose fields appear in the handler's log lines, if log contexts are enabled.
    #[cfg(feature = "telemetry")]
    fn with_log_context(self, work: WorkItem, attempt: Option<u32>, session: Option<&Session>) -> Self {
        let log_context = current::is_enabled().then(|| {
            let (session, trace) = (session.cloned(), self.context.clone());
            LogContext { work, attempt, session, trace }.into()
        });
        Self { log_context, ..self }
    }

    /// Returns the trace context for children of this span.
    pub(crate) fn context(&self) -> Option<&TraceContext> {
        self.context.as_ref()
    }

    /// Takes the trace context. If there is none and the span isn't recorded, creates an unsampled one.
    pub(crate) fn take_context(&mut self) -> Option<TraceContext> {
        let context = self.context.take();
        #[cfg(feature = "telemetry")]
        let context = context.or_else(|| self.unrecorded.then(TraceContext::unsampled));
        context
    }

    /// Makes this the current span until the guard is dropped. Don't hold the guard across an await.
    #[must_use]
    pub(crate) fn enter(&self) -> impl Sized + use<'_> {
        #[cfg(feature = "telemetry")]
        let around = (
            self.context.as_ref().filter(|_| self.unrecorded).map(sampling::unrecorded),
            self.log_context.clone().map(current::enter),
        );
        #[cfg(not(feature = "telemetry"))]
        let around = ();
        (self.span.enter(), around)
    }

    /// Runs `work` within this span.
    pub(crate) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        let _entered = self.enter();
        work()
    }

    /// Logs within this span at debug level; a no-op when that level is disabled.
    pub(crate) fn debug(&self, log: impl FnOnce()) {
        if LevelFilter::current() >= LevelFilter::DEBUG {
            self.within(log);
        }
    }

    /// Records the status of the HTTP response.
    pub(crate) fn answered(&self, status: u16) {
        if self.span.is_disabled() {
            return;
        }
        self.span.record("http.response.status_code", number(status));
        if status >= 500 {
            self.failed(&status.to_string(), None);
        }
    }

    /// Records an error.
    pub(crate) fn failed(&self, kind: &str, why: Option<&str>) {
        if self.span.is_disabled() {
            return;
        }
        self.span.record("otel.status_code", "ERROR");
        self.span.record("error.type", kind);
        if let Some(why) = why {
            self.span.record("otel.status_description", why);
        }
    }
}

/// Converts an attribute to a signed integer: `tracing-opentelemetry` exports an unsigned one as a string.
fn number(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// Returns the trace context of the current span, or else `given`.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) fn current_context(given: Option<&TraceContext>) -> Option<TraceContext> {
    #[cfg(feature = "telemetry")]
    if let Some(current) = sampling::current() {
        return Some(current);
    }
    given.cloned()
}

/// Creates a span with the attributes of its status, which are recorded later.
macro_rules! span {
    ($span:literal, $kind:literal, $name:expr; $($attributes:tt)*) => {
        tracing::info_span!(
            $span,
            otel.name = $name,
            otel.kind = $kind,
            otel.status_code = Empty,
            otel.status_description = Empty,
            error.type = Empty,
            $($attributes)*
        )
    };
}

/// Creates a span of an operation on messages.
macro_rules! messaging_span {
    ($span:literal, $kind:literal, $operation:literal, $type:literal, $system:ident, $destination:expr; $($attributes:tt)*) => {
        span!(
            $span, $kind, format_args!(concat!($operation, " {}"), $destination);
            messaging.system = $system,
            messaging.operation.name = $operation,
            messaging.operation.type = $type,
            messaging.destination.name = $destination,
            $($attributes)*
        )
    };
}

/// Creates a span of a call over HTTP.
macro_rules! call_span {
    ($span:literal, $kind:literal, $service:expr, $method:expr; $($attributes:tt)*) => {
        span!(
            $span, $kind, format_args!("POST /rpc/{}", $method);
            http.request.method = "POST",
            http.response.status_code = Empty,
            rpc.service = $service,
            rpc.method = $method,
            $($attributes)*
        )
    };
}

/// Starts the span of an emit, which lasts until the broker confirms.
pub(crate) fn emit(
    event: &str,
    message: Option<&Outgoing>,
    system: &str,
    session: Option<Uuid>,
    parent: Option<&TraceContext>,
) -> ActiveSpan {
    ActiveSpan::begin_without_context(parent, || {
        let (domain, event_type) = event.split_once('.').unwrap_or((event, ""));
        messaging_span!(
            "emit", "producer", "publish", "send", system, format_args!("{domain}:{event_type}");
            messaging.rabbitmq.destination.routing_key = event_type,
            messaging.message.id = message.map(|message| &*message.message_id),
            messaging.message.conversation_id = session.map(tracing::field::display),
            messaging.message.body.size = message.map(|message| number(message.body.len())),
        )
    })
}

/// What the span of an attempt at an event shows of it.
pub(crate) struct TracedEvent<'a> {
    pub(crate) message_id: Option<&'a str>,
    /// The size of the message, in bytes.
    pub(crate) size: usize,
    pub(crate) redeliveries: u32,
    pub(crate) attempt: u32,
    pub(crate) session: &'a Session,
    pub(crate) parent: Option<&'a TraceContext>,
}

/// Starts the span of one attempt, after the envelope is parsed. The span includes the handler and the commit of the dedupe store.
pub(crate) fn process(queue: &QueueSpec, event: TracedEvent<'_>, system: &str) -> ActiveSpan {
    let begun = ActiveSpan::begin(event.parent, || {
        let (domain, event_type, name) = (queue.domain, queue.event_type, &queue.name);
        messaging_span!(
            "process", "consumer", "process", "process", system, format_args!("{domain}:{event_type}:{name}");
            messaging.rabbitmq.destination.routing_key = event_type,
            messaging.consumer.group.name = queue.group,
            messaging.message.id = event.message_id,
            messaging.message.conversation_id = %event.session.id,
            messaging.message.body.size = number(event.size),
            twyla.session_text = event.session.text.as_deref(),
            twyla.attempt = number(event.attempt),
            twyla.redeliveries = number(event.redeliveries),
        )
    });
    #[cfg(feature = "telemetry")]
    let begun = begun.with_log_context(work_item(queue), Some(event.attempt), Some(event.session));
    begun
}

/// Starts the span of one attempt at a batch of `count` events, with links to the traces of its events. OpenTelemetry keeps the
/// first 128 links unless it is configured otherwise.
pub(crate) fn process_batch<'a>(
    queue: &QueueSpec,
    count: usize,
    system: &str,
    traces: impl Iterator<Item = &'a TraceContext>,
) -> ActiveSpan {
    let begun = ActiveSpan::begin(None, || {
        let (domain, event_type, name) = (queue.domain, queue.event_type, &queue.name);
        messaging_span!(
            "process", "consumer", "process", "process", system, format_args!("{domain}:{event_type}:{name}");
            messaging.rabbitmq.destination.routing_key = event_type,
            messaging.consumer.group.name = queue.group,
            messaging.batch.message_count = number(count),
        )
    });
    #[cfg(feature = "telemetry")]
    let begun = begun.with_log_context(work_item(queue), None, None);
    #[cfg(feature = "telemetry")]
    if !begun.span.is_disabled() {
        traces.for_each(|trace| sampling::link(&begun.span, trace));
    }
    #[cfg(not(feature = "telemetry"))]
    let _ = traces;
    begun
}

#[cfg(feature = "telemetry")]
fn work_item(queue: &QueueSpec) -> WorkItem {
    WorkItem::Event { event: queue.event, group: queue.group }
}

/// Starts the span of publishing an event to the retry queue named `into`.
pub(crate) fn retry(
    queue: &QueueSpec,
    delivery: &Delivery,
    system: &str,
    into: &str,
    parent: Option<&TraceContext>,
) -> ActiveSpan {
    ActiveSpan::begin(parent, || {
        messaging_span!(
            "retry", "producer", "retry", "send", system, into;
            messaging.consumer.group.name = queue.group,
            messaging.message.id = delivery.message_id,
            messaging.message.body.size = number(delivery.body.len()),
        )
    })
}

/// Starts the span of dead-lettering an event.
pub(crate) fn dead_letter(
    queue: &QueueSpec,
    delivery: &Delivery,
    system: &str,
    reason: Reason,
    parent: Option<&TraceContext>,
) -> ActiveSpan {
    ActiveSpan::begin(parent, || {
        messaging_span!(
            "park", "producer", "park", "send", system, queue.dead.as_str();
            messaging.consumer.group.name = queue.group,
            messaging.message.id = delivery.message_id,
            messaging.message.body.size = number(delivery.body.len()),
            twyla.reason = reason.as_str(),
        )
    })
}

/// Starts the span of one attempt at a call, with OpenTelemetry's attributes for HTTP clients.
pub(crate) fn call(
    service: &str,
    method: &str,
    attempt: u32,
    session: Option<Uuid>,
    parent: Option<&TraceContext>,
) -> ActiveSpan {
    ActiveSpan::begin(parent, || {
        call_span!(
            "call", "client", service, method;
            http.request.resend_count = number(attempt - 1),
            url.template = format_args!("/rpc/{method}"),
            session.id = session.map(tracing::field::display),
        )
    })
}

/// Starts the span of serving a call, with OpenTelemetry's attributes for HTTP servers.
pub(crate) fn serve(name: &'static str, attempt: u32, session: &Session, parent: Option<&TraceContext>) -> ActiveSpan {
    let begun = ActiveSpan::begin(parent, || {
        let (service, method) = name.split_once('.').unwrap_or((name, ""));
        call_span!(
            "serve", "server", service, method;
            http.route = format_args!("/rpc/{method}"),
            session.id = %session.id,
            twyla.session_text = session.text.as_deref(),
            twyla.attempt = number(attempt),
        )
    });
    #[cfg(feature = "telemetry")]
    let begun = begun.with_log_context(WorkItem::Call { method: name }, Some(attempt), Some(session));
    begun
}

#[cfg(all(test, feature = "telemetry"))]
mod tests {
    use super::*;
    use crate::transport::QueueKind;

    #[test]
    fn the_log_lines_of_a_batch_name_its_event_and_group() {
        let queue = QueueSpec {
            event: "shop.order",
            domain: "shop",
            event_type: "order",
            group: "ledger",
            name: "shop.order.ledger".to_owned(),
            dead: "shop.order.ledger.dead".to_owned(),
            kind: QueueKind::Quorum,
            prefetch: 1,
            single: false,
        };
        current::enable();
        let span = process_batch(&queue, 2, "rabbitmq", std::iter::empty());
        let _entered = span.enter();
        let log_context = current::current().map(|current| (current.work, current.attempt, current.session.is_some()));
        assert_eq!(log_context, Some((WorkItem::Event { event: "shop.order", group: "ledger" }, None, false)));
    }
}
