//! The AMQP 0-9-1 frames with and about messages, read and written past lapin: deliveries, returns and confirms come in;
//! publishes, acks and rejects go out (section 4.2 of the specification, class `basic`).
//!
//! A publisher may have written anything into a message's properties. lapin would end the connection at a text that isn't
//! UTF-8, and the process at tables that are nested too deep: here what can't be read isn't there.

mod bytes;
mod codes;
mod deaths;
mod fit;
mod read;
mod write;

#[cfg(test)]
pub(crate) use codes::END;
pub(crate) use codes::{BEAT, BODY, HEAD, HEADER, METHOD};
pub(crate) use deaths::deaths;
pub(crate) use read::{Method, Properties, content_header};
pub(crate) use write::{Publish, write_ack, write_get, write_reject};
