//! An open connection to RabbitMQ.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use lapin::Connection;
use tokio::time::timeout;

use crate::transport::amqp::io::stream::AmqpStream;

/// An open lapin connection and its byte stream.
pub(crate) struct Connected {
    pub(crate) lapin: Connection,
    pub(crate) stream: Arc<AmqpStream>,
}

impl Connected {
    /// Returns the maximum size of a frame, in bytes; `usize::MAX` if it is unlimited.
    pub(crate) fn frame_max(&self) -> usize {
        match self.lapin.configuration().frame_max() {
            0 => usize::MAX,
            most => usize::try_from(most).unwrap_or(usize::MAX),
        }
    }

    /// Closes the connection. Returns whether the broker confirmed it within `deadline`.
    pub(crate) async fn close_within(&self, deadline: Duration) -> bool {
        self.status().connected()
            && timeout(deadline, self.lapin.close(200, "OK".into())).await.is_ok_and(|closed| closed.is_ok())
    }
}

impl Deref for Connected {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.lapin
    }
}
