//! Consumers: one task per queue passes deliveries on, sends acks, and restores channel, topology and consumer after a failure.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use lapin::Channel;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::deliveries::{ChannelDeliveries, ChannelStatus, DeliverySender};
use crate::bus::error::Error;
use crate::telemetry::metrics::ListenerMetrics;
use crate::transport::amqp::connect::backoff::Backoff;
use crate::transport::amqp::connect::connected::Connected;
use crate::transport::amqp::connect::connection::AmqpLink;
use crate::transport::amqp::connect::topology::{Topology, TopologyError};
use crate::transport::amqp::error::describe;
use crate::transport::amqp::error::is_permanent;
use crate::transport::{QueueSpec, Subscription};

/// How often exchange and binding are checked.
const HEAL_INTERVAL: Duration = Duration::from_secs(5);

/// Consumes from a queue; resolves when the broker has confirmed the consumer.
pub(crate) async fn subscribe(
    link: Arc<AmqpLink>,
    topology: Arc<Topology>,
    spec: Arc<QueueSpec>,
    deadline: Duration,
) -> Result<Subscription, Error> {
    let (sender, deliveries) = mpsc::unbounded_channel();
    let (stop, stopped) = watch::channel(());
    let (ready, started) = oneshot::channel();
    let (tell, consuming) = watch::channel(false);
    let renew = Arc::<Notify>::default();
    let trouble = Arc::<Mutex<Option<String>>>::default();
    let task = ConsumerTask {
        link: link.clone(),
        topology,
        spec: spec.clone(),
        deliveries: sender,
        consuming: tell,
        stop: stopped,
        renew: renew.clone(),
        trouble: trouble.clone(),
    };
    let task = tokio::spawn(task.run(ready));
    let why = match timeout(deadline, started).await {
        Ok(Ok(Ok(()))) => {
            let done = Box::pin(async move {
                // the task is never aborted; the runtime reports a panic
                let _ = task.await;
            });
            return Ok(Subscription { deliveries, consuming, stop, renew, done });
        }
        Ok(Ok(Err(why))) => why,
        Ok(Err(_)) => return Err(Error::Closed),
        // the broker's last error is more useful than a timeout
        Err(_) => trouble.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_else(|| link.trouble()),
    };
    Err(Error::Listen { queue: spec.name.clone(), why })
}

struct ConsumerTask {
    link: Arc<AmqpLink>,
    topology: Arc<Topology>,
    spec: Arc<QueueSpec>,
    deliveries: DeliverySender,
    consuming: watch::Sender<bool>,
    /// Closed to stop the consumer.
    stop: watch::Receiver<()>,
    /// Notified to renew the consumer.
    renew: Arc<Notify>,
    /// The error of the last attempt to consume.
    trouble: Arc<Mutex<Option<String>>>,
}

/// The reason why a consumer ended.
enum ConsumerEnd {
    Stopped,
    /// The consumer is replaced immediately.
    Renewed,
    Lost(String),
}

