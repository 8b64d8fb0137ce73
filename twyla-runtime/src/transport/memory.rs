//! The in-memory transport: a topic exchange per domain and queues that live as long as the bus, within one process.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use chrono::Utc;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::sender_properties::SenderProperties;
use super::state::{BusState, BusStateSender, LinkState, bus_state};
use super::{Delivery, Outgoing, PublishFailure, PublishTarget, QueueSpec, Subscription, Transport, Unpublished};
use crate::bus::error::Error;
use crate::dead_letter::headers::{Header, NamedHeader, foreign};
use crate::dead_letter::letter::DeadLetter;
use crate::dead_letter::triage::{Decide, Sort, Sorted};
use crate::future::BoxFuture;
use crate::progress::Progress;
use crate::service::ack::{Ack, Decision, Settle};
use crate::telemetry::trace::TraceContext;

/// A broker in this process.
#[derive(Clone, Debug)]
pub(crate) struct MemoryTransport {
    broker: Arc<Mutex<MemoryBroker>>,
    bus_state: BusStateSender,
    progress: Progress,
}

#[derive(Debug, Default)]
struct MemoryBroker {
    closed: bool,
    /// Queues by exchange and routing key. Contracts have no wildcards, so a topic exchange is a map.
    bindings: HashMap<(String, String), Vec<String>>,
    queues: HashMap<String, MemoryQueue>,
    /// The position of the next message; a requeued message keeps its position.
    next_position: u64,
    next_consumer: u64,
    progress: Progress,
}

#[derive(Debug, Default)]
struct MemoryQueue {
    ready: BTreeMap<u64, QueuedMessage>,
    unacked: HashMap<u64, (QueuedMessage, u64)>,
    consumers: Vec<MemoryConsumer>,
    /// The index of the next consumer, round-robin.
    turn: usize,
    /// Whether the first consumer gets all messages.
    single: bool,
}

#[derive(Clone, Debug)]
struct QueuedMessage {
    body: Bytes,
    exchange: String,
    routing_key: String,
    message_id: Arc<str>,
    headers: Vec<NamedHeader>,
    trace: Option<TraceContext>,
    original: Option<SenderProperties>,
    redeliveries: u32,
}

#[derive(Debug)]
struct MemoryConsumer {
    id: u64,
    free: u16,
    deliveries: mpsc::UnboundedSender<Vec<Delivery>>,
    acks: Arc<QueueAcks>,
}

/// Settles the deliveries of one queue.
#[derive(Debug)]
struct QueueAcks {
    broker: Weak<Mutex<MemoryBroker>>,
    queue: String,
    progress: Progress,
    /// Dropped with the last unsettled delivery, which completes the subscription.
    _open: watch::Sender<()>,
}

impl Settle for QueueAcks {
    fn settle(&self, position: u64, decision: Decision) {
        self.settle_all(&[position], decision);
    }

    fn ack_all(&self, positions: &[u64]) {
        self.settle_all(positions, Decision::Ack);
    }
}

impl QueueAcks {
    /// Settles deliveries and dispatches what may then be delivered.
    fn settle_all(&self, positions: &[u64], decision: Decision) {
        let Some(broker) = self.broker.upgrade() else { return };
        // Dropped outside the lock: dropping a delivery settles it, which locks again.
        let undelivered = {
            let mut broker = lock(&broker);
            broker.queues.get_mut(&self.queue).map(|queue| {
                positions.iter().for_each(|position| queue.settle(*position, decision));
                queue.dispatch(&self.progress)
            })
        };
        drop(undelivered);
    }
}

fn owned(headers: &[NamedHeader]) -> Vec<(String, Header)> {
    headers.iter().map(|(name, value)| ((**name).to_owned(), value.clone())).collect()
}

