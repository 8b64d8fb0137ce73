//! Makes what a broker sends fit for lapin: a message's properties may hold anything its publisher wrote, and lapin ends
//! the connection at a text that isn't UTF-8, and the process at tables that are nested too deep.
//!
//! Frames are changed where they lie and keep their lengths (AMQP 0-9-1, section 4.2): a byte that is no UTF-8 becomes
//! [`REPLACEMENT`], a table or array that is too deep an opaque byte array of the same length.

use std::ops::Range;

/// What stands for a byte that is no UTF-8 in a short string: SUB, which no sensible text has.
pub(crate) const REPLACEMENT: u8 = 0x1a;

/// How deep tables and arrays of headers may be nested. RabbitMQ's own `x-death` is three deep.
const DEPTH: usize = 16;

const METHOD: u8 = 1;
const HEADER: u8 = 2;
/// Type, channel, size.
const FRAME_HEAD: usize = 7;
/// The longest frame that is looked at; brokers allow 128 KiB unless told otherwise, and lapin refuses what is longer.
const LONGEST: usize = 1 << 20;

/// Looks at a stream of frames as it comes in.
#[derive(Debug, Default)]
pub(crate) struct Sieve {
    buffer: Vec<u8>,
    /// What of the buffer has been given out.
    given: usize,
    /// What of the buffer may be given out.
    clean: usize,
    /// How many bytes of the frame that has begun are passed on unseen.
    unseen: usize,
}

impl Sieve {
    /// Takes what was read.
    pub(crate) fn feed(&mut self, read: &[u8]) {
        if self.given > 0 {
            self.buffer.drain(..self.given);
            self.clean -= self.given;
            self.given = 0;
        }
        self.buffer.extend_from_slice(read);
        self.advance();
    }

    /// Nothing more will come: what is held back of an unfinished frame may go.
    pub(crate) fn end(&mut self) {
        self.clean = self.buffer.len();
    }

    /// Gives out what has been looked at, as much as fits.
    pub(crate) fn give(&mut self, out: &mut [u8]) -> usize {
        let ready = &self.buffer[self.given..self.clean];
        let count = ready.len().min(out.len());
        out[..count].copy_from_slice(&ready[..count]);
        self.given += count;
        count
    }

    /// Whether there is something to give.
    pub(crate) fn is_ready(&self) -> bool {
        self.given < self.clean
    }

    fn advance(&mut self) {
        loop {
            let ahead = &mut self.buffer[self.clean..];
            if self.unseen > 0 {
                let passed = self.unseen.min(ahead.len());
                self.clean += passed;
                self.unseen -= passed;
                if self.unseen > 0 {
                    return;
                }
                continue;
            }
            let [kind, _, _, a, b, c, d, ..] = *ahead else { return };
            let size = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
            let whole = size.saturating_add(FRAME_HEAD + 1);
            if !matches!(kind, METHOD | HEADER) || size > LONGEST {
                self.unseen = whole;
                continue;
            }
            let Some(frame) = ahead.get_mut(..whole) else { return };
            let payload = &mut frame[FRAME_HEAD..whole - 1];
            // What doesn't read as a frame is left as it is: lapin says what is wrong with it.
            let _ = if kind == METHOD { method(payload) } else { properties(payload) };
            self.clean += whole;
        }
    }
}

/// The places in a delivery's method that a publisher has chosen.
fn method(payload: &mut [u8]) -> Option<()> {
    let mut at = Cursor::new(payload);
    let (class, method) = (at.u16()?, at.u16()?);
    match (class, method) {
        // basic.deliver
        (60, 60) => {
            at.short_string()?;
            at.skip(9)?;
        }
        // basic.get-ok
        (60, 71) => at.skip(9)?,
        // basic.return
        (60, 50) => {
            at.skip(2)?;
            at.short_string()?;
        }
        _ => return Some(()),
    }
    at.short_string()?;
    at.short_string()
}

/// A content header's properties (section 4.2.6.1, the class `basic`).
fn properties(payload: &mut [u8]) -> Option<()> {
    let mut at = Cursor::new(payload);
    // class, weight, body size
    at.skip(12)?;
    let flags = at.u16()?;
    for bit in (2..16).rev() {
        if flags & (1 << bit) == 0 {
            continue;
        }
        match 15 - bit {
            // headers
            2 => at.table(1)?,
            // delivery mode, priority
            3 | 4 => at.skip(1)?,
            // timestamp
            9 => at.skip(8)?,
            _ => at.short_string()?,
        }
    }
    Some(())
}

