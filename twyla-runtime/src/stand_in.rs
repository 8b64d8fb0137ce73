//! The traits that attributes with contracts from another crate implement for a stand-in.
//!
//! Such an attribute keeps a stand-in in case the path of its contracts leads nowhere. Then the stand-in implements the
//! traits of [`real`], so that the path is the only error. Otherwise it implements those of [`unused`].

/// The traits of handlers and events.
pub mod real {
    pub use crate::event::{Emit, Event, Listen};
    pub use crate::rpc::handler::Handler;
    pub use crate::service::handler::Listener;
}

/// Traits with the same names and items that nothing requires. They have other names here, so that the compiler never
/// mentions them.
#[allow(missing_docs)]
pub mod unused {
    use twyla_codec::record::{ContractRecord, Schemas};
    use twyla_codec::validate::Refusal;

    pub use {
        UnusedEmit as Emit, UnusedEvent as Event, UnusedHandler as Handler, UnusedListen as Listen,
        UnusedListener as Listener,
    };

    pub trait UnusedEvent {
        const NAME: &'static str;
        const DOMAIN: &'static str;
        const EVENT_TYPE: &'static str;
        const SCHEMA: &'static str;
        const SCHEMAS: Schemas;
        const EMITS: &'static ContractRecord;
        type Key;
        type Context;
    }

    pub trait UnusedListen: Sized {
        fn decode(content: &[u8]) -> Result<Self, Refusal>;
    }

    pub trait UnusedEmit {
        fn encode(&self, out: &mut Vec<u8>) -> Result<(), Refusal>;
    }

    pub trait UnusedListener {
        const EVENT: &'static str;
        const GROUP: &'static str;
        fn registration() -> crate::service::handler::Registration;
    }

    pub trait UnusedHandler {
        const NAME: &'static str;
        const METHOD: &'static str;
        fn registration() -> crate::rpc::handler::Registration;
    }
}
