//! A group of cases: one schema with values that fit it or don't. The build script writes them, the test reads them.

use std::collections::BTreeMap;

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
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Prepared {
    /// The folder of the suite's draft; none where the suite hasn't this draft.
    pub suite: Option<String>,
    /// The groups; a group's number names its module in the generated code.
    pub groups: Vec<Group>,
    /// Files whose words the suite's folder has and that are no groups, with what is wrong.
    pub unreadable: BTreeMap<String, String>,
    /// Optional groups that need a document that the suite's folder hasn't, each with its URI.
    pub unserved: Vec<String>,
}
