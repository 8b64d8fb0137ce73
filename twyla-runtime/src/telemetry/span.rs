//! The spans of what an event goes through, in OpenTelemetry's words for messaging over RabbitMQ, and the place in a trace
//! that goes on with it.
//!
//! [Semantic conventions](https://opentelemetry.io/docs/specs/semconv/messaging/rabbitmq/): an exchange and a routing key are
//! the destination `exchange:routing_key`, and for a consumer its queue too.

#[cfg(feature = "telemetry")]
use std::sync::Arc;

use tracing::Span;
use tracing::field::Empty;
use tracing::level_filters::LevelFilter;
use uuid::Uuid;

#[cfg(feature = "telemetry")]
use super::current::{self, About, Here};
#[cfg(feature = "telemetry")]
use super::sampling;
use super::trace::TraceContext;
use crate::contract::session::Session;
use crate::dead_letter::letter::Reason;
use crate::transport::{Delivery, Outgoing, QueueSpec};

/// A span that has begun, and where in its trace that is.
#[derive(Debug)]
pub(crate) struct Active {
    span: Span,
    context: Option<TraceContext>,
    #[cfg(feature = "telemetry")]
    here: Option<Arc<Here>>,
    /// Whether it isn't recorded, and so nothing within is.
    #[cfg(feature = "telemetry")]
    unrecorded: bool,
}

impl Active {
    /// Begins a span below the one that is entered, or else below `parent`. Where the trace isn't sampled there is no span.
    fn begin(parent: Option<&TraceContext>, span: impl FnOnce() -> Span) -> Self {
        let mut begun = Self::begin_unplaced(parent, span);
        begun.context = begun.take_context();
        begun
    }

    /// The same, for what needs its place only later.
    fn begin_unplaced(parent: Option<&TraceContext>, span: impl FnOnce() -> Span) -> Self {
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
            here: None,
        }
    }

    /// The same for a handler: what it logs tells of the event, and its own spans are part of the trace.
    #[cfg(feature = "telemetry")]
    fn telling(self, about: About, attempt: u32, session: &Session) -> Self {
        let here = current::is_wanted().then(|| {
            let (session, trace) = (session.clone(), self.context.clone());
            Here { about, attempt, session, trace }.into()
        });
        Self { here, ..self }
    }

    /// Where in the trace this is: what follows belongs there.
    pub(crate) fn context(&self) -> Option<&TraceContext> {
        self.context.as_ref()
    }

    /// The same, for who comes to need it only now, and needs it once.
    pub(crate) fn take_context(&mut self) -> Option<TraceContext> {
        let context = self.context.take();
        #[cfg(feature = "telemetry")]
        let context = context.or_else(|| self.unrecorded.then(TraceContext::unsampled));
        context
    }

    /// Until what is returned is dropped, what is done belongs to this. Never across an await.
    #[must_use]
    pub(crate) fn enter(&self) -> impl Sized + use<'_> {
        #[cfg(feature = "telemetry")]
        let around = (
            self.context.as_ref().filter(|_| self.unrecorded).map(sampling::unrecorded),
            self.here.clone().map(current::enter),
        );
        #[cfg(not(feature = "telemetry"))]
        let around = ();
        (self.span.enter(), around)
    }

    /// Does something that belongs to this, such as to log.
    pub(crate) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        let _entered = self.enter();
        work()
    }

    /// Logs something that belongs to this, for who looks for mistakes: nothing is done where nobody does.
    pub(crate) fn debug(&self, log: impl FnOnce()) {
        if LevelFilter::current() >= LevelFilter::DEBUG {
            self.within(log);
        }
    }

    /// An HTTP answer had this status.
    pub(crate) fn answered(&self, status: u16) {
        if self.span.is_disabled() {
            return;
        }
        self.span.record("http.response.status_code", number(status));
        if status >= 500 {
            self.failed(&status.to_string(), None);
        }
    }

    /// It has come to nothing, for this kind of reason.
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

/// An integer attribute: `tracing-opentelemetry` sends an unsigned one as a string.
fn number(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// Where in its trace the span is that is entered, or else `given`.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) fn place(given: Option<&TraceContext>) -> Option<TraceContext> {
    #[cfg(feature = "telemetry")]
    if let Some(current) = sampling::current() {
        return Some(current);
    }
    given.cloned()
}

/// An event is emitted: until the broker has confirmed it.
pub(crate) fn emit(
    event: &str,
    message: Option<&Outgoing>,
    system: &str,
    session: Option<Uuid>,
    parent: Option<&TraceContext>,
) -> Active {
    Active::begin_unplaced(parent, || {
        let (domain, event_type) = event.split_once('.').unwrap_or((event, ""));
        tracing::info_span!(
            "emit",
            otel.name = format_args!("publish {domain}:{event_type}"),
            otel.kind = "producer",
            otel.status_code = Empty,
            otel.status_description = Empty,
            error.type = Empty,
            messaging.system = system,
            messaging.operation.name = "publish",
            messaging.operation.type = "send",
            messaging.destination.name = format_args!("{domain}:{event_type}"),
            messaging.rabbitmq.destination.routing_key = event_type,
            messaging.message.id = message.map(|message| &*message.message_id),
            messaging.message.conversation_id = session.map(tracing::field::display),
            messaging.message.body.size = message.map(|message| number(message.body.len())),
        )
    })
}

