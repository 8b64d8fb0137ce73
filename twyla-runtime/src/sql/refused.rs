//! Outbox events that the broker refused permanently: list, retry, drop.

use chrono::{DateTime, Utc};

use super::dialect::RefusedRow;
use super::{Dialect, Outbox};

/// An outbox event that the broker refused permanently.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// The event's id in the outbox.
    pub id: i64,
    /// The event's name.
    pub event: String,
    /// The message id.
    pub message_id: String,
    /// The size in bytes, with the envelope.
    pub bytes: u64,
    /// When the event was put into the outbox.
    pub put_at: DateTime<Utc>,
    /// When the event was refused.
    pub refused_at: DateTime<Utc>,
    /// The broker's reason.
    pub why: String,
}

impl<DB: Dialect> Outbox<DB> {
    /// Returns at most `limit` refused events, in the order in which they were put into the outbox.
    ///
    /// # Errors
    /// The database's error.
    ///
    /// # Cancel safety
    /// Changes nothing.
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

    /// Returns the number of events that wait to be published, and the number of refused events.
    ///
    /// # Errors
    /// The database's error.
    ///
    /// # Cancel safety
    /// Changes nothing.
    pub async fn counts(&self) -> Result<(u64, u64), sqlx::Error> {
        let (waiting, refused) = DB::counts(&self.pool).await?;
        Ok((waiting.unsigned_abs(), refused.unsigned_abs()))
    }

    /// Returns the envelope of a refused event, byte for byte; `None` if no refused event has this id.
    ///
    /// # Errors
    /// The database's error.
    ///
    /// # Cancel safety
    /// Changes nothing.
    pub async fn refused_body(&self, id: i64) -> Result<Option<Vec<u8>>, sqlx::Error> {
        DB::refused_body(&self.pool, id).await
    }

    /// Appends a refused event to the outbox again, under the same message id. Returns `false` if no refused event has this
    /// id.
    ///
    /// # Errors
    /// The database's error; nothing has changed then.
    ///
    /// # Cancel safety
    /// If the future is dropped, the event may or may not be put back.
    pub async fn retry_refused(&self, id: i64) -> Result<bool, sqlx::Error> {
        DB::put_back(&self.pool, id).await
    }

    /// Deletes a refused event. Returns `false` if no refused event has this id.
    ///
    /// # Errors
    /// The database's error; nothing has changed then.
    ///
    /// # Cancel safety
    /// If the future is dropped, the event may or may not be dropped.
    pub async fn drop_refused(&self, id: i64) -> Result<bool, sqlx::Error> {
        DB::drop_refused(&self.pool, id).await
    }
}
