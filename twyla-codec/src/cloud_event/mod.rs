//! CloudEvents 1.0.2: events of both modes by their attributes, and the JSON format.
//!
//! `attributes` holds a received event to the core specification, `write` has the attributes of a new one, and `json` is the JSON
//! format. A protocol binding maps the attributes to the headers of a message.

mod attributes;
mod json;
mod write;

pub use attributes::{
    AttributeValue, Attributes, CONTEXT, CloudEvent, MEDIA_TYPE, MEDIA_TYPES, NO_CONTEXT, SESSION, SPEC_VERSION,
    check_format,
};
pub use json::{decode_json, encode_json};
pub use write::NewEvent;
