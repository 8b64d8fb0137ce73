//! The generated code of each folder of schemas, compiled.
#![allow(mixed_script_confusables, missing_docs, reason = "the names are the contracts', and some have no docs")]

macro_rules! folders {
    ($($name:ident)*) => {$(
        pub mod $name {
            include!(concat!(env!("OUT_DIR"), "/", stringify!($name), ".rs"));
        }
    )*};
}

folders!(demo names order refs rpc rules sensitive trees);
