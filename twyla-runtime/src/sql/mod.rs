//! Once and in one transaction: what was handled is remembered, and what is emitted is kept, in the database where the
//! handler does its work.
//!
//! [`dedupe`](crate::Dedupe) and [`outbox`](Outbox) are the two; [`dialect`](Dialect) is what they ask of a database. What is in
//! the outbox is published by the `relay`, and what it can't publish is [`Refused`].

mod dedupe;
mod dialect;
mod outbox;
mod refused;
mod relay;
mod trouble;

pub use dedupe::{Tx, TxGuard};
pub use dialect::Dialect;
pub use outbox::Outbox;
pub use refused::Refused;
pub(crate) use relay::relay;