/// One attempt at an event: its envelope is read, and its handler called.
pub(crate) fn process(
    queue: &QueueSpec,
    delivery: &Delivery,
    system: &str,
    attempt: u32,
    session: &Session,
    parent: Option<&TraceContext>,
) -> Active {
    let begun = Active::begin(parent, || {
        let (domain, event_type, name) = (queue.domain, queue.event_type, &queue.name);
        tracing::info_span!(
            "process",
            otel.name = format_args!("process {domain}:{event_type}:{name}"),
            otel.kind = "consumer",
            otel.status_code = Empty,
            otel.status_description = Empty,
            error.type = Empty,
            messaging.system = system,
            messaging.operation.name = "process",
            messaging.operation.type = "process",
            messaging.destination.name = format_args!("{domain}:{event_type}:{name}"),
            messaging.rabbitmq.destination.routing_key = event_type,
            messaging.consumer.group.name = queue.group,
            messaging.message.id = delivery.message_id,
            messaging.message.conversation_id = %session.id,
            messaging.message.body.size = number(delivery.body.len()),
            twyla.session_text = session.text.as_deref(),
            twyla.attempt = number(attempt),
            twyla.redeliveries = number(delivery.redeliveries),
        )
    });
    #[cfg(feature = "telemetry")]
    let begun = begun.telling(About::Event { event: queue.event, group: queue.group }, attempt, session);
    begun
}

/// An event is put into the retry queue `into`.
pub(crate) fn retry(
    queue: &QueueSpec,
    delivery: &Delivery,
    system: &str,
    into: &str,
    parent: Option<&TraceContext>,
) -> Active {
    Active::begin(parent, || {
        tracing::info_span!(
            "retry",
            otel.name = format_args!("retry {into}"),
            otel.kind = "producer",
            otel.status_code = Empty,
            otel.status_description = Empty,
            error.type = Empty,
            messaging.system = system,
            messaging.operation.name = "retry",
            messaging.operation.type = "send",
            messaging.destination.name = into,
            messaging.consumer.group.name = queue.group,
            messaging.message.id = delivery.message_id,
            messaging.message.body.size = number(delivery.body.len()),
        )
    })
}

/// An event is put into the dead queue.
pub(crate) fn park(
    queue: &QueueSpec,
    delivery: &Delivery,
    system: &str,
    reason: Reason,
    parent: Option<&TraceContext>,
) -> Active {
    Active::begin(parent, || {
        let dead = queue.dead.as_str();
        tracing::info_span!(
            "park",
            otel.name = format_args!("park {dead}"),
            otel.kind = "producer",
            otel.status_code = Empty,
            otel.status_description = Empty,
            error.type = Empty,
            messaging.system = system,
            messaging.operation.name = "park",
            messaging.operation.type = "send",
            messaging.destination.name = dead,
            messaging.consumer.group.name = queue.group,
            messaging.message.id = delivery.message_id,
            messaging.message.body.size = number(delivery.body.len()),
            twyla.reason = reason.as_str(),
        )
    })
}

/// One attempt at a call, from the caller's side, in OpenTelemetry's words for HTTP clients.
pub(crate) fn call(
    service: &str,
    method: &str,
    attempt: u32,
    session: Option<Uuid>,
    parent: Option<&TraceContext>,
) -> Active {
    Active::begin(parent, || {
        tracing::info_span!(
            "call",
            otel.name = format_args!("POST /rpc/{method}"),
            otel.kind = "client",
            otel.status_code = Empty,
            otel.status_description = Empty,
            error.type = Empty,
            http.request.method = "POST",
            http.request.resend_count = number(attempt - 1),
            http.response.status_code = Empty,
            url.template = format_args!("/rpc/{method}"),
            rpc.service = service,
            rpc.method = method,
            session.id = session.map(tracing::field::display),
        )
    })
}

/// The same from the side of the service, with its handler, in OpenTelemetry's words for HTTP servers.
pub(crate) fn serve(name: &'static str, attempt: u32, session: &Session, parent: Option<&TraceContext>) -> Active {
    let begun = Active::begin(parent, || {
        let (service, method) = name.split_once('.').unwrap_or((name, ""));
        tracing::info_span!(
            "serve",
            otel.name = format_args!("POST /rpc/{method}"),
            otel.kind = "server",
            otel.status_code = Empty,
            otel.status_description = Empty,
            error.type = Empty,
            http.request.method = "POST",
            http.route = format_args!("/rpc/{method}"),
            http.response.status_code = Empty,
            rpc.service = service,
            rpc.method = method,
            session.id = %session.id,
            twyla.session_text = session.text.as_deref(),
            twyla.attempt = number(attempt),
        )
    });
    #[cfg(feature = "telemetry")]
    let begun = begun.telling(About::Call { method: name }, attempt, session);
    begun
}
