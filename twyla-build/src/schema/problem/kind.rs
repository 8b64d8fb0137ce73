//! The kinds of problems of a schemas folder, and the names of those that are warnings.

use crate::schema::draft::Draft;
use crate::schema::load::At;
use crate::schema::pattern::{LooseSyntax, SyntaxError};

/// The kind of a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the messages show what the fields are")]
pub enum ProblemKind {
    // the folder
    /// The schemas folder can't be read.
    NoFolder { error: String },
    /// The schema of the context is missing.
    NoContext,
    /// The folder has neither an event nor an RPC.
    NoEvents,
    /// A file can't be read.
    Unreadable { error: String },
    /// A file is a symbolic link.
    Symlink,
    /// The name of a file isn't valid UTF-8.
    NotUtf8Path,
    /// A file's path isn't the name of a contract.
    BadName { error: String },
    /// A domain has a name that generated code uses for something else.
    ReservedDomain { name: String, why: &'static str },
    /// A missing file of an RPC; `near` is a file that may be meant.
    NoRpcBody { way: &'static str, near: Option<String> },
    /// A file of an RPC with a name similar to an expected one.
    NearlyRpc { near: &'static str },
    /// A file in a place where no schema is expected.
    NothingBelongsHere,
    /// An invalid path of `Builder::runtime`.
    BadRuntime { path: String },
    /// A pattern of `Builder::only` that matches no contract.
    NoContract { pattern: String, near: Option<String> },
    /// A file whose name doesn't end in `.json`.
    NotAJsonFile,
    /// A warning to allow that doesn't exist.
    UnknownWarning { name: String, near: Option<String> },
    /// A pattern for `null-is-absent` that matches no property.
    NoNullable { pattern: String },
    /// An unknown format to assert.
    NoFormat { name: String, near: Option<String> },
    /// An unknown member of `twyla.json`.
    UnknownSetting { name: String, near: Option<String> },
    /// A document's URI is relative, or has a fragment.
    BadDocumentUri { uri: String },
    /// Two documents have the same URI.
    DocumentTwice { uri: String, other: String },
    // the options of a build script
    /// A pattern of types or members that nothing matches.
    UnmatchedPattern { pattern: String, near: Option<String> },
    /// A pattern of derives that matches a member.
    DeriveOnMember { pattern: String },
    /// A text that isn't the path of a derive.
    NoDerive { text: String, why: &'static str },
    /// A text that isn't an attribute.
    NoAttribute { text: String, why: &'static str },
    /// A derive that a type can't have.
    CannotDerive { derive: String, type_: String, reason: String },
    /// A text that isn't the path of a type.
    NoTypePath { text: String, why: &'static str },
    /// A replacement names a schema that doesn't exist.
    NoSuchSchema { schema: String, near: Option<String> },
    /// The whole content of a contract, which can't be replaced.
    ContractReplaced { schema: String },
    /// A replacement of a schema whose type no value has.
    UnusedSchema { schema: String },
    /// A replacement of a format that no value has.
    UnusedFormat { format: String, near: Option<String> },
    /// A crate of which no schema names a type.
    UnusedCrate { name: String, near: Option<String> },
    /// A text that isn't the version of a crate.
    NoCrateVersion { text: String, error: String },
    // the text
    /// The text isn't valid UTF-8.
    NotUtf8,
    /// The text is UTF-16.
    Utf16,
    /// The text begins with a byte order mark.
    ByteOrderMark,
    /// The text isn't valid JSON.
    NotJson { error: String },
    /// A key that occurs twice in an object.
    DuplicateKey { key: String, first: At },
    /// A number that can't be read exactly.
    BigNumber { number: String },
    /// Values that are nested too deep.
    TooDeep { limit: usize },
    /// More text than the limit allows.
    TooMuch { subject: &'static str, limit: usize },
    // the schema
    /// A value that is neither an object nor a boolean.
    NoSchema { found: &'static str },
    /// A `$schema` that isn't the URI of a known draft.
    UnknownDraft {
        uri: String,
        /// The folder's settings file.
        settings: String,
        near: Option<String>,
    },
    /// A meta-schema that requires an unknown vocabulary.
    UnknownVocabulary { uri: String, schema: String },
    /// A `type` that JSON Schema doesn't have.
    UnknownType { name: String, near: Option<String> },
    /// An unknown keyword with a name similar to a known one.
    UnknownKeyword { name: String, near: String },
    /// A keyword that only other drafts have, from `first` to `last`.
    ForeignKeyword { name: String, draft: Draft, first: Draft, last: Draft },
    /// The keyword `nullable` of OpenAPI 3.0.
    Nullable,
    /// A keyword for the requests of RPCs in another schema.
    OfRequest { name: String },
    /// A format that the draft doesn't have; `known` if other drafts have it.
    UnknownFormat {
        name: String,
        near: Option<String>,
        known: bool,
        /// The folder's settings file.
        settings: String,
    },
    /// A keyword with a value of the wrong type.
    WrongKeyword { keyword: String, wanted: String, found: String },
    /// A factor whose multiples generated code can't compute. Records of earlier releases may have one.
    InexactFactor { found: String },
    /// An annotation with a value of the wrong type.
    WrongAnnotation { keyword: String, wanted: String, found: String },
    /// A pattern that isn't a regular expression.
    BadPattern { pattern: String, why: Option<SyntaxError> },
    /// A pattern that ECMA-262 accepts only without the flag `u`.
    LoosePattern { pattern: String, loose: LooseSyntax, accepted: String },
    /// A pattern that isn't supported.
    PatternBeyond { pattern: String },
    /// A default that its own schema refuses, at the JSON Pointer `at`.
    RefusedDefault { at: String, rule: String },
    /// A default that its schema allows, and that has a part which the Rust type can't hold.
    UnheldDefault { found: String, wants: String },
    /// A required property that isn't declared.
    RequiredUndeclared { name: String, near: Option<String> },
    /// A root that allows no object.
    CannotHoldObject {
        subject: &'static str,
        found: String,
        /// Whether the schema allows arrays, which could be wrapped in an object.
        array: bool,
    },
    /// A root that allows objects and other values.
    Narrowed { subject: &'static str },
    /// A root with nothing but definitions.
    OnlyDefinitions { subject: &'static str },
    /// A warning for several places, reported at the first.
    Repeated { kind: Box<Self>, times: usize, files: usize },
    /// Two schemas have the same URI.
    DuplicateId {
        uri: String,
        /// The place of the other schema with this URI: file, line and column.
        first: String,
    },
    /// A text that isn't a bundle of schemas.
    BadBundle { error: String },
    /// A mistake in the lock file, with its message.
    Lock { message: String },
    /// A schema that can't be compiled.
    Uncompilable { error: String },
    // references
    /// A reference to a file that doesn't exist.
    DanglingFile { reference: String, near: Option<String> },
    /// A reference to a schema that doesn't exist.
    DanglingPointer { reference: String, near: Option<String> },
    /// A reference to a file outside of the folder.
    LeavesFolder { reference: String },
    /// A reference to a document that isn't one of the files.
    WantsNetwork {
        reference: String,
        /// The folder's settings file.
        settings: String,
        uri: String,
    },
    /// A reference that can't be resolved to a URI.
    BadReference { reference: String },
    /// A reference that leads back to itself and never to a schema.
    Circular { reference: String, chain: String },
    // names in Rust
    /// Two properties would be the same field.
    FieldRenamed { name: String, other: String, plain: String, field: String },
    /// Two domains would be the same module.
    DomainClash { name: String, other: String, module: String },
    /// Two events would be the same type.
    EventClash { name: String, other: String, type_: String },
    /// A schema in an event whose type would have the name of a type of another event.
    TypeClash { other: String, type_: String },
    /// Two services would be the same module.
    ServiceClash { name: String, other: String, module: String },
    /// Two methods would be the same type.
    MethodClash { name: String, other: String, type_: String },
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