fn lock(broker: &Mutex<MemoryBroker>) -> MutexGuard<'_, MemoryBroker> {
    broker.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryQueue {
    fn settle(&mut self, position: u64, decision: Decision) {
        let Some((mut message, consumer)) = self.unacked.remove(&position) else { return };
        if let Some(consumer) = self.consumers.iter_mut().find(|c| c.id == consumer) {
            consumer.free = consumer.free.saturating_add(1);
        }
        if decision == Decision::Requeue {
            message.redeliveries += 1;
            self.ready.insert(position, message);
        }
    }

    /// Dispatches ready messages to the consumers round-robin, within their prefetch.
    fn dispatch(&mut self, bus: &Progress) -> Vec<mpsc::error::SendError<Vec<Delivery>>> {
        let mut undelivered = Vec::new();
        while !self.ready.is_empty() {
            let count = if self.single { self.consumers.len().min(1) } else { self.consumers.len() };
            let Some(at) = (0..count).map(|i| (self.turn + i) % count).find(|&i| self.consumers[i].free > 0) else {
                break;
            };
            self.turn = (at + 1) % count;
            let Some((position, message)) = self.ready.pop_first() else { break };
            let consumer = &mut self.consumers[at];
            consumer.free -= 1;
            let delivery = Delivery {
                body: message.body.clone(),
                exchange: message.exchange.clone().into(),
                routing_key: message.routing_key.clone().into(),
                message_id: Some((*message.message_id).to_owned()),
                redeliveries: message.redeliveries,
                headers: owned(&message.headers),
                trace: message.trace.clone(),
                original: message.original.clone(),
                cloud_event: None,
                ack: Ack::new(position, consumer.acks.clone()),
                arrived: Instant::now(),
                progress: bus.begin(),
            };
            self.unacked.insert(position, (message, consumer.id));
            if let Err(error) = consumer.deliveries.send(vec![delivery]) {
                // The service has stopped; the delivery is requeued when the error is dropped.
                self.consumers.remove(at);
                undelivered.push(error);
            }
        }
        undelivered
    }
}

impl MemoryBroker {
    fn put(&mut self, queue: &str, message: QueuedMessage) -> Vec<mpsc::error::SendError<Vec<Delivery>>> {
        let position = self.next_position;
        self.next_position += 1;
        let Some(queue) = self.queues.get_mut(queue) else { return Vec::new() };
        queue.ready.insert(position, message);
        queue.dispatch(&self.progress)
    }
}

impl MemoryTransport {
    /// Creates a transport that reports its progress.
    pub(crate) fn observed(progress: Progress) -> Self {
        let broker = MemoryBroker { progress: progress.clone(), ..MemoryBroker::default() };
        Self { broker: Arc::new(Mutex::new(broker)), bus_state: bus_state(LinkState::Up), progress }
    }

    fn put(&self, message: Outgoing) -> Result<(), Unpublished> {
        let mut broker = lock(&self.broker);
        if broker.closed {
            return Err(Unpublished::closed());
        }
        let mut pause = None;
        let (exchange, routing_key, queues) = match &message.to {
            PublishTarget::Event { domain, event_type } => {
                let key = ((**domain).to_owned(), (**event_type).to_owned());
                let queues = broker.bindings.get(&key).cloned().unwrap_or_default();
                (key.0, key.1, queues)
            }
            PublishTarget::Dead(queue) => {
                broker.queues.entry(queue.dead.clone()).or_default();
                (String::new(), queue.dead.clone(), vec![queue.dead.clone()])
            }
            PublishTarget::Back(queue) => {
                let known = broker.queues.contains_key(&**queue);
                if !known {
                    let why = format!("there is no queue `{queue}`: a service of its group declares it when it starts");
                    return Err(Unpublished { maybe_sent: false, why, cause: PublishFailure::Refused });
                }
                (String::new(), (**queue).to_owned(), vec![(**queue).to_owned()])
            }
            PublishTarget::Retry(queue, after) => {
                pause = Some(*after);
                (String::new(), queue.name.clone(), vec![queue.name.clone()])
            }
        };
        self.progress.carries(&message);
        let message = QueuedMessage {
            body: message.body,
            exchange,
            routing_key,
            message_id: message.message_id,
            headers: message.headers,
            trace: message.trace,
            original: message.original.map(|original| *original),
            redeliveries: 0,
        };
        if let Some(pause) = pause {
            drop(broker);
            let (broker, progress) = (Arc::downgrade(&self.broker), self.progress.begin());
            tokio::spawn(async move {
                progress.pause(pause).await;
                let Some(broker) = broker.upgrade() else { return };
                for queue in &queues {
                    // drop these outside the lock: dropping a delivery settles it, which locks again
                    let undelivered = lock(&broker).put(queue, message.clone());
                    drop(undelivered);
                }
            });
            return Ok(());
        }
        let undelivered: Vec<_> = queues.iter().flat_map(|queue| broker.put(queue, message.clone())).collect();
        drop(broker);
        drop(undelivered);
        Ok(())
    }

