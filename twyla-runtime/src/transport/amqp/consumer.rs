//! Consuming: one task per queue delivers and decides, and rebuilds channel, topology and consumer after any loss.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use lapin::message::Delivery as Message;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::connection::{Link, Pauses};
use super::settle::{AckTo, Settlements};
use super::topology::{self, Topology};
use super::{message_id, read_headers, said};
use crate::ack::{Ack, Decision, Settle};
use crate::error::Error;
use crate::park::Header;
use crate::transport::{Delivery, QueueSpec, Subscription};

/// How often it is looked whether exchange and binding are there.
const LOOK: Duration = Duration::from_secs(5);
/// How many decisions are taken at once.
const BATCH: usize = 256;

/// Decisions on the deliveries of one channel. Those that come when the channel is gone are void: the broker has taken
/// the messages back and delivers them again.
struct Sink(mpsc::UnboundedSender<(u64, Decision)>);

impl Settle for Sink {
    fn settle(&self, tag: u64, decision: Decision) {
        let _ = self.0.send((tag, decision));
    }

    fn is_void(&self) -> bool {
        self.0.is_closed()
    }
}

/// Consumes from a queue; resolves when the consumer is there.
pub(crate) async fn subscribe(
    link: Arc<Link>,
    topology: Arc<Topology>,
    spec: Arc<QueueSpec>,
    deadline: Duration,
) -> Result<Subscription, Error> {
    let (sender, deliveries) = mpsc::unbounded_channel();
    let (intake, stop) = watch::channel(());
    let (ready, started) = oneshot::channel();
    let task = Task { link: link.clone(), topology, spec: spec.clone(), deliveries: sender, stop };
    let task = tokio::spawn(task.run(ready));
    let why = match timeout(deadline, started).await {
        Ok(Ok(Ok(()))) => {
            let done = Box::pin(async move {
                // It can't be cancelled; a panic has been reported by the runtime.
                let _ = task.await;
            });
            return Ok(Subscription { deliveries, intake, done });
        }
        Ok(Ok(Err(why))) => why,
        Ok(Err(_)) => return Err(Error::Closed),
        Err(_) => link.trouble(),
    };
    Err(Error::Listen { queue: spec.name.clone(), why })
}

struct Task {
    link: Arc<Link>,
    topology: Arc<Topology>,
    spec: Arc<QueueSpec>,
    deliveries: mpsc::UnboundedSender<Delivery>,
    /// Closed when no more is to be taken.
    stop: watch::Receiver<()>,
}

/// How a consumer ended.
enum End {
    Stopped,
    Lost(String),
}

impl Task {
    async fn run(mut self, ready: oneshot::Sender<Result<(), String>>) {
        let mut ready = Some(ready);
        let mut pauses = Pauses::default();
        let mut stop = self.stop.clone();
        loop {
            let connection = tokio::select! {
                connection = self.link.connection() => connection,
                () = stopped(&mut stop) => return,
            };
            let Some(connection) = connection else { return };
            let spec = self.spec.clone();
            let queue = spec.name.as_str();
            let why = match self.open(&connection).await {
                Ok((channel, consumer)) => {
                    match ready.take() {
                        // If nobody waits for it any more, `stop` is closed too.
                        Some(ready) => drop(ready.send(Ok(()))),
                        None => tracing::info!(queue, "consuming again"),
                    }
                    pauses = Pauses::default();
                    let healing = heal(self.topology.clone(), connection.clone(), spec.clone());
                    let end = tokio::select! {
                        end = self.pump(&channel, consumer) => end,
                        () = healing => End::Lost("its topology is looked after no more".to_owned()),
                    };
                    match end {
                        End::Stopped => {
                            // An error here is the end of a channel that was to end.
                            let _ = channel.close(200, "OK".into()).await;
                            return;
                        }
                        End::Lost(why) => why,
                    }
                }
                Err(error) if topology::is_permanent(&error) && ready.is_some() => {
                    ready.take().map(|ready| ready.send(Err(said(error))));
                    return;
                }
                Err(error) => said(error),
            };
            tracing::warn!(queue, error = why, "consumer lost, making it again");
            tokio::select! {
                () = sleep(pauses.next()) => {}
                () = stopped(&mut stop) => return,
            }
        }
    }

    async fn open(&self, connection: &Connection) -> Result<(Channel, lapin::Consumer), lapin::Error> {
        self.topology.listener(connection, &self.spec).await?;
        let channel = connection.create_channel().await?;
        channel.basic_qos(self.spec.prefetch, BasicQosOptions::default()).await?;
        let (queue, tag) = (self.spec.name.as_str(), "".into());
        let consumer =
            channel.basic_consume(queue.into(), tag, BasicConsumeOptions::default(), FieldTable::default()).await?;
        Ok((channel, consumer))
    }

