//! An event under way: encoded when `emit` is called, sent when its future is polled.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use crate::bus::Inner;
use crate::error::Error;
use crate::transport::Outgoing;

/// An event under way: the future of [`Bus::emit`](crate::Bus::emit).
///
/// A type of its own, so that a mistake in what is emitted is told once and not again wherever its future is used.
#[must_use = "nothing is sent until this is awaited"]
pub struct Emitting(Stage);

enum Stage {
    Encoded(Option<Encoded>),
    Sending(Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>),
}

struct Encoded {
    event: &'static str,
    message: Result<Outgoing, Error>,
    bus: Arc<Inner>,
    deadline: Duration,
}

impl Emitting {
    pub(crate) fn new(event: &'static str, message: Result<Outgoing, Error>, bus: Arc<Inner>) -> Self {
        let deadline = bus.emit_deadline;
        Self(Stage::Encoded(Some(Encoded { event, message, bus, deadline })))
    }

    /// Waits at most `deadline` for the broker's confirm, and not the bus's emit deadline. It counts from the first poll;
    /// once that has been, this does nothing.
    ///
    /// ```text
    /// bus.emit(content, context).within(Duration::from_secs(2)).await?;
    /// ```
    pub fn within(mut self, deadline: Duration) -> Self {
        if let Stage::Encoded(Some(encoded)) = &mut self.0 {
            encoded.deadline = deadline;
        }
        self
    }
}

impl Encoded {
    async fn send(self) -> Result<(), Error> {
        let Self { event, message, bus, deadline } = self;
        let message = message?;
        let message_id = message.message_id.clone();
        let bytes = message.body.len();
        match bus.transport.publish(message, Instant::now() + deadline).await {
            Ok(()) => {
                tracing::debug!(event, message_id = &*message_id, bytes, "emitted");
                Ok(())
            }
            Err(failure) if failure.closed && !failure.maybe_sent => Err(Error::Closed),
            Err(failure) => {
                let (maybe_sent, why) = (failure.maybe_sent, failure.why);
                tracing::warn!(event, message_id = &*message_id, maybe_sent, error = why, "unconfirmed");
                Err(Error::Unconfirmed { event, message_id: (*message_id).to_owned(), maybe_sent, deadline, why })
            }
        }
    }
}

impl Future for Emitting {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            match &mut self.0 {
                Stage::Encoded(encoded) => match encoded.take() {
                    Some(encoded) => self.0 = Stage::Sending(Box::pin(encoded.send())),
                    // a stage is left as soon as it is taken
                    None => return Poll::Pending,
                },
                Stage::Sending(sending) => return sending.as_mut().poll(context),
            }
        }
    }
}

impl fmt::Debug for Emitting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Emitting")
    }
}
