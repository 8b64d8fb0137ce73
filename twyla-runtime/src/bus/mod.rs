//! The bus: emits events.

pub(crate) mod config;
pub(crate) mod emit;
pub(crate) mod error;
pub(crate) mod shared;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::sync::watch;
use uuid::Uuid;

use self::config::{Config, MAX_EVENT, program};
use self::emit::Emitting;
use self::error::Error;
use self::shared::BusShared;
use crate::contract::envelope;
use crate::dead_letter::headers::Header;
use crate::dead_letter::letter::DeadLetter;
use crate::dead_letter::triage::{Sort, Sorted};
use crate::progress::Progress;
use crate::telemetry::metrics::EmitMetricsByEvent;
use crate::telemetry::span;
use crate::telemetry::trace::TraceContext;
use crate::transport::memory::MemoryTransport;
use crate::transport::sender_properties::{Property, SenderProperties};
use crate::transport::state::BusState;
use crate::transport::{Outgoing, PublishTarget, Transport, dead_name, new_message_id, queue_name};
use crate::wire::{Wire, Wires};
use twyla_codec::event::{AsContext, Emittable, Event, EventContext};

/// An event bus, over RabbitMQ or in the memory of this process. Clones share it.
#[derive(Clone)]
pub struct Bus {
    inner: Arc<BusShared>,
    session: Option<Uuid>,
    /// The parent trace of emitted events; in a handler, the trace of the handled event.
    trace: Option<TraceContext>,
    wires: Arc<Wires>,
}

