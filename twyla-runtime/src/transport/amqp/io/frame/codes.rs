//! Frame types and method ids of AMQP 0-9-1 (section 4.2 of the specification, class `basic`).

pub(crate) const METHOD: u8 = 1;
pub(crate) const HEADER: u8 = 2;
pub(crate) const BODY: u8 = 3;
pub(crate) const HEARTBEAT: u8 = 8;
/// The size of a frame header: type, channel, size.
pub(crate) const HEAD: usize = 7;
/// The frame-end byte.
pub(crate) const END: u8 = 0xce;

pub(crate) const BASIC: u16 = 60;
pub(crate) const PUBLISH: u16 = 40;
pub(crate) const RETURN: u16 = 50;
pub(crate) const DELIVER: u16 = 60;
pub(crate) const GET: u16 = 70;
pub(crate) const GET_OK: u16 = 71;
pub(crate) const GET_EMPTY: u16 = 72;
pub(crate) const ACK: u16 = 80;
pub(crate) const REJECT: u16 = 90;
pub(crate) const NACK: u16 = 120;

/// A heartbeat frame.
pub(crate) const BEAT: [u8; HEAD + 1] = [HEARTBEAT, 0, 0, 0, 0, 0, 0, END];