struct Cursor<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn take(&mut self, count: usize) -> Option<Range<usize>> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len())?;
        let range = self.at..end;
        self.at = end;
        Some(range)
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.take(count).map(drop)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|at| self.bytes[at.start])
    }

    fn u16(&mut self) -> Option<u16> {
        let at = self.take(2)?;
        Some(u16::from_be_bytes([self.bytes[at.start], self.bytes[at.start + 1]]))
    }

    fn size(&mut self) -> Option<usize> {
        let at = self.take(4)?;
        let size = self.bytes[at].try_into().map(u32::from_be_bytes).ok()?;
        usize::try_from(size).ok()
    }

    fn short_string(&mut self) -> Option<()> {
        let length = self.u8()?;
        let range = self.take(length.into())?;
        make_utf8(&mut self.bytes[range]);
        Some(())
    }

    fn table(&mut self, depth: usize) -> Option<()> {
        let size = self.size()?;
        let end = self.take(size)?.end;
        self.at = end - size;
        while self.at < end {
            self.short_string()?;
            self.value(depth)?;
        }
        Some(())
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        let size = self.size()?;
        let end = self.take(size)?.end;
        self.at = end - size;
        while self.at < end {
            self.value(depth)?;
        }
        Some(())
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        let kind = self.take(1)?.start;
        match self.bytes[kind] {
            b't' | b'b' | b'B' => self.skip(1),
            b's' | b'U' | b'u' => self.skip(2),
            b'I' | b'i' | b'f' => self.skip(4),
            b'D' => self.skip(5),
            b'l' | b'L' | b'd' | b'T' => self.skip(8),
            b'V' => Some(()),
            b'F' | b'A' if depth >= DEPTH => {
                self.bytes[kind] = b'x';
                let size = self.size()?;
                self.skip(size)
            }
            b'F' => self.table(depth + 1),
            b'A' => self.array(depth + 1),
            b'S' | b'x' => {
                let size = self.size()?;
                self.skip(size)
            }
            _ => None,
        }
    }
}

fn make_utf8(text: &mut [u8]) {
    let mut from = 0;
    while let Err(error) = std::str::from_utf8(&text[from..]) {
        let bad = from + error.valid_up_to();
        let end = error.error_len().map_or(text.len(), |length| bad + length);
        text[bad..end].fill(REPLACEMENT);
        from = end;
    }
}

#[cfg(test)]
mod tests {
    use amq_protocol::frame::{AMQPContentHeader, AMQPFrame, gen_frame, parse_frame};
    use lapin::types::{AMQPValue, FieldArray, FieldTable};
    use proptest::prelude::*;

