//! The deliveries of one channel: passed on as they arrive, and settled as they are decided.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

use super::acks::{AckFrame, PendingAcks};
use crate::dead_letter::headers::Header;
use crate::future::BoxFuture;
use crate::progress::DeliveryProgress;
use crate::service::ack::{Ack, Decision, Settle};
use crate::transport::amqp::io::demux::{BrokerMessage, FrameHandler};
use crate::transport::amqp::io::frame::{write_ack, write_reject};
use crate::transport::amqp::io::stream::AmqpStream;
use crate::transport::{Delivery, QueueSpec};

/// Sends deliveries to the listener, in batches as they arrive.
pub(crate) type DeliverySender = mpsc::UnboundedSender<Vec<Delivery>>;

/// The deliveries of a channel and the decisions on them. A decision after the end of the channel has no effect: the broker has
/// requeued the message and delivers it again.
pub(crate) struct ChannelDeliveries {
    me: Weak<Self>,
    spec: Arc<QueueSpec>,
    stream: Arc<AmqpStream>,
    channel: u16,
    deliveries: DeliverySender,
    state: Mutex<ChannelState>,
    /// Wakes the consumer task when the status may have changed.
    changed: Notify,
    /// Set to true when the channel has ended.
    gone: watch::Sender<bool>,
    /// `gone` as a flag, which is cheap to read for each delivery.
    is_gone: AtomicBool,
}

struct ChannelState {
    pending_acks: PendingAcks,
    /// Deliveries that are not yet sent to the listener; `pause` sends them.
    received: Vec<Delivery>,
    /// Whether new deliveries are requeued.
    stopping: bool,
    /// Whether the consumer task knows when the waiting acks are due.
    expected: bool,
    ended: Option<Arc<str>>,
}

/// The status of a channel's deliveries.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ChannelStatus {
    /// Open, with the time at which acks are due.
    Open(Option<Instant>),
    /// Stopped, with all deliveries decided and all acks sent.
    Done,
    Ended(Arc<str>),
}

impl ChannelDeliveries {
    /// Registers for the deliveries of a channel.
    pub(crate) fn open(
        spec: Arc<QueueSpec>,
        stream: Arc<AmqpStream>,
        channel: u16,
        deliveries: DeliverySender,
    ) -> Arc<Self> {
        let channel_deliveries = Arc::new_cyclic(|me| Self {
            me: me.clone(),
            stream,
            channel,
            deliveries,
            state: Mutex::new(ChannelState {
                pending_acks: PendingAcks::new(spec.prefetch),
                received: Vec::new(),
                stopping: false,
                expected: false,
                ended: None,
            }),
            spec,
            changed: Notify::new(),
            gone: watch::Sender::new(false),
            is_gone: AtomicBool::new(false),
        });
        channel_deliveries.stream.listen(channel, channel_deliveries.clone());
        channel_deliveries
    }

    /// Requeues new deliveries from now on.
    pub(crate) fn stop(&self) {
        self.lock().stopping = true;
    }

    /// Stops receiving, and ignores later decisions.
    pub(crate) fn close(&self, why: &str) {
        self.stream.forget(self.channel);
        self.ended(None, why);
    }

    /// Resolves when the status may have changed.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Sends the acks that are due, and returns the status.
    pub(crate) fn poll_status(&self) -> ChannelStatus {
        let mut state = self.lock();
        if let Some(why) = &state.ended {
            return ChannelStatus::Ended(why.clone());
        }
        let due = state.pending_acks.due();
        let done = state.stopping && state.pending_acks.is_decided();
        if due.is_some_and(|due| done || state.stopping || due <= Instant::now()) {
            self.send(&mut state);
            drop(state);
            self.stream.flush();
        } else {
            state.expected = due.is_some();
        }
        match due {
            _ if done => ChannelStatus::Done,
            due => ChannelStatus::Open(due.filter(|due| *due > Instant::now())),
        }
    }

    fn send(&self, state: &mut ChannelState) {
        let acks = state.pending_acks.take();
        self.stream.add(|out| {
            for AckFrame { tag, multiple } in acks {
                write_ack(self.channel, tag, multiple, out);
            }
        });
    }

