//! Getting messages out of a queue one by one, past lapin (`basic.get`).

use std::sync::Arc;

use lapin::Channel;
use tokio::sync::mpsc;

use crate::transport::amqp::connect::connected::Connected;
use crate::transport::amqp::io::demux::{Ear, Message};
use crate::transport::amqp::io::frame::write_get;
use crate::transport::amqp::io::stream::Trunk;

type Answer = Result<Option<Message>, Ended>;

/// How the channel has ended: with the broker's code, or, without one, with its connection.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<u16>,
    pub(crate) why: String,
}

/// Gets messages on a channel of its own.
pub(crate) struct Fetch {
    pub(crate) channel: Channel,
    trunk: Arc<Trunk>,
    answers: mpsc::UnboundedReceiver<Answer>,
}

struct Answers(mpsc::UnboundedSender<Answer>);

impl Ear for Answers {
    fn delivered(&self, message: Message) {
        // Nobody has asked if nobody is there.
        let _ = self.0.send(Ok(Some(message)));
    }

    fn empty(&self) {
        let _ = self.0.send(Ok(None));
    }

    fn ended(&self, code: Option<u16>, why: &str) {
        let _ = self.0.send(Err(Ended { code, why: why.to_owned() }));
    }
}

impl Fetch {
    pub(crate) fn new(connection: &Connected, channel: Channel) -> Self {
        let (sender, answers) = mpsc::unbounded_channel();
        connection.trunk.listen(channel.id(), Arc::new(Answers(sender)));
        Self { channel, trunk: connection.trunk.clone(), answers }
    }

    /// The next message, which is to be settled on the channel; none if the queue has none that is ready.
    pub(crate) async fn get(&mut self, queue: &str) -> Answer {
        self.trunk.add(|out| write_get(self.channel.id(), queue, out));
        self.trunk.flush();
        let closed = || Ended { code: None, why: "the connection is closed".to_owned() };
        self.answers.recv().await.unwrap_or_else(|| Err(closed()))
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        self.trunk.forget(self.channel.id());
    }
}
