//! The bytes that wait: those to be written, and those for lapin to read.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::net::TcpStream;

/// What is kept of a buffer that was larger once.
const KEPT: usize = 256 * 1024;

/// What goes out.
#[derive(Default)]
pub(crate) struct Out {
    pub(crate) next: Vec<u8>,
    /// What is being written, and from where on; taken by whoever writes.
    pub(crate) front: Vec<u8>,
    pub(crate) sent: usize,
    /// How much of it was to be written when it was taken.
    pub(crate) taken: Option<usize>,
    /// To write to at once.
    pub(crate) stream: Option<Arc<TcpStream>>,
    /// Nothing more will come: it is to be closed once all is written.
    pub(crate) closing: bool,
    pub(crate) ended: Option<Arc<str>>,
    /// lapin waits for room.
    pub(crate) waker: Option<Waker>,
}

/// What is for lapin.
#[derive(Default)]
pub(crate) struct Inbox {
    pub(crate) bytes: Vec<u8>,
    pub(crate) given: usize,
    /// Nothing more will come; an error is told once.
    pub(crate) ended: Option<io::Result<()>>,
    pub(crate) waker: Option<Waker>,
}

impl Out {
    pub(crate) fn waiting(&self) -> usize {
        self.next.len() + self.front.len() - self.sent + self.taken.unwrap_or_default()
    }

    /// The next bytes to write; none if there are none, or another is writing.
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

    /// So far they were written.
    pub(crate) fn give_back(&mut self, mut front: Vec<u8>, sent: usize) {
        self.taken = None;
        self.sent = sent;
        if sent == front.len() && front.capacity() > KEPT {
            (front, self.sent) = (Vec::new(), 0);
        }
        self.front = front;
    }
}

impl Inbox {
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
