//! The contract model: what `twyla-build` finds in a folder of JSON Schema files and what the macros of `twyla-macros`
//! hold handler functions and hand-written structs against.
//!
//! The crate has no dependencies: it is the one language that the build script, the macros and the command line speak.
//! Its rooms, in the order in which data walks through them:
//!
//! - [`name`]: names of events, RPCs, domains and groups, parsed into types that can't be wrong;
//! - [`rust`]: the Rust names that contract names become;
//! - [`model`]: contracts, events, RPCs, properties and the kinds of value that a property holds;
//! - [`index`]: the model as a compact text, written by the build script and read by the macros;
//! - [`record`]: the marks that a program carries of what it emits and listens to;
//! - [`similar`]: the nearest of some names, for a did-you-mean;
//! - [`text`]: text from outside, made safe to show.
#![forbid(unsafe_code)]

pub mod index;
pub mod model;
pub mod name;
pub mod record;
pub mod rust;
pub mod similar;
pub mod text;

pub use model::{Context, Contracts, Event, Kind, Place, Property, Rpc, RpcBody};
pub use name::{EventName, Group, NameError, RpcName};
