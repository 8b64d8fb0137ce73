//! The outbox relay: publishes the events of the outbox in order.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::Utc;
use sqlx::pool::PoolConnection;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::dialect::Row;
use super::{Dialect, Outbox};
use crate::bus::Bus;
use crate::future::BoxFuture;
use crate::service::phase::{Phase, stopping};
use crate::telemetry::metrics;
use crate::telemetry::span::{self, ActiveSpan};
use crate::transport::{Outgoing, PublishFailure, PublishTarget, Unpublished};

/// How often an empty outbox is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// The pause after an error of the database or the broker.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// The maximum time to wait for the confirm of an event. In PostgreSQL, a transaction is open meanwhile.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(30);
/// The time for the current event after the service stops. An event that isn't deleted by then may be published again.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// Publishes the events of the outbox until the service stops.
pub(crate) fn relay<DB: Dialect>(
    outbox: Outbox<DB>,
    bus: Bus,
    phase: watch::Receiver<Phase>,
) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        let mut stop = phase.clone();
        let relay = OutboxRelay { outbox, bus, phase };
        tokio::select! {
            () = relay.run() => {}
            () = async {
                stopping(&mut stop).await;
                sleep(STOP_TIMEOUT).await;
            } => tracing::debug!("the outbox relay was stopped while publishing: the event may be published again"),
        }
    })
}

/// Why events can't be relayed.
enum RelayError {
    /// A statement failed.
    Database(sqlx::Error),
    /// The broker did not confirm this event.
    Broker { event: String, message_id: Arc<str>, why: String },
    /// The bus is closed.
    Closed,
}

impl From<sqlx::Error> for RelayError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

struct OutboxRelay<DB: Dialect> {
    outbox: Outbox<DB>,
    bus: Bus,
    phase: watch::Receiver<Phase>,
}

impl<DB: Dialect> OutboxRelay<DB> {
    async fn run(&self) {
        while self.is_running() {
            self.update_limits();
            let pause = match self.batch().await {
                Ok(true) => continue,
                Ok(false) | Err(RelayError::Closed) => POLL_INTERVAL,
                Err(RelayError::Database(error)) => {
                    tracing::warn!(error = %error, "the outbox's database failed, so its events can't be published: trying again");
                    RETRY_PAUSE
                }
                Err(RelayError::Broker { event, message_id, why }) => {
                    let message_id = &*message_id;
                    tracing::warn!(
                        event,
                        message_id,
                        error = why,
                        "the broker did not confirm an event of the outbox, trying again"
                    );
                    RETRY_PAUSE
                }
            };
            let mut phase = self.phase.clone();
            tokio::select! {
                () = sleep(pause) => {}
                () = stopping(&mut phase) => {}
            }
        }
    }

    fn is_running(&self) -> bool {
        *self.phase.borrow() == Phase::Running
    }

    /// Passes the size limits of the bus and its broker to the outbox, which then refuses larger events.
    fn update_limits(&self) {
        let limits = &self.outbox.limits;
        limits.bus.store(self.bus.max_event(), Ordering::Relaxed);
        limits.broker.store(self.bus.transport().size_limit().unwrap_or(usize::MAX), Ordering::Relaxed);
    }

    /// Publishes the oldest events, one after another. Returns `false` if it processed none: the outbox is empty, another relay
    /// holds the lock, or the service stops.
    async fn batch(&self) -> Result<bool, RelayError> {
        let mut connection_guard = ConnectionGuard(Some(self.outbox.pool.acquire().await?));
        let Some(connection) = connection_guard.0.as_deref_mut() else { return Ok(false) };
        let mut any = false;
        if DB::begin(connection).await? {
            for row in DB::oldest(connection).await? {
                if !self.is_running() {
                    break;
                }
                let id = row.id;
                if let Some(why) = self.publish(row).await? {
                    DB::refuse(connection, id, why).await?;
                }
                any = true;
                if !DB::sent(connection, id).await? {
                    break;
                }
            }
            DB::run(connection, DB::END).await?;
        }
        connection_guard.give_back();
        Ok(any)
    }

