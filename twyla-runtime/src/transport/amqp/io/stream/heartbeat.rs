//! Heartbeats while handlers block every thread of the runtime, so that neither the broker nor lapin drops the connection.
//!
//! Normally lapin sends the heartbeats. A task in the runtime records that the runtime makes progress. When it is late, a task
//! in the [background runtime](crate::background) sends heartbeats to the broker, and to lapin, which can't read meanwhile. A TLS
//! connection can't be written from outside its runtime, so it runs in the [background runtime](crate::background) entirely.

use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::Duration;

use tokio::time::sleep;

use super::{AmqpStream, lock};
use crate::background;
use crate::transport::amqp::io::frame::BEAT;

impl AmqpStream {
    /// Keeps the connection alive even if handlers block the runtime, until the stream ends.
    pub(crate) fn keep_alive(self: &Arc<Self>, heartbeat: Duration) {
        if heartbeat.is_zero() {
            return;
        }
        let quarter = heartbeat / 4;
        self.liveness.goes_on();
        tokio::spawn(go_on(Arc::downgrade(self), quarter / 4));
        background::spawn(look_after(Arc::downgrade(self), quarter));
    }

    /// Sends a heartbeat to the broker and one to lapin.
    fn beat(&self) {
        self.add(|out| out.extend_from_slice(&BEAT));
        self.flush();
        let waker = {
            let mut inbox = lock(&self.lapin);
            // a heartbeat must not split a frame that lapin has received in part: the lock holds until the heartbeat is appended
            if !self.liveness.has_whole_frames() {
                return;
            }
            inbox.bytes.extend_from_slice(&BEAT);
            inbox.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }
}

/// Records regularly that the runtime makes progress.
async fn go_on(stream: Weak<AmqpStream>, pause: Duration) {
    loop {
        sleep(pause).await;
        match stream.upgrade() {
            Some(stream) if stream.ended().is_none() => stream.liveness.goes_on(),
            _ => return,
        }
    }
}

/// Sends heartbeats while the runtime makes no progress.
async fn look_after(stream: Weak<AmqpStream>, pause: Duration) {
    loop {
        sleep(pause).await;
        match stream.upgrade() {
            Some(stream) if stream.ended().is_none() => {
                if stream.liveness.still() >= pause {
                    tracing::debug!(still = ?stream.liveness.still(), "handlers block the async runtime: another thread sends the heartbeat");
                    stream.beat();
                }
            }
            _ => return,
        }
    }
}
