//! The events of an outbox that were refused for good: looked at, put back, dropped.

use chrono::{DateTime, Utc};

use super::dialect::RefusedRow;
use super::{Dialect, Outbox};

/// An event that was put into an outbox, and that the broker refuses for good.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// Its number in the outbox.
    pub id: i64,
    /// The event's name.
    pub event: String,
    /// The message's id.
    pub message_id: String,
    /// How many bytes it has, with its envelope.
    pub bytes: u64,
    /// When it was put into the outbox.
    pub put_at: DateTime<Utc>,
    /// When it was refused.
    pub refused_at: DateTime<Utc>,
    /// What the broker said.
    pub why: String,
}

impl<DB: Dialect> Outbox<DB> {
    /// The first `limit` events that were refused for good, those that were put first coming first.
    ///
    /// # Errors
    /// What the database says.
    ///
    /// # Cancel safety
    /// Nothing is changed.
    pub async fn refused(&self, limit: usize) -> Result<Vec<Refused>, sqlx::Error> {
        let rows = DB::refused(&self.pool, i64::try_from(limit).unwrap_or(i64::MAX)).await?;
        let time = |micros| DateTime::from_timestamp_micros(micros).unwrap_or_default();
        let refused = |(id, message_id, exchange, routing_key, bytes, put_at, refused_at, why): RefusedRow| Refused {
            id,
            event: format!("{exchange}.{routing_key}"),
            message_id,
            bytes: u64::try_from(bytes).unwrap_or_default(),
            put_at: time(put_at),
            refused_at: time(refused_at),
            why,
        };
        Ok(rows.into_iter().map(refused).collect())
    }

    /// How many events wait to be published, and how many were refused for good.
    ///
    /// # Errors
    /// What the database says.
    ///
    /// # Cancel safety
    /// Nothing is changed.
    pub async fn counts(&self) -> Result<(u64, u64), sqlx::Error> {
        let (waiting, refused) = DB::counts(&self.pool).await?;
        Ok((waiting.unsigned_abs(), refused.unsigned_abs()))
    }

    /// The envelope of an event that was refused, byte for byte; `None` if no such event was.
    ///
    /// # Errors
    /// What the database says.
    ///
    /// # Cancel safety
    /// Nothing is changed.
    pub async fn refused_body(&self, id: i64) -> Result<Option<Vec<u8>>, sqlx::Error> {
        DB::refused_body(&self.pool, id).await
    }

    /// Puts an event that was refused behind those that wait, so that it is published again under the same message id.
    /// `false` if no such event was refused.
    ///
    /// # Errors
    /// What the database says; nothing is changed then.
    ///
    /// # Cancel safety
    /// If the future is dropped, the event may or may not be put back.
    pub async fn retry_refused(&self, id: i64) -> Result<bool, sqlx::Error> {
        DB::put_back(&self.pool, id).await
    }

    /// Throws away an event that was refused. `false` if no such event was.
    ///
    /// # Errors
    /// What the database says; nothing is changed then.
    ///
    /// # Cancel safety
    /// If the future is dropped, the event may or may not be dropped.
    pub async fn drop_refused(&self, id: i64) -> Result<bool, sqlx::Error> {
        DB::drop_refused(&self.pool, id).await
    }
}
