//! Publishing with confirms: one task writes to a channel and collects the confirms, and whoever emits keeps the message
//! until its confirm is there.

use std::collections::{HashSet, VecDeque};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt};
use futures_util::task::AtomicWaker;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation, Connection, PublisherConfirm};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

use super::connection::{Link, Pauses};
use super::topology::{self, Topology};
use super::{said, write_headers};
use crate::transport::{Address, Outgoing, Unpublished};

/// How many messages wait for the writing task before `publish` itself waits.
const QUEUE: usize = 1024;
/// How many messages are taken from that queue at once, at most.
const BATCH: usize = 256;
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
    complete_at: AtomicUsize,
    complete: Notify,
}

#[derive(Debug)]
struct Problem {
    why: String,
    permanent: bool,
}

/// What came of one try.
#[derive(Debug)]
enum Answer {
    Confirmed,
    Not(Problem),
    /// The writing task has ended.
    Closed,
}

/// A message under way, shared by the writing task and the one who waits for it. They agree on where it is, so that "not
/// sent" is certain.
#[derive(Debug)]
struct Message {
    outgoing: Outgoing,
    stage: AtomicU8,
    answer: Mutex<Option<Answer>>,
    waiting: AtomicWaker,
}

impl Message {
    const WRITTEN: u8 = 1;
    const GIVEN_UP: u8 = 2;

    fn new(outgoing: Outgoing) -> Self {
        Self { outgoing, stage: AtomicU8::new(0), answer: Mutex::default(), waiting: AtomicWaker::new() }
    }

    /// Before the first byte is written; `false` if nobody waits any more.
    fn write(&self) -> bool {
        self.stage.fetch_or(Self::WRITTEN, Ordering::AcqRel) & Self::GIVEN_UP == 0
    }

    /// From now on it will not be written; says whether it may have been.
    fn give_up(&self) -> bool {
        self.stage.fetch_or(Self::GIVEN_UP, Ordering::AcqRel) & Self::WRITTEN != 0
    }

