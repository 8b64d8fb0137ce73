//! Remembered in a database: in the same transaction that the handler works in.

use std::any::TypeId;
use std::error::Error as StdError;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use sqlx::{Pool, Transaction};
use tokio::sync::{Mutex, MutexGuard};

use super::Dialect;
use super::trouble::{passes, trouble};
use crate::future::BoxFuture;
use crate::service::dedupe::{Begun, Claim, Dedupe, Identity, NotCommitted, Store, Transacting, Trouble};
use crate::service::handler::{Argument, Failure, Need, Parts};

type Cause = Box<dyn StdError + Send + Sync>;

impl Dedupe {
    /// Remembers in the table `twyla_handled` of a database, which is made where it is missing.
    ///
    /// Each attempt has a transaction of its own, which is committed when the handler has succeeded and before the event is
    /// acked. A handler that does its work in it ([`Tx`]) takes effect exactly once, whenever the process dies; without,
    /// an event may be handled again if the process dies between the work and the commit. Each handler that runs has a
    /// connection of the pool, so the pool bounds how many do; SQLite has one writer, so there they run one after another. Rows stay for ever, unless [`keep_for`](Self::keep_for) says
    /// how long: an event can come again for as long as it may be replayed.
    ///
    /// # Errors
    /// What the database says when the table is made.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the table made.
    pub async fn sql<DB: Dialect>(pool: Pool<DB>) -> Result<Self, sqlx::Error> {
        DB::make_handled(&pool).await?;
        let store = Arc::new(Sql { pool, open: Arc::default() });
        Ok(Self { store, gives: Some(TypeId::of::<Tx<DB>>()), kept: None })
    }
}

struct Sql<DB: Dialect> {
    pool: Pool<DB>,
    /// Counts the transactions that are open: as many references as there are, and this one.
    open: Arc<()>,
}

impl<DB: Dialect> Store for Sql<DB> {
    fn begin<'a>(&'a self, event: Identity<'a>) -> BoxFuture<'a, Result<Begun, Trouble>> {
        Box::pin(
            async move { self.begin(event).await.map_err(|error| trouble(error, Arc::strong_count(&self.open) > 1)) },
        )
    }

    fn connections(&self) -> Option<u32> {
        Some(self.pool.options().get_max_connections())
    }

    fn forget(&self, age: Duration) -> BoxFuture<'_, Result<u64, Cause>> {
        Box::pin(async move { Ok(DB::forget(&self.pool, age.as_secs_f64()).await?) })
    }
}

impl<DB: Dialect> Sql<DB> {
    async fn begin(&self, event: Identity<'_>) -> Result<Begun, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        // PostgreSQL has no text with this character, and a sender that writes it has no ids to tell events by
        if let Some(id) = event.message_id.filter(|id| !id.contains('\0'))
            && !DB::handled(&mut transaction, event.queue, event.group, id).await?
        {
            transaction.rollback().await?;
            return Ok(Begun::Done);
        }
        let tx = Tx(Arc::new(Mutex::new(Some(transaction))));
        Ok(Begun::New(Box::new(Open { tx, _open: self.open.clone() })))
    }
}

struct Open<DB: Dialect> {
    tx: Tx<DB>,
    _open: Arc<()>,
}

impl<DB: Dialect> Claim for Open<DB> {
    fn transaction(&self) -> Option<Transacting> {
        Some(Transacting(Arc::new(self.tx.clone())))
    }

    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), NotCommitted>> {
        Box::pin(async move {
            let locked = |_| NotCommitted::Handler("the handler has ended with its transaction locked".into());
            let transaction = self.tx.0.try_lock().map_err(locked)?.take();
            let Some(mut transaction) = transaction else { return Ok(()) };
            let committed = match DB::holds(&mut transaction).await {
                Ok(()) => transaction.commit().await,
                Err(error) => Err(error),
            };
            committed.map_err(|error| match passes(&error) {
                true => NotCommitted::Store(trouble(error, true)),
                false => NotCommitted::Handler(error.into()),
            })
        })
    }
}

/// A handler argument: the transaction in which an event is remembered as handled. It is there with
/// [`Dedupe::sql`].
///
/// What is done in it holds exactly if the handler succeeds; an error or a panic undoes it, with the memory of the event. So
/// does, in PostgreSQL, a statement that fails, also where the handler lets its error pass: what may fail is done in a
/// savepoint.
///
/// ```text
/// #[listener("shop.order_placed", group = "billing")]
/// async fn bill(order: OrderPlaced, tx: Tx<Postgres>) -> Result<(), Fail> {
///     let mut tx = tx.lock().await;
///     sqlx::query("INSERT INTO bills (order_id) VALUES ($1)").bind(order.id).execute(&mut **tx).await?;
///     Ok(())
/// }
/// ```
pub struct Tx<DB: Dialect>(Arc<Mutex<Option<Transaction<'static, DB>>>>);

impl<DB: Dialect> Tx<DB> {
    /// The transaction's connection, until what is returned is dropped.
    ///
    /// # Panics
    /// When the handler has ended: the transaction has too.
    ///
    /// # Cancel safety
    /// Nothing is locked if the future is dropped.
    pub async fn lock(&self) -> TxGuard<'_, DB> {
        let guard = self.0.lock().await;
        assert!(guard.is_some(), "the handler has ended, and its transaction with it");
        TxGuard(guard)
    }
}

impl<DB: Dialect> Clone for Tx<DB> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<DB: Dialect> fmt::Debug for Tx<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tx")
    }
}

/// A transaction's connection: `&mut *guard` executes a query of sqlx.
pub struct TxGuard<'a, DB: Dialect>(MutexGuard<'a, Option<Transaction<'static, DB>>>);

impl<DB: Dialect> fmt::Debug for TxGuard<'_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TxGuard")
    }
}

const HELD: &str = "a guard is made of an open transaction";

impl<DB: Dialect> Deref for TxGuard<'_, DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        self.0.as_ref().expect(HELD)
    }
}

impl<DB: Dialect> DerefMut for TxGuard<'_, DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        self.0.as_mut().expect(HELD)
    }
}

impl<DB: Dialect> Argument for Tx<DB> {
    fn take(parts: &Parts) -> Result<Self, Failure> {
        let transaction = parts.transaction().and_then(|transaction| transaction.0.downcast_ref::<Self>().cloned());
        // the service has looked at `need` before it took anything in, so it is there
        transaction.ok_or_else(|| Failure::Handler("the service was given no such store to dedupe with".into()))
    }

    fn need() -> Option<Need> {
        Some(Need {
            id: TypeId::of::<Self>(),
            name: std::any::type_name::<Self>(),
            by: ".dedupe(Dedupe::sql(pool).await?)",
        })
    }
}
