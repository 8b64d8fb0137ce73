//! The numbers of AMQP 0-9-1 that frames begin with (section 4.2 of the specification, class `basic`).

pub(crate) const METHOD: u8 = 1;
pub(crate) const HEADER: u8 = 2;
pub(crate) const BODY: u8 = 3;
pub(crate) const HEARTBEAT: u8 = 8;
/// Type, channel, size.
pub(crate) const HEAD: usize = 7;
/// What ends a frame.
pub(crate) const END: u8 = 0xce;

pub(super) const BASIC: u16 = 60;
pub(super) const PUBLISH: u16 = 40;
pub(super) const RETURN: u16 = 50;
pub(super) const DELIVER: u16 = 60;
pub(super) const GET: u16 = 70;
pub(super) const GET_OK: u16 = 71;
pub(super) const GET_EMPTY: u16 = 72;
pub(super) const ACK: u16 = 80;
pub(super) const REJECT: u16 = 90;
pub(super) const NACK: u16 = 120;

/// A heartbeat, as a whole frame.
pub(crate) const BEAT: [u8; HEAD + 1] = [HEARTBEAT, 0, 0, 0, 0, 0, 0, END];
