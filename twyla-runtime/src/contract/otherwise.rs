//! What expanded code falls back to where a type of the user's doesn't fit a contract.

use super::record::{Mark, Schemas};

/// The answers where no inherent constant applies.
pub trait Otherwise {
    /// It isn't.
    const HOLDS: bool = false;
    /// There are none.
    const SCHEMAS: Schemas = Schemas::NONE;
    /// An empty record.
    const SERVES: &'static Mark = const { &Mark::none("") };
}
