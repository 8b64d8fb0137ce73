//! The event or call that the current thread handles, for its log lines.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::trace::TraceContext;
use crate::contract::session::Session;

/// The fields that are added to a handler's log lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogContext {
    pub(crate) work: WorkItem,
    /// The number of the attempt; a batch has none, because its events may have failed a different number of times.
    pub(crate) attempt: Option<u32>,
    /// The session of the event or call; a batch may have events of many.
    pub(crate) session: Option<Session>,
    pub(crate) trace: Option<TraceContext>,
}

/// The event or the call that a handler handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkItem {
    Event { event: &'static str, group: &'static str },
    Call { method: &'static str },
}

static ENABLED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static STACK: RefCell<Vec<Arc<LogContext>>> = const { RefCell::new(Vec::new()) };
}

/// Enables log contexts: handlers that start after this call have one.
pub(crate) fn enable() {
    ENABLED.store(true, Ordering::Relaxed);
}

pub(crate) fn is_enabled() -> bool {
    ENABLED.load(Ordering::Relaxed)
}

/// Makes `log_context` the current one until the guard is dropped.
#[must_use]
pub(crate) fn enter(log_context: Arc<LogContext>) -> LogContextGuard {
    STACK.with_borrow_mut(|current| current.push(log_context));
    LogContextGuard
}

/// Returns the innermost log context of this thread.
pub(crate) fn current() -> Option<Arc<LogContext>> {
    STACK.with_borrow(|current| current.last().cloned())
}

/// Restores the previous log context when it is dropped.
#[derive(Debug)]
pub(crate) struct LogContextGuard;

impl Drop for LogContextGuard {
    fn drop(&mut self) {
        STACK.with_borrow_mut(|current| {
            current.pop();
        });
    }
}