    /// Waits for the answer to a try.
    async fn answered(&self) -> Answer {
        poll_fn(|context| {
            self.waiting.register(context.waker());
            self.answer.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

/// One try at a message, in the hands of the writing task. It is answered once, at the latest when it is dropped.
#[derive(Debug)]
struct Job {
    message: Arc<Message>,
    answer: Answer,
}

impl Job {
    fn new(message: Arc<Message>) -> Self {
        Self { message, answer: Answer::Closed }
    }

    fn outgoing(&self) -> &Outgoing {
        &self.message.outgoing
    }

    fn answer(mut self, answer: Answer) {
        self.answer = answer;
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let answer = std::mem::replace(&mut self.answer, Answer::Closed);
        *self.message.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        self.message.waiting.wake();
    }
}

/// Gives a message up when the one who waits for it is gone.
struct Waiting(Arc<Message>);

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
        let waiting = Waiting(Arc::new(Message::new(message)));
        let mut trouble = None;
        let outcome = timeout_at(deadline, self.attempts(&waiting.0, &mut trouble)).await;
        let closed = match outcome {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(closed)) => closed,
            Err(_) => false,
        };
        let maybe_sent = waiting.0.give_up();
        Err(Unpublished { maybe_sent, why: trouble.unwrap_or_else(|| link.trouble()), closed })
    }

    /// Ends with `Err` if there is no use in going on: `true` if the bus is closed.
    async fn attempts(&self, message: &Arc<Message>, trouble: &mut Option<String>) -> Result<(), bool> {
        let mut pauses = Pauses::default();
        loop {
            // Counted before it can be taken, so that the count never falls below nothing.
            let waiting = self.burst.waiting.fetch_add(1, Ordering::Relaxed) + 1;
            self.jobs.send(Job::new(message.clone())).await.map_err(|_| true)?;
            if waiting >= self.burst.complete_at.load(Ordering::Relaxed) {
                self.burst.complete.notify_one();
            }
            let problem = match message.answered().await {
                Answer::Confirmed => return Ok(()),
                Answer::Not(problem) => problem,
                Answer::Closed => return Err(true),
            };
            tracing::debug!(message_id = &*message.outgoing.message_id, error = problem.why, "not confirmed");
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
                    && let Some(job) = self.next.pop_front()
                {
                    match self.window {
                        Window::Open => {
                            if let Some(job) = writer.may_write(job).await {
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
                    // Whoever emits may have no more under way: half as many as wait for their confirms are a burst.
                    let burst = (self.in_flight.len() / 2).clamp(BUSY, BATCH);
                    self.burst.complete_at.store(burst, Ordering::Relaxed);
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
    /// Makes sure of where the message goes to; gives it back if it is to be written.
    async fn may_write(&mut self, job: Job) -> Option<Job> {
        match self.make_sure(job.outgoing()).await {
            Ok(()) => job.message.write().then_some(job),
            Err(problem) => {
                job.answer(Answer::Not(problem));
                None
            }
        }
    }

    /// Writes messages that must reach a queue, and waits for all of them.
    async fn write_and_wait(&mut self, batch: Vec<Job>) {
        let mut jobs = Vec::with_capacity(batch.len());
        for job in batch {
            jobs.extend(self.may_write(job).await);
        }
        if jobs.is_empty() {
            return;
        }
        // In the order of the jobs: `join_all` polls the first time in turn.
        let written = join_all(jobs.iter().map(|job| async { publish(&self.channel, job.outgoing()).await?.await }));
        let Ok(outcomes) = timeout(CONFIRM, written).await else {
            // Confirms that came later would be taken for those of the next messages.
            let _ = timeout(CONFIRM, self.channel.close(200, "OK".into())).await;
            jobs.into_iter().for_each(|job| job.answer(Answer::again("RabbitMQ did not confirm".to_owned())));
            return;
        };
        let back: HashSet<ShortString> = outcomes.iter().filter_map(came_back).collect();
        if !back.is_empty() {
            self.known.clear();
        }
        for (job, outcome) in jobs.into_iter().zip(outcomes) {
            let answer = match outcome {
                Ok(_) if back.contains(&short(&job.outgoing().message_id)) => Answer::Not(job.outgoing().to.gone()),
                outcome => Answer::of(outcome),
            };
            job.answer(answer);
        }
    }

    async fn make_sure(&mut self, message: &Outgoing) -> Result<(), Problem> {
        let (name, outcome) = match &message.to {
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
async fn confirmed(channel: Arc<Channel>, job: Job) {
    let outcome = match publish(&channel, job.outgoing()).await {
        Ok(confirm) => confirm.await,
        Err(error) => Err(error),
    };
    if let (Err(error), Address::Event { domain, .. }) = (&outcome, &job.outgoing().to)
        && topology::is(error, topology::NOT_FOUND)
    {
        tracing::warn!(exchange = &**domain, "the exchange is gone, making it again");
    }
    let answer = match outcome {
        // The others on its channel get the same answer, and are sent again.
        Err(error) if is_too_large(&error, job.outgoing()) => {
            Answer::Not(Problem { why: said(error), permanent: true })
        }
        outcome => Answer::of(outcome),
    };
    job.answer(answer);
}

/// Whether this is the message for which the broker has closed the channel: it tells its size (`max_message_size`).
fn is_too_large(error: &lapin::Error, message: &Outgoing) -> bool {
    topology::is(error, topology::PRECONDITION_FAILED)
        && error.to_string().contains(&format!("message size {} is larger", message.body.len()))
}

impl Answer {
    fn of(outcome: Result<Confirmation, lapin::Error>) -> Self {
        match outcome {
            Ok(confirmation) if confirmation.is_ack() => Self::Confirmed,
            Ok(_) => Self::again("RabbitMQ refused the message (nack)".to_owned()),
            Err(error) => Self::again(said(error)),
        }
    }

    fn again(why: String) -> Self {
        Self::Not(again(why))
    }
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

    fn message() -> Message {
        Message::new(Outgoing {
            to: Address::Back("queue".into()),
            body: "{}".into(),
            message_id: "1".into(),
            timestamp: chrono::Utc::now(),
            app_id: "test".into(),
            headers: Vec::new(),
        })
    }

    #[test]
    fn what_was_given_up_is_never_written() {
        let message = message();
        assert!(!message.give_up());
        assert!(!message.write());
    }

    #[test]
    fn what_was_written_may_have_been_sent_and_is_not_written_once_it_is_given_up() {
        let message = message();
        assert!(message.write() && message.write());
        assert!(message.give_up());
        assert!(!message.write());
    }

    #[tokio::test]
    async fn a_job_that_nobody_answers_was_closed() {
        let message = Arc::new(message());
        drop(Job::new(message.clone()));
        assert!(matches!(message.answered().await, Answer::Closed));
        Job::new(message.clone()).answer(Answer::Confirmed);
        assert!(matches!(message.answered().await, Answer::Confirmed));
    }
}
