//! `TestBus`: the bus through which a test sends events.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use chrono::Utc;
use serde_json::Value;
use uuid::Uuid;

use super::recorder::Recorder;
use super::show::moment;
use crate::contract::envelope;
use crate::transport::Outgoing;
use crate::{Bus, Error, Running, Service};
use twyla_codec::event::{AsContext, Emittable, Event, EventContext};
use twyla_codec::record::ContractRecord;

/// The real time after which a test stops waiting for handlers.
const PATIENCE: Duration = Duration::from_secs(20);

/// An in-memory bus that records what happens on it and knows when it is idle.
///
/// Events take the same path as on any bus: they are encoded and checked against their contract, queued, decoded and checked
/// again, and handled by the service's own listeners. Only the clock is virtual: as soon as all deliveries wait for their
/// next attempt, the clock advances to the end of the next pause. Pauses end in their usual order.
///
/// See the [module](super) for its use.
pub struct TestBus {
    bus: Bus,
    pub(super) recorder: Recorder,
    running: Mutex<Vec<Running>>,
    patience: Duration,
}

impl TestBus {
    /// Creates a bus without any events.
    #[must_use]
    pub fn new() -> Self {
        let recorder = Recorder::default();
        Self { bus: Bus::observed(recorder.progress()), recorder, running: Mutex::default(), patience: PATIENCE }
    }

    /// Sets the real time within which handlers must end; 20 s by default. After that, the test panics.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Returns the underlying bus, to emit without waiting.
    #[must_use]
    pub fn bus(&self) -> Bus {
        self.bus.clone()
    }

    /// Runs a service on the bus until the test bus is dropped.
    ///
    /// ```text
    /// let test = TestBus::new();
    /// test.run(|service| service.state(clock).listeners(listeners![answer])).await?;
    /// ```
    ///
    /// # Errors
    /// As [`Service::start`].
    ///
    /// # Cancel safety
    /// Dropping the future stops the listeners that have started.
    pub async fn run(&self, with: impl FnOnce(Service) -> Service) -> Result<(), Error> {
        let running = with(self.bus.service()).start().await?;
        self.running.lock().unwrap_or_else(PoisonError::into_inner).push(running);
        Ok(())
    }

    /// Emits an event and waits until the bus is idle: its handlers have ended, the events that they emitted are handled
    /// too, retries are over, and events that failed every attempt are dead-lettered.
    ///
    /// The event itself doesn't count as emitted: expectations of emitted events ignore it.
    ///
    /// # Panics
    /// If the content or the context breaks its contract, and whenever [`settle`](Self::settle) panics.
    ///
    /// # Cancel safety
    /// As [`Bus::emit`].
    #[track_caller]
    pub fn give<T, C, A>(&self, content: T, context: A) -> impl Future<Output = ()> + Send + '_
    where
        T: Emittable + Event<Context = C>,
        C: EventContext,
        A: AsContext<C>,
    {
        let caller = Location::caller();
        let emitting = self.bus.emit(content, context);
        match emitting.encoded() {
            Some(Ok(message_id)) => self.recorder.gives(message_id),
            Some(Err(error)) => panic!("{error}"),
            None => {}
        }
        async move {
            if let Err(error) = emitting.await {
                panic!("at {caller}: {error}");
            }
            self.settle_within(Duration::MAX, caller).await;
        }
    }

