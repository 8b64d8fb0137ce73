//! The fallback of expanded code if a user's type doesn't fit a contract.

use super::record::{ContractRecord, Schemas};

/// The values that apply if a type has no inherent constant of the same name.
pub trait Otherwise {
    /// False.
    const HOLDS: bool = false;
    /// Empty schemas.
    const SCHEMAS: Schemas = Schemas::NONE;
    /// An empty record.
    const SERVES: &'static ContractRecord = const { &ContractRecord::none("") };
}
