//! lapin's end of an [`AmqpStream`], as the socket and runtime types that lapin requires.

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
use super::stream::{AmqpStream, RawStream};

/// The socket that lapin reads from and writes to. Dropping it closes the stream.
pub(crate) struct Socket {
    stream: Arc<AmqpStream>,
    reading: AbortHandle,
    /// An incomplete frame that lapin has written: no other frame may be written in between.
    partial: Vec<u8>,
}

impl Socket {
    /// Opens a stream over a connected socket; returns it with lapin's end.
    pub(crate) fn open(raw: RawStream) -> (Arc<AmqpStream>, Self) {
        let (stream, reading) = AmqpStream::start(raw);
        (stream.clone(), Self { stream, reading, partial: Vec::new() })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.reading.abort();
        self.stream.close();
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut [u8]) -> Poll<io::Result<usize>> {
        self.stream.poll_take(context, out)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // if the write buffer is full, `bytes` isn't accepted, and `partial` keeps only the bytes accepted before
        let before = self.partial.len();
        self.partial.extend_from_slice(bytes);
        let whole = whole_frames(&self.partial);
        if whole > 0 {
            match self.stream.poll_send(context, &self.partial[..whole]) {
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
        self.stream.close();
        Poll::Ready(Ok(()))
    }
}

/// Returns the length of the complete frames at the start of `bytes`. The first may be the protocol header, which has no size
/// field.
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

/// The tokio runtime for lapin, with [`Socket`] as its socket type.
#[derive(Clone, Debug)]
pub(crate) struct LapinRuntime(Tokio);

impl LapinRuntime {
    /// Binds to the current tokio runtime.
    pub(crate) fn current() -> Self {
        Self(Tokio::current())
    }
}

impl RuntimeKit for LapinRuntime {}

impl Executor for LapinRuntime {
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

impl Reactor for LapinRuntime {
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

    // never called: lapin gets its socket from the connector
    fn tcp_connect_addr(&self, _: SocketAddr) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        std::future::ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::amqp::io::frame::BEAT;

    #[test]
    fn passes_only_whole_frames_on() {
        let bytes = [&b"AMQP\0\0\x09\x01"[..], &BEAT, &[1, 0, 3, 0, 0, 0, 2, 7, 7, 0xce]].concat();
        let ends = [8, 16, 26];
        for length in 0..=bytes.len() {
            let whole = ends.iter().rev().find(|end| **end <= length).copied().unwrap_or_default();
            assert_eq!(whole_frames(&bytes[..length]), whole, "of {length}");
        }
    }
}
