//! The contracts of a schemas folder for the macros: names, places, properties and the kinds of their values.

use std::fmt;

use crate::{EventName, RpcName};

/// All contracts of one schemas folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contracts {
    /// The schemas folder as messages show it, for example `schemas`.
    pub root: String,
    /// The context that every event carries.
    pub context: Context,
    /// The events, sorted by name.
    pub events: Vec<Event>,
    /// The RPCs, sorted by name.
    pub rpcs: Vec<Rpc>,
    /// The names of events and RPCs that the folder has and the build leaves out, sorted.
    pub left_out: Vec<String>,
}

impl Contracts {
    /// Returns the event of that name.
    #[must_use]
    pub fn event(&self, name: &str) -> Option<&Event> {
        self.events.iter().find(|event| event.name.as_str() == name)
    }

    /// Returns the RPC of that name.
    #[must_use]
    pub fn rpc(&self, name: &str) -> Option<&Rpc> {
        self.rpcs.iter().find(|rpc| rpc.name.as_str() == name)
    }
}

/// The contract of the context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The place where the schema begins.
    pub place: Location,
    /// The generated type, relative to the module that includes the contracts: `Context`.
    pub rust_path: String,
}

/// The contract of one event's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The event's name.
    pub name: EventName,
    /// The place where the schema begins.
    pub place: Location,
    /// The generated type, relative to the module that includes the contracts: `api::UserInput`.
    pub rust_path: String,
    /// The content's properties in the order of the schema. Also empty if the content is a map.
    pub properties: Vec<Property>,
    /// Whether an event's content may have members that the schema doesn't declare.
    pub open: bool,
}

impl Event {
    /// Returns the property with that name on the wire.
    #[must_use]
    pub fn property(&self, wire: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.wire == wire)
    }

    /// Returns the last segment of the generated type's path: `UserInput`.
    #[must_use]
    pub fn rust_name(&self) -> &str {
        self.rust_path.rsplit("::").next().unwrap_or(&self.rust_path)
    }
}

/// The contracts of one RPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rpc {
    /// The RPC's name.
    pub name: RpcName,
    /// The generated type that represents the RPC, relative to the module that includes the contracts:
    /// `rpc::navitaire_api::GetBooking`.
    pub rust_path: String,
    /// Whether repeating a call has no further effect, as `idempotent` in its request's schema says.
    pub idempotent: bool,
    /// The contract of the request.
    pub request: RpcBody,
    /// The contract of the response.
    pub response: RpcBody,
    /// The contract of the error, if the RPC has one.
    pub error: Option<RpcBody>,
}

impl Rpc {
    /// Returns the last segment of the generated type's path: `GetBooking`.
    #[must_use]
    pub fn rust_name(&self) -> &str {
        self.rust_path.rsplit("::").next().unwrap_or(&self.rust_path)
    }
}

/// The contract of one message of an RPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcBody {
    /// The place where the schema begins.
    pub place: Location,
    /// The generated type, relative to the module that includes the contracts: `rpc::navitaire_api::GetBookingRequest`, or
    /// the referenced type if the schema is only a reference.
    pub rust_path: String,
}

impl RpcBody {
    /// Returns the last segment of the generated type's path: `GetBookingRequest`.
    #[must_use]
    pub fn rust_name(&self) -> &str {
        self.rust_path.rsplit("::").next().unwrap_or(&self.rust_path)
    }
}

/// One declared property of an event's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// The name on the wire.
    pub wire: String,
    /// The field's name in Rust, in the generated struct and, unless it is renamed, in a hand-written one.
    pub field: String,
    /// Whether the property is required.
    pub required: bool,
    /// The kind of the property's value.
    pub kind: Kind,
    /// The generated field's type, without the `Option` of an optional property, with generated types relative to the
    /// module that includes the contracts: `Vec<api::UserInputItem>`. It is `String` for a required constant, which has no field
    /// there.
    pub rust_type: String,
    /// The place where the property's subschema begins.
    pub place: Location,
}

/// The kind of a property's value, as far as a Rust type expresses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any value.
    Any,
    /// Only `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// An integer within inclusive bounds; `None` is unbounded.
    Integer {
        /// The minimum.
        minimum: Option<i128>,
        /// The maximum.
        maximum: Option<i128>,
    },
    /// A number.
    Number,
    /// A string, with or without a length, pattern or format.
    String,
    /// A string of a format that has a type of its own: `date`, `date-time`, `uuid`, `ipv4` or `ipv6`.
    Format(String),
    /// One of several strings.
    Enum(Vec<String>),
    /// An array of items of one kind.
    Array(Box<Kind>),
    /// An object whose members are all of one kind.
    Map(Box<Kind>),
    /// An object with declared properties.
    Object {
        /// The generated type, relative to the module that includes the contracts.
        rust_path: String,
    },
    /// Another value with a generated type: a union, a tuple, mixed constants.
    Other {
        /// The generated type, relative to the module that includes the contracts.
        rust_path: String,
    },
    /// A value of a kind, or `null`.
    Nullable(Box<Kind>),
}

impl fmt::Display for Kind {
    /// Formats the kind in the contract's terms: `an integer from 0 to 1000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any value"),
            Self::Null => f.write_str("null"),
            Self::Boolean => f.write_str("a boolean"),
            Self::Integer { minimum: None, maximum: None } => f.write_str("an integer"),
            Self::Integer { minimum: Some(min), maximum: Some(max) } => write!(f, "an integer from {min} to {max}"),
            Self::Integer { minimum: Some(min), maximum: None } => write!(f, "an integer of at least {min}"),
            Self::Integer { minimum: None, maximum: Some(max) } => write!(f, "an integer of at most {max}"),
            Self::Number => f.write_str("a number"),
            Self::String => f.write_str("a string"),
            Self::Format(format) => write!(f, "a string of the format `{format}`"),
            Self::Enum(values) => {
                f.write_str("one of ")?;
                for (i, value) in values.iter().take(8).enumerate() {
                    write!(f, "{}{value:?}", if i == 0 { "" } else { ", " })?;
                }
                if values.len() > 8 { write!(f, " and {} more", values.len() - 8) } else { Ok(()) }
            }
            Self::Array(item) => write!(f, "an array in which each item is {item}"),
            Self::Map(value) => write!(f, "an object in which each member is {value}"),
            Self::Object { rust_path } => write!(f, "an object (`{rust_path}`)"),
            Self::Other { rust_path } => write!(f, "a value of `{rust_path}`"),
            Self::Nullable(kind) => write!(f, "{kind}, or null"),
        }
    }
}

/// A place in a schema file; line and column count from 1, the column in characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Location {
    /// The file's path as messages show it: the path of the schemas folder, then the path within the folder.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl fmt::Display for Location {
    /// Formats as `schemas/events/api/user_input.json:9:7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}
