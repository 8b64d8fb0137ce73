//! The publisher: a task keeps a channel open, and each caller keeps its message until it is confirmed.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};

use super::attempt::{PendingMessage, PublishError, PublishErrorKind};
use super::confirms::ConfirmChannel;
use super::probe::ProbeChannels;
use super::refusal::Refusal;
use super::sender_headers::prepared;
use crate::transport::amqp::connect::backoff::Backoff;
use crate::transport::amqp::connect::connected::Connected;
use crate::transport::amqp::connect::connection::AmqpLink;
use crate::transport::amqp::connect::topology::Topology;
use crate::transport::amqp::error::describe;
use crate::transport::{Outgoing, PublishFailure, Unpublished};

/// A full queue stays full for a while, and each attempt may duplicate the event in other queues. Therefore the first pause is at
/// least a second; with the default deadline an event is published at most five times.
const FIRST_AFTER_NACK: Duration = Duration::from_secs(2);
const LONGEST_AFTER_NACK: Duration = Duration::from_secs(120);

/// Publishes over a link, across reconnects.
pub(crate) struct Publisher {
    link: Arc<AmqpLink>,
    topology: Arc<Topology>,
    /// The user of the connection.
    user: Arc<str>,
    now: watch::Receiver<PublisherState>,
}

/// The current channel.
#[derive(Clone)]
enum PublisherState {
    Open(Arc<ConfirmChannel>, Arc<Connected>),
    /// The publisher has no channel; with the error if it could not be opened.
    Waiting(Option<Arc<str>>),
    Closed,
}

impl Publisher {
    pub(crate) fn spawn(link: Arc<AmqpLink>, topology: Arc<Topology>, user: &str) -> Self {
        let (sender, now) = watch::channel(PublisherState::Waiting(None));
        tokio::spawn(keep_open(link.clone(), sender));
        Self { link, topology, user: user.into(), now }
    }

    /// Returns the broker's limit for a body in bytes, if it has refused a larger body on the current connection.
    #[cfg_attr(
        not(any(feature = "postgres", feature = "sqlite")),
        allow(dead_code, reason = "only the outbox needs the limit")
    )]
    pub(crate) fn size_limit(&self) -> Option<usize> {
        match &*self.now.borrow() {
            PublisherState::Open(confirm_channel, _) => confirm_channel.size_limit(),
            PublisherState::Waiting(_) | PublisherState::Closed => None,
        }
    }

    /// Publishes with retries under the same message id, until the broker confirms the message or refuses it permanently.
    pub(crate) async fn publish(&self, message: Outgoing, deadline: Instant) -> Result<(), Unpublished> {
        let message = Arc::new(PendingMessage::new(prepared(message, &self.user)));
        let mut trouble = None;
        let cause = match timeout_at(deadline, self.attempts(&message, &mut trouble)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(cause)) => cause,
            Err(_) => PublishFailure::Deadline,
        };
        message.give_up();
        let why = trouble.unwrap_or_else(|| self.trouble());
        Err(Unpublished { maybe_sent: message.was_written(), why, cause })
    }

    /// Returns why nothing can be published now.
    fn trouble(&self) -> String {
        match &*self.now.borrow() {
            PublisherState::Waiting(Some(why)) if self.link.is_up() => why.to_string(),
            _ => self.link.trouble(),
        }
    }

    /// Makes attempts until one succeeds; an error if a retry would fail too.
    async fn attempts(
        &self,
        message: &Arc<PendingMessage>,
        trouble: &mut Option<String>,
    ) -> Result<(), PublishFailure> {
        let mut backoff = Backoff::default();
        let mut nacked = Backoff::between(FIRST_AFTER_NACK, LONGEST_AFTER_NACK);
        loop {
            let (confirm_channel, connection) = self.open().await.ok_or(PublishFailure::Closed)?;
            let written_before = message.was_written();
            let Err(problem) = confirm_channel.publish(message, &self.topology, &connection).await else {
                return Ok(());
            };
            tracing::debug!(
                message_id = &*message.outgoing.message_id,
                error = problem.why,
                "the message was not confirmed"
            );
            if problem.is_certain() && !written_before {
                message.was_not_taken();
            }
            let PublishError { why, kind } = problem;
            *trouble = Some(why);
            let pause = match kind {
                PublishErrorKind::Refused(Refusal::Message) => return Err(PublishFailure::Refused),
                PublishErrorKind::Refused(Refusal::LargerThan(most)) => {
                    return Err(PublishFailure::TooLarge { bytes: message.outgoing.body.len(), most });
                }
                PublishErrorKind::Nacked => nacked.next(),
                PublishErrorKind::Unanswered | PublishErrorKind::Unrouted => backoff.next(),
            };
            sleep(pause).await;
        }
    }

    /// Waits for a channel that is not blocked; `None` if the link is closed.
    async fn open(&self) -> Option<(Arc<ConfirmChannel>, Arc<Connected>)> {
        loop {
            let now = self.now.borrow().clone();
            let (confirm_channel, connection) = match now {
                PublisherState::Open(confirm_channel, connection) => (confirm_channel, connection),
                PublisherState::Waiting(_) => {
                    self.now.clone().wait_for(|now| !matches!(now, PublisherState::Waiting(_))).await.ok()?;
                    continue;
                }
                PublisherState::Closed => return None,
            };
            if !connection.status().blocked() {
                return Some((confirm_channel, connection));
            }
            // a message written to a blocked connection couldn't be reported as unsent
            self.link.unblocked(&connection).await;
        }
    }
}

