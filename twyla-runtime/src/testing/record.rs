//! Records of a test bus: attempts at events, and emitted events.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use super::emission::Emission;
use crate::contract::session::Session;
use crate::{Decision, Meta};
use twyla_codec::event::{EventContext, Listen};

/// One attempt at an event: a call of its handler.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// The event's name.
    pub event: &'static str,
    /// The group of the listener.
    pub group: &'static str,
    /// The path of the handler function.
    pub handler: &'static str,
    /// The number of the attempt at the event, from 1.
    pub number: u32,
    /// The message's id.
    pub message_id: Option<String>,
    /// The virtual time of the attempt since the bus was created.
    pub at: Duration,
    /// The result of the attempt.
    pub outcome: Outcome,
}

/// The result of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The handler runs or was cancelled.
    Running,
    /// The handler returned `Ok`.
    Handled,
    /// The group had already handled the event ([`Dedupe`](crate::Dedupe)).
    Skipped,
    /// The handler decided explicitly, through [`Ack`](crate::Ack).
    Decided(Decision),
    /// The event breaks its contract, so the handler was not called; with the broken rules.
    Refused(String),
    /// The handler returned an error or panicked; with the error and its causes.
    Failed(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running => f.write_str("has not ended"),
            Self::Handled => f.write_str("handled it"),
            Self::Skipped => f.write_str("skipped it, because its group had handled it before"),
            Self::Decided(Decision::Ack) => f.write_str("acked it by itself"),
            Self::Decided(Decision::Requeue) => f.write_str("returned it to its queue"),
            Self::Decided(Decision::Drop) => f.write_str("dropped it"),
            Self::Refused(why) => write!(f, "was not called: {why}"),
            Self::Failed(error) => write!(f, "failed: {error}"),
        }
    }
}

/// An emitted event as a listener receives it.
#[non_exhaustive]
pub struct Emitted<T: Listen> {
    /// The content, decoded and checked against the contract.
    pub content: T,
    /// The context.
    pub context: T::Context,
    /// The envelope's metadata and the message's id.
    pub meta: Meta,
    /// The virtual time at which the event was published, since the bus was created.
    pub at: Duration,
    /// The encoded message.
    pub body: Bytes,
}

impl<T: Listen> Emitted<T> {
    /// Decodes a recorded event.
    pub(super) fn read(emission: &Emission) -> Result<Self, String> {
        let envelope = emission.envelope.clone().map_err(|violation| violation.to_string())?;
        let content = T::decode(&envelope.content).map_err(|refusal| refusal.to_string())?;
        let context = T::Context::decode(&envelope.context).map_err(|refusal| refusal.to_string())?;
        let mut meta = Meta::new(T::NAME, envelope.session.unwrap_or_else(Session::new).id);
        meta.message_id = Some((*emission.message_id).to_owned());
        meta.timestamp = envelope.timestamp.unwrap_or(meta.timestamp);
        meta.version = envelope.version;
        Ok(Self { content, context, meta, at: emission.at, body: emission.body.clone() })
    }
}

impl<T: Listen + fmt::Debug> fmt::Debug for Emitted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emitted")
            .field("content", &self.content)
            .field("session_id", &self.meta.session_id)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}
