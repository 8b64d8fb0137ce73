//! A variant: makes calls, and answers them.

use std::future::Future;
use std::pin::Pin;

use crate::child::Child;
use crate::measure::Result;

/// Calls that are made.
pub(crate) type Doing = Pin<Box<dyn Future<Output = Result> + Send>>;

/// A variant: makes calls, and answers them.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    pub(crate) service: Child,
    /// Makes a number of calls, a number of them at once.
    pub(crate) calls: Box<dyn Fn(u32, u32) -> Doing>,
}
