//! The dedupe store in a database: an event is marked as handled in the transaction of its handler.

use std::any::TypeId;
use std::collections::HashSet;
use std::error::Error as StdError;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use sqlx::{Pool, Transaction};
use tokio::sync::{Mutex, MutexGuard};

use super::Dialect;
use super::transient::store_error;
use crate::future::BoxFuture;
use crate::service::dedupe::{
    BatchClaim, BatchClaimOutcome, BatchIdentity, Claim, ClaimOutcome, Dedupe, Identity, NotCommitted, Store,
    Transacting, Trouble,
};
use crate::service::handler::{Argument, BatchArgument, BatchParts, Failure, Need, Parts};
use crate::service::passing::is_transient;
use crate::service::rate::Tokens;

type BoxError = Box<dyn StdError + Send + Sync>;

impl Dedupe {
    /// Remembers handled events in the table `twyla_handled` of a database, and shares the `rate` of listeners among the members of their
    /// group in the table `twyla_rates`. Creates the tables if they are missing.
    ///
    /// Each attempt has its own transaction, which is committed after the handler succeeds and before the event is acked. The
    /// work that a handler does in that transaction ([`Tx`]) takes effect exactly once, even if the process dies at any time. Other
    /// work may be done again if the process dies between the work and the commit.
    ///
    /// Each running handler holds one connection, so the size of the pool limits how many handlers run at once. SQLite has
    /// a single writer, so its handlers run one after another. Rows are kept forever unless [`keep_for`](Self::keep_for) sets a time:
    /// an event can be delivered again for as long as it may be replayed.
    ///
    /// # Errors
    /// The database's error if the tables can't be created.
    ///
    /// # Cancel safety
    /// If the future is dropped, the tables may or may not be created.
    pub async fn sql<DB: Dialect>(pool: Pool<DB>) -> Result<Self, sqlx::Error> {
        DB::make_handled(&pool).await?;
        let store = Arc::new(SqlStore { pool, open: Arc::default() });
        Ok(Self { store, gives: Some(TypeId::of::<Tx<DB>>()), kept: None })
    }
}

/// The longest time in the arithmetic of buckets: 30 years, in microseconds.
const LONGEST: i64 = 30 * 365 * 24 * 60 * 60 * 1_000_000;

struct SqlStore<DB: Dialect> {
    pool: Pool<DB>,
    /// Counts the open transactions: each holds a clone.
    open: Arc<()>,
}

impl<DB: Dialect> Store for SqlStore<DB> {
    fn begin<'a>(&'a self, event: Identity<'a>) -> BoxFuture<'a, Result<ClaimOutcome, Trouble>> {
        Box::pin(async move {
            let was_in_use = self.is_in_use();
            self.begin(event).await.map_err(|error| store_error(error, was_in_use || self.is_in_use()))
        })
    }

    fn begin_batch<'a>(&'a self, batch: BatchIdentity<'a>) -> BoxFuture<'a, Result<BatchClaimOutcome, Trouble>> {
        Box::pin(async move {
            let was_in_use = self.is_in_use();
            self.begin_batch(batch).await.map_err(|error| store_error(error, was_in_use || self.is_in_use()))
        })
    }

    fn connections(&self) -> Option<u32> {
        Some(self.pool.options().get_max_connections())
    }

    fn has_buckets(&self) -> bool {
        true
    }

    fn take<'a>(&'a self, bucket: &'a str, tokens: Tokens) -> BoxFuture<'a, Result<Duration, Trouble>> {
        let micros = |time: Duration| i64::try_from(time.as_nanos().div_ceil(1000)).unwrap_or(LONGEST).min(LONGEST);
        Box::pin(async move {
            let (cost, missing, most) = (micros(tokens.cost), micros(tokens.missing), micros(tokens.most));
            let wait = DB::take(&self.pool, bucket, cost, missing, most).await;
            let wait = wait.map_err(|error| store_error(error, self.is_in_use()))?;
            Ok(Duration::from_micros(u64::try_from(wait).unwrap_or_default()))
        })
    }

    fn forget(&self, age: Duration) -> BoxFuture<'_, Result<u64, BoxError>> {
        Box::pin(async move { Ok(DB::forget(&self.pool, age.as_secs_f64()).await?) })
    }
}

impl<DB: Dialect> SqlStore<DB> {
    /// Returns whether a transaction is open. Between two that take turns on one connection it is not, so ask before waiting and after.
    fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.open) > 1
    }

    async fn begin(&self, event: Identity<'_>) -> Result<ClaimOutcome, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        // PostgreSQL text can't contain NUL; an event with such an id is treated as one without an id
        if let Some(id) = event.message_id.filter(|id| !id.contains('\0'))
            && !DB::handled(&mut transaction, [event.queue, event.group, id].map(str::to_owned)).await?
        {
            transaction.rollback().await?;
            return Ok(ClaimOutcome::Done);
        }
        let tx = Tx(Arc::new(Mutex::new(Some(transaction))));
        Ok(ClaimOutcome::New(Box::new(SqlClaim { tx, _guard: self.open.clone() })))
    }

    async fn begin_batch(&self, batch: BatchIdentity<'_>) -> Result<BatchClaimOutcome, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        let ids: Vec<Option<String>> =
            batch.message_ids.iter().map(|id| id.filter(|id| !id.contains('\0')).map(str::to_owned)).collect();
        let mut wanted: Vec<String> = ids.iter().flatten().cloned().collect();
        // always in the same order, so that two batches never wait for each other
        wanted.sort_unstable();
        let new: HashSet<String> = match wanted.is_empty() {
            true => HashSet::new(),
            false => {
                let names = [batch.queue, batch.group].map(str::to_owned);
                DB::handled_all(&mut transaction, names, wanted).await?.into_iter().collect()
            }
        };
        let done = ids.iter().map(|id| id.as_ref().is_some_and(|id| !new.contains(id))).collect();
        let tx = Tx(Arc::new(Mutex::new(Some(transaction))));
        let claim = SqlBatchClaim { tx, queue: batch.queue.to_owned(), ids, _guard: self.open.clone() };
        Ok(BatchClaimOutcome { done, claim: Box::new(claim) })
    }
}

