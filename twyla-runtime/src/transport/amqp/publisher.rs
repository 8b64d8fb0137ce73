//! Publishing with confirms: one task writes to a channel and collects the confirms, and whoever emits keeps the message
//! until its confirm is there.

use std::collections::{HashSet, VecDeque};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation, Connection, PublisherConfirm};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

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
/// With so many under way, jobs and confirms are seen to together.
const BUSY: usize = 32;
/// At most this long they wait for each other.
const HOLD: Duration = Duration::from_millis(1);
/// How long a batch waits for its confirms before its channel is given up.
const CONFIRM: Duration = Duration::from_secs(10);

/// How many messages a channel has unconfirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Window {
    /// Many: a burst is written and confirmed together.
    Open,
    /// A batch at a time, each of which must reach a queue: lapin gives a message that came back to whichever confirm
    /// comes next, so it is known only of all of them together which did.
    Mandatory,
}

/// Hands messages to the task that writes them.
#[derive(Debug)]
pub(crate) struct Publisher {
    jobs: mpsc::Sender<Job>,
    burst: Arc<Burst>,
}

/// How many jobs wait, and who is told when they are a burst.
#[derive(Debug, Default)]
struct Burst {
    waiting: AtomicUsize,
    complete: Notify,
}

#[derive(Debug)]
struct Job {
    message: Outgoing,
    progress: Arc<Progress>,
    /// Answered when the broker has confirmed.
    reply: Option<oneshot::Sender<Result<(), Problem>>>,
}

impl Job {
    fn answer(&mut self, outcome: Result<(), Problem>) {
        // If nobody waits any more, nobody needs to know.
        let _ = self.reply.take().map(|reply| reply.send(outcome));
    }
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

impl Publisher {
    pub(crate) fn spawn(link: Arc<Link>, topology: Arc<Topology>, window: Window) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let burst = Arc::new(Burst::default());
        let pump = Pump {
            jobs: queue,
            burst: burst.clone(),
            window,
            next: VecDeque::with_capacity(BATCH),
            taken: Vec::with_capacity(BATCH),
            in_flight: FuturesUnordered::new(),
            last: Instant::now(),
        };
        tokio::spawn(pump.run(link, topology, confirmed));
        Self { jobs, burst }
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
            let job = Job { message: message.clone(), progress: progress.clone(), reply: Some(reply) };
            // Counted before it can be taken, so that the count never falls below nothing.
            let waiting = self.burst.waiting.fetch_add(1, Ordering::Relaxed) + 1;
            self.jobs.send(job).await.map_err(|_| true)?;
            if waiting == BATCH {
                self.burst.complete.notify_one();
            }
            let Err(problem) = answer.await.map_err(|_| true)? else { return Ok(()) };
            tracing::debug!(message_id = &*message.message_id, error = problem.why, "not confirmed");
            *trouble = Some(problem.why);
            if problem.permanent {
                return Err(false);
            }
            sleep(pauses.next()).await;
        }
    }
}

/// The task that writes to a channel, and the messages whose confirms it waits for.
struct Pump<F> {
    jobs: mpsc::Receiver<Job>,
    /// Told when a burst is complete.
    burst: Arc<Burst>,
    window: Window,
    /// What was taken and not written yet.
    next: VecDeque<Job>,
    taken: Vec<Job>,
    /// Each is waited for to its end, even if nobody wants it any more: lapin collects confirms that are dropped before
    /// they came.
    in_flight: FuturesUnordered<F>,
    /// When something was last written or confirmed.
    last: Instant,
}

