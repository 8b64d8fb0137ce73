//! Publishing with confirms, and the handling of refused and returned messages.

pub(crate) mod attempt;
pub(crate) mod confirms;
pub(crate) mod in_flight;
pub(crate) mod nacks;
pub(crate) mod probe;
pub(crate) mod publisher;
pub(crate) mod refusal;
pub(crate) mod route;
pub(crate) mod sender_headers;
pub(crate) mod unconfirmed;
