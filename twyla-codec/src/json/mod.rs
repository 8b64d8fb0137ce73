//! A JSON reader and writer for generated types, exactly as JSON Schema sees values.
//!
//! A [`Reader`] reads a text that is already known to be UTF-8. A type that can be read implements [`Read`];
//! one that can be written implements [`Write`]. Stricter than serde: duplicate keys are refused at any depth, integers
//! never lose digits, and an array is not accepted for a struct. More lenient than serde: `1.0` and `1e2` are integers.
//!
//! - `reader` – structure and depth; `members`, `items`, `text`, `number`, `received`, `words` – objects, arrays, strings, numbers,
//!   enums; `variants` – unions
//! - `skip` – values that no field reads; `keys` – duplicate detection; `values` – the types of the standard library
//! - `write` – the writer; `fault` – errors; `bridge` – serde; `foreign` – types that replace generated ones

pub mod bridge;
mod encoding;
pub mod fault;
pub mod foreign;
mod items;
mod keys;
pub mod members;
mod number;
mod read;
pub mod reader;
mod received;
mod skip;
mod text;
mod values;
pub mod variants;
pub mod words;
pub mod write;

pub use bridge::{deserialize, serialize};
pub use encoding::{other_encoding, utf8};
pub use fault::Fault;
pub use items::Items;
pub use members::{Extra, Members, Names, nothing_but};
pub use read::{Read, default, from_str, from_str_exactly};
pub use reader::{Reader, Token};
pub use variants::MemberValue;
pub use words::word;
pub use write::{Write, close_object, write_member, write_optional, write_str};

#[cfg(test)]
mod differential_tests;
#[cfg(test)]
mod number_tests;
#[cfg(test)]
mod typed_tests;
