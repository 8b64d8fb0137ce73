//! The write buffer, and the buffer of received bytes for lapin.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::net::TcpStream;

/// The largest capacity that an empty buffer keeps.
const KEPT: usize = 256 * 1024;

/// Outgoing frames.
#[derive(Default)]
pub(crate) struct WriteBuffer {
    pub(crate) next: Vec<u8>,
    /// The buffer being written, of which `sent` bytes are written. A writer takes it during a write.
    pub(crate) front: Vec<u8>,
    pub(crate) sent: usize,
    /// The unwritten bytes of the taken buffer, while a write is in progress.
    pub(crate) taken: Option<usize>,
    /// The TCP socket for direct writes.
    pub(crate) stream: Option<Arc<TcpStream>>,
    /// Whether the stream is closed once everything is written.
    pub(crate) closing: bool,
    pub(crate) ended: Option<Arc<str>>,
    /// Wakes lapin when the buffer has room.
    pub(crate) waker: Option<Waker>,
}

/// Received bytes for lapin.
#[derive(Default)]
pub(crate) struct ReadBuffer {
    pub(crate) bytes: Vec<u8>,
    pub(crate) given: usize,
    /// Set at the end of the stream; an error is returned once.
    pub(crate) ended: Option<io::Result<()>>,
    pub(crate) waker: Option<Waker>,
}

impl WriteBuffer {
    pub(crate) fn waiting(&self) -> usize {
        self.next.len() + self.front.len() - self.sent + self.taken.unwrap_or_default()
    }

    /// Takes the next bytes to write; `None` if the buffer is empty, or if a write is in progress.
    pub(crate) fn take(&mut self) -> Option<(Vec<u8>, usize)> {
        if self.taken.is_some() || self.waiting() == 0 {
            return None;
        }
        if self.sent == self.front.len() {
            self.front.clear();
            self.sent = 0;
            std::mem::swap(&mut self.front, &mut self.next);
        }
        let sent = std::mem::take(&mut self.sent);
        self.taken = Some(self.front.len() - sent);
        Some((std::mem::take(&mut self.front), sent))
    }

    /// Puts the taken buffer back, of which `sent` bytes are written.
    pub(crate) fn give_back(&mut self, mut front: Vec<u8>, sent: usize) {
        self.taken = None;
        self.sent = sent;
        if sent == front.len() && front.capacity() > KEPT {
            (front, self.sent) = (Vec::new(), 0);
        }
        self.front = front;
    }
}

impl ReadBuffer {
    pub(crate) fn poll_take(&mut self, context: &mut Context<'_>, out: &mut [u8]) -> Poll<io::Result<usize>> {
        let ready = &self.bytes[self.given..];
        if ready.is_empty() && !out.is_empty() {
            return match &mut self.ended {
                Some(ended) => Poll::Ready(std::mem::replace(ended, Ok(())).map(|()| 0)),
                None => {
                    self.waker = Some(context.waker().clone());
                    Poll::Pending
                }
            };
        }
        let count = ready.len().min(out.len());
        out[..count].copy_from_slice(&ready[..count]);
        self.given += count;
        if self.given == self.bytes.len() {
            self.bytes.clear();
            self.given = 0;
        }
        Poll::Ready(Ok(count))
    }
}