    /// Gives an event with any JSON value as its content, valid or not, in a valid envelope, as another program may send it.
    /// Then waits as [`give`](Self::give) does.
    ///
    /// # Panics
    /// If the context breaks its contract, and whenever [`settle`](Self::settle) panics.
    ///
    /// # Cancel safety
    /// As [`Bus::emit`].
    #[track_caller]
    pub fn give_json<'a, T: Event>(
        &'a self,
        content: &Value,
        context: &T::Context,
    ) -> impl Future<Output = ()> + Send + use<'a, T> {
        let body = envelope::encode(
            T::NAME,
            |out| {
                out.extend_from_slice(content.to_string().as_bytes());
                Ok(())
            },
            |out| context.encode(out),
            Utc::now(),
            Uuid::new_v4(),
        );
        match body {
            Ok(body) => self.give_message(T::NAME, body.into(), Some(T::EMITS)),
            Err(refusal) => panic!("the context breaks the contract in {}: {refusal}", T::Context::SCHEMA),
        }
    }

    /// Gives any bytes as a message of the event, and waits as [`give`](Self::give) does.
    ///
    /// # Panics
    /// If `event` has no dot, which every event name has, and whenever [`settle`](Self::settle) panics.
    ///
    /// # Cancel safety
    /// As [`Bus::emit`].
    #[track_caller]
    pub fn give_bytes<'a, B: Into<Bytes>>(
        &'a self,
        event: &str,
        body: B,
    ) -> impl Future<Output = ()> + Send + use<'a, B> {
        self.give_message(event, body.into(), None)
    }

    #[track_caller]
    fn give_message<'a>(
        &'a self,
        event: &str,
        body: Bytes,
        record: Option<&'static ContractRecord>,
    ) -> impl Future<Output = ()> + Send + use<'a> {
        let caller = Location::caller();
        let Some((domain, event_type)) = event.split_once('.') else {
            panic!("{event:?} is not an event name: expected `domain.event_type`");
        };
        let message = self.bus.message(domain.to_owned(), event_type.to_owned(), body, Utc::now());
        self.recorder.gives(message.message_id.clone());
        if let Some(record) = record {
            self.recorder.knows(&message.message_id, record);
        }
        async move {
            self.publish(message, caller).await;
            self.settle_within(Duration::MAX, caller).await;
        }
    }

    async fn publish(&self, message: Outgoing, caller: &Location<'_>) {
        let deadline = tokio::time::Instant::now() + self.bus.emit_deadline();
        if let Err(failure) = self.bus.transport().publish(message, deadline).await {
            panic!("at {caller}: {}", failure.why);
        }
    }

    /// Waits until the bus is idle: every handler has ended and every pause is over. Pauses take no real time.
    ///
    /// Waits for deliveries and for the futures that their handlers await, not for spawned tasks that a handler doesn't await.
    ///
    /// # Panics
    /// If handlers don't end within the [`patience`](Self::patience); the message names the running handlers.
    ///
    /// # Cancel safety
    /// Nothing is lost; call it again.
    #[track_caller]
    pub fn settle(&self) -> impl Future<Output = ()> + Send + '_ {
        self.settle_within(Duration::MAX, Location::caller())
    }

    /// Advances the virtual clock by a duration, and waits until all deliveries and retries up to that time are handled.
    /// Pauses that end later stay pending, so that a test can check the state at that time.
    ///
    /// # Panics
    /// As [`settle`](Self::settle).
    ///
    /// # Cancel safety
    /// As [`settle`](Self::settle).
    #[track_caller]
    pub fn advance(&self, by: Duration) -> impl Future<Output = ()> + Send + '_ {
        // an overflow saturates, and all pauses end
        self.settle_within(self.now().saturating_add(by), Location::caller())
    }

    /// Returns the virtual time since the bus was created.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.recorder.now()
    }

    async fn settle_within(&self, until: Duration, caller: &'static Location<'static>) {
        if tokio::time::timeout(self.patience, self.recorder.settled(until)).await.is_err() {
            let running = self.recorder.running();
            let lines =
                running.iter().map(|it| format!("\n  `{}`, at {} since {}", it.handler, it.event, moment(it.at)));
            panic!(
                "at {caller}: after {:?} the bus is not idle\nthese handlers have not ended:{}\n\n{}",
                self.patience,
                if running.is_empty() { " none".to_owned() } else { lines.collect::<String>() },
                self.story()
            );
        }
    }
}

impl Default for TestBus {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for TestBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestBus").field("now", &self.now()).field("under_way", &self.recorder.under_way()).finish()
    }
}
