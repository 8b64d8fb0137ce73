//! Contract records: bytes embedded in a program for each contract that it emits, listens to, serves or calls, and for their
//! schemas. `cargo twyla manifest` reads them from the built program.
//!
//! The code that uses a contract refers to its record: `emit::<T>` refers to the record of `T`. So a program contains a
//! record if and only if it contains that code, even through generic functions; a hand-written list could differ. A
//! record is found by its bytes, so it survives linkers, `strip` and optimization, in every executable format.
//!
//! A record is UTF-8: the magic, the length of its text in bytes and the text's checksum, both hexadecimal, and the text:
//! its kind and its fields, separated by tabs.

use std::fmt;

/// The first bytes of a record.
const MAGIC: [u8; 16] = *b"\x7ftwyla\0record\x01\x0d\x0a";
/// The complement of the magic. A reader that contained the magic itself would contain the beginning of a record.
const MAGIC_COMPLEMENT: [u8; 16] = {
    let mut bytes = MAGIC;
    let mut i = 0;
    while i < bytes.len() {
        bytes[i] = !bytes[i];
        i += 1;
    }
    bytes
};
const LEN: usize = 8;
const SUM: usize = 16;
const HEAD: usize = MAGIC.len() + LEN + SUM;
/// The maximum length of a record. It is above the length of any schema that a build script accepts.
const MAX_LEN: usize = 1 << 28;

/// A decoded record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Record {
    /// The program emits an event.
    Emits {
        /// The event's name.
        event: String,
        /// The digest of the schema of the event's content.
        content: String,
        /// The digest of the schema of the event's context.
        context: String,
    },
    /// The program listens to an event.
    Listens {
        /// The event's name.
        event: String,
        /// The group.
        group: String,
        /// The digest of the content's schema.
        content: String,
        /// The digest of the context's schema.
        context: String,
        /// The handler function's path.
        handler: String,
    },
    /// The program serves a method.
    Serves(Method),
    /// The program calls a method.
    Calls(Method),
    /// A schema that other records name by its digest.
    Schema {
        /// The digest.
        digest: String,
        /// The schema, as JSON text.
        text: String,
    },
}

/// A method of a service, as compiled into one side.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Method {
    /// `service.method`
    pub name: String,
    /// The digest of the request's schema.
    pub request: String,
    /// The digest of the response's schema.
    pub response: String,
    /// The digest of the error's schema, if it has one.
    pub error: Option<String>,
    /// The digest of the context's schema.
    pub context: String,
}

/// Returns the length in bytes of a record with these fields.
#[must_use]
pub const fn len(fields: &[&str]) -> usize {
    let mut len = HEAD + fields.len().saturating_sub(1);
    let mut i = 0;
    while i < fields.len() {
        len += fields[i].len();
        i += 1;
    }
    len
}

/// Creates a record of these fields, the kind first, at compile time; `N` is its [`len()`].
///
/// # Panics
/// At compile time, if `N` differs.
#[must_use]
pub const fn write<const N: usize>(fields: &[&str]) -> [u8; N] {
    assert!(N == len(fields), "a record is `len` bytes long");
    let mut out = [0; N];
    let mut at = HEAD;
    let mut hash = Fnv1a::new();
    let mut i = 0;
    while i < fields.len() {
        if i > 0 {
            out[at] = b'\t';
            hash = hash.with(b'\t');
            at += 1;
        }
        let field = fields[i].as_bytes();
        let mut j = 0;
        while j < field.len() {
            out[at] = field[j];
            hash = hash.with(field[j]);
            at += 1;
            j += 1;
        }
        i += 1;
    }
    let mut i = 0;
    while i < HEAD {
        out[i] = if i < MAGIC.len() {
            MAGIC[i]
        } else if i < MAGIC.len() + LEN {
            digit((N - HEAD) as u64, LEN, i - MAGIC.len())
        } else {
            digit(hash.0, SUM, i - MAGIC.len() - LEN)
        };
        i += 1;
    }
    out
}

