//! The byte stream of a connection, the AMQP frames in it, and their demultiplexing.

pub(crate) mod demux;
pub(crate) mod frame;
pub(crate) mod socket;
pub(crate) mod stream;
