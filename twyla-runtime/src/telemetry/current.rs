//! What a thread is handling at the moment, for the lines that it logs.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::trace::TraceContext;
use crate::contract::session::Session;

/// What is being handled, for the lines that a handler logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Here {
    pub(crate) about: About,
    pub(crate) attempt: u32,
    pub(crate) session: Session,
    pub(crate) trace: Option<TraceContext>,
}

/// What is handled: an event by a group, or a call of an RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    Event { event: &'static str, group: &'static str },
    Call { method: &'static str },
}

static WANTED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static NOW: RefCell<Vec<Arc<Here>>> = const { RefCell::new(Vec::new()) };
}

/// From now on someone asks.
pub(crate) fn want() {
    WANTED.store(true, Ordering::Relaxed);
}

pub(crate) fn is_wanted() -> bool {
    WANTED.load(Ordering::Relaxed)
}

/// Until what is returned is dropped.
#[must_use]
pub(crate) fn enter(here: Arc<Here>) -> Entered {
    NOW.with_borrow_mut(|now| now.push(here));
    Entered
}

/// What is being handled on this thread, if anything is.
pub(crate) fn now() -> Option<Arc<Here>> {
    NOW.with_borrow(|now| now.last().cloned())
}

/// Leaves when it is dropped.
#[derive(Debug)]
pub(crate) struct Entered;

impl Drop for Entered {
    fn drop(&mut self) {
        NOW.with_borrow_mut(|now| {
            now.pop();
        });
    }
}
