//! AMQP 0-9-1 frames that bypass lapin: incoming deliveries, returns and confirms; outgoing publishes, acks and rejects
//! (section 4.2 of the specification, class `basic`).
//!
//! Publishers can put anything into a message's properties. lapin closes the connection on text that isn't UTF-8, and overflows
//! the stack on deeply nested tables; here, values that can't be parsed are ignored.

mod codes;
mod deaths;
mod fit;
#[cfg(test)]
mod lapin_tests;
mod read;
mod write;

#[cfg(test)]
pub(crate) use codes::END;
pub(crate) use codes::{BEAT, BODY, HEAD, HEADER, METHOD};
pub(crate) use deaths::deaths;
pub(crate) use read::{IncomingMethod, Properties, content_header};
pub(crate) use write::{Publish, write_ack, write_get, write_reject};
