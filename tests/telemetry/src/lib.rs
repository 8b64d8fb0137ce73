//! What an operator's tools get to see of a service: an OTLP receiver, and the picture of a trace.

pub mod receiver;
pub mod waterfall;