    /// Delivers until it is to stop, and then until everything is decided; or until the channel is lost.
    async fn pump(&mut self, channel: &Channel, mut consumer: lapin::Consumer) -> End {
        let (sender, mut decisions) = mpsc::unbounded_channel();
        let mut sink = Some(Arc::new(Sink(sender)));
        let mut settlements = Settlements::new(self.spec.prefetch);
        let mut decided = Vec::with_capacity(BATCH);
        let mut consuming = true;
        loop {
            let due = settlements.due();
            let hurry = sink.is_none() || due.is_some_and(|due| due <= Instant::now());
            if hurry && due.is_some() {
                if let Err(error) = send(channel, &settlements.take()).await {
                    return End::Lost(said(error));
                }
                continue;
            }
            tokio::select! {
                biased;
                count = decisions.recv_many(&mut decided, BATCH) => {
                    if count == 0 {
                        return End::Stopped;
                    }
                    for (tag, decision) in decided.drain(..) {
                        if let Err(error) = decide(channel, &mut settlements, tag, decision).await {
                            return End::Lost(said(error));
                        }
                    }
                }
                () = stopped(&mut self.stop), if sink.is_some() => {
                    sink = None;
                    let cancelled = channel.basic_cancel(consumer.tag(), BasicCancelOptions::default()).await;
                    if let Err(error) = cancelled {
                        tracing::debug!(error = %error, "could not cancel the consumer");
                        return End::Stopped;
                    }
                }
                message = consumer.next(), if consuming => match (message, &sink) {
                    (Some(Ok(message)), Some(sink)) => {
                        let mut next = Some(message);
                        // What has come with it needs no look at all the rest.
                        for _ in 0..BATCH {
                            let Some(message) = next.take() else { break };
                            settlements.delivered(message.delivery_tag);
                            // If the service is gone, the delivery goes back as it is dropped.
                            let _ = self.deliveries.send(delivery(&self.spec, message, sink.clone()));
                            next = match consumer.next().now_or_never() {
                                Some(Some(Ok(message))) => Some(message),
                                Some(Some(Err(error))) => return End::Lost(said(error)),
                                Some(None) => return End::Lost("the broker has ended the consumer".to_owned()),
                                None => None,
                            };
                        }
                        if let Some(message) = next {
                            settlements.delivered(message.delivery_tag);
                            let _ = self.deliveries.send(delivery(&self.spec, message, sink.clone()));
                        }
                    }
                    (Some(Ok(message)), None) => {
                        settlements.delivered(message.delivery_tag);
                        let back = decide(channel, &mut settlements, message.delivery_tag, Decision::Requeue).await;
                        if let Err(error) = back {
                            return End::Lost(said(error));
                        }
                    }
                    (Some(Err(error)), _) => return End::Lost(said(error)),
                    (None, Some(_)) => return End::Lost("the broker has ended the consumer".to_owned()),
                    (None, None) => consuming = false,
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
        }
    }
}

/// Makes again, for as long as it runs, what an operator has deleted beside the queue: that ends the consumer, but its
/// exchange and its binding are not missed by anyone.
async fn heal(topology: Arc<Topology>, connection: Arc<Connection>, spec: Arc<QueueSpec>) {
    loop {
        sleep(LOOK).await;
        if let Err(error) = topology.heal(&connection, &spec).await {
            tracing::debug!(queue = spec.name, error = %error, "could not look after the topology");
        }
    }
}

/// Resolves when no more is to be taken.
async fn stopped(stop: &mut watch::Receiver<()>) {
    // Nothing is ever sent: this ends when the other side is dropped.
    while stop.changed().await.is_ok() {}
}

/// Sends a reject; keeps an ack until it is due.
async fn decide(
    channel: &Channel,
    settlements: &mut Settlements,
    tag: u64,
    decision: Decision,
) -> Result<(), lapin::Error> {
    let requeue = match decision {
        Decision::Ack => {
            settlements.acked(tag);
            return Ok(());
        }
        Decision::Requeue => true,
        Decision::Drop => false,
    };
    settlements.rejected(tag);
    channel.basic_reject(tag, BasicRejectOptions { requeue }).await
}

/// Sends acks in their order, and waits once for all of them to be written.
async fn send(channel: &Channel, acks: &[AckTo]) -> Result<(), lapin::Error> {
    let mut writing = Vec::with_capacity(acks.len());
    for AckTo { tag, multiple } in acks {
        let mut ack = Box::pin(channel.basic_ack(*tag, BasicAckOptions { multiple: *multiple }));
        // The first poll hands the frame over.
        match ack.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => outcome?,
            Poll::Pending => writing.push(ack),
        }
    }
    for ack in writing {
        ack.await?;
    }
    Ok(())
}

fn delivery(spec: &QueueSpec, message: Message, sink: Arc<Sink>) -> Delivery {
    let headers = read_headers(message.properties.headers().as_ref());
    // Quorum queues count.
    let counted = headers.iter().find_map(|(name, value)| match value {
        Header::Number(count) if name == "x-delivery-count" => Some(u32::try_from(*count).unwrap_or(u32::MAX)),
        _ => None,
    });
    Delivery {
        message_id: message_id(&message.properties),
        redeliveries: counted.unwrap_or(message.redelivered.into()),
        headers,
        exchange: known(spec.domain, message.exchange.as_str()),
        routing_key: known(spec.event_type, message.routing_key.as_str()),
        ack: Ack::new(message.delivery_tag, sink),
        body: message.data.into(),
    }
}

/// A name that nearly always is the one expected, and then needs no copy.
fn known(expected: &'static str, name: &str) -> Cow<'static, str> {
    if name == expected { Cow::Borrowed(expected) } else { Cow::Owned(name.to_owned()) }
}