    /// Requeues a message.
    fn reject(&self, state: &mut ChannelState, tag: u64) {
        state.pending_acks.rejected(tag);
        self.stream.add(|out| write_reject(self.channel, tag, true, out));
    }

    fn lock(&self) -> MutexGuard<'_, ChannelState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FrameHandler for ChannelDeliveries {
    fn delivered(&self, message: BrokerMessage) {
        let Some(me) = self.me.upgrade() else { return };
        let mut state = self.lock();
        state.pending_acks.delivered(message.tag);
        if state.stopping {
            self.reject(&mut state, message.tag);
            self.stream.flush_soon();
        } else {
            state.received.push(delivery(&self.spec, message, me));
        }
    }

    fn pause(&self) {
        let received = std::mem::take(&mut self.lock().received);
        if !received.is_empty() {
            // if the listener has ended, dropping the deliveries requeues them
            let _ = self.deliveries.send(received);
        }
    }

    fn ended(&self, _: Option<u16>, why: &str) {
        let received = {
            let mut state = self.lock();
            state.ended.get_or_insert_with(|| why.into());
            self.is_gone.store(true, Ordering::Release);
            std::mem::take(&mut state.received)
        };
        drop(received);
        self.gone.send_replace(true);
        self.changed.notify_one();
    }
}

impl Settle for ChannelDeliveries {
    fn settle(&self, tag: u64, decision: Decision) {
        let mut state = self.lock();
        if state.ended.is_some() {
            return;
        }
        match decision {
            // a reject without requeue would dead-letter the message
            Decision::Ack | Decision::Drop => state.pending_acks.acked(tag),
            Decision::Requeue => self.reject(&mut state, tag),
        }
        let due = state.pending_acks.due();
        let send = due.is_some_and(|due| state.stopping || due <= Instant::now());
        if send {
            self.send(&mut state);
        }
        let expect = due.is_some() && !send && !std::mem::replace(&mut state.expected, true);
        let tell = expect || state.stopping && state.pending_acks.is_decided();
        drop(state);
        if send || decision == Decision::Requeue {
            self.stream.flush();
        }
        if tell {
            self.changed.notify_one();
        }
    }

    fn ack_all(&self, tags: &[u64]) {
        let mut state = self.lock();
        if state.ended.is_some() {
            return;
        }
        tags.iter().for_each(|tag| state.pending_acks.acked(*tag));
        // at once: a batch waits for no other acks
        self.send(&mut state);
        let tell = state.stopping && state.pending_acks.is_decided();
        drop(state);
        self.stream.flush();
        if tell {
            self.changed.notify_one();
        }
    }

    fn is_void(&self) -> bool {
        self.is_gone.load(Ordering::Acquire)
    }

    fn voided(&self) -> BoxFuture<'_, ()> {
        let mut gone = self.gone.subscribe();
        Box::pin(async move {
            // an error is impossible: `self` holds the sender
            let _ = gone.wait_for(|gone| *gone).await;
        })
    }
}

fn delivery(spec: &QueueSpec, message: BrokerMessage, sink: Arc<ChannelDeliveries>) -> Delivery {
    let BrokerMessage { tag, redelivered, exchange, routing_key, properties, body } = message;
    // set by quorum queues only
    let counted = properties.headers.iter().find_map(|(name, value)| match value {
        Header::Number(count) if name == "x-delivery-count" => Some(u32::try_from(*count).unwrap_or(u32::MAX)),
        _ => None,
    });
    Delivery {
        message_id: properties.message_id,
        redeliveries: counted.unwrap_or(redelivered.into()),
        headers: properties.headers,
        trace: properties.trace,
        original: Some(properties.original),
        cloud_event: None,
        exchange: known(spec.domain, &exchange),
        routing_key: known(spec.event_type, &routing_key),
        ack: Ack::new(tag, sink),
        arrived: Instant::now(),
        progress: DeliveryProgress::default(),
        body: body.into(),
    }
}

/// Converts a name to text, without a copy if it equals `expected`.
fn known(expected: &'static str, name: &[u8]) -> Cow<'static, str> {
    if name == expected.as_bytes() {
        Cow::Borrowed(expected)
    } else {
        Cow::Owned(String::from_utf8_lossy(name).into_owned())
    }
}