    /// Publishes an event. Returns the reason if the event is refused permanently, by the broker or because its form is larger than the
    /// bus allows, and `None` if the broker confirms it.
    async fn publish(&self, row: Row) -> Result<Option<String>, RelayError> {
        let parent = row.trace.as_deref().and_then(|trace| trace.parse().ok());
        let event = format!("{}.{}", row.exchange, row.routing_key);
        let message_id: Arc<str> = row.message_id.into();
        let mut message = Outgoing {
            to: PublishTarget::Event { domain: row.exchange.into(), event_type: row.routing_key.into() },
            body: row.body.into(),
            message_id: message_id.clone(),
            timestamp: Utc::now(),
            app_id: self.bus.app_id(),
            headers: Vec::new(),
            original: None,
            trace: None,
        };
        let mut span = span::emit(&event, Some(&message), self.bus.system(), None, parent.as_ref());
        message.trace = span.take_context();
        let message = self.bus.wire_of(&event).written(message, &event);
        let (bytes, most) = (message.body.len(), self.bus.max_event());
        if bytes > most {
            let why = format!(
                "the event has {bytes} bytes in its form, and at most {most} are allowed (`Config::max_event`)"
            );
            return Ok(Some(refused(&span, &event, &message_id, row.id, why)));
        }
        let deadline = Instant::now() + self.bus.emit_deadline().min(CONFIRM_TIMEOUT);
        let Err(Unpublished { why, cause, .. }) = self.bus.transport().publish(message, deadline).await else {
            return Ok(None);
        };
        match cause {
            PublishFailure::Refused | PublishFailure::TooLarge { .. } => {
                self.update_limits();
                Ok(Some(refused(&span, &event, &message_id, row.id, why)))
            }
            PublishFailure::Deadline => {
                span.failed("unconfirmed", Some(&why));
                Err(RelayError::Broker { event, message_id, why })
            }
            PublishFailure::Closed => Err(RelayError::Closed),
        }
    }
}

/// Reports that an event is refused permanently. Returns the reason.
fn refused(span: &ActiveSpan, event: &str, message_id: &str, id: i64, why: String) -> String {
    span.failed("refused", Some(&why));
    span.within(|| {
        tracing::warn!(
            event,
            message_id,
            id,
            error = why,
            "an outbox event was refused permanently: see `cargo twyla outbox`"
        );
    });
    metrics::refused_of_outbox(event);
    why
}

/// A pooled connection. If it is dropped without [`give_back`](Self::give_back), it may be within a transaction, so it is closed.
struct ConnectionGuard<DB: Dialect>(Option<PoolConnection<DB>>);

impl<DB: Dialect> ConnectionGuard<DB> {
    fn give_back(mut self) {
        self.0 = None;
    }
}

impl<DB: Dialect> Drop for ConnectionGuard<DB> {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.0 {
            connection.close_on_drop();
        }
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use sqlx::sqlite::{Sqlite, SqlitePoolOptions};

    use super::*;
    use crate::bus::config::MAX_EVENT;
    use crate::wire::Wire;

    #[tokio::test]
    async fn refuses_an_event_that_is_too_large_in_its_form() {
        // each escape of the context is escaped again in structured mode: the envelope has two thirds of the limit, and the event more
        let context = r#"\""#.repeat(MAX_EVENT / 3);
        let body = format!(
            r#"{{"event_name":"shop.paid","content":1,"context":{{"a":"{context}"}},"meta":{{"version":1,
            "timestamp":"2025-06-27T04:53:20+00:00","session_id":"5f0c7d9e-3b1a-4c55-9d3e-2a6f1c0b7e42"}}}}"#
        );
        let pool = SqlitePoolOptions::new().connect_lazy("sqlite::memory:").unwrap();
        let (_running, phase) = watch::channel(Phase::Running);
        for (wire, is_refused) in
            [(Wire::Envelope, false), (Wire::CloudEventsBinary, true), (Wire::CloudEventsStructured, true)]
        {
            let relay = OutboxRelay {
                outbox: Outbox::<Sqlite>::of_tables(pool.clone()),
                bus: Bus::in_memory().wire(wire),
                phase: phase.clone(),
            };
            let row = Row {
                id: 1,
                message_id: "17".to_owned(),
                exchange: "shop".to_owned(),
                routing_key: "paid".to_owned(),
                body: body.clone().into_bytes(),
                trace: None,
            };
            let Ok(refused) = relay.publish(row).await else { panic!("{wire:?}: not published") };
            assert_eq!(refused.is_some_and(|why| why.contains("`Config::max_event`")), is_refused, "{wire:?}");
        }
    }
}
