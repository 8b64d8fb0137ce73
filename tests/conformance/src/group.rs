//! A group of cases: one schema with values that fit it or don't. The build script writes them, the test reads them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The drafts, by the names that the suite's folders have.
pub const DRAFTS: [&str; 5] = ["draft4", "draft6", "draft7", "draft2019-09", "draft2020-12"];

/// Where a group comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// A file that the suite requires.
    Required,
    /// A file below the suite's `optional`.
    Optional,
    /// A file below the suite's `optional/format`.
    Format,
    /// Generated; its values are too, and what they should be is for the `jsonschema` crate to say.
    Generated,
}

/// Where a group's schema stands in the folder that is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Placement {
    /// In `shared/`, where the property of an event refers to it.
    Shared,
    /// It is an event, which one before it in the alphabet refers to.
    EventAfter,
    /// It is an event, which one behind it in the alphabet refers to.
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
    /// All of them but the first, in which each group is compiled.
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

/// A way on which a value comes to a group's schema.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Probe {
    /// The event: `b` is `a.b`.
    pub event: String,
    /// What stands before the value in the event's content, and behind it.
    pub around: [String; 2],
    /// What the values have to be besides.
    pub besides: Besides,
}

/// What is asked of a value beyond its group's schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Besides {
    /// Nothing.
    Nothing,
    /// It has to be an object.
    Object,
    /// It may be null too.
    OrNull,
}

/// A folder of schemas, as `cargo twyla` reads one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Folder {
    /// The files but the context, by their paths.
    pub files: BTreeMap<String, Box<RawValue>>,
    /// The documents that they refer to, by their URIs.
    pub documents: Vec<(String, PathBuf)>,
    /// Whether `format` is a rule.
    pub formats: bool,
}

/// How the build has taken a group's schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    /// Typed, and checked in place.
    Typed,
    /// Typed as far as types go, with rules besides that a tree of them holds; each of its reasons.
    Trees(Vec<String>),
    /// Not at all; its problems.
    Refused(String),
}

/// A schema with its cases.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    /// Where it comes from.
    pub kind: Kind,
    /// The file without its ending, below the draft's folder: `optional/format/date`.
    pub file: String,
    /// What the group is about.
    pub description: String,
    /// The schema, as it is written.
    pub schema: Box<RawValue>,
    /// The cases; a generated group has none.
    pub cases: Vec<Case>,
    /// What the build has made of it.
    pub way: Way,
    /// Where the schema stands.
    pub placement: Placement,
    /// How values come to it.
    pub probes: Vec<Probe>,
    /// The folder in which it stands, if `cargo twyla validate` is to hold values to it too.
    pub folder: Option<Folder>,
}

impl Group {
    /// A group that isn't compiled yet.
    #[must_use]
    pub fn new(kind: Kind, file: &str, description: String, schema: Box<RawValue>, cases: Vec<Case>) -> Self {
        let (way, placement, probes, folder) = (Way::Typed, Placement::Shared, Vec::new(), None);
        Self { kind, file: file.to_owned(), description, schema, cases, way, placement, probes, folder }
    }
}

/// A value and whether it fits its group's schema.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Case {
    /// What the case is about.
    pub description: String,
    /// The value, as it is written: `1.0` stays `1.0`.
    pub data: Box<RawValue>,
    /// Whether the schema allows it.
    pub valid: bool,
}

/// Everything that the build knows of one draft.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Prepared {
    /// The folder of the suite's draft; none where the suite hasn't this draft.
    pub suite: Option<String>,
    /// The groups; a group's number names its module in the generated code.
    pub groups: Vec<Group>,
    /// How many groups have no such placement, by the reason: a schema that allows no object is no event's.
    pub unplaced: BTreeMap<String, usize>,
    /// Files whose words the suite's folder has and that are no groups, with what is wrong.
    pub unreadable: BTreeMap<String, String>,
    /// Optional groups that need a document that the suite's folder hasn't, each with its URI.
    pub unserved: Vec<String>,
}
