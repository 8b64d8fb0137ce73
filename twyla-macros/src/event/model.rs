//! A struct that is bound to a contract, its fields and properties matched.

use proc_macro2::{Span, TokenStream};
use syn::{Ident, Path, Type};

use crate::catalogue::Text;
use crate::runtime::Runtime;

/// The use that a struct is declared for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Emit,
    Listen,
}

/// A bound struct.
pub(super) struct Event {
    pub(super) name: Ident,
    pub(super) contract: BoundEvent,
    pub(super) direction: Option<Direction>,
    pub(super) fields: Vec<Field>,
    /// The error for emitting the struct, if required properties have no field.
    pub(super) lacks: Option<Text>,
    /// The error for a use in the direction that isn't declared.
    pub(super) declared: Option<Text>,
    /// The error if each field fits a direction, but not all the same one.
    pub(super) neither: Text,
}

/// The contract that a struct is bound to.
pub(super) struct BoundEvent {
    pub(super) runtime: Runtime,
    pub(super) event: String,
    pub(super) domain: String,
    pub(super) event_type: String,
    pub(super) key: u64,
    pub(super) schema: String,
    /// The generated type's name.
    pub(super) rust_name: String,
    /// The path of the generated type, and the path of the context's type.
    pub(super) content: Path,
    pub(super) context: Path,
}

/// A field with its property.
pub(super) struct Field {
    pub(super) name: Ident,
    pub(super) ty: Type,
    pub(super) wire: String,
    pub(super) absence: Absence,
    /// The check; `None` for a field that is trusted.
    pub(super) check: Option<Check>,
    /// The serde attributes of a trusted field, which are kept.
    pub(super) serde: Vec<TokenStream>,
    /// Whether the property is optional, so that `None` is left out.
    pub(super) optional: bool,
}

/// The value of a field if its property is absent.
pub(super) enum Absence {
    /// serde's default behaviour: `None` for an option, otherwise an error.
    Plain,
    /// The type's default.
    Default(Span),
    /// The result of the function at this path.
    Function(Path),
}

/// The checks of a field against its property.
pub(super) struct Check {
    /// The kind of a present value, as a type of the runtime.
    pub(super) kind: TokenStream,
    /// Whether the value may be absent when it is read, or written.
    pub(super) absent_when_read: bool,
    pub(super) absent_when_written: bool,
    /// The property's name as a part of type names: `Emission`.
    pub(super) word: String,
    /// The error for a type that fits in neither direction.
    pub(super) wrong: Text,
    /// The error for a type that can't hold every value of the property.
    pub(super) narrow: Text,
    /// The error for a type that can't hold an absent property.
    pub(super) absence: Text,
    /// The error for a type that may have no value to write.
    pub(super) unwritable: Text,
}
