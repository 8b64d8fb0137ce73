//! An event under way: encoded when `emit` is called, sent when its future is polled.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Instant;

use crate::bus::Inner;
use crate::error::Error;
use crate::transport::{BoxFuture, Outgoing, Unpublished};

/// An event under way: the future of [`Bus::emit`](crate::Bus::emit).
///
/// A type of its own, so that a mistake in what is emitted is told once and not again wherever its future is used.
#[must_use = "nothing is sent until this is awaited"]
pub struct Emitting {
    event: &'static str,
    bus: Arc<Inner>,
    deadline: Duration,
    stage: Stage,
}

enum Stage {
    /// Taken with the first poll.
    Encoded(Option<Result<Outgoing, Error>>),
    Sending {
        message_id: Arc<str>,
        sending: BoxFuture<'static, Result<(), Unpublished>>,
    },
}

impl Emitting {
    pub(crate) fn new(event: &'static str, message: Result<Outgoing, Error>, bus: Arc<Inner>) -> Self {
        Self { event, deadline: bus.emit_deadline, bus, stage: Stage::Encoded(Some(message)) }
    }

    /// Waits at most `deadline` for the broker's confirm, and not the bus's emit deadline. It counts from the first poll;
    /// once that has been, this does nothing.
    ///
    /// ```text
    /// bus.emit(content, context).within(Duration::from_secs(2)).await?;
    /// ```
    pub fn within(mut self, deadline: Duration) -> Self {
        if let Stage::Encoded(_) = self.stage {
            self.deadline = deadline;
        }
        self
    }

    fn ended(&self, message_id: &str, outcome: Result<(), Unpublished>) -> Result<(), Error> {
        let event = self.event;
        match outcome {
            Ok(()) => {
                tracing::debug!(event, message_id, "emitted");
                Ok(())
            }
            Err(failure) if failure.closed && !failure.maybe_sent => Err(Error::Closed),
            Err(failure) => {
                let (maybe_sent, why) = (failure.maybe_sent, failure.why);
                tracing::warn!(event, message_id, maybe_sent, error = why, "unconfirmed");
                let message_id = message_id.to_owned();
                Err(Error::Unconfirmed { event, message_id, maybe_sent, deadline: self.deadline, why })
            }
        }
    }
}

impl Future for Emitting {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            match &mut self.stage {
                Stage::Encoded(message) => match message.take() {
                    Some(Ok(message)) => {
                        let message_id = message.message_id.clone();
                        let until = Instant::now() + self.deadline;
                        let sending = self.bus.transport.clone().publish(message, until);
                        self.stage = Stage::Sending { message_id, sending };
                    }
                    Some(Err(error)) => return Poll::Ready(Err(error)),
                    // It has ended, with an error.
                    None => return Poll::Pending,
                },
                Stage::Sending { message_id, sending } => {
                    let outcome = ready!(sending.as_mut().poll(context));
                    let message_id = message_id.clone();
                    return Poll::Ready(self.ended(&message_id, outcome));
                }
            }
        }
    }
}

impl fmt::Debug for Emitting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Emitting")
    }
}
