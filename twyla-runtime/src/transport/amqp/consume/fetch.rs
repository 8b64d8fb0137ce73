//! Fetches messages from a queue one by one (`basic.get`), bypassing lapin.

use std::sync::Arc;

use lapin::Channel;
use tokio::sync::mpsc;

use crate::transport::amqp::connect::connected::Connected;
use crate::transport::amqp::io::demux::{BrokerMessage, FrameHandler};
use crate::transport::amqp::io::frame::write_get;
use crate::transport::amqp::io::stream::AmqpStream;

type GetResult = Result<Option<BrokerMessage>, ChannelClosed>;

/// The end of the channel: with the broker's code, or without one if the connection ended.
#[derive(Debug)]
pub(crate) struct ChannelClosed {
    pub(crate) code: Option<u16>,
    pub(crate) why: String,
}

/// Fetches messages on its own channel.
pub(crate) struct QueueReader {
    pub(crate) channel: Channel,
    stream: Arc<AmqpStream>,
    answers: mpsc::UnboundedReceiver<GetResult>,
}

struct GetHandler(mpsc::UnboundedSender<GetResult>);

impl FrameHandler for GetHandler {
    fn delivered(&self, message: BrokerMessage) {
        // the reader may be dropped meanwhile
        let _ = self.0.send(Ok(Some(message)));
    }

    fn empty(&self) {
        let _ = self.0.send(Ok(None));
    }

    fn ended(&self, code: Option<u16>, why: &str) {
        let _ = self.0.send(Err(ChannelClosed { code, why: why.to_owned() }));
    }
}

impl QueueReader {
    pub(crate) fn new(connection: &Connected, channel: Channel) -> Self {
        let (sender, answers) = mpsc::unbounded_channel();
        connection.stream.listen(channel.id(), Arc::new(GetHandler(sender)));
        Self { channel, stream: connection.stream.clone(), answers }
    }

    /// Returns the next message, which must be settled on the channel; `None` if no message is ready.
    pub(crate) async fn get(&mut self, queue: &str) -> GetResult {
        self.stream.add(|out| write_get(self.channel.id(), queue, out));
        self.stream.flush();
        let closed = || ChannelClosed { code: None, why: "the connection is closed".to_owned() };
        self.answers.recv().await.unwrap_or_else(|| Err(closed()))
    }
}

impl Drop for QueueReader {
    fn drop(&mut self) {
        self.stream.forget(self.channel.id());
    }
}
