//! Splits a stream into events: lines, the items of an array, or documents one after another. Only one event is in memory at a time.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use serde::Deserializer as _;
use serde::de::{SeqAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;
use twyla_codec::json::other_encoding;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The longest event, in bytes.
const MOST: u64 = 64 << 20;

/// The way in which events are separated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Shape {
    /// Detect the shape from the input.
    Auto,
    /// An event in each line.
    Lines,
    /// One array of events.
    Array,
    /// One document, or several one after another.
    Documents,
}

/// The place of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// The line, from 1.
    Line(u64),
    /// The number of events before this one.
    Index(u64),
}

/// An item of a stream.
#[derive(Debug)]
pub(crate) enum Item<'a> {
    Event(&'a [u8]),
    /// Invalid JSON, or too long; the following items may be valid.
    Bad(String),
}

/// Passes each event to `take`, until that fails or the stream ends.
pub(crate) fn each<E: From<io::Error>>(
    input: impl Read,
    shape: Shape,
    mut take: impl FnMut(At, Item<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut input = BufReader::with_capacity(1 << 16, input);
    let (first, whole) = beginning(&mut input)?;
    let begins = first.trim_ascii_start();
    if let Some(encoding) = other_encoding(&first).or_else(|| other_encoding(begins)) {
        // report a wrong encoding once, not for each line
        let save = if begins.starts_with(BYTE_ORDER_MARK) { "save it without one" } else { "save it as UTF-8" };
        let blank = first[..first.len() - begins.len()].iter().filter(|byte| **byte == b'\n').count();
        return take(At::Line(blank as u64 + 1), Item::Bad(format!("the text {encoding}: {save}")));
    }
    let shape = match (shape, first.trim_ascii_start().first()) {
        (Shape::Auto, None) => return Ok(()),
        (Shape::Auto, Some(b'[')) => Shape::Array,
        (Shape::Auto, _) if whole || serde_json::from_slice::<serde::de::IgnoredAny>(&first).is_ok() => Shape::Lines,
        (Shape::Auto, _) => Shape::Documents,
        (shape, _) => shape,
    };
    match shape {
        Shape::Auto | Shape::Lines => lines(first.as_slice().chain(input), take),
        Shape::Array => array(first.as_slice().chain(input), take),
        Shape::Documents => {
            let limit = Limit::default();
            let documents = Deserializer::from_reader(limit.reads(first.as_slice().chain(input)));
            let mut documents = documents.into_iter::<Box<RawValue>>();
            for index in 0.. {
                match documents.next() {
                    None => return Ok(()),
                    Some(Ok(event)) => take(At::Index(index), Item::Event(event.get().as_bytes()))?,
                    Some(Err(error)) => return ends(&error, At::Index(index), take),
                }
                limit.renew();
            }
            Ok(())
        }
    }
}

/// Returns the input up to the first line that isn't blank, with at most 1 MiB of this line. The flag is `true` if all of the
/// input is blank.
fn beginning(input: &mut impl BufRead) -> io::Result<(Vec<u8>, bool)> {
    let mut first = Vec::new();
    while first.trim_ascii().is_empty() {
        if input.take(1 << 20).read_until(b'\n', &mut first)? == 0 {
            return Ok((first, true));
        }
    }
    Ok((first, false))
}

fn lines<E: From<io::Error>>(input: impl Read, mut take: impl FnMut(At, Item<'_>) -> Result<(), E>) -> Result<(), E> {
    let mut input = BufReader::with_capacity(1 << 16, input);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if (&mut input).take(MOST + 1).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.len() as u64 > MOST {
            skip_line(&mut input)?;
            take(At::Line(number), Item::Bad(too_long()))?;
        } else if !line.trim_ascii().is_empty() {
            take(At::Line(number), Item::Event(line.trim_ascii()))?;
        }
    }
    Ok(())
}

fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let read = end.map_or(buffer.len(), |end| end + 1);
        input.consume(read);
        if end.is_some() {
            return Ok(());
        }
    }
}

fn too_long() -> String {
    format!("is longer than {} MiB", MOST >> 20)
}

fn array<E: From<io::Error>>(input: impl Read, mut take: impl FnMut(At, Item<'_>) -> Result<(), E>) -> Result<(), E> {
    struct Items<'a, T, E> {
        take: &'a mut T,
        limit: &'a Limit,
        index: &'a mut u64,
        failed: &'a mut Option<E>,
    }
    impl<'de, E, T: FnMut(At, Item<'_>) -> Result<(), E>> Visitor<'de> for Items<'_, T, E> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array of events")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
            while let Some(item) = items.next_element::<Box<RawValue>>()? {
                if let Err(error) = (self.take)(At::Index(*self.index), Item::Event(item.get().as_bytes())) {
                    *self.failed = Some(error);
                    return Err(serde::de::Error::custom("stopped"));
                }
                *self.index += 1;
                self.limit.renew();
            }
            Ok(())
        }
    }
    let (limit, mut index, mut failed) = (Limit::default(), 0, None);
    let mut reader = Deserializer::from_reader(limit.reads(input));
    let items = Items { take: &mut take, limit: &limit, index: &mut index, failed: &mut failed };
    let read = reader.deserialize_seq(items).and_then(|()| reader.end());
    match (failed, read) {
        (Some(error), _) => Err(error),
        (None, Ok(())) => Ok(()),
        (None, Err(error)) => ends(&error, At::Index(index), take),
    }
}

