//! What can be wrong with a folder of schemas, and which of it is a warning.

use crate::schema::draft::Draft;
use crate::schema::load::At;
use crate::schema::pattern::{Loose, Refusal};

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the wording below is the documentation")]
pub enum What {
    // the folder
    NoFolder {
        error: String,
    },
    NoContext,
    NoEvents,
    Unreadable {
        error: String,
    },
    Symlink,
    NotUtf8Path,
    BadName {
        error: String,
    },
    ReservedDomain {
        name: String,
        why: &'static str,
    },
    /// Where an RPC lacks a file; `near` is one that may be meant to be it.
    NoRpcBody {
        way: &'static str,
        near: Option<String>,
    },
    /// A file beside those of an RPC whose name is nearly one of theirs.
    NearlyRpc {
        near: &'static str,
    },
    NothingBelongsHere,
    NotAJsonFile,
    /// What is allowed and is no warning.
    UnknownWarning {
        name: String,
        near: Option<String>,
    },
    /// A format that is to be asserted and is none.
    NoFormat {
        name: String,
        near: Option<String>,
    },
    /// A member of `twyla.json` that is no setting.
    UnknownSetting {
        name: String,
        near: Option<String>,
    },
    BadDocumentUri {
        uri: String,
    },
    DocumentTwice {
        uri: String,
        other: String,
    },
    // the text
    NotUtf8,
    Utf16,
    ByteOrderMark,
    NotJson {
        error: String,
    },
    DuplicateKey {
        key: String,
        first: At,
    },
    BigNumber {
        number: String,
    },
    TooDeep {
        limit: usize,
    },
    TooMuch {
        what: &'static str,
        limit: usize,
    },
    // the schema
    NoSchema {
        found: &'static str,
    },
    UnknownDraft {
        uri: String,
        /// The folder's settings file.
        settings: String,
        near: Option<String>,
    },
    UnknownVocabulary {
        uri: String,
        schema: String,
    },
    UnknownType {
        name: String,
        near: Option<String>,
    },
    UnknownKeyword {
        name: String,
        near: String,
    },
    /// A keyword of other drafts than the schema's: of the first to the last of them.
    ForeignKeyword {
        name: String,
        draft: Draft,
        first: Draft,
        last: Draft,
    },
    /// OpenAPI 3.0's keyword.
    Nullable,
    OfRequest {
        name: String,
    },
    /// Where the draft has no such format; `known` where other drafts have it.
    UnknownFormat {
        name: String,
        near: Option<String>,
        known: bool,
        /// The folder's settings file.
        settings: String,
    },
    WrongKeyword {
        keyword: String,
        wanted: String,
        found: String,
    },
    /// An annotation, which only tells people something, of another type than it has.
    WrongAnnotation {
        keyword: String,
        wanted: String,
        found: String,
    },
    BadPattern {
        pattern: String,
        why: Option<Refusal>,
    },
    /// A pattern that is taken as ECMA-262 has it without the flag `u`.
    LoosePattern {
        pattern: String,
        loose: Loose,
        accepted: String,
    },
    PatternBeyond {
        pattern: String,
    },
    /// A default that its own schema refuses; `at` is where in it.
    RefusedDefault {
        at: String,
        rule: String,
    },
    /// A default that its schema allows, and that has a part which the Rust type can't hold.
    UnheldDefault {
        found: String,
        wants: String,
    },
    RequiredUndeclared {
        name: String,
        near: Option<String>,
    },
    CannotHoldObject {
        what: &'static str,
        found: String,
        /// Whether it allows arrays, which can be wrapped.
        array: bool,
    },
    /// A root that allows objects and says that it allows other values.
    Narrowed {
        what: &'static str,
    },
    /// A root that has definitions and nothing else.
    OnlyDefinitions {
        what: &'static str,
    },
    /// A warning for several places, at the first of them.
    Repeated {
        what: Box<Self>,
        times: usize,
        files: usize,
    },
    DuplicateId {
        uri: String,
        /// Where the other one is: file, line and column.
        first: String,
    },
    BadBundle {
        error: String,
    },
    /// A mistake in the lock file, in the words of the lock.
    Lock {
        message: String,
    },
    Uncompilable {
        error: String,
    },
    // references
    DanglingFile {
        reference: String,
        near: Option<String>,
    },
    DanglingPointer {
        reference: String,
        near: Option<String>,
    },
    LeavesFolder {
        reference: String,
    },
    WantsNetwork {
        reference: String,
        /// The folder's settings file.
        settings: String,
        uri: String,
    },
    BadReference {
        reference: String,
    },
    Circular {
        reference: String,
        chain: String,
    },
    // names in Rust
    FieldRenamed {
        name: String,
        other: String,
        plain: String,
        field: String,
    },
    DomainClash {
        name: String,
        other: String,
        module: String,
    },
    EventClash {
        name: String,
        other: String,
        type_: String,
    },
    /// Of a schema within an event, and another event's, or a schema within that one.
    TypeClash {
        other: String,
        type_: String,
    },
    ServiceClash {
        name: String,
        other: String,
        module: String,
    },
    MethodClash {
        name: String,
        other: String,
        type_: String,
    },
}

/// The names of all warnings.
pub(crate) const WARNINGS: [&str; 12] = [
    "undeclared-property",
    "refused-default",
    "unheld-default",
    "unknown-keyword",
    "misplaced-keyword",
    "wrong-annotation",
    "unknown-format",
    "renamed-field",
    "unused-file",
    "loose-pattern",
    "narrowed-root",
    "only-definitions",
];

impl What {
    /// Returns the name of a warning; an error has none.
    pub(crate) fn warning(&self) -> Option<&'static str> {
        Some(match self {
            Self::RequiredUndeclared { .. } => "undeclared-property",
            Self::RefusedDefault { .. } => "refused-default",
            Self::UnheldDefault { .. } => "unheld-default",
            Self::UnknownKeyword { .. } | Self::ForeignKeyword { .. } | Self::Nullable => "unknown-keyword",
            Self::OfRequest { .. } => "misplaced-keyword",
            Self::WrongAnnotation { .. } => "wrong-annotation",
            Self::UnknownFormat { .. } => "unknown-format",
            Self::FieldRenamed { .. } => "renamed-field",
            Self::NearlyRpc { .. } | Self::NothingBelongsHere | Self::NotAJsonFile => "unused-file",
            Self::LoosePattern { .. } => "loose-pattern",
            Self::Narrowed { .. } => "narrowed-root",
            Self::OnlyDefinitions { .. } => "only-definitions",
            Self::Repeated { what, .. } => return what.warning(),
            _ => return None,
        })
    }
}
