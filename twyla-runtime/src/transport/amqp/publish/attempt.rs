//! A message that is being published, and the outcome of one attempt.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use futures_util::task::AtomicWaker;

use super::refusal::Refusal;
use crate::transport::{Outgoing, PublishTarget};

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublishError {
    pub(crate) why: String,
    pub(crate) kind: PublishErrorKind,
}

/// The kind of a failed attempt, which decides how to proceed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PublishErrorKind {
    /// The broker may have the message: publish it again.
    Unanswered,
    /// The broker doesn't have the message: publish it again.
    Unrouted,
    /// A queue refused the message for now (`basic.nack`), but other queues may have it: publish it again after a longer pause.
    Nacked,
    /// The broker refuses this message permanently.
    Refused(Refusal),
}

impl PublishError {
    pub(crate) fn unanswered(why: impl Into<String>) -> Self {
        Self { why: why.into(), kind: PublishErrorKind::Unanswered }
    }

    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self { why: why.into(), kind: PublishErrorKind::Refused(Refusal::Message) }
    }

    /// Returns whether the broker certainly did not accept the message in this attempt.
    pub(crate) fn is_certain(&self) -> bool {
        matches!(self.kind, PublishErrorKind::Unrouted | PublishErrorKind::Refused(_))
    }
}

/// A message shared by the channel and the waiting caller. They share its progress, so that "not sent" can be reported with
/// certainty.
#[derive(Debug)]
pub(crate) struct PendingMessage {
    pub(crate) outgoing: Outgoing,
    stage: AtomicU8,
    answer: Mutex<Option<Result<(), PublishError>>>,
    waiting: AtomicWaker,
}

impl PendingMessage {
    const WRITTEN: u8 = 1;
    const RETURNED: u8 = 2;
    const GIVEN_UP: u8 = 4;

    pub(crate) fn new(outgoing: Outgoing) -> Self {
        Self { outgoing, stage: AtomicU8::new(0), answer: Mutex::default(), waiting: AtomicWaker::new() }
    }

    /// Starts an attempt; call it before writing. `false` if the caller has given up and the message must not be written.
    pub(crate) fn begin(&self) -> bool {
        let begin = |stage| (stage & Self::GIVEN_UP == 0).then_some(Self::WRITTEN);
        self.stage.fetch_update(Ordering::AcqRel, Ordering::Acquire, begin).is_ok()
    }

    /// Prevents further attempts.
    pub(crate) fn give_up(&self) {
        self.stage.fetch_or(Self::GIVEN_UP, Ordering::AcqRel);
    }

    /// Returns whether the message may have been sent.
    pub(crate) fn was_written(&self) -> bool {
        self.stage.load(Ordering::Acquire) & Self::WRITTEN != 0
    }

    /// Records that the broker did not accept the message although it was written.
    pub(crate) fn was_not_taken(&self) {
        self.stage.fetch_and(!Self::WRITTEN, Ordering::AcqRel);
    }

    /// Marks the message as returned by the broker. `false` if it is not in flight or was already returned.
    pub(crate) fn returned(&self) -> bool {
        let returned = |stage| {
            let under_way = stage & (Self::WRITTEN | Self::RETURNED) == Self::WRITTEN;
            under_way.then_some(stage | Self::RETURNED)
        };
        self.stage.fetch_update(Ordering::AcqRel, Ordering::Acquire, returned).is_ok()
    }

    /// Returns whether the broker has returned the message and has not confirmed it since.
    pub(crate) fn was_returned(&self) -> bool {
        self.stage.load(Ordering::Acquire) & Self::RETURNED != 0
    }

    /// Ends the current attempt.
    pub(crate) fn answer(&self, answer: Result<(), PublishError>) {
        *lock(&self.answer) = Some(answer);
        self.waiting.wake();
    }

    /// Ends the current attempt with the broker's confirm; a returned message counts as unrouted.
    pub(crate) fn confirmed(&self, ack: bool) {
        let was_returned = self.stage.fetch_and(!Self::RETURNED, Ordering::AcqRel) & Self::RETURNED != 0;
        self.answer(match ack {
            true if was_returned => Err(unrouted(&self.outgoing.to)),
            true => Ok(()),
            false => Err(PublishError {
                why: "a queue refused the message, perhaps because it is full: basic.nack".to_owned(),
                kind: PublishErrorKind::Nacked,
            }),
        });
    }

    /// Waits for the end of the attempt.
    pub(crate) async fn answered(&self) -> Result<(), PublishError> {
        poll_fn(|context| {
            self.waiting.register(context.waker());
            lock(&self.answer).take().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the error for a message that reached no queue.
fn unrouted(address: &PublishTarget) -> PublishError {
    match address {
        // only the group itself declares its queue
        PublishTarget::Back(queue) => PublishError::refused(format!(
            "there is no queue `{queue}`: a service of its group declares it when it starts"
        )),
        _ => PublishError { why: "the queue is gone".to_owned(), kind: PublishErrorKind::Unrouted },
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;

    fn message() -> PendingMessage {
        PendingMessage::new(Outgoing {
            to: PublishTarget::Event { domain: "a".into(), event_type: "b".into() },
            body: bytes::Bytes::new(),
            message_id: "id".into(),
            timestamp: Utc::now(),
            app_id: "test".into(),
            headers: Vec::new(),
            original: None,
            trace: None,
        })
    }

    #[test]
    fn is_not_written_once_the_caller_has_given_up() {
        let message = message();
        message.give_up();
        assert!(!message.begin());
        assert!(!message.was_written());
    }

    #[test]
    fn may_have_been_sent_if_it_was_written_before_the_caller_gave_up() {
        let message = message();
        assert!(message.begin());
        message.give_up();
        assert!(message.was_written());
        message.was_not_taken();
        assert!(!message.was_written());
    }

    #[test]
    fn is_returned_only_while_it_is_in_flight() {
        let message = message();
        assert!(!message.returned());
        assert!(message.begin());
        assert!(message.returned());
        assert!(!message.returned());
    }
}
