//! A service as an operator's tools see it: an OTLP receiver, and the picture of a trace.

pub mod receiver;
pub mod waterfall;