impl Bus {
    /// Returns a bus in the memory of this process, for tests and programs of one process.
    ///
    /// It behaves like RabbitMQ: a queue for each group, prefetch, redelivery, dead queues. Queues live as long as the bus. An event
    /// without a listener is dropped.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::observed(Progress::default())
    }

    /// Returns a bus in memory that reports its emits and deliveries to `progress`.
    pub(crate) fn observed(progress: Progress) -> Self {
        let transport = Arc::new(MemoryTransport::observed(progress.clone()));
        let (app_id, emit_deadline, max_event) = (program().into(), Duration::from_secs(30), MAX_EVENT);
        let emits = EmitMetricsByEvent::default();
        Self::over(BusShared { transport, app_id, emit_deadline, max_event, emits, progress })
    }

    /// Connects to RabbitMQ.
    ///
    /// After that, the bus reconnects whenever a connection is lost, as often as needed.
    ///
    /// # Errors
    /// [`Error::Connect`] if the broker can't be reached within the configuration's connect deadline, and at once if it
    /// refuses the user, the password or the virtual host.
    ///
    /// # Cancel safety
    /// Dropping the future stops connecting; nothing is left.
    #[cfg(feature = "amqp")]
    pub async fn connect(config: Config) -> Result<Self, Error> {
        let (app_id, emit_deadline, max_event) =
            (config.app_id.as_str().into(), config.emit_deadline, config.max_event);
        let transport = Arc::new(crate::transport::amqp::Amqp::connect(config).await?);
        let (emits, progress) = (EmitMetricsByEvent::default(), Progress::default());
        Ok(Self::over(BusShared { transport, app_id, emit_deadline, max_event, emits, progress }))
    }

    /// Connects to RabbitMQ if `<PREFIX>_AMQP_HOST` is set, else returns a bus in memory. See [`Config::from_env`] for the variables.
    ///
    /// # Errors
    /// [`Error::Config`] names a variable that is missing or bad; else as [`connect`](Self::connect).
    ///
    /// # Cancel safety
    /// As [`connect`](Self::connect).
    pub async fn from_env(prefix: &str) -> Result<Self, Error> {
        match Config::from_env(prefix)? {
            None => {
                let variable = config::variable(prefix, "AMQP_HOST");
                tracing::info!("{variable} is not set: the bus is in memory, and its events stay in this process");
                Ok(Self::in_memory())
            }
            #[cfg(feature = "amqp")]
            Some(config) => Self::connect(config).await,
            #[cfg(not(feature = "amqp"))]
            Some(_) => Err(Error::NoAmqp(format!("{}_AMQP_HOST", prefix.trim_end_matches('_')))),
        }
    }

    fn over(inner: BusShared) -> Self {
        Self { inner: Arc::new(inner), session: None, trace: None, wires: Arc::default() }
    }

    /// Emits an event; resolves when the broker has confirmed it.
    ///
    /// Validates content and context against their contracts first. The event belongs to this bus's session: the session of
    /// [`with_session`](Self::with_session), or in a handler that of the handled event, or else a new session. An event without
    /// a listening group is dropped, as with any topic exchange.
    ///
    /// During an outage, the emit waits until the emit deadline ([`Config::emit_deadline`]; for this one event
    /// [`Emitting::within`]). If the event may have been lost, the emit sends it again under the same message id. So the event
    /// may be delivered more than once.
    ///
    /// # Errors
    /// [`Error::Content`] or [`Error::Context`] if the content or the context breaks its contract. [`Error::TooLarge`] if the event
    /// exceeds the limit of the bus or of the broker. [`Error::Refused`] at once if the broker refuses the event permanently.
    /// [`Error::Unconfirmed`] if the broker did not confirm in time. `Refused` and `Unconfirmed` say whether the event may have been sent. [`Error::Closed`] if
    /// the bus is closed.
    ///
    /// # Cancel safety
    /// The event is checked and encoded by the call, and sent when the future is polled. If the future is dropped, the event may
    /// or may not be sent.
    pub fn emit<T, C, A>(&self, content: T, context: A) -> Emitting
    where
        // the context's type is a parameter, not a projection, so that the compiler refuses content and context separately
        T: Emittable + Event<Context = C>,
        C: EventContext,
        A: AsContext<C>,
    {
        let now = Utc::now();
        let session = self.session.unwrap_or_else(Uuid::new_v4);
        let body = encoded(&content, &context, now, session, self.inner.max_event);
        let message = body.map(|body| self.message(T::DOMAIN, T::EVENT_TYPE, body.into(), now));
        if let Ok(message) = &message {
            self.inner.progress.emits(&message.message_id, T::EMITS);
        }
        self.emitting(T::NAME, message, Some(session), self.wire_of(T::NAME))
    }

    fn emitting(
        &self,
        event: &'static str,
        message: Result<Outgoing, Error>,
        session: Option<Uuid>,
        wire: Wire,
    ) -> Emitting {
        let system = self.inner.transport.system();
        let span = span::emit(event, message.as_ref().ok(), system, session, self.trace.as_ref());
        Emitting::new(event, message, self.inner.clone(), span, wire)
    }

    pub(crate) fn message(
        &self,
        domain: impl Into<Cow<'static, str>>,
        event_type: impl Into<Cow<'static, str>>,
        body: Bytes,
        timestamp: DateTime<Utc>,
    ) -> Outgoing {
        Outgoing {
            to: PublishTarget::Event { domain: domain.into(), event_type: event_type.into() },
            body,
            message_id: new_message_id(),
            timestamp,
            app_id: self.app_id(),
            headers: Vec::new(),
            original: None,
            trace: None,
        }
    }

    /// Returns a bus whose events all belong to the session `id`. If other programs identify the session by a text, pass
    /// [`session_id`](crate::session_id) of that text.
    #[must_use]
    pub fn with_session(&self, id: Uuid) -> Self {
        Self { session: Some(id), ..self.clone() }
    }

    /// Returns a bus whose events all belong to `trace`. In a handler, the bus already has the trace of the handled event.
    #[must_use]
    pub fn with_trace(&self, trace: TraceContext) -> Self {
        Self { trace: Some(trace), ..self.clone() }
    }

    /// Returns a bus that writes all its events in this form; the default is [`Wire::Envelope`]. [`wire_for`](Self::wire_for) sets
    /// others for single domains and events.
    ///
    /// Give it to the service, so that its handlers and its outbox write their events in the same form. Listeners read each form.
    ///
    /// ```
    /// use twyla_runtime::{Bus, Wire};
    ///
    /// let bus = Bus::in_memory()
    ///     .wire(Wire::CloudEventsBinary)
    ///     .wire_for("shop", Wire::CloudEventsStructured)
    ///     .wire_for("shop.order_placed", Wire::Envelope);
    /// ```
    #[must_use]
    pub fn wire(&self, wire: Wire) -> Self {
        Self { wires: Wires::all(wire).into(), ..self.clone() }
    }

    /// Returns a bus that writes the events of a domain (`shop`), or one event (`shop.order_placed`), in this form. An event's own
    /// form goes before that of its domain, in any order of the calls; a later [`wire`](Self::wire) resets both.
    #[must_use]
    pub fn wire_for(&self, name: &str, wire: Wire) -> Self {
        Self { wires: self.wires.with(name, wire).into(), ..self.clone() }
    }

    /// Returns the form of an event.
    pub(crate) fn wire_of(&self, event: &str) -> Wire {
        self.wires.of(event)
    }

    /// Returns the bus of a handler: its events belong to the session and the trace of the handled event.
    pub(crate) fn within(&self, session: Uuid, trace: Option<&TraceContext>) -> Self {
        Self { session: Some(session), trace: trace.cloned(), ..self.plain() }
    }

    /// Returns the bus for the events that a batch handler emits: without a session.
    pub(crate) fn in_trace(&self, trace: Option<&TraceContext>) -> Self {
        Self { trace: trace.cloned(), ..self.plain() }
    }

    /// Returns a watch of the connection's state, to read (`bus.state().borrow().is_up()`) or to wait on (`wait_for`).
    #[must_use]
    pub fn state(&self) -> watch::Receiver<BusState> {
        self.inner.transport.state()
    }

    /// Returns the bus with neither a session nor a trace.
    pub(crate) fn plain(&self) -> Self {
        Self { inner: self.inner.clone(), session: None, trace: None, wires: self.wires.clone() }
    }

    /// Returns up to `limit` dead letters of `event` in `group`, oldest first, and leaves them in the dead queue.
    ///
    /// On RabbitMQ they are fetched and then requeued, so no other reader sees them meanwhile. A quorum queue may requeue them at its end:
    /// then the next call with a small limit returns other dead letters.
    ///
    /// # Errors
    /// [`Error::DeadLetters`] if the dead queue can't be read. A dead queue that doesn't exist counts as empty.
    ///
    /// # Cancel safety
    /// Dropping the future requeues the fetched dead letters.
    pub async fn dead_letters(&self, event: &str, group: &str, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        self.inner.transport.dead_letters(dead_name(event, group), limit).await
    }

    /// Returns the number of dead letters of `event` in `group`, without those that another reader has fetched.
    ///
    /// # Errors
    /// As [`dead_letters`](Self::dead_letters).
    ///
    /// # Cancel safety
    /// Changes nothing.
    pub async fn count_dead_letters(&self, event: &str, group: &str) -> Result<usize, Error> {
        self.inner.transport.count_dead(dead_name(event, group)).await
    }

    /// Calls `decide` for each dead letter of `event` in `group`, and keeps, replays or drops it. Ignores dead letters that arrive
    /// meanwhile.
    ///
    /// A replayed event goes back to this group only, under the same message id, and leaves the dead queue after the broker has
    /// confirmed it. If this process dies in between, up to 32 events are in both queues, under the same ids.
    ///
    /// # Errors
    /// [`Error::DeadLetters`] if the dead queue can't be read, or the group has no queue. Earlier decisions stay in effect.
    ///
    /// # Cancel safety
    /// If the future is dropped, each event is in the dead queue, replayed or dropped; up to 32 events may be replayed and still
    /// be in the dead queue. To stop without such events, return [`Sort::Stop`].
    ///
    /// ```
    /// # async fn example(bus: twyla_runtime::Bus) -> Result<(), twyla_runtime::Error> {
    /// use twyla_runtime::Sort;
    ///
    /// let sorted = bus.sort_dead_letters("api.user_input", "bot", |letter| {
    ///     if letter.error.contains("no database") { Sort::Replay } else { Sort::Keep }
    /// });
    /// println!("{} replayed", sorted.await?.replayed);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn sort_dead_letters(
        &self,
        event: &str,
        group: &str,
        mut decide: impl FnMut(&DeadLetter) -> Sort + Send,
    ) -> Result<Sorted, Error> {
        let (dead, back) = (dead_name(event, group), queue_name(event, group));
        self.inner.transport.sort_dead(dead, back, &mut decide).await
    }

    /// Waits for pending confirms, then closes the connections. Later operations on the bus and its clones fail with
    /// [`Error::Closed`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves the bus closed, perhaps before all pending confirms arrived.
    pub async fn close(&self) {
        self.inner.transport.close().await;
    }

    pub(crate) fn transport(&self) -> Arc<dyn Transport> {
        self.inner.transport.clone()
    }

    pub(crate) fn system(&self) -> &'static str {
        self.inner.transport.system()
    }

    pub(crate) fn app_id(&self) -> Arc<str> {
        self.inner.app_id.clone()
    }

    pub(crate) fn max_event(&self) -> usize {
        self.inner.max_event
    }

    pub(crate) fn emit_deadline(&self) -> Duration {
        self.inner.emit_deadline
    }
}

