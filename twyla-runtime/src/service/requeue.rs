//! Moves a delivery to a retry queue until its next attempt, or to the dead queue. The delivery is acked after the broker has
//! confirmed the moved message; without a confirm, the delivery is held.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::active_listener::ActiveListener;
use super::hold::HeldDelivery;
use super::meta::FirstFailure;
use super::retry::step;
use super::verdict::{DeadLetterCause, Destination, FailedAttempts};
use crate::dead_letter::headers::{self, Header};
use crate::dead_letter::letter::{DeadLetter, Reason};
use crate::telemetry::span::{self, ActiveSpan};
use crate::transport::{Delivery, Outgoing, PublishTarget, new_message_id};

impl Delivery {
    /// Returns the earlier failed attempts that the headers report, if any.
    pub(crate) fn failed(&self) -> Option<FailedAttempts> {
        let attempts = self.number(headers::ATTEMPTS).and_then(|attempts| u32::try_from(attempts).ok())?;
        let at = self.text(headers::FIRST_FAILED_AT).and_then(|at| DateTime::parse_from_rfc3339(at).ok())?;
        let error = self.text(headers::FIRST_ERROR).unwrap_or_default().to_owned();
        let in_batch = self.number(headers::IN_BATCH).is_some();
        (attempts > 0).then(|| FailedAttempts { attempts, first: FirstFailure { error, at: at.to_utc() }, in_batch })
    }

    /// Returns the exchange and routing key of the first publish. A message from a retry queue has them in its headers, because it
    /// arrives through the default exchange.
    fn origin(&self) -> (String, String) {
        match (self.text(headers::EXCHANGE), self.text(headers::ROUTING_KEY)) {
            (Some(exchange), Some(key)) if self.exchange.is_empty() => (exchange.to_owned(), key.to_owned()),
            _ => (self.exchange.clone().into_owned(), self.routing_key.clone().into_owned()),
        }
    }

    fn header(&self, name: &str) -> Option<&Header> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    fn text(&self, name: &str) -> Option<&str> {
        match self.header(name)? {
            Header::Text(text) => Some(text),
            _ => None,
        }
    }

    fn number(&self, name: &str) -> Option<i64> {
        match self.header(name)? {
            Header::Number(number) => Some(*number),
            _ => None,
        }
    }
}

/// Publishes the message to a retry queue, which returns it after `pause`, and then acks the delivery. Returns the delivery, to be
/// held, if the publish fails.
pub(crate) async fn postpone(
    listening: &ActiveListener,
    delivery: Delivery,
    pause: Duration,
    failed: Option<FailedAttempts>,
) -> Option<Box<HeldDelivery>> {
    let (exchange, routing_key) = delivery.origin();
    let mut headers = headers::foreign(&delivery.headers);
    headers.extend(failed.iter().flat_map(FailedAttempts::headers).map(|(name, value)| (name.into(), value)));
    headers.push((headers::EXCHANGE.into(), Header::Text(exchange)));
    headers.push((headers::ROUTING_KEY.into(), Header::Text(routing_key)));
    let (queue, pause) = (&listening.queue, step(pause));
    let span = span::retry(queue, &delivery, listening.bus.system(), &queue.retry(pause), delivery.trace.as_ref());
    let to = PublishTarget::Retry(queue.clone(), pause);
    let (delivery, message, why) = republish(listening, delivery, to, headers, &span).await.err()?;
    Some(Box::new(HeldDelivery { delivery, way: Destination::Retry(Instant::now() + pause, message.headers), why }))
}

