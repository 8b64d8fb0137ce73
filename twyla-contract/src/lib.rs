//! The contract model: what `twyla-build` reads from a folder of JSON Schema files, and what `twyla-macros` checks handler
//! functions and hand-written structs against.
//!
//! The build script, the macros and the command line share it, so the crate has no dependencies. Its modules:
//!
//! - [`name`]: names of events, RPCs, domains and groups, parsed into types that are always valid;
//! - [`rust`]: the Rust names for contract names;
//! - [`model`]: contracts, events, RPCs, properties and the kinds of value that a property holds;
//! - [`index`]: the model as compact text, written by the build script and read by the macros;
//! - [`record`]: the records, embedded in a program, of the contracts that it uses;
//! - [`similar`]: the most similar of several names, for a did-you-mean;
//! - [`text`]: escaping of untrusted text for display;
//! - [`unknown_field`]: the messages for undeclared members and items.
#![forbid(unsafe_code)]

pub mod index;
pub mod model;
pub mod name;
pub mod record;
pub mod rust;
pub mod similar;
pub mod text;
pub mod unknown_field;

pub use model::{Context, Contracts, Event, Kind, Location, Property, Rpc, RpcBody};
pub use name::{EventName, Group, NameError, RpcName};