impl ConsumerTask {
    async fn run(mut self, ready: oneshot::Sender<Result<(), String>>) {
        let mut ready = Some(ready);
        let mut backoff = Backoff::default();
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
                Ok((channel, consumer, channel_deliveries)) => {
                    self.consuming.send_replace(true);
                    match ready.take() {
                        // if the caller is gone, `stop` is closed too
                        Some(ready) => drop(ready.send(Ok(()))),
                        None => tracing::info!(queue, "consuming again"),
                    }
                    backoff = Backoff::default();
                    let healing = heal(self.topology.clone(), connection.clone(), spec.clone());
                    let end = tokio::select! {
                        end = self.pump(&channel, consumer, &channel_deliveries) => end,
                        () = healing => ConsumerEnd::Lost("the topology check has ended".to_owned()),
                    };
                    self.consuming.send_replace(false);
                    match end {
                        ConsumerEnd::Stopped => {
                            channel_deliveries.close("the consumer has stopped");
                            // the channel ends anyway
                            let _ = channel.close(200, "OK".into()).await;
                            return;
                        }
                        ConsumerEnd::Renewed => {
                            channel_deliveries.close("the consumer is renewed");
                            let _ = channel.close(200, "OK".into()).await;
                            tracing::info!(
                                queue,
                                "renewing the consumer, so that unsettled deliveries don't reach the broker's consumer_timeout"
                            );
                            continue;
                        }
                        ConsumerEnd::Lost(why) => {
                            channel_deliveries.close(&why);
                            why
                        }
                    }
                }
                Err(failed) if is_permanent(&failed.error) && ready.is_some() => {
                    ready.take().map(|ready| ready.send(Err(failed.why())));
                    return;
                }
                Err(failed) => failed.why(),
            };
            *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.clone());
            tracing::warn!(queue, error = why, "consumer lost, restoring it");
            tokio::select! {
                () = sleep(backoff.next()) => {}
                () = stopped(&mut stop) => return,
            }
        }
    }

    async fn open(
        &self,
        connection: &Connected,
    ) -> Result<(Channel, lapin::Consumer, Arc<ChannelDeliveries>), TopologyError> {
        self.topology.listener(connection, &self.spec).await?;
        let channel = connection.create_channel().await?;
        channel.basic_qos(self.spec.prefetch, BasicQosOptions::default()).await?;
        // discards a request to renew the previous consumer
        let _ = self.renew.notified().now_or_never();
        // registered before the first delivery can arrive
        let channel_deliveries = ChannelDeliveries::open(
            self.spec.clone(),
            connection.stream.clone(),
            channel.id(),
            self.deliveries.clone(),
        );
        let (queue, tag) = (self.spec.name.as_str(), "".into());
        let consuming = channel.basic_consume(queue.into(), tag, BasicConsumeOptions::default(), FieldTable::default());
        match consuming.await {
            Ok(consumer) => Ok((channel, consumer, channel_deliveries)),
            Err(error) => {
                channel_deliveries.close("the consumer could not start");
                Err(TopologyError::at(format!("consume from the queue `{queue}`"), "the permission `read` on it")(
                    error,
                ))
            }
        }
    }

    /// Passes deliveries on until the consumer is stopped and all deliveries are decided, or until the consumer is renewed or
    /// lost.
    async fn pump(
        &mut self,
        channel: &Channel,
        mut consumer: lapin::Consumer,
        channel_deliveries: &ChannelDeliveries,
    ) -> ConsumerEnd {
        let (mut stopping, mut consuming) = (false, true);
        loop {
            let due = match channel_deliveries.poll_status() {
                ChannelStatus::Open(due) => due,
                ChannelStatus::Done => return ConsumerEnd::Stopped,
                ChannelStatus::Ended(why) => return ConsumerEnd::Lost((*why).to_owned()),
            };
            tokio::select! {
                () = channel_deliveries.changed() => {}
                () = stopped(&mut self.stop), if !stopping => {
                    stopping = true;
                    channel_deliveries.stop();
                    let cancelled = channel.basic_cancel(consumer.tag(), BasicCancelOptions::default()).await;
                    if let Err(error) = cancelled {
                        tracing::debug!(error = %error, "could not cancel the consumer");
                        return ConsumerEnd::Stopped;
                    }
                }
                () = self.renew.notified(), if !stopping => return ConsumerEnd::Renewed,
                // deliveries bypass lapin: its stream only reports the consumer's end
                message = consumer.next(), if consuming => match message {
                    Some(Err(error)) => return ConsumerEnd::Lost(describe(error)),
                    None if !stopping => return ConsumerEnd::Lost("the broker has ended the consumer".to_owned()),
                    None => consuming = false,
                    Some(Ok(_)) => {}
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
        }
    }
}

/// Restores a deleted exchange or binding, until the future is dropped. The broker ends the consumer of a deleted queue, but
/// doesn't report a deleted exchange or binding.
async fn heal(topology: Arc<Topology>, connection: Arc<Connected>, spec: Arc<QueueSpec>) {
    let metrics = ListenerMetrics::new(spec.event, spec.group);
    loop {
        sleep(HEAL_INTERVAL).await;
        let healed = topology.heal(&connection, &spec).await;
        let looked = if cfg!(feature = "metrics") && healed.is_ok() {
            topology.ready(&connection, &spec.name).await.map(|count| metrics.ready(count))
        } else {
            healed
        };
        if let Err(error) = looked {
            tracing::debug!(queue = spec.name, error = %error, "could not check exchange and binding");
        }
    }
}

/// Resolves when the consumer is to stop.
async fn stopped(stop: &mut watch::Receiver<()>) {
    // nothing is ever sent: ends when the sender is dropped
    while stop.changed().await.is_ok() {}
}
