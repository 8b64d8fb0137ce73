//! A message that is being published, and the outcome of one try at it.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use futures_util::task::AtomicWaker;

use super::refusal::Refusal;
use crate::transport::{Address, Outgoing};

/// Why a try at a message came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) why: String,
    pub(crate) kind: Kind,
}

/// What follows from a [`Problem`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The broker may have the message; it is sent again.
    Unanswered,
    /// The broker doesn't have the message; it is sent again.
    Unrouted,
    /// A queue doesn't take it now (`basic.nack`), others may have; it is sent again, and not soon.
    Nacked,
    /// The broker doesn't take this message, now or later.
    Refused(Refusal),
}

impl Problem {
    pub(crate) fn unanswered(why: impl Into<String>) -> Self {
        Self { why: why.into(), kind: Kind::Unanswered }
    }

    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self { why: why.into(), kind: Kind::Refused(Refusal::Message) }
    }

    /// Whether it is certain that the broker did not take the message in this try.
    pub(crate) fn is_certain(&self) -> bool {
        matches!(self.kind, Kind::Unrouted | Kind::Refused(_))
    }
}

/// A message shared by the channel and the caller that waits for it. They agree on how far it got, so that "not sent" is
/// certain.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) outgoing: Outgoing,
    stage: AtomicU8,
    answer: Mutex<Option<Result<(), Problem>>>,
    waiting: AtomicWaker,
}

impl Message {
    const WRITTEN: u8 = 1;
    const RETURNED: u8 = 2;
    const GIVEN_UP: u8 = 4;

    pub(crate) fn new(outgoing: Outgoing) -> Self {
        Self { outgoing, stage: AtomicU8::new(0), answer: Mutex::default(), waiting: AtomicWaker::new() }
    }

    /// To be called before it is written. `false` if it must not be: the caller has given up.
    pub(crate) fn begin(&self) -> bool {
        let begin = |stage| (stage & Self::GIVEN_UP == 0).then_some(Self::WRITTEN);
        self.stage.fetch_update(Ordering::AcqRel, Ordering::Acquire, begin).is_ok()
    }

    /// From now on it isn't written any more.
    pub(crate) fn give_up(&self) {
        self.stage.fetch_or(Self::GIVEN_UP, Ordering::AcqRel);
    }

    /// Whether it may have been sent.
    pub(crate) fn was_written(&self) -> bool {
        self.stage.load(Ordering::Acquire) & Self::WRITTEN != 0
    }

    /// It was written, but the broker did not take it.
    pub(crate) fn was_not_taken(&self) {
        self.stage.fetch_and(!Self::WRITTEN, Ordering::AcqRel);
    }

    /// Marks it as returned by the broker. `false` if it isn't under way, or was returned before.
    pub(crate) fn returned(&self) -> bool {
        let returned = |stage| {
            let under_way = stage & (Self::WRITTEN | Self::RETURNED) == Self::WRITTEN;
            under_way.then_some(stage | Self::RETURNED)
        };
        self.stage.fetch_update(Ordering::AcqRel, Ordering::Acquire, returned).is_ok()
    }

    /// Whether it was returned and not confirmed since.
    pub(crate) fn was_returned(&self) -> bool {
        self.stage.load(Ordering::Acquire) & Self::RETURNED != 0
    }

    /// Ends the try that was begun.
    pub(crate) fn answer(&self, answer: Result<(), Problem>) {
        *lock(&self.answer) = Some(answer);
        self.waiting.wake();
    }

    /// The broker's answer: its confirm, unless the message was returned before.
    pub(crate) fn confirmed(&self, ack: bool) {
        let was_returned = self.stage.fetch_and(!Self::RETURNED, Ordering::AcqRel) & Self::RETURNED != 0;
        self.answer(match ack {
            true if was_returned => Err(unrouted(&self.outgoing.to)),
            true => Ok(()),
            false => Err(Problem { why: "refused by a queue (full?): basic.nack".to_owned(), kind: Kind::Nacked }),
        });
    }

    /// Waits for the answer to a try.
    pub(crate) async fn answered(&self) -> Result<(), Problem> {
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

/// No queue was there to take a message.
fn unrouted(address: &Address) -> Problem {
    match address {
        // Only its group makes it.
        Address::Back(queue) => {
            Problem::refused(format!("there is no queue `{queue}`: a member of its group makes it as it starts"))
        }
        _ => Problem { why: "the queue is gone".to_owned(), kind: Kind::Unrouted },
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;

    fn message() -> Message {
        Message::new(Outgoing {
            to: Address::Event { domain: "a".into(), event_type: "b".into() },
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
    fn is_returned_only_while_it_is_under_way() {
        let message = message();
        assert!(!message.returned());
        assert!(message.begin());
        assert!(message.returned());
        assert!(!message.returned());
    }
}