/// Returns the hexadecimal digit at the index `at` of a number that is written with `digits` digits.
const fn digit(number: u64, digits: usize, at: usize) -> u8 {
    b"0123456789abcdef"[((number >> (4 * (digits - 1 - at))) & 15) as usize]
}

/// Returns the head of a record with this text. Generated code contains the head, because the compiler would take long
/// to compute the checksum of a long text.
#[must_use]
pub fn head(text: &str) -> String {
    let sum = text.bytes().fold(Fnv1a::new(), Fnv1a::with).0;
    let magic: String = magic().iter().map(|byte| char::from(*byte)).collect();
    format!("{magic}{:0LEN$x}{sum:0SUM$x}", text.len())
}

/// Returns the name in a record, `api.user_input`, borrowed from its bytes.
///
/// # Panics
/// If `record` isn't a record.
#[must_use]
pub const fn subject(record: &str) -> &str {
    let bytes = record.as_bytes();
    let mut begin = HEAD;
    while bytes[begin] != b'\t' {
        begin += 1;
    }
    begin += 1;
    let mut end = begin;
    while end < bytes.len() && bytes[end] != b'\t' {
        end += 1;
    }
    record.split_at(end).0.split_at(begin).1
}

/// Reads all records in a part of a program, in order.
///
/// # Errors
/// [`Damaged`] if a record is incomplete or corrupt.
pub fn read(bytes: &[u8]) -> Result<Vec<Record>, Damaged> {
    let magic = magic();
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = find(&bytes[from..], &magic).map(|at| from + at) {
        let (record, len) = one(&bytes[at..]).map_err(|why| Damaged { at, why })?;
        found.push(record);
        from = at + len;
    }
    Ok(found)
}

/// Computes the magic at run time.
fn magic() -> [u8; 16] {
    std::hint::black_box(MAGIC_COMPLEMENT).map(|byte| !byte)
}

fn find(bytes: &[u8], magic: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| *byte == magic[0]) {
        if bytes[from + at..].starts_with(magic) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

/// Reads the record at the beginning of these bytes; returns its length too.
fn one(bytes: &[u8]) -> Result<(Record, usize), &'static str> {
    let head = bytes.get(MAGIC.len()..HEAD).ok_or("ends within its header")?;
    let number = |digits: &[u8]| {
        let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'));
        digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()).ok_or("has no number in its header")
    };
    let (len, sum) = (number(&head[..LEN])?, number(&head[LEN..])?);
    let len = usize::try_from(len).ok().filter(|len| *len <= MAX_LEN).ok_or("declares a length above the limit")?;
    let text = bytes.get(HEAD..HEAD + len).ok_or("ends within its text")?;
    if text.iter().copied().fold(Fnv1a::new(), Fnv1a::with).0 != sum {
        return Err("has a checksum that doesn't match its text");
    }
    let text = std::str::from_utf8(text).map_err(|_| "is not UTF-8")?;
    let record = record(text).ok_or("has a kind that this version doesn't support")?;
    Ok((record, HEAD + len))
}

fn record(text: &str) -> Option<Record> {
    let (kind, rest) = text.split_once('\t')?;
    if kind == "schema" {
        let (digest, text) = rest.split_once('\t')?;
        return Some(Record::Schema { digest: digest.into(), text: text.into() });
    }
    let fields: Vec<&str> = rest.split('\t').collect();
    let method = |fields: &[&str]| match fields {
        [name, request, response, error, context] => Some(Method {
            name: (*name).into(),
            request: (*request).into(),
            response: (*response).into(),
            error: (!error.is_empty()).then(|| (*error).into()),
            context: (*context).into(),
        }),
        _ => None,
    };
    match (kind, &fields[..]) {
        ("emits", [event, content, context]) => {
            Some(Record::Emits { event: (*event).into(), content: (*content).into(), context: (*context).into() })
        }
        ("listens", [event, group, content, context, handler]) => Some(Record::Listens {
            event: (*event).into(),
            group: (*group).into(),
            content: (*content).into(),
            context: (*context).into(),
            handler: (*handler).into(),
        }),
        ("serves", fields) => method(fields).map(Record::Serves),
        ("calls", fields) => method(fields).map(Record::Calls),
        _ => None,
    }
}

