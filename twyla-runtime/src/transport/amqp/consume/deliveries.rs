//! The deliveries of one channel: handed over as they come, and settled as they are decided on.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

use super::acks::{AckTo, Settlements};
use crate::dead_letter::letter::Header;
use crate::future::BoxFuture;
use crate::progress::DeliveryProgress;
use crate::service::ack::{Ack, Decision, Settle};
use crate::transport::amqp::io::demux::{Ear, Message};
use crate::transport::amqp::io::frame::{write_ack, write_reject};
use crate::transport::amqp::io::stream::Trunk;
use crate::transport::{Delivery, QueueSpec};

/// Where deliveries go, those that came together at once.
pub(crate) type Deliveries = mpsc::UnboundedSender<Vec<Delivery>>;

/// Takes what a channel delivers, and the decisions. Those that come when the channel is gone are void: the broker has taken
/// the messages back and delivers them again.
pub(crate) struct Intake {
    me: Weak<Self>,
    spec: Arc<QueueSpec>,
    trunk: Arc<Trunk>,
    channel: u16,
    deliveries: Deliveries,
    state: Mutex<State>,
    /// Tells that there is something to look at.
    news: Notify,
    /// Closed when the channel is gone.
    gone: watch::Sender<bool>,
    /// The same, asked for each delivery.
    is_gone: AtomicBool,
}

struct State {
    settlements: Settlements,
    /// What has come since the last pause.
    came: Vec<Delivery>,
    /// Nothing more is taken.
    stopping: bool,
    /// It is known that acks wait for their time.
    expected: bool,
    ended: Option<Arc<str>>,
}

/// How an intake stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing is to be done, or only from then on.
    Open(Option<Instant>),
    /// Nothing more is taken, and all that was is decided on and sent.
    Done,
    Ended(Arc<str>),
}

impl Intake {
    /// Takes what comes on this channel from now on.
    pub(crate) fn open(spec: Arc<QueueSpec>, trunk: Arc<Trunk>, channel: u16, deliveries: Deliveries) -> Arc<Self> {
        let intake = Arc::new_cyclic(|me| Self {
            me: me.clone(),
            trunk,
            channel,
            deliveries,
            state: Mutex::new(State {
                settlements: Settlements::new(spec.prefetch),
                came: Vec::new(),
                stopping: false,
                expected: false,
                ended: None,
            }),
            spec,
            news: Notify::new(),
            gone: watch::Sender::new(false),
            is_gone: AtomicBool::new(false),
        });
        intake.trunk.listen(channel, intake.clone());
        intake
    }

    /// From now on what is delivered goes back.
    pub(crate) fn stop(&self) {
        self.lock().stopping = true;
    }

    /// Takes nothing any more, and has what is still decided be void.
    pub(crate) fn close(&self, why: &str) {
        self.trunk.forget(self.channel);
        self.ended(None, why);
    }

    /// Resolves when its standing may have changed.
    pub(crate) async fn news(&self) {
        self.news.notified().await;
    }

    /// Sends the acks whose time has come, and says how it stands.
    pub(crate) fn look(&self) -> Standing {
        let mut state = self.lock();
        if let Some(why) = &state.ended {
            return Standing::Ended(why.clone());
        }
        let due = state.settlements.due();
        let done = state.stopping && state.settlements.is_decided();
        if due.is_some_and(|due| done || state.stopping || due <= Instant::now()) {
            self.send(&mut state);
            drop(state);
            self.trunk.flush();
        } else {
            state.expected = due.is_some();
        }
        match due {
            _ if done => Standing::Done,
            due => Standing::Open(due.filter(|due| *due > Instant::now())),
        }
    }

    fn send(&self, state: &mut State) {
        let acks = state.settlements.take();
        self.trunk.add(|out| {
            for AckTo { tag, multiple } in acks {
                write_ack(self.channel, tag, multiple, out);
            }
        });
    }

    /// Gives a message back.
    fn reject(&self, state: &mut State, tag: u64) {
        state.settlements.rejected(tag);
        self.trunk.add(|out| write_reject(self.channel, tag, true, out));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ear for Intake {
    fn delivered(&self, message: Message) {
        let Some(me) = self.me.upgrade() else { return };
        let mut state = self.lock();
        state.settlements.delivered(message.tag);
        if state.stopping {
            self.reject(&mut state, message.tag);
            self.trunk.flush_soon();
        } else {
            state.came.push(delivery(&self.spec, message, me));
        }
    }

    fn pause(&self) {
        let came = std::mem::take(&mut self.lock().came);
        if !came.is_empty() {
            // If the service is gone, they go back as they are dropped.
            let _ = self.deliveries.send(came);
        }
    }

    fn ended(&self, _: Option<u16>, why: &str) {
        let came = {
            let mut state = self.lock();
            state.ended.get_or_insert_with(|| why.into());
            self.is_gone.store(true, Ordering::Release);
            std::mem::take(&mut state.came)
        };
        drop(came);
        self.gone.send_replace(true);
        self.news.notify_one();
    }
}

impl Settle for Intake {
    fn settle(&self, tag: u64, decision: Decision) {
        let mut state = self.lock();
        if state.ended.is_some() {
            return;
        }
        match decision {
            // A message that is rejected for good would go to the dead queue.
            Decision::Ack | Decision::Drop => state.settlements.acked(tag),
            Decision::Requeue => self.reject(&mut state, tag),
        }
        let due = state.settlements.due();
        let send = due.is_some_and(|due| state.stopping || due <= Instant::now());
        if send {
            self.send(&mut state);
        }
        let expect = due.is_some() && !send && !std::mem::replace(&mut state.expected, true);
        let tell = expect || state.stopping && state.settlements.is_decided();
        drop(state);
        if send || decision == Decision::Requeue {
            self.trunk.flush();
        }
        if tell {
            self.news.notify_one();
        }
    }

    fn is_void(&self) -> bool {
        self.is_gone.load(Ordering::Acquire)
    }

    fn voided(&self) -> BoxFuture<'_, ()> {
        let mut gone = self.gone.subscribe();
        Box::pin(async move {
            // the sender lives as long as what is borrowed here
            let _ = gone.wait_for(|gone| *gone).await;
        })
    }
}

fn delivery(spec: &QueueSpec, message: Message, sink: Arc<Intake>) -> Delivery {
    let Message { tag, redelivered, exchange, routing_key, properties, body } = message;
    // Quorum queues count.
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
        exchange: known(spec.domain, &exchange),
        routing_key: known(spec.event_type, &routing_key),
        ack: Ack::new(tag, sink),
        arrived: Instant::now(),
        progress: DeliveryProgress::default(),
        body: body.into(),
    }
}

/// A name that nearly always is the one expected, and then needs no copy.
fn known(expected: &'static str, name: &[u8]) -> Cow<'static, str> {
    if name == expected.as_bytes() {
        Cow::Borrowed(expected)
    } else {
        Cow::Owned(String::from_utf8_lossy(name).into_owned())
    }
}
