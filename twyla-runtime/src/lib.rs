//! Twyla's runtime.
#![forbid(unsafe_code)]

pub mod event;
#[doc(hidden)]
pub mod handler;
pub mod validate;

/// placeholder
#[derive(Clone, Debug)]
pub struct Bus;
/// placeholder
#[derive(Clone, Debug)]
pub struct Meta;
/// placeholder
#[derive(Clone, Debug)]
pub struct Ack;
/// placeholder
#[derive(Clone, Debug)]
pub struct State<T>(pub T);
