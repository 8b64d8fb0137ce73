//! Typed values as JSON text, checked against JSON Schema contracts on reading and writing.
//!
//! The code that `twyla-build` generates calls this crate: `json` reads and writes text exactly as JSON Schema sees
//! values, [`validate`] checks values against their contracts, and [`mod@event`] and [`rpc`] have the traits of
//! contracts. `envelope` writes and reads the messages of events, `cloud_event` those that are CloudEvents. The crate
//! has no network and no async runtime. Services use it through `twyla-runtime`, which re-exports it; a crate that only
//! declares contracts for services, or a program that only reads and writes them, depends on it alone:
//!
//! ```text
//! // build.rs
//! twyla_build::Builder::new("schemas").runtime("twyla_codec").compile_or_exit();
//!
//! // src/lib.rs
//! twyla_codec::include_contracts!();
//! ```
//!
//! Items that only generated code uses may change in any version.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

#[doc(hidden)]
pub mod cloud_event;
mod contract;
#[doc(hidden)]
pub mod envelope;
mod excerpt;
#[doc(hidden)]
pub mod json;
mod nullable;
#[doc(hidden)]
pub mod path;
mod received;
pub mod validate;
mod violation;

pub use contract::event;
#[doc(hidden)]
pub use contract::record;
pub use json::words::InvalidWord;
pub use nullable::Nullable;
pub use validate::formats::date_time::{DateTime, InvalidDateTime};

/// The contracts of RPCs.
pub mod rpc {
    pub use crate::contract::method::{Body, DomainError, Method, NoError};
}

/// Includes the code that `twyla-build` has generated from the schemas, in a contracts crate that services depend on.
/// The crate's build script calls `Builder::runtime("twyla_codec")`, so that it depends on `twyla-codec` alone.
pub use twyla_macros::include_contracts;

/// The functions and types that generated code uses. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    // types and their codecs
    pub use crate::json::foreign::{foreign, serializable, write_foreign, write_foreign_extra, write_foreign_member};
    pub use crate::json::variants::{no_own_member, no_variant, no_variant_of_value};
    pub use crate::json::write::write_extra;
    pub use crate::json::{
        Fault, MemberValue, Names, Read, Reader, Token, Write, close_object, default, nothing_but, word, write_member,
        write_optional, write_str,
    };
    pub use crate::nullable::write_nullable;
    pub use crate::path::Path;
    pub use crate::received::LargeNumbers;
    pub use crate::validate::alternatives::one_of;
    pub use crate::validate::contract::{
        Validate, decode, decode_as, decode_through, encode, encode_as, encode_through,
    };
    pub use crate::validate::nested::{nested, nested_items, nested_optional};
    pub use crate::validate::rules::{self, Format, Pattern, Violations};
    pub use crate::validate::schema;
    pub use crate::validate::sensitive::Hidden;
    pub use crate::{
        __bridge as bridge, __compared as compared, __idna as idna, __ordered as ordered, __view as view,
        __words as words, DateTime, Nullable,
    };
    pub use {chrono, serde, serde_json, uuid};

    // contracts of events and RPCs
    pub use crate::contract::builder::{Built, NoneMissing, RequiredMembers, Setting, Unset, unset_member};
    pub use crate::contract::event::bound::{DoesFit, Nothing, ReadField, WrittenField, is_absent};
    pub use crate::contract::event::fits::{Either, Fits, OwnKind, Reading, Writing};
    pub use crate::contract::event::kind;
    pub use crate::contract::method::{Requests, Responds, RpcKey, show_error};
    pub use crate::contract::ordered::{FieldRef, compare_fields, debug_fields, equal_fields, hash_fields};
    pub use crate::contract::otherwise::Otherwise;
    pub use crate::contract::record;
    pub use crate::validate::Refusal;
    pub use crate::{
        __bindable as bindable, __builder as builder, __contract as contract, __record as record,
        __rpc_contract as rpc_contract, __rpc_error as rpc_error, __unset as unset,
    };
}