/// Keeps a channel open until the link is closed or the publisher is dropped.
async fn keep_open(link: Arc<AmqpLink>, now: watch::Sender<PublisherState>) {
    let mut backoff = Backoff::default();
    let (mut last, mut probes) = (Weak::new(), Arc::<ProbeChannels>::default());
    loop {
        let connection = tokio::select! {
            connection = link.connection() => connection,
            () = now.closed() => return,
        };
        let Some(connection) = connection else { break };
        if !std::ptr::eq(last.as_ptr(), Arc::as_ptr(&connection)) {
            (last, probes) = (Arc::downgrade(&connection), Arc::default());
        }
        match ConfirmChannel::open(&connection, probes.clone()).await {
            Ok(confirm_channel) => {
                backoff = Backoff::default();
                tokio::select! {
                    () = keep_fresh(confirm_channel, connection, &now) => {}
                    () = now.closed() => return,
                }
                now.send_replace(PublisherState::Waiting(None));
            }
            Err(error) => {
                tracing::debug!(error = %error, "no channel to publish on");
                now.send_replace(PublisherState::Waiting(Some(describe(error).into())));
            }
        }
        // the link notices a lost connection with a delay
        sleep(backoff.next()).await;
    }
    now.send_replace(PublisherState::Closed);
}

/// Offers a channel until it ends. A channel that refuses messages that a new channel accepts is replaced, and closed once all
/// its messages are confirmed. Until then its successor isn't replaced, because a queue that never confirms would keep each
/// replaced channel open.
async fn keep_fresh(
    mut confirm_channel: Arc<ConfirmChannel>,
    connection: Arc<Connected>,
    now: &watch::Sender<PublisherState>,
) {
    let offer = |it: &Arc<ConfirmChannel>| now.send_replace(PublisherState::Open(it.clone(), connection.clone()));
    offer(&confirm_channel);
    let mut leaving: Option<JoinHandle<()>> = None;
    loop {
        tokio::select! {
            () = confirm_channel.over() => return,
            () = confirm_channel.stale() => {}
        }
        if leaving.as_ref().is_some_and(|it| !it.is_finished()) {
            continue;
        }
        match confirm_channel.renewed(&connection).await {
            Ok(renewed) => {
                tracing::debug!("replaced the publishing channel after repeated refusals");
                offer(&renewed);
                leaving = Some(tokio::spawn(std::mem::replace(&mut confirm_channel, renewed).leave()));
            }
            Err(error) => tracing::debug!(%error, "can't open a new channel to publish on"),
        }
    }
}
