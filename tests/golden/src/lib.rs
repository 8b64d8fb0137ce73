//! The generated code of each folder of schemas, compiled.
#![allow(missing_docs, reason = "some contracts have no docs")]

macro_rules! folders {
    ($($name:ident)*) => {$(
        pub mod $name {
            include!(concat!(env!("OUT_DIR"), "/", stringify!($name), ".rs"));
        }
    )*};
}

folders!(defaults demo digits fields names order refs rpc rules sensitive shapes trees unions);