    fn attach(&self, spec: &QueueSpec) -> Result<Subscription, Error> {
        let mut broker = lock(&self.broker);
        if broker.closed {
            return Err(Error::Closed);
        }
        let bound = broker.bindings.entry((spec.domain.to_owned(), spec.event_type.to_owned())).or_default();
        if !bound.contains(&spec.name) {
            bound.push(spec.name.clone());
        }
        broker.queues.entry(spec.dead.clone()).or_default();
        let id = broker.next_consumer;
        broker.next_consumer += 1;

        let (open, mut all_decided) = watch::channel(());
        let (stop, mut stopped) = watch::channel(());
        let (sender, deliveries) = mpsc::unbounded_channel();
        let acks = Arc::new(QueueAcks {
            broker: Arc::downgrade(&self.broker),
            queue: spec.name.clone(),
            progress: self.progress.clone(),
            _open: open,
        });
        let queue = broker.queues.entry(spec.name.clone()).or_default();
        queue.single |= spec.single;
        queue.consumers.push(MemoryConsumer { id, free: spec.prefetch.max(1), deliveries: sender, acks });
        let undelivered = queue.dispatch(&self.progress);
        drop(broker);
        drop(undelivered);

        let (broker, name) = (Arc::downgrade(&self.broker), spec.name.clone());
        let detached = tokio::spawn(async move {
            // nothing is ever sent: ends when the sender is dropped
            while stopped.changed().await.is_ok() {}
            let consumer = broker.upgrade().and_then(|broker| {
                let mut broker = lock(&broker);
                let queue = broker.queues.get_mut(&name)?;
                let at = queue.consumers.iter().position(|consumer| consumer.id == id)?;
                Some(queue.consumers.remove(at))
            });
            drop(consumer);
        });
        let done = Box::pin(async move {
            // the task is never aborted and doesn't panic
            let _ = detached.await;
            while all_decided.changed().await.is_ok() {}
        });
        let (_, consuming) = watch::channel(true);
        Ok(Subscription { deliveries, consuming, stop, renew: Arc::default(), done })
    }
}

impl Transport for MemoryTransport {
    fn system(&self) -> &'static str {
        "twyla_memory"
    }

    fn publish(self: Arc<Self>, message: Outgoing, _deadline: Instant) -> BoxFuture<'static, Result<(), Unpublished>> {
        Box::pin(async move { self.put(message) })
    }

    fn subscribe(&self, queue: Arc<QueueSpec>) -> BoxFuture<'_, Result<Subscription, Error>> {
        Box::pin(async move { self.attach(&queue) })
    }

    fn dead_letters(&self, dead_queue: String, limit: usize) -> BoxFuture<'_, Result<Vec<DeadLetter>, Error>> {
        Box::pin(async move {
            let broker = lock(&self.broker);
            let letters = broker.queues.get(&dead_queue).into_iter().flat_map(|queue| queue.ready.values()).take(limit);
            Ok(letters
                .map(|m| {
                    let id = Some((*m.message_id).to_owned());
                    DeadLetter::read(&owned(&m.headers), m.original.as_ref(), id, m.body.clone())
                })
                .collect())
        })
    }

    fn count_dead(&self, dead_queue: String) -> BoxFuture<'_, Result<usize, Error>> {
        Box::pin(async move { Ok(lock(&self.broker).queues.get(&dead_queue).map_or(0, |queue| queue.ready.len())) })
    }

    fn sort_dead<'a>(
        &'a self,
        dead_queue: String,
        back: String,
        decide: Decide<'a>,
    ) -> BoxFuture<'a, Result<Sorted, Error>> {
        Box::pin(async move {
            let mut sorted = Sorted::default();
            let all = lock(&self.broker).queues.get(&dead_queue).map(|queue| queue.ready.clone()).unwrap_or_default();
            for (position, message) in all {
                let headers = owned(&message.headers);
                let id = Some((*message.message_id).to_owned());
                let sort = decide(&DeadLetter::read(&headers, message.original.as_ref(), id, message.body.clone()));
                match sort {
                    Sort::Keep => sorted.kept += 1,
                    Sort::Stop => break,
                    Sort::Drop | Sort::Replay => {
                        if sort == Sort::Replay {
                            let message = Outgoing {
                                to: PublishTarget::Back(back.as_str().into()),
                                body: message.body,
                                message_id: message.message_id,
                                timestamp: Utc::now(),
                                app_id: "".into(),
                                headers: foreign(&headers),
                                trace: message.trace,
                                original: message.original.map(Box::new),
                            };
                            let back = self.put(message);
                            back.map_err(|failure| Error::DeadLetters { queue: dead_queue.clone(), why: failure.why })?;
                            sorted.replayed += 1;
                        } else {
                            sorted.dropped += 1;
                        }
                        lock(&self.broker).queues.get_mut(&dead_queue).map(|queue| queue.ready.remove(&position));
                    }
                }
            }
            Ok(sorted)
        })
    }

    fn state(&self) -> watch::Receiver<BusState> {
        self.bus_state.subscribe()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let mut consumers = Vec::new();
            let mut broker = lock(&self.broker);
            broker.closed = true;
            self.bus_state.send_replace(BusState { publish: LinkState::Closed, consume: LinkState::Closed });
            for queue in broker.queues.values_mut() {
                consumers.append(&mut queue.consumers);
            }
            drop(broker);
            drop(consumers);
        })
    }
}
