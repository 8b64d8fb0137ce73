//! A broker with fewer rights: a proxy that changes individual bits of the frames in both directions.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The restriction.
#[derive(Clone, Copy, Debug, Default)]
pub struct Strict {
    /// A passive declaration of an exchange or a queue needs the right to declare it, as in RabbitMQ 4.2.6 and 4.3.0.
    pub looks: bool,
    /// The maximum number of channels per connection.
    pub channels: Option<u16>,
}

/// A proxy on its own port; it accepts no more connections once dropped.
pub struct StrictProxy {
    port: u16,
    accepting: JoinHandle<()>,
}

impl StrictProxy {
    /// Starts a proxy in front of the test broker.
    pub async fn start(strict: Strict) -> Self {
        let host = std::env::var("TWYLA_TEST_AMQP_HOST").unwrap();
        let port: u16 = std::env::var("TWYLA_TEST_AMQP_PORT").unwrap().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let accepting = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let broker = TcpStream::connect((host.as_str(), port)).await.unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_broker, to_broker) = broker.into_split();
                tokio::spawn(pass(from_client, to_broker, 8, move |frame| says(strict, frame)));
                tokio::spawn(pass(from_broker, to_client, 0, move |frame| answers(strict, frame)));
            }
        });
        Self { port: own, accepting }
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for StrictProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Forwards each frame after the first `head` bytes, with its payload changed.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, head: usize, change: impl Fn(&mut [u8])) {
    let mut frame = vec![0; head];
    if from.read_exact(&mut frame).await.is_err() || to.write_all(&frame).await.is_err() {
        return;
    }
    loop {
        frame.resize(7, 0);
        if from.read_exact(&mut frame).await.is_err() {
            return;
        }
        let size = u32::from_be_bytes(frame[3..7].try_into().unwrap()) as usize;
        frame.resize(7 + size + 1, 0);
        if from.read_exact(&mut frame[7..]).await.is_err() {
            return;
        }
        if frame[0] == 1 {
            change(&mut frame[7..7 + size]);
        }
        if to.write_all(&frame).await.is_err() {
            return;
        }
    }
}

fn says(strict: Strict, method: &mut [u8]) {
    // exchange.declare has two names before its bits, queue.declare has one; the first bit is `passive`
    let names = match method {
        [0, 40, 0, 10, ..] => 2,
        [0, 50, 0, 10, ..] => 1,
        _ => return,
    };
    if strict.looks {
        let mut at = 6;
        for _ in 0..names {
            at += 1 + usize::from(method[at]);
        }
        method[at] &= !1;
    }
}

fn answers(strict: Strict, method: &mut [u8]) {
    if let ([0, 10, 0, 30, most @ ..], Some(channels)) = (method, strict.channels) {
        most[..2].copy_from_slice(&channels.to_be_bytes());
    }
}
