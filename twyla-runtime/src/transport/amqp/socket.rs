//! The stream under a connection, TCP or TLS, sieved, in the shape that lapin asks for.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use async_rs::Tokio;
use async_rs::traits::{Executor, Reactor, RuntimeKit};
use async_rs::util::Task;
use futures_util::Stream;
use futures_util::io::{AsyncRead, AsyncWrite};
use tokio::io::{AsyncRead as TokioRead, AsyncWrite as TokioWrite, ReadBuf};
use tokio::net::TcpStream;

use super::sieve::Sieve;

/// How much is read at once.
const CHUNK: usize = 64 * 1024;

/// What the bytes go over.
pub(crate) enum Carrier {
    Tcp(TcpStream),
    #[cfg(feature = "tls")]
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

/// A carrier whose frames are looked at before lapin reads them.
pub(crate) struct Socket {
    carrier: Carrier,
    sieve: Sieve,
    chunk: Box<[u8]>,
}

impl Socket {
    pub(crate) fn over(carrier: Carrier) -> Self {
        Self { carrier, sieve: Sieve::default(), chunk: vec![0; CHUNK].into() }
    }

    fn writer(&mut self) -> Pin<&mut (dyn TokioWrite + Send + Unpin)> {
        Pin::new(match &mut self.carrier {
            Carrier::Tcp(stream) => stream,
            #[cfg(feature = "tls")]
            Carrier::Tls(stream) => &mut **stream,
        })
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut [u8]) -> Poll<io::Result<usize>> {
        let Self { carrier, sieve, chunk } = &mut *self;
        while !sieve.is_ready() && !out.is_empty() {
            let mut read = ReadBuf::new(chunk);
            ready!(match carrier {
                Carrier::Tcp(stream) => Pin::new(stream).poll_read(context, &mut read),
                #[cfg(feature = "tls")]
                Carrier::Tls(stream) => Pin::new(&mut **stream).poll_read(context, &mut read),
            })?;
            if read.filled().is_empty() {
                sieve.end();
                break;
            }
            sieve.feed(read.filled());
        }
        Poll::Ready(Ok(sieve.give(out)))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.writer().poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writer().poll_write_vectored(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer().poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer().poll_shutdown(context)
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
