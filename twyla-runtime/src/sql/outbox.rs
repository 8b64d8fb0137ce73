//! The outbox: events that are published if and only if the surrounding transaction commits.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::Utc;
use sqlx::Pool;
use uuid::Uuid;

use super::Dialect;
use super::dialect::Row;
use super::transient::is_after_a_failure;
use crate::bus::config::MAX_EVENT;
use crate::bus::encoded;
use crate::bus::error::Error;
use crate::service::meta::Meta;
use crate::telemetry::span;
use crate::telemetry::trace::TraceContext;
use crate::transport::new_message_id;
use twyla_codec::event::{AsContext, Emittable, Event, EventContext};

/// Emits events within a database transaction: they are published after it commits, and never if it doesn't.
///
/// A relay publishes the events one after another, in the order in which they were put, and deletes each when the broker has
/// confirmed it: [`Service::outbox`](crate::Service::outbox) runs one. If the process dies in between, the event is published
/// again under the same message id, and [`Dedupe`](crate::Dedupe) skips it. In PostgreSQL one relay works at a time, however
/// many processes run; with SQLite, give the outbox to a single service.
///
/// An event that is refused permanently, because it is too large in its [form](crate::Wire) or because the service may not write to its
/// exchange, is moved to a table of refused events with a warning, and the relay goes on: see [`refused`](Self::refused) and
/// `cargo twyla outbox`.
///
/// The outbox works through a pooler in transaction mode, such as pgbouncer with `pool_mode = transaction`. Your own statements
/// in the same transaction then need [`persistent(false)`](sqlx::query::Query::persistent), unless the pooler supports prepared
/// statements (pgbouncer 1.21 and later, `max_prepared_statements`), and the pool needs the option `extra_float_digits(None)`,
/// unless the pooler ignores that parameter.
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
    pub(super) limits: Arc<SizeLimits>,
}

/// The size limits for events, in bytes. The relay updates them; until then the bus limit is the default of
/// [`Config::max_event`](crate::Config::max_event).
pub(super) struct SizeLimits {
    pub(super) bus: AtomicUsize,
    /// The broker's limit; `usize::MAX` if the limit isn't known.
    pub(super) broker: AtomicUsize,
}

impl Default for SizeLimits {
    fn default() -> Self {
        Self { bus: AtomicUsize::new(MAX_EVENT), broker: AtomicUsize::new(usize::MAX) }
    }
}

impl<DB: Dialect> Outbox<DB> {
    /// Opens the outbox of a database, in the tables `twyla_outbox` and `twyla_outbox_refused`. Creates them if they are
    /// missing.
    ///
    /// # Errors
    /// The database's error if the tables can't be created.
    ///
    /// # Cancel safety
    /// If the future is dropped, the tables may or may not be created.
    pub async fn sql(pool: Pool<DB>) -> Result<Self, sqlx::Error> {
        DB::make_outbox(&pool).await?;
        Ok(Self::of_tables(pool))
    }

    /// Opens the outbox of a database whose tables [`sql`](Self::sql) has already created.
    #[must_use]
    pub fn of_tables(pool: Pool<DB>) -> Self {
        Self { pool, session: None, trace: None, limits: Arc::default() }
    }

    /// Returns the outbox for use in a handler: emitted events belong to the session and the trace of the handled event.
    #[must_use]
    pub fn of(&self, meta: &Meta) -> Self {
        Self { session: Some(meta.session_id), trace: meta.trace.clone(), ..self.clone() }
    }

    /// Returns an outbox whose events all belong to the session `id`; in a handler, use [`of`](Self::of).
    #[must_use]
    pub fn with_session(&self, id: Uuid) -> Self {
        Self { session: Some(id), ..self.clone() }
    }

    /// Validates content and context, and puts the event into the outbox within the caller's transaction.
    ///
    /// # Errors
    /// [`Error::Content`] and [`Error::Context`] if they break their contract, and [`Error::TooLarge`] if the event exceeds the
    /// limit of the bus (32 MiB by default) or the known limit of its broker: the event was not put. The envelope is measured; the
    /// relay measures a CloudEvent, which may be larger, when it writes it. [`Error::Outbox`] if the database refuses the event: roll
    /// the transaction back.
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
        let body = encoded(&content, &context, Utc::now(), session, self.limits.bus.load(Ordering::Relaxed))?;
        let (bytes, most) = (body.len(), self.limits.broker.load(Ordering::Relaxed));
        if bytes > most {
            return Err(Error::TooLarge { event: T::NAME, bytes, most, broker: true });
        }
        let row = Row {
            id: 0,
            message_id: (*new_message_id()).to_owned(),
            exchange: T::DOMAIN.to_owned(),
            routing_key: T::EVENT_TYPE.to_owned(),
            body,
            trace: span::current_context(self.trace.as_ref()).map(|trace| trace.to_string()),
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
        Self { pool: self.pool.clone(), session: self.session, trace: self.trace.clone(), limits: self.limits.clone() }
    }
}

impl<DB: Dialect> fmt::Debug for Outbox<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("session", &self.session).finish_non_exhaustive()
    }
}