/// Reports the error that ends a stream: nothing after it can be read.
fn ends<E: From<io::Error>>(
    error: &serde_json::Error,
    at: At,
    mut take: impl FnMut(At, Item<'_>) -> Result<(), E>,
) -> Result<(), E> {
    if error.io_error_kind() == Some(io::ErrorKind::FileTooLarge) {
        return take(at, Item::Bad(format!("{}; the rest was not read", too_long())));
    }
    if error.is_io() {
        let kind = error.io_error_kind().unwrap_or(io::ErrorKind::Other);
        return Err(io::Error::new(kind, error.to_string()).into());
    }
    take(at, Item::Bad(format!("is not valid JSON: {error}; the rest was not read")))
}

/// The number of bytes that may still be read of the current event.
#[derive(Clone, Debug)]
struct Limit(Rc<Cell<u64>>);

impl Default for Limit {
    fn default() -> Self {
        Self(Rc::new(Cell::new(MOST)))
    }
}

impl Limit {
    fn renew(&self) {
        self.0.set(MOST);
    }

    fn reads<R: Read>(&self, input: R) -> BufReader<Limited<R>> {
        BufReader::with_capacity(1 << 16, Limited { input, left: self.clone() })
    }
}

/// A reader that fails if an event is too long.
struct Limited<R> {
    input: R,
    left: Limit,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        match self.left.0.get().checked_sub(read as u64) {
            Some(left) => self.left.0.set(left),
            None => return Err(io::Error::new(io::ErrorKind::FileTooLarge, "an event is too long")),
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, shape: Shape) -> Vec<String> {
        let mut out = Vec::new();
        let take = |at, item: Item<'_>| {
            let at = match at {
                At::Line(line) => format!("line {line}"),
                At::Index(index) => format!("[{index}]"),
            };
            out.push(match item {
                Item::Event(text) => format!("{at} {}", String::from_utf8_lossy(text)),
                Item::Bad(why) => format!("{at} bad: {why}"),
            });
            Ok::<(), io::Error>(())
        };
        each(text.as_bytes(), shape, take).unwrap();
        out
    }

    #[test]
    fn what_is_in_a_stream_is_seen_by_its_look() {
        assert_eq!(read("", Shape::Auto), Vec::<String>::new());
        assert_eq!(read(" \n\n", Shape::Auto), Vec::<String>::new());
        assert_eq!(
            read("{\"a\":1}\n\n nonsense\n2\n", Shape::Auto),
            ["line 1 {\"a\":1}", "line 3 nonsense", "line 4 2"]
        );
        assert_eq!(read("\n[1,\n {\"a\":2}]\n", Shape::Auto), ["[0] 1", "[1] {\"a\":2}"]);
        assert_eq!(read("{\n \"a\": 1\n}\n{ }", Shape::Auto), ["[0] {\n \"a\": 1\n}", "[1] { }"]);
        assert_eq!(read("[1]", Shape::Documents), ["[0] [1]"]);
        assert_eq!(read("[1]\n[2]", Shape::Lines), ["line 1 [1]", "line 2 [2]"]);
    }

    #[test]
    fn reports_input_that_can_not_be_read() {
        let events = read("[1,{\"a\":}]", Shape::Auto);
        assert_eq!(events[0], "[0] 1");
        assert!(events[1].starts_with("[1] bad: is not valid JSON: expected value at line 1 column 9"), "{events:?}");
        assert!(events[1].ends_with("; the rest was not read"), "{events:?}");
        assert!(read("[1", Shape::Auto)[1].contains("EOF"));
        assert!(read("{}", Shape::Array)[0].contains("expected an array of events"));
        assert!(read("{\n\"a\"", Shape::Auto)[0].contains("EOF"));
        assert!(read("[1] 2", Shape::Auto)[1].contains("trailing characters"));
    }

    /// A stream with an event that is far too long: it is skipped without being held in memory.
    #[test]
    fn a_stream_of_any_length_takes_the_room_of_an_event() {
        let long = io::repeat(b'x').take(3 * MOST);
        let input = b"{}\n".as_slice().chain(long).chain(b"\n{}\n".as_slice());
        let mut count = (0, 0);
        let take = |_, item: Item<'_>| {
            match item {
                Item::Event(_) => count.0 += 1,
                Item::Bad(why) => {
                    assert_eq!(why, "is longer than 64 MiB");
                    count.1 += 1;
                }
            }
            Ok::<(), io::Error>(())
        };
        each(input, Shape::Auto, take).unwrap();
        assert_eq!(count, (2, 1));

        let long = b"[1,\"".as_slice().chain(io::repeat(b'x').take(3 * MOST));
        let mut errors = Vec::new();
        let take = |at, item: Item<'_>| {
            if let Item::Bad(why) = item {
                errors.push((at, why));
            }
            Ok::<(), io::Error>(())
        };
        each(long, Shape::Auto, take).unwrap();
        assert_eq!(errors, [(At::Index(1), "is longer than 64 MiB; the rest was not read".to_owned())]);
    }
}
