//! The bytes under a connection: one stream, AMQP frames, and who gets them.

pub(crate) mod demux;
pub(crate) mod frame;
pub(crate) mod socket;
pub(crate) mod stream;