    use super::*;

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![kind, 0, 1];
        frame.extend(u32::try_from(payload.len()).unwrap().to_be_bytes());
        frame.extend(payload);
        frame.push(0xce);
        frame
    }

    fn header(properties: &[u8]) -> Vec<u8> {
        let mut payload = vec![0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
        payload.extend(properties);
        frame(HEADER, &payload)
    }

    fn sieved(bytes: &[u8], chunk: usize) -> Vec<u8> {
        let mut sieve = Sieve::default();
        let (mut out, mut room) = (Vec::new(), [0; 5]);
        for chunk in bytes.chunks(chunk) {
            sieve.feed(chunk);
            while sieve.is_ready() {
                let count = sieve.give(&mut room);
                out.extend(&room[..count]);
            }
        }
        sieve.end();
        while sieve.is_ready() {
            let count = sieve.give(&mut room);
            out.extend(&room[..count]);
        }
        out
    }

    fn nested(depth: usize, kind: u8) -> Vec<u8> {
        let mut value = vec![b'V'];
        for _ in 0..depth {
            let mut entry = if kind == b'F' { vec![1, b'k'] } else { Vec::new() };
            entry.extend(value);
            value = vec![kind];
            value.extend(u32::try_from(entry.len()).unwrap().to_be_bytes());
            value.extend(entry);
        }
        let mut table = vec![1, b'k'];
        table.extend(value);
        let mut headers = vec![0x20, 0];
        headers.extend(u32::try_from(table.len()).unwrap().to_be_bytes());
        headers.extend(table);
        header(&headers)
    }

    #[test]
    fn a_message_id_that_is_no_utf8_is_replaced() {
        let bad = header(b"\x00\x80\x05a\xff\xc3\xa4\xf0");
        assert!(parse_frame(&bad[..]).is_err(), "lapin reads it: the sieve can go");
        let good = sieved(&bad, 1000);
        assert_eq!(good, header(b"\x00\x80\x05a\x1a\xc3\xa4\x1a"));
        assert!(parse_frame(&good[..]).is_ok());
    }

    #[test]
    fn a_header_key_and_a_routing_key_too() {
        let bad = header(b"\x20\x00\x00\x00\x00\x04\x02\xff\xfek");
        assert!(parse_frame(&bad[..]).is_err());
        let bad = header(b"\x20\x00\x00\x00\x00\x04\x02\xff\xfeV");
        assert!(parse_frame(&bad[..]).is_err());
        assert!(parse_frame(&sieved(&bad, 3)[..]).is_ok());
        let deliver = frame(METHOD, b"\x00\x3c\x00\x3c\x01c\0\0\0\0\0\0\0\x01\x00\x01e\x01\xff");
        assert!(parse_frame(&deliver[..]).is_err());
        assert!(parse_frame(&sieved(&deliver, 3)[..]).is_ok());
    }

    #[test]
    fn what_is_nested_too_deep_is_opaque() {
        for kind in [b'F', b'A'] {
            let shallow = nested(DEPTH - 1, kind);
            assert_eq!(sieved(&shallow, 100), shallow);
            let deep = nested(15_000, kind);
            let flat = sieved(&deep, 100_000);
            assert_eq!(flat.len(), deep.len());
            let (_, parsed) = parse_frame(&flat[..]).unwrap();
            assert!(matches!(parsed, AMQPFrame::Header(..)));
        }
    }

    #[test]
    fn what_is_no_frame_passes() {
        for bytes in [&b"AMQP\0\0\x09\x01"[..], b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x01\0", b""] {
            assert_eq!(sieved(bytes, 2), bytes);
        }
        let broken = header(b"\xff\xff\xff");
        assert_eq!(sieved(&broken, 4), broken);
    }

    fn value() -> impl Strategy<Value = AMQPValue> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(AMQPValue::Boolean),
            any::<i64>().prop_map(AMQPValue::LongLongInt),
            any::<u16>().prop_map(AMQPValue::ShortUInt),
            ".{0,9}".prop_map(|text| AMQPValue::LongString(text.into())),
            Just(AMQPValue::Void),
        ];
        leaf.prop_recursive(4, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4)
                    .prop_map(|values| AMQPValue::FieldArray(FieldArray::from(values))),
                prop::collection::vec(("[a-zä]{0,5}", inner), 0..4).prop_map(|entries| {
                    let mut table = FieldTable::default();
                    for (key, value) in entries {
                        table.insert(key.into(), value);
                    }
                    AMQPValue::FieldTable(table)
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn good_frames_pass_unchanged(
            id in ".{0,20}", values in prop::collection::vec(value(), 0..4), body in prop::collection::vec(any::<u8>(), 0..40),
            chunk in 1_usize..200,
        ) {
            let mut headers = FieldTable::default();
            for (i, value) in values.into_iter().enumerate() {
                headers.insert(format!("k{i}").into(), value);
            }
            let properties = lapin::BasicProperties::default().with_message_id(id.into()).with_headers(headers);
            let header = AMQPContentHeader { class_id: 60, body_size: body.len() as u64, properties };
            let mut bytes = Vec::new();
            for frame in [AMQPFrame::Header(1, header), AMQPFrame::Body(1, body), AMQPFrame::Heartbeat] {
                bytes = gen_frame(&frame)(bytes.into()).unwrap().write;
            }
            prop_assert_eq!(sieved(&bytes, chunk), bytes);
        }

        #[test]
        fn nothing_makes_it_panic_or_change_a_length(bytes in prop::collection::vec(any::<u8>(), 0..300), chunk in 1_usize..50) {
            prop_assert_eq!(sieved(&bytes, chunk).len(), bytes.len());
            let framed = header(&bytes);
            prop_assert_eq!(sieved(&framed, chunk).len(), framed.len());
        }
    }
}
