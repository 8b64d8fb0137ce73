//! Publishing with confirms: one task writes to a channel, and everyone keeps a message until its confirm is there.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation, Connection, PublisherConfirm};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::connection::{Link, Pauses};
use super::topology::{self, Topology};
use super::{said, write_headers};
use crate::transport::{Address, Outgoing, Unpublished};

/// How many messages wait for the writing task before `publish` itself waits.
const QUEUE: usize = 1024;
/// How long a window of one waits for its confirm before its channel is given up.
const CONFIRM: Duration = Duration::from_secs(10);

/// How many messages may be unconfirmed at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Window {
    Open,
    /// One, because lapin can't tell which of several mandatory messages came back.
    One,
}

/// Hands messages to the task that writes them.
#[derive(Debug)]
pub(crate) struct Publisher {
    jobs: mpsc::Sender<Job>,
}

#[derive(Debug)]
struct Job {
    message: Outgoing,
    progress: Arc<Progress>,
    reply: oneshot::Sender<Result<Written, Problem>>,
}

#[derive(Debug)]
enum Written {
    Unconfirmed(PublisherConfirm),
    Confirmed,
}

#[derive(Debug)]
struct Problem {
    why: String,
    permanent: bool,
}

/// Where a message is: the writing task and the one who waits agree on it, so that "not sent" is certain.
#[derive(Debug, Default)]
struct Progress(AtomicU8);

impl Progress {
    const QUEUED: u8 = 0;
    const WRITTEN: u8 = 1;
    const GIVEN_UP: u8 = 2;

    /// Before the first byte is written; `false` if nobody waits any more.
    fn write(&self) -> bool {
        self.0.compare_exchange(Self::QUEUED, Self::WRITTEN, Ordering::AcqRel, Ordering::Acquire) != Err(Self::GIVEN_UP)
    }

    /// From now on it will not be written; says whether it may have been.
    fn give_up(&self) -> bool {
        self.0.compare_exchange(Self::QUEUED, Self::GIVEN_UP, Ordering::AcqRel, Ordering::Acquire) == Err(Self::WRITTEN)
    }
}

/// Gives a message up when the one who waits for it is gone.
struct Waiting(Arc<Progress>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

/// lapin collects confirms that were dropped before they came, so they are always waited for.
struct Confirm(Option<PublisherConfirm>);

impl Confirm {
    async fn wait(mut self) -> Result<Confirmation, lapin::Error> {
        match &mut self.0 {
            Some(confirm) => {
                let outcome = confirm.await;
                self.0 = None;
                outcome
            }
            None => Ok(Confirmation::NotRequested),
        }
    }
}

impl Drop for Confirm {
    fn drop(&mut self) {
        if let (Some(confirm), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(confirm);
        }
    }
}

impl Publisher {
    pub(crate) fn spawn(link: Arc<Link>, topology: Arc<Topology>, window: Window) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        tokio::spawn(write_all(link, topology, window, queue));
        Self { jobs }
    }

    /// Publishes until the broker has confirmed, each time under the same message id.
    pub(crate) async fn publish(&self, message: Outgoing, deadline: Instant, link: &Link) -> Result<(), Unpublished> {
        let progress = Arc::new(Progress::default());
        let waiting = Waiting(progress.clone());
        let mut trouble = None;
        let outcome = timeout_at(deadline, self.attempts(&message, &progress, &mut trouble)).await;
        let closed = match outcome {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(closed)) => closed,
            Err(_) => false,
        };
        let maybe_sent = waiting.0.give_up();
        Err(Unpublished { maybe_sent, why: trouble.unwrap_or_else(|| link.trouble()), closed })
    }

    /// Ends with `Err` if there is no use in going on: `true` if the bus is closed.
    async fn attempts(
        &self,
        message: &Outgoing,
        progress: &Arc<Progress>,
        trouble: &mut Option<String>,
    ) -> Result<(), bool> {
        let mut pauses = Pauses::default();
        loop {
            let (reply, answer) = oneshot::channel();
            let job = Job { message: message.clone(), progress: progress.clone(), reply };
            self.jobs.send(job).await.map_err(|_| true)?;
            let confirm = match answer.await.map_err(|_| true)? {
                Ok(Written::Confirmed) => return Ok(()),
                Ok(Written::Unconfirmed(confirm)) => Confirm(Some(confirm)).wait().await,
                Err(problem) => {
                    *trouble = Some(problem.why);
                    if problem.permanent {
                        return Err(false);
                    }
                    sleep(pauses.next()).await;
                    continue;
                }
            };
            match confirm {
                Ok(confirmation) if confirmation.is_ack() => return Ok(()),
                Ok(_) => *trouble = Some("RabbitMQ refused the message (nack)".to_owned()),
                Err(error) => *trouble = Some(said(error)),
            }
            tracing::debug!(message_id = message.message_id, error = ?trouble, "not confirmed, sending again");
            sleep(pauses.next()).await;
        }
    }
}

