//! A group of cases: one schema with valid and invalid values. The build script writes groups, the test reads them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The drafts, by the names of the suite's folders.
pub const DRAFTS: [&str; 5] = ["draft4", "draft6", "draft7", "draft2019-09", "draft2020-12"];

/// The source of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// A file that the suite requires.
    Required,
    /// A file below the suite's `optional`.
    Optional,
    /// A file below the suite's `optional/format`.
    Format,
    /// Generated, with generated values whose expected results come from the `jsonschema` crate.
    Generated,
}

/// The position of a group's schema in the compiled folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Placement {
    /// In `shared/`, where the property of an event refers to it.
    Shared,
    /// As an event; an event before it in the alphabet refers to it.
    EventAfter,
    /// As an event; an event after it in the alphabet refers to it.
    EventBefore,
    /// In `shared/`, where items, members and a nullable property refer to it.
    Items,
    /// In `shared/`, where `allOf` refers to it, alone and beside others.
    AllOf,
    /// Within an event, under `properties`.
    InProperties,
    /// Within an event, under `items` and `additionalProperties`.
    InItems,
    /// Within an event, under `allOf`, alone and beside others.
    InAllOf,
    /// In `shared/` beside another group's, each with an event, and the events refer to each other.
    Pair,
}

impl Placement {
    /// All placements but the first, in which each group is compiled.
    pub const OTHERS: [Self; 8] = [
        Self::EventAfter,
        Self::EventBefore,
        Self::Items,
        Self::AllOf,
        Self::InProperties,
        Self::InItems,
        Self::InAllOf,
        Self::Pair,
    ];
}

impl std::fmt::Display for Placement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Shared => "shared, by a property",
            Self::EventAfter => "event, referred to before",
            Self::EventBefore => "event, referred to after",
            Self::Items => "shared, by items",
            Self::AllOf => "shared, by allOf",
            Self::InProperties => "within properties",
            Self::InItems => "within items",
            Self::InAllOf => "within allOf",
            Self::Pair => "two that refer to each other",
        })
    }
}

/// A path from an event to the value of a group's schema.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Probe {
    /// The event: `b` is `a.b`.
    pub event: String,
    /// The text before the value in the event's content, and after it.
    pub around: [String; 2],
    /// The additional requirement on the values.
    pub besides: Besides,
}

/// A requirement on a value beyond its group's schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Besides {
    /// None.
    Nothing,
    /// It must be an object.
    Object,
    /// It may be null too.
    OrNull,
}

/// A folder of schemas in the form that `cargo twyla` reads.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Folder {
    /// The files without the context, by their paths.
    pub files: BTreeMap<String, Box<RawValue>>,
    /// The documents that they refer to, by their URIs.
    pub documents: Vec<(String, PathBuf)>,
    /// Whether `format` is asserted.
    pub formats: bool,
}

/// How the build has compiled a group's schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    /// Typed, with all checks in generated code.
    Typed,
    /// Typed, with a tree of rules for the rest; the reasons.
    Trees(Vec<String>),
    /// Refused, with its problems.
    Refused(String),
}

/// A schema with its cases.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    /// Its source.
    pub kind: Kind,
    /// The file without its extension, below the draft's folder: `optional/format/date`.
    pub file: String,
    /// The group's description.
    pub description: String,
    /// The schema's text.
    pub schema: Box<RawValue>,
    /// The cases; empty for a generated group.
    pub cases: Vec<Case>,
    /// How the build has compiled it.
    pub way: Way,
    /// The position of the schema.
    pub placement: Placement,
    /// The paths to its values.
    pub probes: Vec<Probe>,
    /// Its folder, if `cargo twyla validate` checks values too.
    pub folder: Option<Folder>,
}

impl Group {
    /// Creates a group that isn't compiled yet.
    #[must_use]
    pub fn new(kind: Kind, file: &str, description: String, schema: Box<RawValue>, cases: Vec<Case>) -> Self {
        let (way, placement, probes, folder) = (Way::Typed, Placement::Shared, Vec::new(), None);
        Self { kind, file: file.to_owned(), description, schema, cases, way, placement, probes, folder }
    }
}

/// A value, and whether its group's schema allows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Case {
    /// The case's description.
    pub description: String,
    /// The value's text: `1.0` stays `1.0`.
    pub data: Box<RawValue>,
    /// Whether the schema allows it.
    pub valid: bool,
}

/// The build's output for one draft.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Prepared {
    /// The folder of the suite's draft; none if the suite lacks this draft.
    pub suite: Option<String>,
    /// The groups; a group's number names its module in the generated code.
    pub groups: Vec<Group>,
    /// The number of groups without such a placement, by reason: a schema that allows no object can't be an event's.
    pub unplaced: BTreeMap<String, usize>,
    /// Files in the suite's folder that don't contain groups, with the error.
    pub unreadable: BTreeMap<String, String>,
    /// Optional groups that need a document that the suite's folder lacks, with its URI.
    pub unserved: Vec<String>,
}
