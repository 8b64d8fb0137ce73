//! The outbox: events that are emitted if and only if the transaction commits in which they were put.

use std::fmt;
use std::time::Duration;

use chrono::Utc;
use sqlx::Pool;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::Dialect;
use super::dialect::Row;
use super::trouble::is_after_a_failure;
use crate::bus::{Bus, encoded, new_message_id};
use crate::config::MAX_EVENT;
use crate::drain::Phase;
use crate::error::Error;
use crate::event::{AsContext, Emittable, Event, EventContext};
use crate::meta::Meta;
use crate::span;
use crate::trace::TraceContext;
use crate::transport::{Address, BoxFuture, Outgoing};

/// How often an empty outbox is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How long it is waited after the database or the broker has failed.
const PAUSE: Duration = Duration::from_secs(1);
/// How many rows are read at once.
const BATCH: i64 = 100;

/// Emits events in a transaction: what is put into it is published once the transaction has committed, and never if it
/// doesn't.
///
/// A relay publishes them one after another, in the order in which they were put, and takes each out when the broker has
/// confirmed it: [`Service::outbox`](crate::Service::outbox) runs one. If it dies in between, the event is published again
/// under the same message id, which [`Dedupe`](crate::Dedupe) skips. In PostgreSQL one relay is at work at a time, of however
/// many processes; with SQLite give the outbox to one service only.
///
/// ```text
/// let outbox = Outbox::sql(pool.clone()).await?;
/// let mut tx = pool.begin().await?;
/// sqlx::query("UPDATE seats SET taken = true WHERE id = $1").bind(7).execute(&mut *tx).await?;
/// outbox.emit(&mut tx, SeatTaken::new(7), context).await?;
/// tx.commit().await?;
/// ```
pub struct Outbox<DB: Dialect> {
    pool: Pool<DB>,
    session: Option<Uuid>,
    trace: Option<TraceContext>,
}

impl<DB: Dialect> Outbox<DB> {
    /// Keeps events in the table `twyla_outbox` of a database, which is made where it is missing.
    ///
    /// # Errors
    /// What the database says when the table is made.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the table made.
    pub async fn sql(pool: Pool<DB>) -> Result<Self, sqlx::Error> {
        DB::make_outbox(&pool).await?;
        Ok(Self { pool, session: None, trace: None })
    }

    /// The same outbox for what a handler puts into it: each event belongs to the session of the one that is being handled,
    /// and to its trace.
    #[must_use]
    pub fn of(&self, meta: &Meta) -> Self {
        Self { pool: self.pool.clone(), session: Some(meta.session_id), trace: meta.trace.clone() }
    }

    /// The same outbox, with every event put into it belonging to the session `id`; in a handler, [`of`](Self::of) does it.
    #[must_use]
    pub fn with_session(&self, id: Uuid) -> Self {
        Self { session: Some(id), ..self.clone() }
    }

    /// Puts an event into the outbox, within the caller's transaction. Content and context are held to their contracts first.
    ///
    /// # Errors
    /// [`Error::Content`] and [`Error::Context`] if they break their contract, [`Error::TooLarge`] above 32 MiB: nothing was
    /// put. [`Error::Outbox`] if the database refuses; the transaction is then to be rolled back.
    ///
    /// # Cancel safety
    /// If the future is dropped, the event may or may not be in the transaction.
    pub async fn emit<T, C, A>(&self, connection: &mut DB::Connection, content: T, context: A) -> Result<(), Error>
    where
        T: Emittable + Event<Context = C>,
        C: EventContext,
        A: AsContext<C>,
    {
        let session = self.session.unwrap_or_else(Uuid::new_v4);
        let row = Row {
            id: 0,
            message_id: (*new_message_id()).to_owned(),
            exchange: T::DOMAIN.to_owned(),
            routing_key: T::EVENT_TYPE.to_owned(),
            body: encoded(&content, &context, Utc::now(), session, MAX_EVENT)?,
            trace: span::place(self.trace.as_ref()).map(|trace| trace.to_string()),
        };
        DB::put(connection, row).await.map_err(|error| Error::Outbox {
            event: T::NAME,
            why: error.to_string(),
            passes: !is_after_a_failure(&error),
        })
    }
}

impl<DB: Dialect> Clone for Outbox<DB> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone(), session: self.session, trace: self.trace.clone() }
    }
}

impl<DB: Dialect> fmt::Debug for Outbox<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("session", &self.session).finish_non_exhaustive()
    }
}

/// Publishes what is in the outbox, until the service stops. What it has begun to publish is taken out before it ends.
pub(crate) fn relay<DB: Dialect>(
    outbox: Outbox<DB>,
    bus: Bus,
    phase: watch::Receiver<Phase>,
) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        while running(&phase) {
            // One connection, as the right to relay is its session's.
            match outbox.pool.acquire().await {
                Ok(mut connection) => {
                    let why = relay_on::<DB>(&mut connection, &bus, phase.clone()).await;
                    // With it goes the right to relay.
                    let closed = connection.close().await;
                    if let Some(why) = why {
                        tracing::warn!(
                            error = why,
                            closed = closed.is_ok(),
                            "could not relay the outbox, trying again"
                        );
                    }
                }
                Err(error) => tracing::warn!(error = %error, "no connection to relay the outbox, trying again"),
            }
            wait(PAUSE, phase.clone()).await;
        }
    })
}

fn running(phase: &watch::Receiver<Phase>) -> bool {
    *phase.borrow() == Phase::Running
}

/// Waits so long, or until the service stops.
async fn wait(pause: Duration, mut phase: watch::Receiver<Phase>) {
    tokio::select! {
        () = sleep(pause) => {}
        _ = phase.wait_for(|phase| *phase != Phase::Running) => {}
    }
}

/// Publishes the oldest events, one after another, until the service stops or something fails.
async fn relay_on<DB: Dialect>(
    connection: &mut DB::Connection,
    bus: &Bus,
    phase: watch::Receiver<Phase>,
) -> Option<String> {
    while running(&phase) {
        let rows = match DB::oldest(connection, BATCH).await {
            Ok(rows) => rows,
            Err(error) => return Some(error.to_string()),
        };
        if rows.is_empty() {
            wait(LOOK, phase.clone()).await;
        }
        for row in rows {
            if !running(&phase) {
                break;
            }
            let parent = row.trace.as_deref().and_then(|trace| trace.parse().ok());
            let event = format!("{}.{}", row.exchange, row.routing_key);
            let mut message = Outgoing {
                to: Address::Event { domain: row.exchange.into(), event_type: row.routing_key.into() },
                body: row.body.into(),
                message_id: row.message_id.into(),
                timestamp: Utc::now(),
                app_id: bus.app_id(),
                headers: Vec::new(),
                trace: None,
            };
            let mut span = span::emit(&event, Some(&message), bus.system(), None, parent.as_ref());
            message.trace = span.take_context();
            let deadline = Instant::now() + bus.emit_deadline();
            if let Err(failure) = bus.transport().publish(message, deadline).await {
                span.failed("unconfirmed", Some(&failure.why));
                return Some(failure.why);
            }
            if let Err(error) = DB::sent(connection, row.id).await {
                return Some(error.to_string());
            }
        }
    }
    None
}
