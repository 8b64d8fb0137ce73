//! Publishing with confirms: one task writes to a channel, another collects the confirms, and whoever emits keeps the
//! message until its confirm is there.

use std::collections::{HashSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation, Connection, PublisherConfirm};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::connection::{Link, Pauses};
use super::topology::{self, Topology};
use super::{said, write_headers};
use crate::transport::{Address, Outgoing, Unpublished};

/// How many messages wait for the writing task before `publish` itself waits.
const QUEUE: usize = 1024;
/// How many messages are taken from that queue at once.
const BATCH: usize = 64;
/// How many messages may be unconfirmed at once.
const UNCONFIRMED: usize = 4096;
/// How long a window of one waits for its confirm before its channel is given up.
const CONFIRM: Duration = Duration::from_secs(10);

/// How many messages a channel has unconfirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Window {
    /// Many: a burst is written and confirmed together.
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
    /// Answered when the broker has confirmed.
    reply: oneshot::Sender<Result<(), Problem>>,
}

#[derive(Debug)]
struct Problem {
    why: String,
    permanent: bool,
}

/// A message that is being written or waits for its confirm.
type InFlight = Pin<Box<dyn Future<Output = ()> + Send>>;

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

impl Publisher {
    pub(crate) fn spawn(link: Arc<Link>, topology: Arc<Topology>, window: Window) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (in_flight, written) = mpsc::unbounded_channel();
        tokio::spawn(collect(written));
        tokio::spawn(write_all(link, topology, window, queue, in_flight));
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
            let Err(problem) = answer.await.map_err(|_| true)? else { return Ok(()) };
            tracing::debug!(message_id = message.message_id, error = problem.why, "not confirmed");
            *trouble = Some(problem.why);
            if problem.permanent {
                return Err(false);
            }
            sleep(pauses.next()).await;
        }
    }
}

/// Waits for confirms, in whichever order they come. Each is waited for to its end, even if nobody wants it any more:
/// lapin collects confirms that are dropped before they came.
async fn collect(mut written: mpsc::UnboundedReceiver<InFlight>) {
    let mut in_flight = FuturesUnordered::new();
    let mut open = true;
    while open || !in_flight.is_empty() {
        tokio::select! {
            message = written.recv(), if open => match message {
                Some(message) => in_flight.push(message),
                None => open = false,
            },
            Some(()) = in_flight.next() => {}
        }
    }
}

/// The one task that writes to a channel; it makes a new one after every loss.
async fn write_all(
    link: Arc<Link>,
    topology: Arc<Topology>,
    window: Window,
    mut jobs: mpsc::Receiver<Job>,
    in_flight: mpsc::UnboundedSender<InFlight>,
) {
    let unconfirmed = Arc::new(Semaphore::new(UNCONFIRMED));
    let mut pauses = Pauses::default();
    let mut taken = Vec::with_capacity(BATCH);
    let mut next = VecDeque::with_capacity(BATCH);
    while let Some(connection) = link.writable().await {
        let channel = match confirming(&connection).await {
            Ok(channel) => channel,
            Err(error) => {
                tracing::debug!(error = %error, "no channel to publish on");
                sleep(pauses.next()).await;
                continue;
            }
        };
        pauses = Pauses::default();
        let known = HashSet::new();
        let mut writer = Writer { connection: &connection, channel, topology: &topology, known, in_flight: &in_flight };
        loop {
            if next.is_empty() {
                if jobs.recv_many(&mut taken, BATCH).await == 0 {
                    return;
                }
                next.extend(taken.drain(..));
            }
            if connection.status().blocked() {
                // What it is given now is never known to be unsent, so it gets nothing.
                link.unblocked(&connection).await;
            }
            if !writer.channel.status().connected() {
                break;
            }
            let Some(job) = next.pop_front() else { continue };
            match window {
                Window::Open => {
                    // It is never closed.
                    let Ok(permit) = unconfirmed.clone().acquire_owned().await else { return };
                    writer.write(job, permit).await;
                }
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
    in_flight: &'a mpsc::UnboundedSender<InFlight>,
}

impl Writer<'_> {
    /// Gives the message to lapin and goes on: its confirm is collected elsewhere.
    async fn write(&mut self, job: Job, permit: OwnedSemaphorePermit) {
        if let Err(problem) = self.make_sure(&job).await {
            // If nobody waits any more, nobody needs to know.
            let _ = job.reply.send(Err(problem));
            return;
        }
        if job.reply.is_closed() || !job.progress.write() {
            return;
        }
        let Job { message, reply, .. } = job;
        let channel = self.channel.clone();
        let mut message: InFlight = Box::pin(async move {
            let outcome = match publish(&channel, &message).await {
                Ok(confirm) => confirm.await,
                Err(error) => Err(error),
            };
            let outcome = match outcome {
                Ok(confirmation) if confirmation.is_ack() => Ok(()),
                Ok(_) => Err(again("RabbitMQ refused the message (nack)".to_owned())),
                Err(error) => Err(again(said(error))),
            };
            let _ = reply.send(outcome);
            drop(permit);
        });
        // The first poll hands the frames over, in the order of the jobs; nothing but the end is left to wait for.
        if message.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            let _ = self.in_flight.send(message);
        }
    }

    async fn write_and_wait(&mut self, job: Job) {
        if let Err(problem) = self.make_sure(&job).await {
            let _ = job.reply.send(Err(problem));
            return;
        }
        if job.reply.is_closed() || !job.progress.write() {
            return;
        }
        let confirmed = async { publish(&self.channel, &job.message).await?.await };
        let outcome = match timeout(CONFIRM, confirmed).await {
            Ok(Ok(Confirmation::Ack(None))) => Ok(()),
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
        };
        let _ = job.reply.send(outcome);
    }

    async fn make_sure(&mut self, job: &Job) -> Result<(), Problem> {
        let (name, outcome) = match &job.message.to {
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

async fn publish(channel: &Channel, message: &Outgoing) -> Result<PublisherConfirm, lapin::Error> {
    let (exchange, key, mandatory) = match &message.to {
        Address::Event { domain, event_type } => (*domain, *event_type, false),
        Address::Dead(queue) => ("", queue.dead.as_str(), true),
    };
    let options = BasicPublishOptions { mandatory, immediate: false };
    channel.basic_publish(exchange.into(), key.into(), options, &message.body, properties(message)).await
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