impl<F: Future<Output = ()>> Pump<F> {
    /// Runs until the link is closed or nobody can publish any more.
    async fn run(mut self, link: Arc<Link>, topology: Arc<Topology>, confirmed: fn(Arc<Channel>, Job) -> F) {
        let mut pauses = Pauses::default();
        while let Some(connection) = self.meanwhile(link.writable()).await {
            let channel = match self.meanwhile(confirming(&connection)).await {
                Ok(channel) => channel,
                Err(error) => {
                    tracing::debug!(error = %error, "no channel to publish on");
                    self.meanwhile(sleep(pauses.next())).await;
                    continue;
                }
            };
            pauses = Pauses::default();
            let mut writer =
                Writer { connection: &connection, channel: channel.into(), topology: &topology, known: HashSet::new() };
            loop {
                if self.next.is_empty() && !self.wait().await {
                    break;
                }
                if connection.status().blocked() {
                    // What it is given now is never known to be unsent, so it gets nothing.
                    self.meanwhile(link.unblocked(&connection)).await;
                }
                if !writer.channel.status().connected() {
                    break;
                }
                let mut batch = Vec::new();
                while self.in_flight.len() < UNCONFIRMED
                    && let Some(mut job) = self.next.pop_front()
                {
                    match self.window {
                        Window::Open => {
                            if writer.may_write(&mut job).await {
                                self.in_flight.push(confirmed(writer.channel.clone(), job));
                            }
                        }
                        Window::Mandatory => batch.push(job),
                    }
                }
                writer.write_and_wait(batch).await;
                // This hands the frames over, in the order of the jobs: what is pushed is polled in turn.
                self.confirms();
                if !self.next.is_empty() {
                    self.in_flight.next().await;
                }
            }
            if self.next.is_empty() && self.jobs.is_closed() && self.jobs.is_empty() {
                break;
            }
            // A connection that has just gone is known to its link a moment later.
            self.meanwhile(sleep(pauses.next())).await;
        }
        while self.in_flight.next().await.is_some() {}
    }

    /// Waits for the next jobs, and for confirms; `false` when there will be no more jobs.
    ///
    /// While little is under way, each is seen to as it comes. While much is, they are seen to together: a wake-up for
    /// each would cost more than all the rest.
    async fn wait(&mut self) -> bool {
        loop {
            if self.in_flight.len() >= BUSY {
                let held = self.last + HOLD;
                if Instant::now() < held {
                    tokio::select! {
                        () = self.burst.complete.notified() => {}
                        () = sleep_until(held) => {}
                    }
                }
                self.confirms();
                while self.taken.len() < BATCH
                    && let Ok(job) = self.jobs.try_recv()
                {
                    self.taken.push(job);
                }
            }
            if self.taken.is_empty() {
                tokio::select! {
                    biased;
                    count = self.jobs.recv_many(&mut self.taken, BATCH) => if count == 0 {
                        return false;
                    },
                    Some(()) = self.in_flight.next() => {}
                }
            }
            self.last = Instant::now();
            if !self.taken.is_empty() {
                self.burst.waiting.fetch_sub(self.taken.len(), Ordering::Relaxed);
                self.next.extend(self.taken.drain(..));
                return true;
            }
        }
    }

    /// Sees to what is ready.
    fn confirms(&mut self) {
        while self.in_flight.next().now_or_never().flatten().is_some() {}
    }

    /// Waits for something else while confirms come in.
    async fn meanwhile<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut other = pin!(other);
        loop {
            tokio::select! {
                outcome = &mut other => return outcome,
                Some(()) = self.in_flight.next() => {}
            }
        }
    }
}

async fn confirming(connection: &Connection) -> Result<Channel, lapin::Error> {
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok(channel)
}

struct Writer<'a> {
    connection: &'a Connection,
    channel: Arc<Channel>,
    topology: &'a Topology,
    /// The exchanges and queues that are known to be there.
    known: HashSet<String>,
}

