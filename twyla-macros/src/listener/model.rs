//! A handler function that can be a listener.

use syn::{Ident, Type, Visibility};
use twyla_contract::{EventName, Group};

use super::policy::Policy;
use crate::catalogue::Text;

/// A handler.
pub(super) struct Listener {
    pub(super) vis: Visibility,
    pub(super) name: Ident,
    /// The event that the attribute names.
    pub(super) event: Option<Named>,
    pub(super) group: Group,
    /// The type of the first argument.
    pub(super) content: Type,
    /// The types of the others.
    pub(super) arguments: Vec<Type>,
    /// What the function returns, or none where it says nothing.
    pub(super) output: Option<Type>,
    pub(super) policy: Policy,
}

/// An event named in the attribute.
pub(super) struct Named {
    pub(super) name: EventName,
    /// The generated type's name.
    pub(super) rust_name: String,
    /// What is said where the first argument is not its content.
    pub(super) mismatch: Text,
}
