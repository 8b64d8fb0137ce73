//! The one stream of bytes under a connection, TCP or TLS, shared by lapin, which makes and keeps the connection, and by
//! the channels whose messages go past it.
//!
//! lapin takes a thread of its own, two wake-ups and several allocations for a message. Here whoever has something to say
//! adds whole frames to what goes [`Out`], and writes them at once if nobody else does; one task reads and lets the
//! [`switch`](crate::transport::amqp::io::demux) part what comes in.

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

use super::demux::{Ear, Ears, Switch};
use super::frame::BEAT;
use super::stream::buffers::{Inbox, Out};
use super::stream::liveness::Alive;

/// How much is read at once.
const CHUNK: usize = 64 * 1024;
/// So much may wait to be written, or for lapin to read it, before more must wait itself.
const ENOUGH: usize = 1 << 20;
/// At least so often lapin is told that the broker is alive, while messages go past it.
const ALIVE: Duration = Duration::from_millis(500);

/// What the bytes go over.
pub(crate) enum Carrier {
    Tcp(TcpStream),
    #[cfg(feature = "tls")]
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

/// The stream under a connection.
pub(crate) struct Trunk {
    out: Mutex<Out>,
    /// Tells the task that writes.
    more: Notify,
    /// Tells those who wait for room.
    room: Notify,
    lapin: Mutex<Inbox>,
    read: Notify,
    ears: Mutex<Ears>,
    alive: Alive,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Trunk {
    /// Reads and writes until lapin lets its end go, or the stream ends. What is returned beside the stream stops reading.
    pub(crate) fn start(carrier: Carrier) -> (Arc<Self>, AbortHandle) {
        let mut out = Out::default();
        let (reader, writer) = match carrier {
            Carrier::Tcp(stream) => {
                let stream = Arc::new(stream);
                out.stream = Some(stream.clone());
                (ReadEnd::Tcp(stream.clone()), WriteEnd::Tcp(stream))
            }
            #[cfg(feature = "tls")]
            Carrier::Tls(stream) => {
                let (reader, writer) = tokio::io::split(*stream);
                (ReadEnd::Tls(reader), WriteEnd::Tls(writer))
            }
        };
        let trunk = Arc::new(Self {
            out: Mutex::new(out),
            more: Notify::new(),
            room: Notify::new(),
            lapin: Mutex::default(),
            read: Notify::new(),
            ears: Mutex::default(),
            alive: Alive::default(),
        });
        let reading = tokio::spawn(trunk.clone().read(reader)).abort_handle();
        tokio::spawn(trunk.clone().write(writer));
        (trunk, reading)
    }

    /// Has the frames of a channel that is open go to this ear.
    pub(crate) fn listen(&self, channel: u16, ear: Arc<dyn Ear>) {
        lock(&self.ears).add(channel, ear);
        // What has ended meanwhile has told nobody.
        if let Some(why) = self.ended() {
            lock(&self.ears).end(&why);
        }
    }

    /// The channel has nothing more to say.
    pub(crate) fn forget(&self, channel: u16) {
        lock(&self.ears).remove(channel);
    }

    /// Adds frames that `write` appends to what goes out; [`flush`](Self::flush) or [`flush_soon`](Self::flush_soon) has
    /// them written. Nothing is added to a stream that has ended.
    pub(crate) fn add(&self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut out = lock(&self.out);
        if out.ended.is_none() && !out.closing {
            write(&mut out.next);
        }
    }

    /// Waits until more may be sent.
    pub(crate) async fn room(&self) {
        loop {
            let room = self.room.notified();
            {
                let out = lock(&self.out);
                if out.waiting() < ENOUGH || out.ended.is_some() {
                    return;
                }
            }
            room.await;
        }
    }

    /// Takes whole frames of lapin's, once there is room.
    pub(crate) fn poll_send(&self, context: &mut Context<'_>, frames: &[u8]) -> Poll<io::Result<()>> {
        {
            let mut out = lock(&self.out);
            if let Some(why) = &out.ended {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, why.to_string())));
            }
            if out.waiting() >= ENOUGH {
                out.waker = Some(context.waker().clone());
                return Poll::Pending;
            }
            out.next.extend_from_slice(frames);
        }
        self.flush();
        Poll::Ready(Ok(()))
    }

    /// Gives lapin what is for it; nothing at the end.
    pub(crate) fn poll_take(&self, context: &mut Context<'_>, out: &mut [u8]) -> Poll<io::Result<usize>> {
        let count = {
            let mut inbox = lock(&self.lapin);
            ready!(inbox.poll_take(context, out))?
        };
        self.read.notify_one();
        Poll::Ready(Ok(count))
    }

    /// lapin has let the stream go: what was sent before is still written.
    pub(crate) fn close(&self) {
        lock(&self.out).closing = true;
        self.more.notify_one();
        lock(&self.ears).end("the connection is closed");
    }

    /// Ends the stream at once; does nothing if it has ended.
    pub(crate) fn cut(&self) {
        if lock(&self.out).ended.is_none() {
            self.end(&io::ErrorKind::ConnectionAborted.into());
        }
    }

    fn ended(&self) -> Option<Arc<str>> {
        let out = lock(&self.out);
        if out.closing { Some("the connection is closed".into()) } else { out.ended.clone() }
    }

    /// Has what was added written, together with what comes until the task that writes gets its turn.
    pub(crate) fn flush_soon(&self) {
        self.more.notify_one();
    }

    /// Writes what it can without waiting; the rest is the task's.
    pub(crate) fn flush(&self) {
        loop {
            let (stream, front, sent) = {
                let mut out = lock(&self.out);
                let Some(stream) = out.stream.clone() else { break };
                // Whoever writes looks again when it is done.
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

    /// Takes back what was written up to there; how much waits.
    fn wrote(&self, front: Vec<u8>, sent: usize) -> usize {
        let (waiting, waker) = {
            let mut out = lock(&self.out);
            let full = out.waiting() >= ENOUGH;
            out.give_back(front, sent);
            let waiting = out.waiting();
            if !full || waiting >= ENOUGH {
                return waiting;
            }
            (waiting, out.waker.take())
        };
        self.room.notify_waiters();
        waker.into_iter().for_each(Waker::wake);
        waiting
    }

    /// The task that writes.
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
        // An error here is the end of a stream that was to end.
        let _ = writer.shutdown().await;
    }

    /// The task that reads.
    async fn read(self: Arc<Self>, mut reader: ReadEnd) {
        let mut switch = Switch::default();
        let (mut for_lapin, mut told) = (Vec::new(), Instant::now());
        let error = loop {
            switch.buffer.reserve(CHUNK);
            match reader.read(&mut switch.buffer).await {
                Ok(0) => break None,
                Ok(_) => {}
                Err(error) => break Some(error),
            }
            let whole = switch.part(&mut lock(&self.ears), &mut for_lapin);
            if for_lapin.is_empty() && whole && told.elapsed() > ALIVE {
                for_lapin.extend_from_slice(&BEAT);
            }
            if !for_lapin.is_empty() {
                told = Instant::now();
                self.give(&mut for_lapin, whole).await;
            }
        };
        // lapin says what is wrong with a frame that has no end.
        for_lapin.extend_from_slice(&switch.buffer);
        self.give(&mut for_lapin, false).await;
        match error {
            Some(error) => self.end(&error),
            None => {
                lock(&self.lapin).ended.get_or_insert(Ok(()));
                self.end(&io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Gives lapin what is for it, once there is room; with that it has a whole number of frames, or not.
    async fn give(&self, bytes: &mut Vec<u8>, whole: bool) {
        let waker = loop {
            let read = self.read.notified();
            {
                let mut inbox = lock(&self.lapin);
                if inbox.bytes.len() - inbox.given < ENOUGH {
                    inbox.bytes.append(bytes);
                    self.alive.whole(whole);
                    break inbox.waker.take();
                }
            }
            read.await;
        };
        waker.into_iter().for_each(Waker::wake);
    }

    /// Ends with an error, once.
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
        lock(&self.ears).end(&why);
    }
}

impl std::fmt::Debug for Trunk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trunk").field("ended", &self.ended()).finish_non_exhaustive()
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

    async fn pair() -> (Arc<Trunk>, Socket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (near, far) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        let (trunk, socket) = Socket::open(Carrier::Tcp(near.unwrap()));
        (trunk, socket, far.unwrap().0)
    }

    fn frame(filler: u8, size: u32) -> Vec<u8> {
        let payload = vec![filler; usize::try_from(size).unwrap()];
        [&[3, 0, 9][..], &size.to_be_bytes(), &payload, &[0xce]].concat()
    }

    #[tokio::test]
    async fn frames_of_many_never_mix() {
        let (trunk, mut socket, mut far) = pair().await;
        let senders = (0..4).map(|sender| {
            let trunk = trunk.clone();
            tokio::spawn(async move {
                for n in 0..500 {
                    trunk.room().await;
                    trunk.add(|out| out.extend(frame(sender, n * 7)));
                    if n % 2 == 0 { trunk.flush() } else { trunk.flush_soon() }
                }
            })
        });
        let senders: Vec<_> = senders.collect();
        let lapin = tokio::spawn(async move {
            for n in 0..500 {
                // In pieces that are no frames.
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
        // What is closed says so.
        assert_eq!(far.read(&mut [0; 8]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn what_was_sent_before_the_end_arrives() {
        let (trunk, socket, mut far) = pair().await;
        let all = frame(1, 3_000_000);
        trunk.add(|out| out.extend_from_slice(&all));
        drop(socket);
        trunk.add(|out| out.extend_from_slice(b"too late"));
        let mut read = Vec::new();
        far.read_to_end(&mut read).await.unwrap();
        assert!(read == all, "{} of {} bytes", read.len(), all.len());
    }

    #[tokio::test]
    async fn lapin_reads_what_is_its_own_and_then_the_end() {
        let (trunk, mut socket, mut far) = pair().await;
        far.write_all(&frame(1, 10)).await.unwrap();
        far.write_all(b"\x01\x00").await.unwrap();
        drop(far);
        let mut read = Vec::new();
        socket.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, [&frame(1, 10)[..], b"\x01\x00"].concat());
        trunk.room().await;
        assert!(trunk.ended().is_some());
    }
}