impl Writer<'_> {
    /// Makes sure of where the message goes to; `false` if it isn't to be written.
    async fn may_write(&mut self, job: &mut Job) -> bool {
        if let Err(problem) = self.make_sure(job).await {
            job.answer(Err(problem));
            return false;
        }
        !job.reply.as_ref().is_none_or(oneshot::Sender::is_closed) && job.progress.write()
    }

    /// Writes messages that must reach a queue, and waits for all of them.
    async fn write_and_wait(&mut self, batch: Vec<Job>) {
        let mut jobs = Vec::with_capacity(batch.len());
        for mut job in batch {
            if self.may_write(&mut job).await {
                jobs.push(job);
            }
        }
        if jobs.is_empty() {
            return;
        }
        // In the order of the jobs: `join_all` polls the first time in turn.
        let written = join_all(jobs.iter().map(|job| async { publish(&self.channel, &job.message).await?.await }));
        let Ok(outcomes) = timeout(CONFIRM, written).await else {
            // Confirms that came later would be taken for those of the next messages.
            let _ = timeout(CONFIRM, self.channel.close(200, "OK".into())).await;
            jobs.iter_mut().for_each(|job| job.answer(Err(again("RabbitMQ did not confirm".to_owned()))));
            return;
        };
        let back: HashSet<ShortString> = outcomes.iter().filter_map(came_back).collect();
        if !back.is_empty() {
            self.known.clear();
        }
        for (job, outcome) in jobs.iter_mut().zip(outcomes) {
            let outcome = match outcome {
                Ok(_) if back.contains(&short(&job.message.message_id)) => Err(job.message.to.gone()),
                Ok(Confirmation::Ack(_)) => Ok(()),
                Ok(_) => Err(again("RabbitMQ refused the message (nack)".to_owned())),
                Err(error) => Err(again(said(error))),
            };
            job.answer(outcome);
        }
    }

    async fn make_sure(&mut self, job: &Job) -> Result<(), Problem> {
        let (name, outcome) = match &job.message.to {
            Address::Event { domain, .. } if !self.known.contains(&**domain) => {
                ((**domain).to_owned(), self.topology.exchange(self.connection, domain).await)
            }
            Address::Dead(queue) if !self.known.contains(&queue.dead) => {
                (queue.dead.clone(), self.topology.queue(self.connection, &queue.dead, queue.kind).await)
            }
            Address::Retry(queue, pause) if !self.known.contains(&queue.retry(*pause)) => {
                (queue.retry(*pause), self.topology.retry(self.connection, queue, *pause).await)
            }
            _ => return Ok(()),
        };
        match outcome {
            Ok(()) => {
                self.known.insert(name);
                Ok(())
            }
            Err(error) => Err(Problem { permanent: topology::is_permanent(&error), why: said(error) }),
        }
    }
}

/// Writes a message, waits for its confirm, and answers.
async fn confirmed(channel: Arc<Channel>, mut job: Job) {
    let outcome = match publish(&channel, &job.message).await {
        Ok(confirm) => confirm.await,
        Err(error) => Err(error),
    };
    job.answer(match outcome {
        Ok(confirmation) if confirmation.is_ack() => Ok(()),
        Ok(_) => Err(again("RabbitMQ refused the message (nack)".to_owned())),
        Err(error) => {
            if let (true, Address::Event { domain, .. }) = (topology::is(&error, topology::NOT_FOUND), &job.message.to)
            {
                tracing::warn!(exchange = &**domain, "the exchange is gone, making it again");
            }
            Err(again(said(error)))
        }
    });
}

async fn publish(channel: &Channel, message: &Outgoing) -> Result<PublisherConfirm, lapin::Error> {
    let (exchange, key, mandatory) = match &message.to {
        Address::Event { domain, event_type } => (&**domain, event_type.clone().into_owned(), false),
        Address::Dead(queue) => ("", queue.dead.clone(), true),
        Address::Retry(queue, pause) => ("", queue.retry(*pause), true),
        Address::Back(queue) => ("", (**queue).to_owned(), true),
    };
    let options = BasicPublishOptions { mandatory, immediate: false };
    channel.basic_publish(exchange.into(), key.into(), options, &message.body, properties(message)).await
}

/// The message id of what came back with a confirm, be it its own or another's.
fn came_back(outcome: &Result<Confirmation, lapin::Error>) -> Option<ShortString> {
    match outcome {
        Ok(Confirmation::Ack(Some(message)) | Confirmation::Nack(Some(message))) => {
            message.properties.message_id().clone()
        }
        _ => None,
    }
}

impl Address {
    /// What is wrong when nothing was there to take a message.
    fn gone(&self) -> Problem {
        match self {
            // Nobody but its group makes it.
            Self::Back(queue) => {
                let why = format!("there is no queue `{queue}`: a member of its group makes it as it starts");
                Problem { why, permanent: true }
            }
            _ => again("the queue is gone".to_owned()),
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