/// The one task that writes to a channel; it makes a new one after every loss.
async fn write_all(link: Arc<Link>, topology: Arc<Topology>, window: Window, mut jobs: mpsc::Receiver<Job>) {
    let mut pauses = Pauses::default();
    let mut next = None;
    while let Some(connection) = link.connection().await {
        let channel = match confirming(&connection).await {
            Ok(channel) => channel,
            Err(error) => {
                tracing::debug!(error = %error, "no channel to publish on");
                sleep(pauses.next()).await;
                continue;
            }
        };
        pauses = Pauses::default();
        let mut writer = Writer { connection: &connection, channel, topology: &topology, known: HashSet::new() };
        loop {
            let job = match next.take() {
                Some(job) => job,
                None => match jobs.recv().await {
                    Some(job) => job,
                    None => return,
                },
            };
            if !writer.channel.status().connected() {
                next = Some(job);
                break;
            }
            match window {
                Window::Open => writer.write(job).await,
                Window::One => writer.write_and_wait(job).await,
            }
        }
        // A connection that has just gone is known to its link a moment later.
        sleep(pauses.next()).await;
    }
}

async fn confirming(connection: &Connection) -> Result<Channel, lapin::Error> {
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok(channel)
}

struct Writer<'a> {
    connection: &'a Connection,
    channel: Channel,
    topology: &'a Topology,
    /// The exchanges and queues that are known to be there.
    known: HashSet<String>,
}

impl Writer<'_> {
    async fn write(&mut self, job: Job) {
        let outcome = match self.publish(&job).await {
            Ok(Some(confirm)) => Ok(Written::Unconfirmed(confirm)),
            Ok(None) => return,
            Err(problem) => Err(problem),
        };
        if let Err(Ok(Written::Unconfirmed(confirm))) = job.reply.send(outcome) {
            drop(Confirm(Some(confirm)));
        }
    }

    async fn write_and_wait(&mut self, job: Job) {
        let outcome = match self.publish(&job).await {
            Ok(Some(confirm)) => match timeout(CONFIRM, Confirm(Some(confirm)).wait()).await {
                Ok(Ok(Confirmation::Ack(None))) => Ok(Written::Confirmed),
                Ok(Ok(Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_)))) => {
                    self.known.clear();
                    Err(again("the queue is gone".to_owned()))
                }
                Ok(Ok(_)) => Err(again("RabbitMQ refused the message (nack)".to_owned())),
                Ok(Err(error)) => Err(again(said(error))),
                Err(_) => {
                    // A confirm that came later would be taken for that of the next message.
                    let _ = timeout(CONFIRM, self.channel.close(200, "OK".into())).await;
                    Err(again("RabbitMQ did not confirm".to_owned()))
                }
            },
            Ok(None) => return,
            Err(problem) => Err(problem),
        };
        // If nobody waits any more, nobody needs to know.
        let _ = job.reply.send(outcome);
    }

    /// Writes a message; `None` if nobody waits for it any more.
    async fn publish(&mut self, job: &Job) -> Result<Option<PublisherConfirm>, Problem> {
        if job.reply.is_closed() {
            return Ok(None);
        }
        self.make_sure(&job.message.to).await?;
        let message = &job.message;
        let (exchange, key, mandatory) = match &message.to {
            Address::Event { domain, event_type } => (*domain, *event_type, false),
            Address::Dead(queue) => ("", queue.dead.as_str(), true),
        };
        let properties = properties(message);
        if !job.progress.write() {
            return Ok(None);
        }
        let options = BasicPublishOptions { mandatory, immediate: false };
        self.channel
            .basic_publish(exchange.into(), key.into(), options, &message.body, properties)
            .await
            .map(Some)
            .map_err(|error| again(said(error)))
    }

    async fn make_sure(&mut self, to: &Address) -> Result<(), Problem> {
        let (name, outcome) = match to {
            Address::Event { domain, .. } if !self.known.contains(*domain) => {
                (*domain, self.topology.exchange(self.connection, domain).await)
            }
            Address::Dead(queue) if !self.known.contains(&queue.dead) => {
                (queue.dead.as_str(), self.topology.queue(self.connection, &queue.dead, queue.kind).await)
            }
            _ => return Ok(()),
        };
        match outcome {
            Ok(()) => {
                self.known.insert(name.to_owned());
                Ok(())
            }
            Err(error) => Err(Problem { permanent: topology::is_permanent(&error), why: said(error) }),
        }
    }
}

fn again(why: String) -> Problem {
    Problem { why, permanent: false }
}

fn properties(message: &Outgoing) -> BasicProperties {
    let properties = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_delivery_mode(2)
        .with_message_id(short(&message.message_id))
        .with_timestamp(u64::try_from(message.timestamp.timestamp()).unwrap_or_default())
        .with_app_id(short(&message.app_id));
    if message.headers.is_empty() { properties } else { properties.with_headers(write_headers(&message.headers)) }
}

/// An AMQP short string holds 255 bytes.
fn short(text: &str) -> ShortString {
    text[..text.floor_char_boundary(255)].into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_up_is_never_written() {
        let progress = Progress::default();
        assert!(!progress.give_up());
        assert!(!progress.write());
    }

    #[test]
    fn what_was_written_may_have_been_sent() {
        let progress = Progress::default();
        assert!(progress.write() && progress.write());
        assert!(progress.give_up());
    }
}
