//! The contract records that are embedded in a binary, which `cargo twyla manifest` reads: see `twyla_contract::record`.
//!
//! A program takes the name of an event on the wire from its emitter's record, and the name of a queue from its
//! listener's record. So no optimization removes a record that is used.

use std::hint::black_box;

pub use twyla_contract::record;

/// A compiled schema with everything that it refers to.
#[derive(Debug)]
pub struct Schema {
    /// The digest of the schema's canonical form.
    pub digest: &'static str,
    /// The schema's record.
    pub record: &'static str,
    /// The schema's sensitive values, as JSON Pointers (`*` matches any key or index).
    pub sensitive: &'static [&'static str],
}

/// The schemas of an event.
#[derive(Clone, Copy, Debug)]
pub struct Schemas {
    /// The schema of the content.
    pub content: &'static Schema,
    /// The schema of the context.
    pub context: &'static Schema,
}

impl Schemas {
    /// Empty schemas, for an event without a contract: one that a test implements by hand, or one that doesn't compile.
    pub const NONE: Self = {
        const NONE: &Schema = &Schema { digest: "", record: "", sensitive: &[] };
        Self { content: NONE, context: NONE }
    };
}

/// Proof, embedded in the binary, that the program uses a contract.
#[derive(Debug)]
pub struct ContractRecord {
    subject: &'static str,
    record: &'static str,
    schemas: &'static [&'static Schema],
}

impl ContractRecord {
    /// Creates the proof from a record and the schemas whose digests are in it.
    #[must_use]
    pub const fn new(record: &'static str, schemas: &'static [&'static Schema]) -> Self {
        Self { subject: record::subject(record), record, schemas }
    }

    /// Creates a proof without a record, for events that a test implements by hand.
    #[must_use]
    pub const fn none(subject: &'static str) -> Self {
        Self { subject, record: "", schemas: &[] }
    }

    /// Returns the name of the event or RPC. It is borrowed from the record's bytes, so a program that uses the name
    /// keeps the record.
    #[must_use]
    pub fn subject(&'static self) -> &'static str {
        // opaque to the compiler, so that it keeps all of the record
        black_box(self).subject
    }

    /// Returns the sensitive values of an event's message, as JSON Pointers.
    #[must_use]
    pub fn sensitive(&self) -> Vec<String> {
        let parts = ["/content", "/context"].iter().zip(self.schemas);
        parts.flat_map(|(part, schema)| schema.sensitive.iter().map(move |at| format!("{part}{at}"))).collect()
    }

    /// Returns the record of the event or RPC, and the records of its schemas.
    pub fn records(&'static self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.record).chain(self.schemas.iter().map(|schema| schema.record))
    }
}

/// Creates a `ContractRecord` of these fields, the kind first, and these schemas. Evaluated at compile time.
#[doc(hidden)]
#[macro_export]
macro_rules! __record {
    ([$($field:expr),* $(,)?], $schemas:expr) => {{
        use $crate::__private::record::{ContractRecord, Schema, record};
        const FIELDS: &[&str] = &[$($field),*];
        const BYTES: [u8; record::len(FIELDS)] = record::write(FIELDS);
        const COMPILED: &[&Schema] = $schemas;
        const RECORD: &ContractRecord = match ::core::str::from_utf8(&BYTES) {
            ::core::result::Result::Ok(record) => &ContractRecord::new(record, COMPILED),
            ::core::result::Result::Err(_) => ::core::panic!("text is UTF-8"),
        };
        RECORD
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_made_as_the_program_compiles() {
        static CONTENT: Schema = Schema { digest: "aa", record: "", sensitive: &[] };
        const GROUP: &str = "bot";
        let record = crate::__record!(["listens", "api.a", GROUP, CONTENT.digest, "bb", "x::y"], &[&CONTENT]);
        assert_eq!((record.subject(), record.records().count()), ("api.a", 2));
        let read = record::read(record.record.as_bytes()).unwrap();
        let text = |text: &str| text.to_owned();
        let (event, group, handler) = (text("api.a"), text("bot"), text("x::y"));
        let listens = record::Record::Listens { event, group, content: text("aa"), context: text("bb"), handler };
        assert_eq!(read, [listens]);
        assert_eq!(record.subject.as_ptr(), record.record[record.record.find("api.a").unwrap()..].as_ptr());
    }
}