struct SqlBatchClaim<DB: Dialect> {
    tx: Tx<DB>,
    queue: String,
    /// The id of each message that the table can keep.
    ids: Vec<Option<String>>,
    _guard: Arc<()>,
}

impl<DB: Dialect> BatchClaim for SqlBatchClaim<DB> {
    fn transaction(&self) -> Option<Transacting> {
        Some(Transacting(Arc::new(self.tx.clone())))
    }

    fn commit(mut self: Box<Self>, failed: Vec<usize>) -> BoxFuture<'static, Result<(), NotCommitted>> {
        let failed = failed.into_iter().filter_map(|index| self.ids.get_mut(index)?.take()).collect();
        Box::pin(async move { self.tx.commit(&self.queue, failed).await })
    }
}

struct SqlClaim<DB: Dialect> {
    tx: Tx<DB>,
    _guard: Arc<()>,
}

impl<DB: Dialect> Claim for SqlClaim<DB> {
    fn transaction(&self) -> Option<Transacting> {
        Some(Transacting(Arc::new(self.tx.clone())))
    }

    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), NotCommitted>> {
        Box::pin(async move { self.tx.commit("", Vec::new()).await })
    }
}

/// A handler argument: the transaction that marks the event as handled. Needs [`Dedupe::sql`].
///
/// The transaction is committed if the handler succeeds, and rolled back with the mark if it fails or panics. In PostgreSQL
/// a failed statement also rolls it back, even if the handler ignores the error: run a statement that may fail in a
/// savepoint.
///
/// ```text
/// #[listener("shop.order_placed", group = "billing")]
/// async fn bill(order: OrderPlaced, tx: Tx<Postgres>) -> Result<(), Fail> {
///     let mut tx = tx.lock().await;
///     sqlx::query("INSERT INTO bills (order_id) VALUES ($1)").bind(order.order_id).execute(&mut *tx).await?;
///     Ok(())
/// }
/// ```
pub struct Tx<DB: Dialect>(Arc<Mutex<Option<Transaction<'static, DB>>>>);

impl<DB: Dialect> Tx<DB> {
    /// Returns the transaction of an event or a batch.
    fn of(transaction: Option<&Transacting>) -> Result<Self, Failure> {
        // the service checked `need` before it accepted deliveries
        transaction.and_then(|transaction| transaction.0.downcast_ref::<Self>().cloned()).ok_or_else(|| {
            Failure::Handler("the service has no dedupe store with the transaction that the handler takes".into())
        })
    }

    /// Commits, after it has removed the marks of the messages `failed`.
    async fn commit(&self, queue: &str, failed: Vec<String>) -> Result<(), NotCommitted> {
        let locked = |_| {
            NotCommitted::Handler(
                "the handler ended while its transaction was still locked: drop the guard of `Tx::lock` first".into(),
            )
        };
        let transaction = self.0.try_lock().map_err(locked)?.take();
        let Some(mut transaction) = transaction else { return Ok(()) };
        let committed = async {
            DB::run(&mut transaction, DB::HOLDS).await?;
            if !failed.is_empty() {
                DB::unmark(&mut transaction, queue.to_owned(), failed).await?;
            }
            transaction.commit().await
        };
        committed.await.map_err(|error| match is_transient(&error) {
            true => NotCommitted::Store(store_error(error, true)),
            false => NotCommitted::Handler(error.into()),
        })
    }

    /// Locks the transaction's connection until the guard is dropped.
    ///
    /// # Panics
    /// If the handler has returned, because its transaction has ended then.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is locked.
    pub async fn lock(&self) -> TxGuard<'_, DB> {
        let guard = self.0.lock().await;
        assert!(guard.is_some(), "the transaction has ended with its handler");
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

/// The connection of a locked transaction: pass `&mut *guard` to an sqlx query.
pub struct TxGuard<'a, DB: Dialect>(MutexGuard<'a, Option<Transaction<'static, DB>>>);

impl<DB: Dialect> fmt::Debug for TxGuard<'_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TxGuard")
    }
}

const OPEN: &str = "a guard is made of an open transaction";

impl<DB: Dialect> Deref for TxGuard<'_, DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        self.0.as_ref().expect(OPEN)
    }
}

impl<DB: Dialect> DerefMut for TxGuard<'_, DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        self.0.as_mut().expect(OPEN)
    }
}

#[diagnostic::do_not_recommend]
impl<DB: Dialect> BatchArgument for Tx<DB> {
    fn take(parts: &BatchParts) -> Result<Self, Failure> {
        Self::of(parts.transaction())
    }

    fn need() -> Option<Need> {
        <Self as Argument>::need()
    }
}

impl<DB: Dialect> Argument for Tx<DB> {
    fn take(parts: &Parts) -> Result<Self, Failure> {
        Self::of(parts.transaction())
    }

    fn need() -> Option<Need> {
        Some(Need {
            id: TypeId::of::<Self>(),
            name: std::any::type_name::<Self>(),
            by: ".dedupe(Dedupe::sql(pool).await?)",
        })
    }
}
