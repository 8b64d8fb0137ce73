//! The event of the bus's tests, handwritten in the form of generated code, and scripted listeners.

use std::any::TypeId;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use twyla_runtime::event::{Emit, Event, EventContext, EventKey, Listen};
use twyla_runtime::handler::{Failure, HandleFuture, Incoming, Need, Policy, Registration};
use twyla_runtime::record::{ContractRecord, Schema, Schemas};
use twyla_runtime::validate::{Refusal, Violation};
use twyla_runtime::{Ack, Bus, Meta};

/// The domain of a test's events: its own exchange.
pub trait Place: Send + Sync + 'static {
    const DOMAIN: &'static str;
    const EVENT: &'static str;
}

/// Defines the domain of a test: `here!(Mine, "my_test")`.
#[macro_export]
macro_rules! here {
    ($name:ident, $domain:expr) => {
        struct $name;
        impl $crate::Place for $name {
            const DOMAIN: &'static str = $domain;
            const EVENT: &'static str = concat!($domain, ".ping");
        }
    };
}

/// A content with a text of at least one character and at most 25 million bytes.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Ping<P> {
    pub n: u32,
    pub text: String,
    #[serde(skip)]
    place: PhantomData<fn() -> P>,
}

impl<P> Ping<P> {
    pub fn new(n: u32) -> Self {
        Self::saying(n, "hello")
    }

    pub fn saying(n: u32, text: impl Into<String>) -> Self {
        Self { n, text: text.into(), place: PhantomData }
    }
}

/// The context, with a non-empty channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Here {
    pub channel: String,
}

impl Here {
    pub fn new(channel: &str) -> Self {
        Self { channel: channel.to_owned() }
    }
}

fn refusal(pointer: &str, keyword: &'static str, message: impl Into<String>) -> Refusal {
    Refusal { violations: vec![Violation { pointer: pointer.to_owned(), keyword, message: message.into() }] }
}

fn json<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(text).map_err(|e| refusal("", "type", e.to_string()))
}

impl<P: Place> Ping<P> {
    fn hold(&self) -> Result<(), Refusal> {
        match self.text.len() {
            0 => Err(refusal("/text", "minLength", "is shorter than 1 character")),
            25_000_001.. => Err(refusal("/text", "maxLength", "is longer than 25,000,000 characters")),
            _ => Ok(()),
        }
    }
}

impl<P: Place> Event for Ping<P> {
    const NAME: &'static str = P::EVENT;
    const DOMAIN: &'static str = P::DOMAIN;
    const EVENT_TYPE: &'static str = "ping";
    const SCHEMA: &'static str = "schemas/events/test/ping.json:1";
    const SCHEMAS: Schemas = Schemas::NONE;
    const EMITS: &'static ContractRecord = &ContractRecord::none(P::EVENT);
    type Key = EventKey<0>;
    type Context = Here;
}

impl<P: Place> Listen for Ping<P> {
    fn decode(content: &[u8]) -> Result<Self, Refusal> {
        let ping: Self = json(content)?;
        ping.hold().map(|()| ping)
    }
}

impl<P: Place> Emit for Ping<P> {
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.hold()?;
        serde_json::to_writer(out, self).map_err(|e| refusal("", "type", e.to_string()))
    }
}

impl EventContext for Here {
    const SCHEMA: &'static str = "schemas/context.json:1";
    const COMPILED: &'static Schema = Schemas::NONE.context;

    fn decode(context: &[u8]) -> Result<Self, Refusal> {
        let here: Self = json(context)?;
        if here.channel.is_empty() { Err(refusal("/channel", "minLength", "is empty")) } else { Ok(here) }
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        if self.channel.is_empty() {
            return Err(refusal("/channel", "minLength", "is empty"));
        }
        serde_json::to_writer(out, self).map_err(|e| refusal("", "type", e.to_string()))
    }
}

/// One call of a handler.
pub struct Call<P> {
    pub ping: Ping<P>,
    pub context: Here,
    pub meta: Meta,
    pub bus: Bus,
    pub ack: Ack,
}

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// The script of a test's listeners, given to the service as state.
pub struct Script<P>(Arc<Play<P>>);

type Play<P> = dyn Fn(Call<P>) -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Send + Sync;

impl<P> Clone for Script<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<P> Script<P> {
    pub fn new<F: Future<Output = Outcome> + Send + 'static>(
        script: impl Fn(Call<P>) -> F + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move |call| Box::pin(script(call))))
    }

    /// Handles each event, and sends what `take` has of its call.
    pub fn sending<T: Send + 'static>(
        take: impl Fn(Call<P>) -> T + Send + Sync + 'static,
    ) -> (Self, mpsc::UnboundedReceiver<T>) {
        let (sender, calls) = mpsc::unbounded_channel();
        let script = Self::new(move |call| {
            // A test may have heard enough.
            let _ = sender.send(take(call));
            async { Ok(()) }
        });
        (script, calls)
    }

    /// Handles each event, and sends its number.
    pub fn numbers() -> (Self, mpsc::UnboundedReceiver<u32>) {
        Self::sending(|call| call.ping.n)
    }

    /// Handles each event, and sends its number and which attempt it is.
    pub fn attempts() -> (Self, mpsc::UnboundedReceiver<(u32, u32)>) {
        Self::sending(|call| (call.ping.n, call.meta.attempt))
    }
}

/// A listener that runs the service's [`Script`].
pub fn listener<P: Place>(group: &'static str) -> Registration {
    Registration {
        event: P::EVENT,
        domain: P::DOMAIN,
        event_type: "ping",
        group,
        handler: "scripted",
        record: const { &ContractRecord::none(P::EVENT) },
        policy: Policy::default(),
        needs: vec![Need { id: TypeId::of::<Script<P>>(), name: "Script", by: ".state(..)" }],
        handle: handle::<P>,
    }
}

fn handle<P: Place>(incoming: Incoming) -> HandleFuture {
    Box::pin(async move {
        let ping = Ping::<P>::decode(&incoming.content).map_err(Failure::Content)?;
        let context = Here::decode(&incoming.context).map_err(Failure::Context)?;
        let script =
            incoming.states.get(&TypeId::of::<Script<P>>()).and_then(|state| state.downcast_ref::<Script<P>>());
        let script = script.expect("the service checks that it is there").clone();
        let Incoming { meta, bus, ack, .. } = incoming;
        (script.0)(Call { ping, context, meta, bus, ack }).await.map_err(Failure::Handler)
    })
}
