//! lapin's end of a [`Trunk`], in the shape that lapin asks for.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use async_rs::Tokio;
use async_rs::traits::{Executor, Reactor, RuntimeKit};
use async_rs::util::Task;
use futures_util::Stream;
use futures_util::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;

use super::frame::HEAD;
use super::stream::{Carrier, Trunk};

/// What lapin reads from and writes to. The stream is closed when this is dropped.
pub(crate) struct Socket {
    trunk: Arc<Trunk>,
    reading: AbortHandle,
    /// What lapin has written of a frame: nothing may come between.
    partial: Vec<u8>,
}

impl Socket {
    /// Opens the stream over what carries its bytes, with lapin's end of it.
    pub(crate) fn open(carrier: Carrier) -> (Arc<Trunk>, Self) {
        let (trunk, reading) = Trunk::start(carrier);
        (trunk.clone(), Self { trunk, reading, partial: Vec::new() })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.reading.abort();
        self.trunk.close();
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut [u8]) -> Poll<io::Result<usize>> {
        self.trunk.poll_take(context, out)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // What was taken before is not taken again if there is no room now.
        let before = self.partial.len();
        self.partial.extend_from_slice(bytes);
        let whole = whole_frames(&self.partial);
        if whole > 0 {
            match self.trunk.poll_send(context, &self.partial[..whole]) {
                Poll::Ready(Ok(())) => drop(self.partial.drain(..whole)),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.partial.truncate(before);
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.trunk.close();
        Poll::Ready(Ok(()))
    }
}

/// How long the frames at the beginning are that are all there. The first is the protocol header, which has no size.
fn whole_frames(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let ahead = &bytes[at..];
        let size = match ahead {
            [b'A', b'M', b'Q', b'P', ..] => 0,
            [_, _, _, size @ ..] => match size.first_chunk() {
                Some(size) => usize::try_from(u32::from_be_bytes(*size)).unwrap_or(usize::MAX),
                None => return at,
            },
            _ => return at,
        };
        let whole = size.saturating_add(HEAD + 1);
        if whole > ahead.len() {
            return at;
        }
        at += whole;
    }
}

/// The tokio runtime, with sockets of our own.
#[derive(Clone, Debug)]
pub(crate) struct Kit(Tokio);

impl Kit {
    /// Bound to the runtime that this is called in.
    pub(crate) fn current() -> Self {
        Self(Tokio::current())
    }
}

impl RuntimeKit for Kit {}

impl Executor for Kit {
    type Task<T: Send + 'static> = <Tokio as Executor>::Task<T>;

    fn block_on<T, F: Future<Output = T>>(&self, future: F) -> T {
        self.0.block_on(future)
    }

    fn spawn<T: Send + 'static, F: Future<Output = T> + Send + 'static>(&self, future: F) -> Task<Self::Task<T>> {
        self.0.spawn(future)
    }

    fn spawn_blocking<T: Send + 'static, F: FnOnce() -> T + Send + 'static>(&self, work: F) -> Task<Self::Task<T>> {
        self.0.spawn_blocking(work)
    }
}

impl Reactor for Kit {
    type TcpStream = Socket;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: Send + 'static>(&self, _: H) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        Err::<Socket, _>(io::ErrorKind::Unsupported.into())
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(duration)
    }

    // lapin is given its socket.
    fn tcp_connect_addr(&self, _: SocketAddr) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        std::future::ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::amqp::io::frame::BEAT;

    #[test]
    fn only_whole_frames_go() {
        let bytes = [&b"AMQP\0\0\x09\x01"[..], &BEAT, &[1, 0, 3, 0, 0, 0, 2, 7, 7, 0xce]].concat();
        let ends = [8, 16, 26];
        for length in 0..=bytes.len() {
            let whole = ends.iter().rev().find(|end| **end <= length).copied().unwrap_or_default();
            assert_eq!(whole_frames(&bytes[..length]), whole, "of {length}");
        }
    }
}