/// The error of an incomplete or corrupt record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// The offset of the record's beginning.
    pub at: usize,
    why: &'static str,
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the record at byte {} {}", self.at, self.why)
    }
}

impl std::error::Error for Damaged {}

/// 64-bit FNV-1a.
#[derive(Clone, Copy)]
struct Fnv1a(u64);

impl Fnv1a {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    const fn with(self, byte: u8) -> Self {
        Self((self.0 ^ byte as u64).wrapping_mul(0x0100_0000_01b3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMITS: &[&str] = &["emits", "api.user_input", "sha256:aa", "sha256:bb"];
    const LISTENS: &[&str] = &["listens", "api.user_input", "bot", "sha256:aa", "sha256:bb", "chat::answer"];
    const CALLS: &[&str] = &["calls", "booking.find", "sha256:aa", "sha256:bb", "", "sha256:cc"];

    const SCHEMA: &str = "schema\tsha256:aa\t{\"title\":\"a\tb\"}";

    fn sample() -> Vec<u8> {
        const ONE: [u8; len(EMITS)] = write(EMITS);
        const TWO: [u8; len(LISTENS)] = write(LISTENS);
        const THREE: [u8; len(CALLS)] = write(CALLS);
        let schema = head(SCHEMA) + SCHEMA;
        let ends = b"\x7ftwyla\0record";
        [b"\x7fELF \x7ftwyla\0rec".as_slice(), &ONE, b"...", &TWO, &THREE, schema.as_bytes(), ends].concat()
    }

    #[test]
    fn what_is_written_is_read() {
        let text = |text: &str| text.to_owned();
        let (event, content, context) = (text("api.user_input"), text("sha256:aa"), text("sha256:bb"));
        let emits = Record::Emits { event: event.clone(), content: content.clone(), context: context.clone() };
        let handler = text("chat::answer");
        let listens = Record::Listens { event, group: text("bot"), content: content.clone(), context, handler };
        let method = Method {
            name: text("booking.find"),
            request: text("sha256:aa"),
            response: text("sha256:bb"),
            error: None,
            context: text("sha256:cc"),
        };
        let schema = Record::Schema { digest: content, text: text("{\"title\":\"a\tb\"}") };
        assert_eq!(read(&sample()), Ok(vec![emits, listens, Record::Calls(method), schema]));
        assert_eq!(read(b"\x7f\x7ftwyl"), Ok(vec![]));
    }

    #[test]
    fn a_record_has_its_subject() {
        const RECORD: [u8; len(EMITS)] = write(EMITS);
        const SUBJECT: &str = match std::str::from_utf8(&RECORD) {
            Ok(record) => subject(record),
            Err(_) => "",
        };
        assert_eq!(SUBJECT, "api.user_input");
    }

    #[test]
    fn a_head_is_the_same_however_it_is_made() {
        const RECORD: [u8; len(EMITS)] = write(EMITS);
        let text = EMITS.join("\t");
        assert_eq!(RECORD.as_slice(), (head(&text) + &text).as_bytes());
    }

    /// A changed byte or a truncation at any place is reported, unless no record begins any more.
    #[test]
    fn reports_a_damaged_record() {
        const ONE: [u8; len(LISTENS)] = write(LISTENS);
        for i in 0..ONE.len() {
            let mut bytes = ONE;
            bytes[i] ^= 0x01;
            let read = read(&bytes);
            assert!(if i < MAGIC.len() { read == Ok(vec![]) } else { read.is_err() }, "byte {i}: {read:?}");
        }
        for end in MAGIC.len()..ONE.len() {
            assert!(read(&ONE[..end]).is_err(), "cut at {end}");
        }
        const OTHER: &[&str] = &["dreams", "api.user_input"];
        const UNKNOWN: [u8; len(OTHER)] = write(OTHER);
        let error = read(&[b"ab".as_slice(), &UNKNOWN].concat()).unwrap_err().to_string();
        assert_eq!(error, "the record at byte 2 has a kind that this version doesn't support");
    }
}
