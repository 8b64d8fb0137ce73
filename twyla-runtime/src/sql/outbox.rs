//! The outbox: events that are emitted if and only if the transaction commits in which they were put.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::Utc;
use sqlx::Pool;
use uuid::Uuid;

use super::Dialect;
use super::dialect::Row;
use super::trouble::is_after_a_failure;
use crate::bus::config::MAX_EVENT;
use crate::bus::encoded;
use crate::bus::error::Error;
use crate::contract::event::{AsContext, Emittable, Event, EventContext};
use crate::service::meta::Meta;
use crate::telemetry::span;
use crate::telemetry::trace::TraceContext;
use crate::transport::new_message_id;

/// Emits events in a transaction: what is put into it is published once the transaction has committed, and never if it
/// doesn't.
///
/// A relay publishes them one after another, in the order in which they were put, and takes each out when the broker has
/// confirmed it: [`Service::outbox`](crate::Service::outbox) runs one. If it dies in between, the event is published again
/// under the same message id, which [`Dedupe`](crate::Dedupe) skips. In PostgreSQL one relay is at work at a time, of however
/// many processes; with SQLite give the outbox to one service only.
///
/// What the broker refuses for good, as one that is larger than it takes or goes to an exchange that the service may not write
/// to, is put aside with a warning, and those behind it go on in their order: see [`refused`](Self::refused), and
/// `cargo twyla outbox`.
///
/// It works through a pooler that gives each transaction any of its connections, as pgbouncer does (`pool_mode = transaction`).
/// Statements of yours in the same transaction need [`persistent(false)`](sqlx::query::Query::persistent) then, unless the pooler
/// knows prepared statements (pgbouncer from 1.21 on, `max_prepared_statements`), and the pool's options
/// `extra_float_digits(None)`, unless the pooler ignores that parameter.
///
/// ```text
/// let outbox = Outbox::sql(pool.clone()).await?;
/// let mut tx = pool.begin().await?;
/// sqlx::query("UPDATE seats SET taken = true WHERE id = $1").bind(7).execute(&mut *tx).await?;
/// outbox.emit(&mut tx, SeatTaken::new(7), context).await?;
/// tx.commit().await?;
/// ```
pub struct Outbox<DB: Dialect> {
    pub(super) pool: Pool<DB>,
    session: Option<Uuid>,
    trace: Option<TraceContext>,
    pub(super) most: Arc<Most>,
}

/// The most bytes that an event may have: as the relay knows of the bus and its broker, and before that what any bus allows.
pub(super) struct Most {
    pub(super) bytes: AtomicUsize,
    /// Of that, what the broker is known to take; `usize::MAX` if that isn't known.
    pub(super) broker: AtomicUsize,
}

impl Default for Most {
    fn default() -> Self {
        Self { bytes: AtomicUsize::new(MAX_EVENT), broker: AtomicUsize::new(usize::MAX) }
    }
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
        Ok(Self::of_tables(pool))
    }

    /// The outbox in a database whose tables are there, as [`sql`](Self::sql) has made them.
    #[must_use]
    pub fn of_tables(pool: Pool<DB>) -> Self {
        Self { pool, session: None, trace: None, most: Arc::default() }
    }

    /// The same outbox for what a handler puts into it: each event belongs to the session of the one that is being handled,
    /// and to its trace.
    #[must_use]
    pub fn of(&self, meta: &Meta) -> Self {
        Self { session: Some(meta.session_id), trace: meta.trace.clone(), ..self.clone() }
    }

    /// The same outbox, with every event put into it belonging to the session `id`; in a handler, [`of`](Self::of) does it.
    #[must_use]
    pub fn with_session(&self, id: Uuid) -> Self {
        Self { session: Some(id), ..self.clone() }
    }

    /// Puts an event into the outbox, within the caller's transaction. Content and context are held to their contracts first.
    ///
    /// # Errors
    /// [`Error::Content`] and [`Error::Context`] if they break their contract, [`Error::TooLarge`] above what the bus allows (32
    /// MiB) or its broker is known to take: nothing was put. [`Error::Outbox`] if the database refuses; the transaction is then to be rolled back.
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
        let body = encoded(&content, &context, Utc::now(), session, self.most.bytes.load(Ordering::Relaxed))?;
        let (bytes, most) = (body.len(), self.most.broker.load(Ordering::Relaxed));
        if bytes > most {
            return Err(Error::TooLarge { event: T::NAME, bytes, most, broker: true });
        }
        let row = Row {
            id: 0,
            message_id: (*new_message_id()).to_owned(),
            exchange: T::DOMAIN.to_owned(),
            routing_key: T::EVENT_TYPE.to_owned(),
            body,
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
        Self { pool: self.pool.clone(), session: self.session, trace: self.trace.clone(), most: self.most.clone() }
    }
}

impl<DB: Dialect> fmt::Debug for Outbox<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("session", &self.session).finish_non_exhaustive()
    }
}
