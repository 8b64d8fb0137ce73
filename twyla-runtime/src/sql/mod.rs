//! Deduplication and outbox in the handler's own database, within its transaction.
//!
//! [`Dedupe`](crate::Dedupe) remembers handled events, [`Outbox`] keeps emitted ones, and [`Dialect`] has the SQL for both. The
//! `relay` publishes the events of the outbox; an event that the broker refuses permanently becomes [`Refused`].

mod dedupe;
mod dialect;
mod outbox;
mod refused;
mod relay;
mod transient;

pub use dedupe::{Tx, TxGuard};
pub use dialect::Dialect;
pub use outbox::Outbox;
pub use refused::Refused;
pub(crate) use relay::relay;
