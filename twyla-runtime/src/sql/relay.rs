//! Publishes what is in the outbox, in its order.

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
use crate::telemetry::span;
use crate::transport::{Address, Cause, Outgoing, Unpublished};

/// How often an empty outbox is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How long it is waited after the database or the broker has failed.
const PAUSE: Duration = Duration::from_secs(1);
/// How long the broker may take to confirm an event before it is tried again: a transaction is open meanwhile.
const TRY: Duration = Duration::from_secs(30);
/// How long what has begun may take once the service stops. An event that isn't taken out by then stays, and may be published
/// again.
const GRACE: Duration = Duration::from_secs(1);

/// Publishes what is in the outbox, until the service stops.
pub(crate) fn relay<DB: Dialect>(
    outbox: Outbox<DB>,
    bus: Bus,
    phase: watch::Receiver<Phase>,
) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        let mut stop = phase.clone();
        let relay = Relay { outbox, bus, phase };
        tokio::select! {
            () = relay.run() => {}
            () = async {
                stopping(&mut stop).await;
                sleep(GRACE).await;
            } => tracing::debug!("the outbox's relay is stopped, what it has begun may be published again"),
        }
    })
}

/// What has kept events from being relayed.
enum End {
    Database(sqlx::Error),
    /// The broker hasn't confirmed this event.
    Broker {
        event: String,
        message_id: Arc<str>,
        why: String,
    },
    /// The bus is closed.
    Closed,
}

impl From<sqlx::Error> for End {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

struct Relay<DB: Dialect> {
    outbox: Outbox<DB>,
    bus: Bus,
    phase: watch::Receiver<Phase>,
}

impl<DB: Dialect> Relay<DB> {
    async fn run(&self) {
        while self.runs() {
            self.learn();
            let pause = match self.batch().await {
                Ok(true) => continue,
                Ok(false) | Err(End::Closed) => LOOK,
                Err(End::Database(error)) => {
                    tracing::warn!(error = %error, "the outbox can't be relayed for its database, trying again");
                    PAUSE
                }
                Err(End::Broker { event, message_id, why }) => {
                    let message_id = &*message_id;
                    tracing::warn!(
                        event,
                        message_id,
                        error = why,
                        "an event of the outbox is unconfirmed, trying again"
                    );
                    PAUSE
                }
            };
            let mut phase = self.phase.clone();
            tokio::select! {
                () = sleep(pause) => {}
                () = stopping(&mut phase) => {}
            }
        }
    }

    fn runs(&self) -> bool {
        *self.phase.borrow() == Phase::Running
    }

    /// Tells the outbox what the bus and its broker take, so that nothing larger is put into it.
    fn learn(&self) {
        let most = &self.outbox.most;
        most.bytes.store(self.bus.max_event(), Ordering::Relaxed);
        most.broker.store(self.bus.transport().most().unwrap_or(usize::MAX), Ordering::Relaxed);
    }

    /// Publishes the oldest events, one after another. `false` if there was none, or another relay is at work.
    async fn batch(&self) -> Result<bool, End> {
        let mut lent = Lent(Some(self.outbox.pool.acquire().await?));
        let Some(connection) = lent.0.as_deref_mut() else { return Ok(false) };
        let mut any = false;
        if DB::begin(connection).await? {
            for row in DB::oldest(connection).await? {
                if !self.runs() {
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
            DB::end(connection).await?;
        }
        lent.give_back();
        Ok(any)
    }

    /// Returns once the event is published, or with why it is refused for good.
    async fn publish(&self, row: Row) -> Result<Option<String>, End> {
        let parent = row.trace.as_deref().and_then(|trace| trace.parse().ok());
        let event = format!("{}.{}", row.exchange, row.routing_key);
        let message_id: Arc<str> = row.message_id.into();
        let mut message = Outgoing {
            to: Address::Event { domain: row.exchange.into(), event_type: row.routing_key.into() },
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
        let deadline = Instant::now() + self.bus.emit_deadline().min(TRY);
        let Err(Unpublished { why, cause, .. }) = self.bus.transport().publish(message, deadline).await else {
            return Ok(None);
        };
        match cause {
            Cause::Refused | Cause::TooLarge { .. } => {
                span.failed("refused", Some(&why));
                span.within(|| {
                    tracing::warn!(
                        event,
                        message_id = &*message_id,
                        id = row.id,
                        error = why,
                        "an event of the outbox is refused, put aside: see `cargo twyla outbox`"
                    );
                });
                metrics::refused_of_outbox(&event);
                self.learn();
                Ok(Some(why))
            }
            Cause::Deadline => {
                span.failed("unconfirmed", Some(&why));
                Err(End::Broker { event, message_id, why })
            }
            Cause::Closed => Err(End::Closed),
        }
    }
}

/// A connection of the pool, which is closed and not given back if it may be within a transaction.
struct Lent<DB: Dialect>(Option<PoolConnection<DB>>);

impl<DB: Dialect> Lent<DB> {
    fn give_back(mut self) {
        self.0 = None;
    }
}

impl<DB: Dialect> Drop for Lent<DB> {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.0 {
            connection.close_on_drop();
        }
    }
}
