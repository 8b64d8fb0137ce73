//! The byte stream of a connection, TCP or TLS. It is shared by lapin, which opens and maintains the connection, and by the
//! channels whose messages bypass lapin.
//!
//! lapin uses its own thread, two wake-ups and several allocations per message. Here, each sender appends whole frames to the
//! [`WriteBuffer`] and writes them directly unless a write is already in progress; one task reads, and
//! [`demux`](crate::transport::amqp::io::demux) splits the incoming frames.

mod buffers;
mod heartbeat;
mod liveness;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

#[cfg(feature = "tls")]
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::demux::{Demux, FrameHandler, FrameHandlers};
use super::frame::BEAT;
use super::stream::buffers::{ReadBuffer, WriteBuffer};
use super::stream::liveness::Liveness;

/// The size of one read, in bytes.
const CHUNK: usize = 64 * 1024;
/// The backpressure limit in bytes, for unwritten output and for input that lapin hasn't read.
const HIGH_WATER: usize = 1 << 20;
/// How often lapin gets a heartbeat while the broker sends only frames that bypass it.
const ALIVE: Duration = Duration::from_millis(500);

/// The connected socket under a stream.
pub(crate) enum RawStream {
    Tcp(TcpStream),
    #[cfg(feature = "tls")]
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

/// The stream under a connection.
pub(crate) struct AmqpStream {
    out: Mutex<WriteBuffer>,
    /// Wakes the writing task.
    more: Notify,
    /// Wakes senders that wait for room in the write buffer.
    room: Notify,
    lapin: Mutex<ReadBuffer>,
    read: Notify,
    handlers: Mutex<FrameHandlers>,
    liveness: Liveness,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl AmqpStream {
    /// Starts the reading and the writing task, which run until lapin drops its socket or the stream ends. The returned handle
    /// aborts reading.
    pub(crate) fn start(raw: RawStream) -> (Arc<Self>, AbortHandle) {
        let mut out = WriteBuffer::default();
        let (reader, writer) = match raw {
            RawStream::Tcp(stream) => {
                let stream = Arc::new(stream);
                out.stream = Some(stream.clone());
                (ReadEnd::Tcp(stream.clone()), WriteEnd::Tcp(stream))
            }
            #[cfg(feature = "tls")]
            RawStream::Tls(stream) => {
                let (reader, writer) = tokio::io::split(*stream);
                (ReadEnd::Tls(reader), WriteEnd::Tls(writer))
            }
        };
        let stream = Arc::new(Self {
            out: Mutex::new(out),
            more: Notify::new(),
            room: Notify::new(),
            lapin: Mutex::default(),
            read: Notify::new(),
            handlers: Mutex::default(),
            liveness: Liveness::default(),
        });
        let reading = tokio::spawn(stream.clone().read(reader)).abort_handle();
        tokio::spawn(stream.clone().write(writer));
        (stream, reading)
    }

    /// Registers the frame handler of an open channel.
    pub(crate) fn listen(&self, channel: u16, handler: Arc<dyn FrameHandler>) {
        lock(&self.handlers).add(channel, handler);
        // the stream may have ended before the handler was registered
        if let Some(why) = self.ended() {
            lock(&self.handlers).end(&why);
        }
    }

    /// Removes the frame handler of a channel.
    pub(crate) fn forget(&self, channel: u16) {
        lock(&self.handlers).remove(channel);
    }

    /// Lets `write` append frames to the write buffer; call [`flush`](Self::flush) or [`flush_soon`](Self::flush_soon) afterwards.
    /// Does nothing if the stream has ended.
    pub(crate) fn add(&self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut out = lock(&self.out);
        if out.ended.is_none() && !out.closing {
            write(&mut out.next);
        }
    }

    /// Waits for room in the write buffer.
    pub(crate) async fn room(&self) {
        loop {
            let room = self.room.notified();
            {
                let out = lock(&self.out);
                if out.waiting() < HIGH_WATER || out.ended.is_some() {
                    return;
                }
            }
            room.await;
        }
    }

    /// Accepts whole frames from lapin, once the buffer has room.
    pub(crate) fn poll_send(&self, context: &mut Context<'_>, frames: &[u8]) -> Poll<io::Result<()>> {
        {
            let mut out = lock(&self.out);
            if let Some(why) = &out.ended {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, why.to_string())));
            }
            if out.waiting() >= HIGH_WATER {
                out.waker = Some(context.waker().clone());
                return Poll::Pending;
            }
            out.next.extend_from_slice(frames);
        }
        self.flush();
        Poll::Ready(Ok(()))
    }

    /// Copies received bytes to `out` for lapin. Returns how many bytes were copied; 0 at the end of the stream.
    pub(crate) fn poll_take(&self, context: &mut Context<'_>, out: &mut [u8]) -> Poll<io::Result<usize>> {
        let count = {
            let mut inbox = lock(&self.lapin);
            ready!(inbox.poll_take(context, out))?
        };
        self.read.notify_one();
        Poll::Ready(Ok(count))
    }

    /// Closes the stream after lapin has dropped its socket; buffered output is still written.
    pub(crate) fn close(&self) {
        lock(&self.out).closing = true;
        self.more.notify_one();
        lock(&self.handlers).end("the connection is closed");
    }

    /// Ends the stream immediately; a no-op if it has ended.
    pub(crate) fn abort(&self) {
        if lock(&self.out).ended.is_none() {
            self.end(&io::ErrorKind::ConnectionAborted.into());
        }
    }

    fn ended(&self) -> Option<Arc<str>> {
        let out = lock(&self.out);
        if out.closing { Some("the connection is closed".into()) } else { out.ended.clone() }
    }

    /// Wakes the writing task, which writes all frames that are added until it runs.
    pub(crate) fn flush_soon(&self) {
        self.more.notify_one();
    }

    /// Writes as much as possible without waiting, and leaves the rest to the writing task.
    pub(crate) fn flush(&self) {
        loop {
            let (stream, front, sent) = {
                let mut out = lock(&self.out);
                let Some(stream) = out.stream.clone() else { break };
                // another write is in progress, and checks the buffer again when it is done
                let Some((front, sent)) = out.take() else { return };
                (stream, front, sent)
            };
            let written = stream.try_write(&front[sent..]);
            match written {
                Ok(count) => {
                    if self.wrote(front, sent + count) == 0 {
                        return;
                    }
                }
                Err(error) => {
                    self.wrote(front, sent);
                    if error.kind() != io::ErrorKind::WouldBlock {
                        self.end(&error);
                    }
                    break;
                }
            }
        }
        self.more.notify_one();
    }

    /// Puts back a buffer of which `sent` bytes are written, and wakes waiting senders. Returns the number of unwritten bytes.
    fn wrote(&self, front: Vec<u8>, sent: usize) -> usize {
        let (waiting, waker) = {
            let mut out = lock(&self.out);
            let full = out.waiting() >= HIGH_WATER;
            out.give_back(front, sent);
            let waiting = out.waiting();
            if !full || waiting >= HIGH_WATER {
                return waiting;
            }
            (waiting, out.waker.take())
        };
        self.room.notify_waiters();
        waker.into_iter().for_each(Waker::wake);
        waiting
    }

    /// Runs the writing task.
    async fn write(self: Arc<Self>, mut writer: WriteEnd) {
        loop {
            let more = self.more.notified();
            let taken = {
                let mut out = lock(&self.out);
                if out.ended.is_some() || out.closing && out.waiting() == 0 {
                    break;
                }
                out.take()
            };
            let Some((front, sent)) = taken else {
                more.await;
                continue;
            };
            match writer.write(&front[sent..]).await {
                Ok(count) => {
                    self.wrote(front, sent + count);
                }
                Err(error) => {
                    self.wrote(front, sent);
                    self.end(&error);
                }
            }
        }
        lock(&self.out).stream = None;
        // the stream ends anyway
        let _ = writer.shutdown().await;
    }

    /// Runs the reading task.
    async fn read(self: Arc<Self>, mut reader: ReadEnd) {
        let mut demux = Demux::default();
        let (mut for_lapin, mut last_given) = (Vec::new(), Instant::now());
        let error = loop {
            demux.buffer.reserve(CHUNK);
            match reader.read(&mut demux.buffer).await {
                Ok(0) => break None,
                Ok(_) => {}
                Err(error) => break Some(error),
            }
            let whole = demux.split(&mut lock(&self.handlers), &mut for_lapin);
            if for_lapin.is_empty() && whole && last_given.elapsed() > ALIVE {
                for_lapin.extend_from_slice(&BEAT);
            }
            if !for_lapin.is_empty() {
                last_given = Instant::now();
                self.give(&mut for_lapin, whole).await;
            }
        };
        // lapin gets the rest, so that it reports an incomplete frame
        for_lapin.extend_from_slice(&demux.buffer);
        self.give(&mut for_lapin, false).await;
        match error {
            Some(error) => self.end(&error),
            None => {
                lock(&self.lapin).ended.get_or_insert(Ok(()));
                self.end(&io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Passes bytes to lapin once the buffer has room. `whole` is whether lapin then has a whole number of frames.
    async fn give(&self, bytes: &mut Vec<u8>, whole: bool) {
        let waker = loop {
            let read = self.read.notified();
            {
                let mut inbox = lock(&self.lapin);
                if inbox.bytes.len() - inbox.given < HIGH_WATER {
                    inbox.bytes.append(bytes);
                    self.liveness.whole(whole);
                    break inbox.waker.take();
                }
            }
            read.await;
        };
        waker.into_iter().for_each(Waker::wake);
    }

    /// Ends the stream with an error; only the first error counts.
    fn end(&self, error: &io::Error) {
        let why: Arc<str> = match error.kind() {
            io::ErrorKind::UnexpectedEof => "RabbitMQ has closed the connection".into(),
            _ => error.to_string().into(),
        };
        let waker = {
            let mut out = lock(&self.out);
            out.ended.get_or_insert(why.clone());
            out.stream = None;
            out.waker.take()
        };
        let reader = {
            let mut inbox = lock(&self.lapin);
            inbox.ended.get_or_insert_with(|| Err(io::Error::new(error.kind(), why.to_string())));
            inbox.waker.take()
        };
        waker.into_iter().chain(reader).for_each(Waker::wake);
        self.more.notify_one();
        self.room.notify_waiters();
        lock(&self.handlers).end(&why);
    }
}

enum ReadEnd {
    Tcp(Arc<TcpStream>),
    #[cfg(feature = "tls")]
    Tls(ReadHalf<tokio_rustls::client::TlsStream<TcpStream>>),
}

impl ReadEnd {
    async fn read(&mut self, buffer: &mut bytes::BytesMut) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => loop {
                stream.readable().await?;
                match stream.try_read_buf(buffer) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    outcome => return outcome,
                }
            },
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.read_buf(buffer).await,
        }
    }
}

