//! The way of one delivery: envelope, attempts with pauses between, and the decision; or the dead queue.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use chrono::Utc;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::bus::{Bus, new_message_id, new_session};
use crate::drain::Phase;
use crate::handler::{Failure, Incoming, Registration, States};
use crate::meta::Meta;
use crate::park::{DeadLetter, DeadViolation, Reason};
use crate::retry::Retry;
use crate::transport::{Address, Delivery, Outgoing, QueueSpec};
use crate::validate::Refusal;
use crate::wire;

/// One listener of a running service.
pub(crate) struct Listening {
    pub(crate) bus: Bus,
    pub(crate) states: Arc<States>,
    pub(crate) listener: Registration,
    pub(crate) queue: Arc<QueueSpec>,
    pub(crate) retry: Retry,
    pub(crate) stopping: watch::Receiver<Phase>,
}

/// Why a delivery is parked.
struct Verdict {
    reason: Reason,
    error: String,
    violations: Vec<DeadViolation>,
    attempts: u32,
}

/// Handles one delivery to its end. If this is dropped on the way, the delivery goes back to its queue.
pub(crate) async fn handle(listening: Arc<Listening>, delivery: Delivery) {
    if delivery.ack.is_void() {
        // Its connection was lost before its turn came, and the broker delivers it again.
        return;
    }
    let verdict = match wire::decode(&delivery.body, listening.queue.event) {
        Ok(envelope) => {
            let session = envelope.session_id.map_or_else(new_session, Into::into);
            let incoming = Incoming {
                content: envelope.content,
                context: envelope.context,
                meta: Meta {
                    event: listening.queue.event,
                    version: envelope.version.unwrap_or_else(|| wire::VERSION.to_owned()),
                    timestamp: envelope.timestamp.unwrap_or_else(Utc::now),
                    session_id: session.to_string(),
                    message_id: delivery.message_id.clone(),
                    redelivered: delivery.redelivered,
                    attempt: 1,
                },
                bus: listening.bus.with_session(&*session),
                states: listening.states.clone(),
                ack: delivery.ack.clone(),
            };
            match attempts(&listening, incoming).await {
                Ok(()) => return,
                Err(verdict) => verdict,
            }
        }
        Err(violation) => Verdict {
            reason: Reason::Envelope,
            error: format!("the message is no envelope of the event: {violation}"),
            violations: DeadLetter::violations("", std::slice::from_ref(&violation)),
            attempts: 0,
        },
    };
    park(&listening, delivery, verdict).await;
}

/// Calls the handler until it has decided, has succeeded, or has failed for good.
async fn attempts(listening: &Listening, mut incoming: Incoming) -> Result<(), Verdict> {
    let (event, group) = (listening.queue.event, listening.queue.group);
    let ack = incoming.ack.clone();
    let mut stopping = listening.stopping.clone();
    loop {
        let attempt = incoming.meta.attempt;
        let outcome = guarded(listening.listener.handle, incoming.clone()).await;
        if let (Some(decision), outcome) = (ack.decision(), &outcome) {
            tracing::debug!(
                event,
                group,
                attempt,
                ?decision,
                ok = matches!(outcome, Ok(Ok(()))),
                "the handler decided"
            );
            return Ok(());
        }
        let (reason, error) = match outcome {
            Ok(Ok(())) => {
                ack.ack();
                tracing::debug!(event, group, attempt, "handled");
                return Ok(());
            }
            Ok(Err(Failure::Content(refusal))) => return Err(broken("content", &refusal, attempt)),
            Ok(Err(Failure::Context(refusal))) => return Err(broken("context", &refusal, attempt)),
            Ok(Err(Failure::Handler(error))) => (Reason::Handler, chain(&*error)),
            Err(panic) => (Reason::Panic, panic),
        };
        let Some(pause) = listening.retry.pause(attempt) else {
            return Err(Verdict { reason, error, violations: Vec::new(), attempts: attempt });
        };
        let message_id = incoming.meta.message_id.as_deref();
        tracing::warn!(event, group, attempt, message_id, error, ?pause, "failed, trying again");
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stopping.wait_for(|phase| *phase != Phase::Running) => {
                ack.reject();
                return Ok(());
            }
        }
        incoming.meta.attempt += 1;
    }
}

fn broken(part: &str, refusal: &Refusal, attempt: u32) -> Verdict {
    Verdict {
        reason: Reason::Contract,
        error: format!("the {part} breaks its contract: {refusal}"),
        violations: DeadLetter::violations(&format!("/{part}"), &refusal.violations),
        // The handler itself was not called.
        attempts: attempt - 1,
    }
}

/// Puts the message into the dead queue with what is known of it, and only then acks it.
async fn park(listening: &Listening, delivery: Delivery, verdict: Verdict) {
    let queue = &listening.queue;
    let Verdict { reason, error, violations, attempts } = verdict;
    // Of what a sender wrote only the places are logged, never the values.
    let places: Vec<_> = violations.iter().map(|v| (v.pointer.as_str(), v.keyword.as_str())).collect();
    match reason {
        Reason::Contract | Reason::Envelope => tracing::warn!(
            event = queue.event,
            group = queue.group,
            message_id = delivery.message_id,
            reason = reason.as_str(),
            ?places,
            "parked"
        ),
        _ => tracing::error!(
            event = queue.event,
            group = queue.group,
            message_id = delivery.message_id,
            reason = reason.as_str(),
            attempts,
            error,
            "parked"
        ),
    }
    let now = Utc::now();
    let letter = DeadLetter {
        reason: Some(reason),
        error,
        violations,
        event: queue.event.to_owned(),
        group: queue.group.to_owned(),
        exchange: delivery.exchange,
        routing_key: delivery.routing_key,
        attempts,
        parked_at: Some(now),
        message_id: delivery.message_id,
        body: delivery.body,
    };
    let message = Outgoing {
        to: Address::Dead(queue.clone()),
        headers: letter.headers(),
        body: letter.body,
        message_id: letter.message_id.map_or_else(new_message_id, Into::into),
        timestamp: now,
        app_id: listening.bus.app_id(),
    };
    let deadline = Instant::now() + listening.bus.emit_deadline();
    match listening.bus.transport().publish(message, deadline).await {
        Ok(()) => {
            delivery.ack.ack();
        }
        Err(failure) => {
            tracing::error!(
                event = queue.event,
                group = queue.group,
                error = failure.why,
                "could not be parked, goes back"
            );
            delivery.ack.reject();
        }
    }
}

/// Runs a handler so that its panic is a value: the panic's message.
async fn guarded(
    handle: fn(Incoming) -> crate::handler::HandleFuture,
    incoming: Incoming,
) -> Result<Result<(), Failure>, String> {
    let mut future = pin!(async move { handle(incoming).await });
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(outcome)) => Poll::Ready(Ok(outcome)),
        Err(panic) => Poll::Ready(Err(panic_text(&*panic))),
    })
    .await
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the handler panicked: {}", text.unwrap_or("(no message)"))
}

/// An error with its causes.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}
