//! The generated code of each folder of schemas, compiled.
#![expect(missing_docs, reason = "the docs are those of the schemas, and some have none")]

pub mod demo {
    include!(concat!(env!("OUT_DIR"), "/demo.rs"));
}
pub mod names {
    include!(concat!(env!("OUT_DIR"), "/names.rs"));
}
