//! Heartbeats while handlers keep every thread of the runtime: neither the broker nor lapin is to take the connection for lost.
//!
//! As long as the runtime goes on, heartbeats are lapin's. A task of the runtime says that it does; a task
//! [beside](crate::background) it sends the broker heartbeats when that one is late, and tells lapin, which can't read meanwhile, that
//! the broker is alive. Over TLS nothing can be written past the runtime: such a connection is made [beside](crate::background)
//! altogether.

use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::Duration;

use tokio::time::sleep;

use super::{Trunk, lock};
use crate::background;
use crate::transport::amqp::io::frame::BEAT;

impl Trunk {
    /// Keeps the connection alive whatever handlers do, for as long as it is there.
    pub(crate) fn keep_alive(self: &Arc<Self>, heartbeat: Duration) {
        if heartbeat.is_zero() {
            return;
        }
        let quarter = heartbeat / 4;
        self.alive.goes_on();
        tokio::spawn(go_on(Arc::downgrade(self), quarter / 4));
        background::spawn(look_after(Arc::downgrade(self), quarter));
    }

    /// A heartbeat to the broker, and one to lapin.
    fn beat(&self) {
        self.add(|out| out.extend_from_slice(&BEAT));
        self.flush();
        let waker = {
            let mut inbox = lock(&self.lapin);
            // Taken with the lock, under which whoever gives lapin bytes says so.
            if !self.alive.has_whole_frames() {
                return;
            }
            inbox.bytes.extend_from_slice(&BEAT);
            inbox.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }
}

/// Says that the runtime goes on.
async fn go_on(trunk: Weak<Trunk>, pause: Duration) {
    loop {
        sleep(pause).await;
        match trunk.upgrade() {
            Some(trunk) if trunk.ended().is_none() => trunk.alive.goes_on(),
            _ => return,
        }
    }
}

/// Sends heartbeats while it doesn't.
async fn look_after(trunk: Weak<Trunk>, pause: Duration) {
    loop {
        sleep(pause).await;
        match trunk.upgrade() {
            Some(trunk) if trunk.ended().is_none() => {
                if trunk.alive.still() >= pause {
                    tracing::debug!(still = ?trunk.alive.still(), "the runtime does not go on: sending a heartbeat past it");
                    trunk.beat();
                }
            }
            _ => return,
        }
    }
}
