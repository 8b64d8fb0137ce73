//! The form of an event on the wire: Twyla's envelope, or a CloudEvent in binary or structured mode.
//!
//! [`Wire`] is the choice of a sender; a receiver reads each form, whatever it writes itself. `form` recognizes the form of a
//! message, `headers` maps the attributes of CloudEvents to AMQP headers, `read` and `write` convert.

mod choice;
mod form;
mod headers;
mod read;
mod write;

pub use choice::Wire;
pub(crate) use choice::Wires;
pub(crate) use form::Form;
#[cfg(feature = "amqp")]
pub(crate) use headers::{attribute, has_attributes};
pub(crate) use read::read;
