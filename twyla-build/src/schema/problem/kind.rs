//! The kinds of problems of a schemas folder, and the names of those that are warnings.

use crate::schema::draft::Draft;
use crate::schema::load::At;
use crate::schema::pattern::{LooseSyntax, SyntaxError};

/// The kind of a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the wording below is the documentation")]
pub enum ProblemKind {
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
    /// A missing file of an RPC; `near` is a file that may be meant.
    NoRpcBody {
        way: &'static str,
        near: Option<String>,
    },
    /// A file of an RPC with a name similar to an expected one.
    NearlyRpc {
        near: &'static str,
    },
    NothingBelongsHere,
    /// An invalid path of `Builder::runtime`.
    BadRuntime {
        path: String,
    },
    /// A pattern of `Builder::only` that matches no contract.
    NoContract {
        pattern: String,
        near: Option<String>,
    },
    NotAJsonFile,
    /// A warning to allow that doesn't exist.
    UnknownWarning {
        name: String,
        near: Option<String>,
    },
    /// A pattern for `null-is-absent` that matches no property.
    NoNullable {
        pattern: String,
    },
    /// An unknown format to assert.
    NoFormat {
        name: String,
        near: Option<String>,
    },
    /// An unknown member of `twyla.json`.
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
    // the options of a build script
    /// A pattern of types or members that nothing matches.
    UnmatchedPattern {
        pattern: String,
        near: Option<String>,
    },
    DeriveOnMember {
        pattern: String,
    },
    NoDerive {
        text: String,
        why: &'static str,
    },
    NoAttribute {
        text: String,
        why: &'static str,
    },
    CannotDerive {
        derive: String,
        type_: String,
        reason: String,
    },
    NoTypePath {
        text: String,
        why: &'static str,
    },
    /// A replacement names a schema that doesn't exist.
    NoSuchSchema {
        schema: String,
        near: Option<String>,
    },
    /// The whole content of a contract, which can't be replaced.
    ContractReplaced {
        schema: String,
    },
    UnusedSchema {
        schema: String,
    },
    UnusedFormat {
        format: String,
        near: Option<String>,
    },
    /// A crate of which no schema names a type.
    UnusedCrate {
        name: String,
        near: Option<String>,
    },
    NoCrateVersion {
        text: String,
        error: String,
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
        subject: &'static str,
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
    /// A keyword that only other drafts have, from `first` to `last`.
    ForeignKeyword {
        name: String,
        draft: Draft,
        first: Draft,
        last: Draft,
    },
    /// The keyword `nullable` of OpenAPI 3.0.
    Nullable,
    OfRequest {
        name: String,
    },
    /// A format that the draft doesn't have; `known` if other drafts have it.
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
    /// An annotation with a value of the wrong type.
    WrongAnnotation {
        keyword: String,
        wanted: String,
        found: String,
    },
    BadPattern {
        pattern: String,
        why: Option<SyntaxError>,
    },
    /// A pattern that ECMA-262 accepts only without the flag `u`.
    LoosePattern {
        pattern: String,
        loose: LooseSyntax,
        accepted: String,
    },
    PatternBeyond {
        pattern: String,
    },
    /// A default that its own schema refuses, at the JSON Pointer `at`.
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
        subject: &'static str,
        found: String,
        /// Whether the schema allows arrays, which could be wrapped in an object.
        array: bool,
    },
    /// A root that allows objects and other values.
    Narrowed {
        subject: &'static str,
    },
    /// A root with nothing but definitions.
    OnlyDefinitions {
        subject: &'static str,
    },
    /// A warning for several places, reported at the first.
    Repeated {
        kind: Box<Self>,
        times: usize,
        files: usize,
    },
    DuplicateId {
        uri: String,
        /// The place of the other schema with this URI: file, line and column.
        first: String,
    },
    BadBundle {
        error: String,
    },
    /// A mistake in the lock file, with its message.
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
    /// A schema in an event whose type would have the name of a type of another event.
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

impl ProblemKind {
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
            Self::Repeated { kind, .. } => return kind.warning(),
            _ => return None,
        })
    }
}
