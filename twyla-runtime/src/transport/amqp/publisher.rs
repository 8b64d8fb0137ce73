//! Publishing with confirms: a task keeps a channel open, and whoever emits keeps the message until its confirm is there.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use super::connection::{Connected, Link, Pauses};
use super::outlet::{Message, Outlet, Problem};
use super::topology::Topology;
use crate::transport::{Outgoing, Unpublished};

/// Publishes over a link, whatever becomes of its connections.
#[derive(Debug)]
pub(crate) struct Publisher {
    link: Arc<Link>,
    topology: Arc<Topology>,
    now: watch::Receiver<Now>,
}

/// What can be published on now.
#[derive(Clone, Debug)]
enum Now {
    Open(Arc<Outlet>, Arc<Connected>),
    Waiting,
    Closed,
}

impl Publisher {
    pub(crate) fn spawn(link: Arc<Link>, topology: Arc<Topology>) -> Self {
        let (sender, now) = watch::channel(Now::Waiting);
        tokio::spawn(keep_open(link.clone(), sender));
        Self { link, topology, now }
    }

    /// Publishes until the broker has confirmed, each time under the same message id.
    pub(crate) async fn publish(&self, message: Outgoing, deadline: Instant) -> Result<(), Unpublished> {
        let message = Arc::new(Message::new(message));
        let mut trouble = None;
        let closed = match timeout_at(deadline, self.attempts(&message, &mut trouble)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(closed)) => closed,
            Err(_) => false,
        };
        let why = trouble.unwrap_or_else(|| self.link.trouble());
        Err(Unpublished { maybe_sent: message.was_written(), why, closed })
    }

    /// Ends with `Err` if there is no use in going on: `true` if the bus is closed.
    async fn attempts(&self, message: &Arc<Message>, trouble: &mut Option<String>) -> Result<(), bool> {
        let mut pauses = Pauses::default();
        loop {
            let (outlet, connection) = self.open().await.ok_or(true)?;
            let Err(problem) = outlet.publish(message, &self.topology, &connection).await else { return Ok(()) };
            tracing::debug!(message_id = &*message.outgoing.message_id, error = problem.why, "not confirmed");
            let Problem { why, permanent } = problem;
            *trouble = Some(why);
            if permanent {
                return Err(false);
            }
            sleep(pauses.next()).await;
        }
    }

    /// A channel that takes messages, once there is one; `None` if the link is closed.
    async fn open(&self) -> Option<(Arc<Outlet>, Arc<Connected>)> {
        loop {
            let now = self.now.borrow().clone();
            let (outlet, connection) = match now {
                Now::Open(outlet, connection) => (outlet, connection),
                Now::Waiting => {
                    self.now.clone().wait_for(|now| !matches!(now, Now::Waiting)).await.ok()?;
                    continue;
                }
                Now::Closed => return None,
            };
            if !connection.status().blocked() {
                return Some((outlet, connection));
            }
            // What it is given now is never known to be unsent, so it gets nothing.
            self.link.unblocked(&connection).await;
        }
    }
}

/// Keeps a channel open until the link is closed or nobody can publish any more.
async fn keep_open(link: Arc<Link>, now: watch::Sender<Now>) {
    let mut pauses = Pauses::default();
    loop {
        let connection = tokio::select! {
            connection = link.connection() => connection,
            () = now.closed() => return,
        };
        let Some(connection) = connection else { break };
        match Outlet::open(&connection).await {
            Ok(outlet) => {
                pauses = Pauses::default();
                now.send_replace(Now::Open(outlet.clone(), connection));
                tokio::select! {
                    () = outlet.over() => {}
                    () = now.closed() => return,
                }
                now.send_replace(Now::Waiting);
            }
            Err(error) => tracing::debug!(error = %error, "no channel to publish on"),
        }
        // A connection that has just gone is known to its link a moment later.
        sleep(pauses.next()).await;
    }
    now.send_replace(Now::Closed);
}
