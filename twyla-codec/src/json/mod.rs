//! Reading and writing JSON text for generated types: exactly as JSON Schema sees values, and with little cost.
//!
//! A [`Reader`](reader::Reader) walks over a text that is UTF-8 already. A type that reads itself from it implements
//! [`Read`]; one that writes itself implements [`Write`]. What is laxer in serde is strict here: no object has a key
//! twice at any depth, no integer loses a digit, an array is no struct. What is stricter there is right here: `1.0` and
//! `1e2` are integers.
//!
//! The rooms: `reader` knows the structure, `members` objects that declare theirs, `text` strings, `number` numbers, `skip`
//! what nobody asked for, `keys` which keys an object had, `values` the types of the standard library, `words` enums of
//! strings, `write` the way back, `fault` what is wrong and where, and `bridge` the way to serde.

pub mod bridge;
mod encoding;
pub mod fault;
mod items;
mod keys;
pub mod members;
mod number;
mod read;
pub mod reader;
mod skip;
mod text;
mod values;
pub mod words;
pub mod write;

pub use bridge::{deserialize, serialize};
pub use encoding::{other_encoding, utf8};
pub use fault::Fault;
pub use items::Items;
pub use members::{Extra, Members, Names, required};
pub use read::{Read, default, from_str};
pub use reader::{Reader, Token};
pub use words::word;
pub use write::{Write, close_object, write_member, write_str};

#[cfg(test)]
mod differential_tests;
#[cfg(test)]
mod typed_tests;
