//! A TCP proxy in front of the broker, whose connections a test can cut or silence.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};

/// The treatment of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Connections are forwarded.
    Open,
    /// Connections are accepted and closed.
    Shut,
    /// Connections are accepted, and never answered.
    Silent,
    /// The client's bytes are forwarded, and the broker's answers held back.
    Deaf,
}

/// A proxy on its own port; it ends when dropped.
pub struct Proxy {
    port: u16,
    mode: watch::Sender<Mode>,
    links: Arc<Mutex<Vec<AbortHandle>>>,
    accepted: watch::Receiver<usize>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy in front of the test broker.
    pub async fn start(mode: Mode) -> Self {
        let target = format!(
            "{}:{}",
            std::env::var("TWYLA_TEST_AMQP_HOST").unwrap(),
            std::env::var("TWYLA_TEST_AMQP_PORT").unwrap_or_else(|_| "5672".to_owned())
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (mode, modes) = watch::channel(mode);
        let links: Arc<Mutex<Vec<AbortHandle>>> = Arc::default();
        let (count, accepted) = watch::channel(0);
        let kept = links.clone();
        let accepting = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let task = tokio::spawn(pass(client, target.clone(), modes.clone()));
                kept.lock().unwrap().push(task.abort_handle());
                count.send_modify(|count| *count += 1);
            }
        });
        Self { port, mode, links, accepted, accepting }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sets the treatment of new connections; `Deaf` also affects open ones.
    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Cuts every open connection.
    pub fn cut(&self) {
        for link in self.links.lock().unwrap().drain(..) {
            link.abort();
        }
    }

    /// The number of accepted connections.
    pub fn count(&self) -> usize {
        *self.accepted.borrow()
    }

    /// Waits until `count` connections have been accepted in total.
    pub async fn accepted(&self, count: usize) {
        self.accepted.clone().wait_for(|accepted| *accepted >= count).await.unwrap();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

async fn pass(mut client: TcpStream, target: String, mut modes: watch::Receiver<Mode>) {
    let mode = *modes.borrow();
    match mode {
        Mode::Shut => {}
        Mode::Silent => {
            let mut sink = [0; 1024];
            while client.read(&mut sink).await.is_ok_and(|read| read > 0) {}
        }
        Mode::Open | Mode::Deaf => {
            let Ok(mut broker) = TcpStream::connect(target).await else { return };
            tokio::select! {
                _ = copy_bidirectional(&mut client, &mut broker) => return,
                _ = modes.wait_for(|mode| *mode == Mode::Deaf) => {}
            }
            let (mut from_client, _kept_open) = client.split();
            let (mut from_broker, mut to_broker) = broker.split();
            let deaf = async {
                let mut sink = [0; 1024];
                while from_broker.read(&mut sink).await.is_ok_and(|read| read > 0) {}
            };
            let talk = async {
                let mut buffer = [0; 1024];
                while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
                    if to_broker.write_all(&buffer[..read]).await.is_err() {
                        return;
                    }
                }
            };
            tokio::join!(deaf, talk);
        }
    }
}