enum WriteEnd {
    Tcp(Arc<TcpStream>),
    #[cfg(feature = "tls")]
    Tls(WriteHalf<tokio_rustls::client::TlsStream<TcpStream>>),
}

impl WriteEnd {
    async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => loop {
                match stream.try_write(bytes) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => stream.writable().await?,
                    outcome => return outcome,
                }
            },
            #[cfg(feature = "tls")]
            Self::Tls(stream) => {
                let mut count = 0;
                while count < bytes.len() {
                    count += stream.write(&bytes[count..]).await?;
                }
                stream.flush().await?;
                Ok(count)
            }
        }
    }

    async fn shutdown(self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => {
                drop(stream);
                Ok(())
            }
            #[cfg(feature = "tls")]
            Self::Tls(mut stream) => stream.shutdown().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::transport::amqp::io::socket::Socket;

    async fn pair() -> (Arc<AmqpStream>, Socket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (near, far) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        let (stream, socket) = Socket::open(RawStream::Tcp(near.unwrap()));
        (stream, socket, far.unwrap().0)
    }

    fn frame(filler: u8, size: u32) -> Vec<u8> {
        let payload = vec![filler; usize::try_from(size).unwrap()];
        [&[3, 0, 9][..], &size.to_be_bytes(), &payload, &[0xce]].concat()
    }

    #[tokio::test]
    async fn frames_of_concurrent_senders_never_interleave() {
        let (stream, mut socket, mut far) = pair().await;
        let senders = (0..4).map(|sender| {
            let stream = stream.clone();
            tokio::spawn(async move {
                for n in 0..500 {
                    stream.room().await;
                    stream.add(|out| out.extend(frame(sender, n * 7)));
                    if n % 2 == 0 { stream.flush() } else { stream.flush_soon() }
                }
            })
        });
        let senders: Vec<_> = senders.collect();
        let lapin = tokio::spawn(async move {
            for n in 0..500 {
                // split at arbitrary points, not at frame boundaries
                for piece in frame(9, n * 7).chunks(1000) {
                    socket.write_all(piece).await.unwrap();
                }
            }
            socket
        });
        let mut next = [0_u32; 10];
        let mut payload = Vec::new();
        for _ in 0..2500 {
            let mut head = [0; 7];
            far.read_exact(&mut head).await.unwrap();
            let size = u32::from_be_bytes(head[3..].try_into().unwrap());
            payload.resize(usize::try_from(size).unwrap() + 1, 0);
            far.read_exact(&mut payload).await.unwrap();
            assert_eq!(payload.pop(), Some(0xce));
            let Some(sender) = payload.first().copied() else { continue };
            assert!(payload.iter().all(|byte| *byte == sender));
            next[usize::from(sender)] += 7;
            assert_eq!(size, next[usize::from(sender)], "of {sender}");
        }
        for sender in senders {
            sender.await.unwrap();
        }
        drop(lapin.await.unwrap());
        // the peer sees the end of the stream
        assert_eq!(far.read(&mut [0; 8]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn writes_buffered_frames_before_it_closes() {
        let (stream, socket, mut far) = pair().await;
        let all = frame(1, 3_000_000);
        stream.add(|out| out.extend_from_slice(&all));
        drop(socket);
        stream.add(|out| out.extend_from_slice(b"too late"));
        let mut read = Vec::new();
        far.read_to_end(&mut read).await.unwrap();
        assert!(read == all, "{} of {} bytes", read.len(), all.len());
    }

    #[tokio::test]
    async fn lapin_reads_its_frames_and_then_the_end() {
        let (stream, mut socket, mut far) = pair().await;
        far.write_all(&frame(1, 10)).await.unwrap();
        far.write_all(b"\x01\x00").await.unwrap();
        drop(far);
        let mut read = Vec::new();
        socket.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, [&frame(1, 10)[..], b"\x01\x00"].concat());
        stream.room().await;
        assert!(stream.ended().is_some());
    }
}
