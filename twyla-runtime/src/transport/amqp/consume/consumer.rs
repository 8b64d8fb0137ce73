//! Consuming: one task per queue delivers and decides, and rebuilds channel, topology and consumer after any loss.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use lapin::Channel;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::deliveries::{Deliveries, Intake, Standing};
use crate::bus::error::Error;
use crate::telemetry::metrics::Listens;
use crate::transport::amqp::connect::connected::Connected;
use crate::transport::amqp::connect::connection::{Link, Pauses};
use crate::transport::amqp::connect::topology::{Failed, Topology};
use crate::transport::amqp::error::is_permanent;
use crate::transport::amqp::error::said;
use crate::transport::{QueueSpec, Subscription};

/// How often it is looked whether exchange and binding are there.
const LOOK: Duration = Duration::from_secs(5);
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
    let (tell, there) = watch::channel(false);
    let renew = Arc::<Notify>::default();
    let trouble = Arc::<Mutex<Option<String>>>::default();
    let task = Task {
        link: link.clone(),
        topology,
        spec: spec.clone(),
        deliveries: sender,
        there: tell,
        stop,
        renew: renew.clone(),
        trouble: trouble.clone(),
    };
    let task = tokio::spawn(task.run(ready));
    let why = match timeout(deadline, started).await {
        Ok(Ok(Ok(()))) => {
            let done = Box::pin(async move {
                // It can't be cancelled; a panic has been reported by the runtime.
                let _ = task.await;
            });
            return Ok(Subscription { deliveries, there, intake, renew, done });
        }
        Ok(Ok(Err(why))) => why,
        Ok(Err(_)) => return Err(Error::Closed),
        // What the broker has said is more than that it took too long.
        Err(_) => trouble.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_else(|| link.trouble()),
    };
    Err(Error::Listen { queue: spec.name.clone(), why })
}

struct Task {
    link: Arc<Link>,
    topology: Arc<Topology>,
    spec: Arc<QueueSpec>,
    deliveries: Deliveries,
    there: watch::Sender<bool>,
    /// Closed when no more is to be taken.
    stop: watch::Receiver<()>,
    /// Notified to have the consumer made again.
    renew: Arc<Notify>,
    /// Why there was no consumer at the last try.
    trouble: Arc<Mutex<Option<String>>>,
}

/// How a consumer ended.
enum End {
    Stopped,
    /// It is to be made again at once.
    Renewed,
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
                Ok((channel, consumer, intake)) => {
                    self.there.send_replace(true);
                    match ready.take() {
                        // If nobody waits for it any more, `stop` is closed too.
                        Some(ready) => drop(ready.send(Ok(()))),
                        None => tracing::info!(queue, "consuming again"),
                    }
                    pauses = Pauses::default();
                    let healing = heal(self.topology.clone(), connection.clone(), spec.clone());
                    let end = tokio::select! {
                        end = self.pump(&channel, consumer, &intake) => end,
                        () = healing => End::Lost("its topology is looked after no more".to_owned()),
                    };
                    self.there.send_replace(false);
                    match end {
                        End::Stopped => {
                            intake.close("it has stopped");
                            // An error here is the end of a channel that was to end.
                            let _ = channel.close(200, "OK".into()).await;
                            return;
                        }
                        End::Renewed => {
                            intake.close("it is made again");
                            let _ = channel.close(200, "OK".into()).await;
                            tracing::info!(
                                queue,
                                "giving back what waits for long, so that the broker doesn't take it back"
                            );
                            continue;
                        }
                        End::Lost(why) => {
                            intake.close(&why);
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
            tracing::warn!(queue, error = why, "consumer lost, making it again");
            tokio::select! {
                () = sleep(pauses.next()) => {}
                () = stopped(&mut stop) => return,
            }
        }
    }

    async fn open(&self, connection: &Connected) -> Result<(Channel, lapin::Consumer, Arc<Intake>), Failed> {
        self.topology.listener(connection, &self.spec).await?;
        let channel = connection.create_channel().await?;
        channel.basic_qos(self.spec.prefetch, BasicQosOptions::default()).await?;
        // What was asked for of an earlier consumer is not asked of this one.
        let _ = self.renew.notified().now_or_never();
        // Before the first delivery can come.
        let intake = Intake::open(self.spec.clone(), connection.trunk.clone(), channel.id(), self.deliveries.clone());
        let (queue, tag) = (self.spec.name.as_str(), "".into());
        let consuming = channel.basic_consume(queue.into(), tag, BasicConsumeOptions::default(), FieldTable::default());
        match consuming.await {
            Ok(consumer) => Ok((channel, consumer, intake)),
            Err(error) => {
                intake.close("it could not consume");
                Err(Failed::at(format!("consume from the queue `{queue}`"), "`read` on it")(error))
            }
        }
    }

    /// Delivers until it is to stop, and then until everything is decided; or until the channel is lost.
    async fn pump(&mut self, channel: &Channel, mut consumer: lapin::Consumer, intake: &Intake) -> End {
        let (mut stopping, mut consuming) = (false, true);
        loop {
            let due = match intake.look() {
                Standing::Open(due) => due,
                Standing::Done => return End::Stopped,
                Standing::Ended(why) => return End::Lost((*why).to_owned()),
            };
            tokio::select! {
                () = intake.news() => {}
                () = stopped(&mut self.stop), if !stopping => {
                    stopping = true;
                    intake.stop();
                    let cancelled = channel.basic_cancel(consumer.tag(), BasicCancelOptions::default()).await;
                    if let Err(error) = cancelled {
                        tracing::debug!(error = %error, "could not cancel the consumer");
                        return End::Stopped;
                    }
                }
                () = self.renew.notified(), if !stopping => return End::Renewed,
                // What it delivers goes past lapin; this is for its end.
                message = consumer.next(), if consuming => match message {
                    Some(Err(error)) => return End::Lost(said(error)),
                    None if !stopping => return End::Lost("the broker has ended the consumer".to_owned()),
                    None => consuming = false,
                    Some(Ok(_)) => {}
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
        }
    }
}

/// Makes again, for as long as it runs, what an operator has deleted beside the queue: that ends the consumer, but its
/// exchange and its binding are not missed by anyone.
async fn heal(topology: Arc<Topology>, connection: Arc<Connected>, spec: Arc<QueueSpec>) {
    let figures = Listens::new(spec.event, spec.group);
    loop {
        sleep(LOOK).await;
        let healed = topology.heal(&connection, &spec).await;
        let looked = if cfg!(feature = "metrics") && healed.is_ok() {
            topology.ready(&connection, &spec.name).await.map(|count| figures.ready(count))
        } else {
            healed
        };
        if let Err(error) = looked {
            tracing::debug!(queue = spec.name, error = %error, "could not look after the topology");
        }
    }
}

/// Resolves when no more is to be taken.
async fn stopped(stop: &mut watch::Receiver<()>) {
    // Nothing is ever sent: this ends when the other side is dropped.
    while stop.changed().await.is_ok() {}
}