/// Publishes the message to the dead queue with its cause, and then acks the delivery. Returns the delivery, to be held, if the
/// publish fails.
pub(crate) async fn dead_letter(
    listening: &ActiveListener,
    delivery: Delivery,
    verdict: DeadLetterCause,
) -> Option<Box<HeldDelivery>> {
    let queue = &listening.queue;
    let DeadLetterCause { reason, error, violations, failed } = verdict;
    let attempts = failed.as_ref().map_or(0, |failed| failed.attempts);
    // The log has the places where the contract is broken, but never the sender's values.
    let places: Vec<_> = violations.iter().map(|v| (v.pointer.as_str(), v.keyword.as_str())).collect();
    let (event, group, message_id) = (queue.event, queue.group, delivery.message_id.as_deref());
    let span = span::dead_letter(queue, &delivery, listening.bus.system(), reason, delivery.trace.as_ref());
    span.within(|| match reason {
        Reason::Contract | Reason::Envelope => {
            tracing::warn!(event, group, message_id, reason = reason.as_str(), ?places, "the event was dead-lettered");
        }
        _ => tracing::error!(
            event,
            group,
            message_id,
            reason = reason.as_str(),
            attempts,
            error,
            "the event was dead-lettered"
        ),
    });
    let (exchange, routing_key) = delivery.origin();
    let sensitive = sensitive_values(&delivery, event, listening.listener.record.sensitive());
    let letter = DeadLetter {
        reason: Some(reason),
        error,
        violations,
        event: event.to_owned(),
        group: group.to_owned(),
        exchange,
        routing_key,
        attempts,
        first_failed_at: failed.as_ref().map(|failed| failed.first.at),
        first_error: failed.map(|failed| failed.first.error).unwrap_or_default(),
        parked_at: Some(Utc::now()),
        message_id: delivery.message_id.clone(),
        sensitive,
        deaths: Vec::new(),
        body: delivery.body.clone(),
    };
    let mut headers = headers::foreign(&delivery.headers);
    headers.extend(letter.headers().into_iter().map(|(name, value)| (name.into(), value)));
    match republish(listening, delivery, PublishTarget::Dead(queue.clone()), headers, &span).await {
        Ok(()) => {
            listening.metrics.dead_lettered();
            None
        }
        Err((delivery, message, why)) => {
            Some(Box::new(HeldDelivery { delivery, way: Destination::Dead(message), why }))
        }
    }
}

/// Converts the JSON Pointers of an event's sensitive values to those into the body of a delivery. The whole body is sensitive if it
/// can't be read as an event in the form that its content type and its headers say: it may have the values anywhere.
fn sensitive_values(delivery: &Delivery, event: &str, sensitive: Vec<String>) -> Vec<String> {
    if !sensitive.is_empty() && delivery.envelope(event).is_err() {
        return vec![String::new()];
    }
    delivery.form().in_body(sensitive)
}

/// Publishes the message to another queue and acks the delivery once the broker confirms. Otherwise returns the delivery, the message
/// and the reason.
async fn republish(
    listening: &ActiveListener,
    delivery: Delivery,
    to: PublishTarget,
    headers: Vec<headers::NamedHeader>,
    span: &ActiveSpan,
) -> Result<(), (Delivery, Outgoing, String)> {
    let message = Outgoing {
        to,
        headers,
        body: delivery.body.clone(),
        message_id: delivery.message_id.as_deref().map_or_else(new_message_id, Into::into),
        timestamp: Utc::now(),
        app_id: listening.bus.app_id(),
        trace: span.context().cloned(),
        original: delivery.original.clone().map(Box::new),
    };
    let deadline = Instant::now() + listening.bus.emit_deadline();
    match listening.bus.transport().publish(message.clone(), deadline).await {
        Ok(()) => {
            delivery.ack.ack();
            Ok(())
        }
        Err(failure) => {
            let (event, group, message_id) = (listening.queue.event, listening.queue.group, &*message.message_id);
            tracing::error!(
                event,
                group,
                message_id,
                error = failure.why,
                "the event could not be moved to its retry or dead queue: this process keeps it, unacked"
            );
            span.failed("unconfirmed", Some(&failure.why));
            Err((delivery, message, failure.why))
        }
    }
}
