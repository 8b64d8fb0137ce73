//! The generated code of each folder of schemas, compiled.
#![allow(missing_docs, reason = "some contracts have no docs")]

macro_rules! folders {
    ($($name:ident)*) => {$(
        pub mod $name {
            include!(concat!(env!("OUT_DIR"), "/", stringify!($name), ".rs"));
        }
    )*};
}

pub mod own;

// a type of this crate that a schema names
extern crate self as twyla_golden;

folders!(custom defaults demo digits exact fields names order refs rpc rules sensitive shapes trees unions);
