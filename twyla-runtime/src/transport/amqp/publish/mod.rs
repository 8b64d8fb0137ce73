//! Publishing with confirms: what the broker takes, refuses and returns.

pub(crate) mod attempt;
pub(crate) mod confirms;
pub(crate) mod in_flight;
pub(crate) mod nacks;
pub(crate) mod publisher;
pub(crate) mod refusal;
pub(crate) mod route;
pub(crate) mod sender_headers;
pub(crate) mod trial;
pub(crate) mod unconfirmed;
