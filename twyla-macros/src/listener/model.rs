//! A handler function that can be a listener.

use syn::{Ident, Type, Visibility};
use twyla_contract::{EventName, Group};

use super::policy::Policy;
use crate::catalogue::Text;
use crate::runtime::Runtime;

/// A handler.
pub(super) struct Listener {
    pub(super) runtime: Runtime,
    pub(super) vis: Visibility,
    pub(super) name: Ident,
    /// The event that the attribute names.
    pub(super) event: Option<NamedEvent>,
    pub(super) group: Group,
    /// The type of an event's content.
    pub(super) content: Type,
    /// The first argument of a batch listener.
    pub(super) batch: Option<BatchArgument>,
    /// The types of the other arguments.
    pub(super) arguments: Vec<Type>,
    /// The return type, if there is one.
    pub(super) output: Option<Type>,
    pub(super) policy: Policy,
}

/// The first argument of a batch listener.
pub(super) enum BatchArgument {
    /// `Vec<T>`.
    Contents,
    /// `Batch<T>`: this type.
    Events(Box<Type>),
}

/// An event named in the attribute.
pub(super) struct NamedEvent {
    pub(super) name: EventName,
    /// The generated type's name.
    pub(super) rust_name: String,
    /// The error if the first argument isn't the event's content.
    pub(super) mismatch: Text,
}
