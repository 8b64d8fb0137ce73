//! The bus that a test gives events to.

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
use crate::contract::event::{AsContext, Emittable, Event, EventContext};
use crate::contract::record::Mark;
use crate::transport::Outgoing;
use crate::{Bus, Error, Running, Service};

/// How long, in real time, a test waits for handlers to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// An in-memory bus that writes down what happens on it, and knows when nothing happens any more.
///
/// Events go the way that they always go: encoded and held to their contract, through queues, decoded and held to it again,
/// to the service's own listeners. Only time is another: a pause before the next attempt is over as soon as nothing else is
/// to be done, in the order in which pauses would end.
///
/// See the [module](super) for how it is used.
pub struct TestBus {
    bus: Bus,
    pub(super) recorder: Recorder,
    running: Mutex<Vec<Running>>,
    patience: Duration,
}

impl TestBus {
    /// A bus on which nothing has happened.
    #[must_use]
    pub fn new() -> Self {
        let recorder = Recorder::default();
        Self { bus: Bus::observed(recorder.progress()), recorder, running: Mutex::default(), patience: PATIENCE }
    }

    /// How long, in real time, handlers may take until nothing is under way; 20 s unless set. This ends a test that hangs.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The bus, for what isn't given through this: it emits as any other does.
    #[must_use]
    pub fn bus(&self) -> Bus {
        self.bus.clone()
    }

    /// Runs a service on it until the test's bus is dropped.
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
    /// Dropping the future stops what was started.
    pub async fn run(&self, with: impl FnOnce(Service) -> Service) -> Result<(), Error> {
        let running = with(self.bus.service()).start().await?;
        self.running.lock().unwrap_or_else(PoisonError::into_inner).push(running);
        Ok(())
    }

    /// Emits an event and waits until nothing is under way: handlers have ended, what they emitted is handled too, attempts
    /// are made again and again, and what failed to the last is parked.
    ///
    /// The event itself counts as given and not as emitted.
    ///
    /// # Panics
    /// If content or context break their contract; and as [`settle`](Self::settle).
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

    /// Gives an event whose content is any JSON value, valid or not, in an envelope that is in order: what another program
    /// may send. Then it waits as [`give`](Self::give) does.
    ///
    /// # Panics
    /// If the context breaks its contract; and as [`settle`](Self::settle).
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

    /// Gives any bytes as if they were a message of the event, and waits as [`give`](Self::give) does.
    ///
    /// # Panics
    /// If `event` has no dot, as every event's name has; and as [`settle`](Self::settle).
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
        mark: Option<&'static Mark>,
    ) -> impl Future<Output = ()> + Send + use<'a> {
        let caller = Location::caller();
        let Some((domain, event_type)) = event.split_once('.') else {
            panic!("{event:?} is no event's name: that is `domain.event_type`");
        };
        let message = self.bus.message(domain.to_owned(), event_type.to_owned(), body, Utc::now());
        self.recorder.gives(message.message_id.clone());
        if let Some(mark) = mark {
            self.recorder.knows(&message.message_id, mark);
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

    /// Waits until nothing is under way: through every handler and every pause, whose time isn't waited for.
    ///
    /// It knows of deliveries and of what handlers wait for. What a handler has spawned and left behind is not waited for.
    ///
    /// # Panics
    /// If handlers haven't ended within the [`patience`](Self::patience), with the names of those that run.
    ///
    /// # Cancel safety
    /// Nothing is lost; it may be waited for again.
    #[track_caller]
    pub fn settle(&self) -> impl Future<Output = ()> + Send + '_ {
        self.settle_within(Duration::MAX, Location::caller())
    }

    /// Lets the bus's clock go on by so much, and waits until nothing is under way but what waits for longer: for a look at
    /// what has happened by then.
    ///
    /// # Panics
    /// As [`settle`](Self::settle).
    ///
    /// # Cancel safety
    /// As [`settle`](Self::settle).
    #[track_caller]
    pub fn advance(&self, by: Duration) -> impl Future<Output = ()> + Send + '_ {
        // what would be the end of all time is the end of all pauses
        self.settle_within(self.now().saturating_add(by), Location::caller())
    }

    /// The bus's clock: how long, by its pauses, it has been there.
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
                "at {caller}: after {:?} there are still events under way\nthese handlers have not ended:{}\n\n{}",
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