/// Publishes any bytes under the name of an event, for tests with messages of other senders.
///
/// # Errors
/// As [`Bus::emit`], without the errors of broken contracts.
pub async fn publish_raw(
    bus: &Bus,
    domain: &'static str,
    event_type: &'static str,
    body: impl Into<Bytes>,
) -> Result<(), Error> {
    let message = bus.message(domain, event_type, body.into(), Utc::now());
    bus.emitting(event_type, Ok(message), None, Wire::Envelope).await
}

/// Publishes any bytes under the name of an event with this content type and these headers, for tests with messages of other senders.
///
/// # Errors
/// As [`publish_raw`].
pub async fn publish_message(
    bus: &Bus,
    domain: &'static str,
    event_type: &'static str,
    content_type: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Result<(), Error> {
    let mut message = bus.message(domain, event_type, body.into(), Utc::now());
    let header = |(name, text): &(&str, &str)| ((*name).to_owned().into(), Header::Text((*text).to_owned()));
    message.headers = headers.iter().map(header).collect();
    let properties = SenderProperties::default().with_text(Property::ContentType, content_type.as_bytes());
    message.original = Some(Box::new(properties));
    bus.emitting(event_type, Ok(message), None, Wire::Envelope).await
}

/// Encodes the validated envelope of an event; an error if it has more than `most` bytes. Every emit calls this function, so the
/// binary contains the event's contract record.
pub(crate) fn encoded<T, C, A>(
    content: &T,
    context: &A,
    now: DateTime<Utc>,
    session: Uuid,
    most: usize,
) -> Result<Vec<u8>, Error>
where
    T: Emittable + Event<Context = C>,
    C: EventContext,
    A: AsContext<C>,
{
    let event = T::EMITS.subject();
    let body = envelope::encode(
        event,
        |out| content.encode(out).map_err(|refusal| Error::Content { event, schema: T::SCHEMA, refusal }),
        |out| {
            let schema = C::SCHEMA;
            context.as_context().encode(out).map_err(|refusal| Error::Context { event, schema, refusal })
        },
        now,
        session,
    )?;
    let bytes = body.len();
    if bytes <= most { Ok(body) } else { Err(Error::TooLarge { event, bytes, most, broker: false }) }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").field("transport", &self.inner.transport).field("session", &self.session).finish()
    }
}
