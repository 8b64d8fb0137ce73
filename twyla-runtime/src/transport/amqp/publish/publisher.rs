//! Publishing with confirms: a task keeps a channel open, and whoever emits keeps the message until its confirm is there.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use super::attempt::{Kind, Message, Problem};
use super::confirms::Outlet;
use super::refusal::Refusal;
use super::sender_headers::prepared;
use super::trial::Trials;
use crate::transport::amqp::connect::connected::Connected;
use crate::transport::amqp::connect::connection::{Link, Pauses};
use crate::transport::amqp::connect::topology::Topology;
use crate::transport::amqp::error::said;
use crate::transport::{Cause, Outgoing, Unpublished};

/// A queue that is full stays so for a while, and each try may give the event to other queues once more: so the first pause is
/// a second at least, and with the default deadline an event is sent five times at most.
const FIRST_AFTER_NACK: Duration = Duration::from_secs(2);
const LONGEST_AFTER_NACK: Duration = Duration::from_secs(120);

/// Publishes over a link, whatever becomes of its connections.
#[derive(Debug)]
pub(crate) struct Publisher {
    link: Arc<Link>,
    topology: Arc<Topology>,
    /// Who publishes.
    user: Arc<str>,
    now: watch::Receiver<Now>,
}

/// What can be published on now.
#[derive(Clone, Debug)]
enum Now {
    Open(Arc<Outlet>, Arc<Connected>),
    /// With why no channel could be opened on the connection, if so.
    Waiting(Option<Arc<str>>),
    Closed,
}

impl Publisher {
    pub(crate) fn spawn(link: Arc<Link>, topology: Arc<Topology>, user: &str) -> Self {
        let (sender, now) = watch::channel(Now::Waiting(None));
        tokio::spawn(keep_open(link.clone(), sender));
        Self { link, topology, user: user.into(), now }
    }

    /// The most bytes that the broker is known to take, if it has refused more on the connection of now.
    #[cfg_attr(not(any(feature = "postgres", feature = "sqlite")), allow(dead_code, reason = "asked for an outbox"))]
    pub(crate) fn most(&self) -> Option<usize> {
        match &*self.now.borrow() {
            Now::Open(outlet, _) => outlet.most(),
            Now::Waiting(_) | Now::Closed => None,
        }
    }

    /// Publishes until the broker has confirmed, each time under the same message id, or refuses the message for good.
    pub(crate) async fn publish(&self, message: Outgoing, deadline: Instant) -> Result<(), Unpublished> {
        let message = Arc::new(Message::new(prepared(message, &self.user)));
        let mut trouble = None;
        let cause = match timeout_at(deadline, self.attempts(&message, &mut trouble)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(cause)) => cause,
            Err(_) => Cause::Deadline,
        };
        message.give_up();
        let why = trouble.unwrap_or_else(|| self.trouble());
        Err(Unpublished { maybe_sent: message.was_written(), why, cause })
    }

    /// What stands in the way now.
    fn trouble(&self) -> String {
        match &*self.now.borrow() {
            Now::Waiting(Some(why)) if self.link.is_up() => why.to_string(),
            _ => self.link.trouble(),
        }
    }

    /// Ends with `Err` if trying again makes no sense.
    async fn attempts(&self, message: &Arc<Message>, trouble: &mut Option<String>) -> Result<(), Cause> {
        let mut pauses = Pauses::default();
        let mut nacked = Pauses::between(FIRST_AFTER_NACK, LONGEST_AFTER_NACK);
        loop {
            let (outlet, connection) = self.open().await.ok_or(Cause::Closed)?;
            let written_before = message.was_written();
            let Err(problem) = outlet.publish(message, &self.topology, &connection).await else { return Ok(()) };
            tracing::debug!(message_id = &*message.outgoing.message_id, error = problem.why, "not confirmed");
            if problem.is_certain() && !written_before {
                message.was_not_taken();
            }
            let Problem { why, kind } = problem;
            *trouble = Some(why);
            let pause = match kind {
                Kind::Refused(Refusal::Message) => return Err(Cause::Refused),
                Kind::Refused(Refusal::LargerThan(most)) => {
                    return Err(Cause::TooLarge { bytes: message.outgoing.body.len(), most });
                }
                Kind::Nacked => nacked.next(),
                Kind::Unanswered | Kind::Unrouted => pauses.next(),
            };
            sleep(pause).await;
        }
    }

    /// A channel that takes messages, once there is one; `None` if the link is closed.
    async fn open(&self) -> Option<(Arc<Outlet>, Arc<Connected>)> {
        loop {
            let now = self.now.borrow().clone();
            let (outlet, connection) = match now {
                Now::Open(outlet, connection) => (outlet, connection),
                Now::Waiting(_) => {
                    self.now.clone().wait_for(|now| !matches!(now, Now::Waiting(_))).await.ok()?;
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
    let (mut last, mut trials) = (Weak::new(), Arc::<Trials>::default());
    loop {
        let connection = tokio::select! {
            connection = link.connection() => connection,
            () = now.closed() => return,
        };
        let Some(connection) = connection else { break };
        if !std::ptr::eq(last.as_ptr(), Arc::as_ptr(&connection)) {
            (last, trials) = (Arc::downgrade(&connection), Arc::default());
        }
        match Outlet::open(&connection, trials.clone()).await {
            Ok(outlet) => {
                pauses = Pauses::default();
                tokio::select! {
                    () = keep_fresh(outlet, connection, &now) => {}
                    () = now.closed() => return,
                }
                now.send_replace(Now::Waiting(None));
            }
            Err(error) => {
                tracing::debug!(error = %error, "no channel to publish on");
                now.send_replace(Now::Waiting(Some(said(error).into())));
            }
        }
        // A connection that has just gone is known to its link a moment later.
        sleep(pauses.next()).await;
    }
    now.send_replace(Now::Closed);
}

/// Publishes on a channel until it has ended. One that refuses what the broker takes is replaced, and closed once all on it is
/// confirmed.
async fn keep_fresh(mut outlet: Arc<Outlet>, connection: Arc<Connected>, now: &watch::Sender<Now>) {
    loop {
        now.send_replace(Now::Open(outlet.clone(), connection.clone()));
        tokio::select! {
            () = outlet.over() => return,
            () = outlet.stale() => {}
        }
        match outlet.renewed(&connection).await {
            Ok(renewed) => {
                tracing::info!("RabbitMQ refuses on a channel what it takes on another, replacing the channel");
                tokio::spawn(std::mem::replace(&mut outlet, renewed).leave());
            }
            Err(error) => tracing::debug!(%error, "no new channel to publish on"),
        }
    }
}
