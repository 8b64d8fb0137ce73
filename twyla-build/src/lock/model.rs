//! The content of a lock: for each contract the accepted version, the earlier versions that are still in the field, and the
//! waivers.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::date::Date;
use crate::compare::{Bundle, ContractKind, ContractSchema, Sources};
use crate::schema::load::{At, Node};

/// The accepted contracts of a schemas folder.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lock {
    /// The accepted contracts, by subject.
    pub contracts: BTreeMap<Subject, Entry>,
}

impl Lock {
    /// Returns a lock that accepts all contracts of a folder.
    #[must_use]
    pub fn of(sources: &Sources) -> Self {
        let entry = |contract: &ContractSchema| (Subject::of(contract), Entry::new(Version::of(&contract.bundle)));
        Self { contracts: sources.contracts.iter().map(entry).collect() }
    }
}

/// The subject of a contract: `context`, `api.user_input`, `booking.get/request`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The kind of values that the contract describes.
    pub kind: ContractKind,
    /// The name of the contract.
    pub name: String,
}

impl Subject {
    /// Returns the subject of a contract.
    #[must_use]
    pub fn of(contract: &ContractSchema) -> Self {
        Self { kind: contract.kind, name: contract.name.clone() }
    }

    /// Returns whether the subject is a contract of an RPC.
    pub(crate) fn is_of_rpc(&self) -> bool {
        self.kind.way().is_some()
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind.way() {
            None => f.write_str(&self.name),
            Some(way) => write!(f, "{}/{way}", self.name),
        }
    }
}

impl FromStr for Subject {
    type Err = twyla_contract::NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "context" {
            return Ok(Self { kind: ContractKind::Context, name: text.to_owned() });
        }
        let of_rpc = text.rsplit_once('/').and_then(|(name, way)| Some((name, ContractKind::of_way(way)?)));
        if let Some((name, kind)) = of_rpc {
            let name = twyla_contract::RpcName::parse(name)?.to_string();
            return Ok(Self { kind, name });
        }
        let event = twyla_contract::EventName::parse(text)?;
        Ok(Self { kind: ContractKind::Event, name: event.to_string() })
    }
}

/// The entry of a contract in the lock.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The version that was accepted last.
    pub accepted: Version,
    /// Why the contract's schema was removed, if that was accepted.
    pub removed: Option<String>,
    /// The earlier versions that are still in the field.
    pub earlier: Vec<Earlier>,
    /// The waivers.
    pub waivers: Vec<Waiver>,
    /// The versions that are no longer in the field.
    pub retired: Vec<Retired>,
}

impl Entry {
    /// Creates the entry of a contract that is accepted for the first time.
    #[must_use]
    pub fn new(accepted: Version) -> Self {
        Self { accepted, removed: None, earlier: Vec::new(), waivers: Vec::new(), retired: Vec::new() }
    }

    /// Returns all versions of the entry, the accepted one first.
    pub fn versions(&self) -> impl Iterator<Item = &Version> {
        std::iter::once(&self.accepted).chain(self.earlier.iter().map(|earlier| &earlier.version))
    }
}

/// A version of a contract.
#[derive(Clone, Debug)]
pub struct Version {
    /// The SHA-256 of the form, in hexadecimal.
    pub digest: String,
    /// The form of the contract as one line of JSON, as [`Bundle`] writes it.
    pub form: String,
    /// The place of the version in the lock.
    pub(crate) at: At,
    /// The parsed form, if the version was read from a lock or made from a folder.
    pub(crate) known: KnownForm,
}

/// A form that needn't be parsed again.
#[derive(Clone, Debug)]
pub(crate) enum KnownForm {
    /// The form as the lock contains it.
    Node(Arc<Node>),
    /// The form of a contract in a schemas folder.
    Bundle(Bundle),
}

impl Version {
    /// Returns the current version of a contract.
    #[must_use]
    pub fn of(bundle: &Bundle) -> Self {
        let known = KnownForm::Bundle(bundle.clone());
        Self { digest: bundle.digest(), form: bundle.to_string(), at: At { line: 1, column: 1 }, known }
    }

    /// Returns the beginning of the digest, which identifies a version.
    #[must_use]
    pub fn short(&self) -> &str {
        short(&self.digest)
    }
}

/// Returns the beginning of a digest.
pub(crate) fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

/// A version that is still in the field.
#[derive(Clone, Debug, PartialEq)]
pub struct Earlier {
    /// The version.
    pub version: Version,
    /// The sides of the version that are in the field.
    pub sides: Sides,
    /// The user of the version: `mobile app 3.1`.
    pub because: String,
}

/// The sides of a version that are in the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sides {
    /// Senders; for the requests of an RPC, callers.
    Producers,
    /// Receivers.
    Listeners,
    /// Senders and receivers.
    Both,
}

impl Sides {
    /// Returns whether a direction matters to these sides.
    #[must_use]
    pub fn demand(self, direction: Direction) -> bool {
        match self {
            Self::Producers => direction == Direction::OldToNew,
            Self::Listeners => direction == Direction::NewToOld,
            Self::Both => true,
        }
    }

    /// Returns the sides that a direction matters to.
    #[must_use]
    pub fn of(direction: Direction) -> Self {
        match direction {
            Direction::OldToNew => Self::Producers,
            Direction::NewToOld => Self::Listeners,
        }
    }

    pub(crate) fn and(self, other: Self) -> Self {
        if self == other { self } else { Self::Both }
    }
}

/// The direction of events between an old and a new version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// New listeners read what old producers send.
    OldToNew,
    /// Old listeners read what new producers send.
    NewToOld,
}

impl Direction {
    /// Both directions.
    pub const ALL: [Self; 2] = [Self::OldToNew, Self::NewToOld];
}

/// Implements parsing and display of a type by its words in the lock and on the command line.
macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal,)* }) => {
        impl $type {
            /// The words for the values of the type.
            pub const WORDS: &'static [&'static str] = &[$($word),*];
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $word,)* })
            }
        }

        impl FromStr for $type {
            type Err = NoWord;

            fn from_str(text: &str) -> Result<Self, NoWord> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(NoWord(Self::WORDS)),
                }
            }
        }
    };
}

words!(Sides { Producers = "producers", Listeners = "listeners", Both = "both", });
words!(Direction { OldToNew = "old-to-new", NewToOld = "new-to-old", });

/// The error for a text that isn't one of the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoWord(&'static [&'static str]);

impl std::error::Error for NoWord {}

impl fmt::Display for NoWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected one of {}", self.0.join(", "))
    }
}

/// A waiver: a misfit of two versions in one direction is allowed until a day.
#[derive(Clone, Debug)]
pub struct Waiver {
    /// The digest of the old version.
    pub old: String,
    /// The digest of the new version.
    pub new: String,
    /// The direction of the misfit.
    pub direction: Direction,
    /// Why the misfit is harmless.
    pub reason: String,
    /// The last day of the waiver.
    pub until: Date,
    /// The place of the waiver in the lock.
    pub(crate) at: At,
}

impl Waiver {
    /// Returns whether the waiver covers this pair and direction.
    #[must_use]
    pub fn is_for(&self, old: &str, new: &str, direction: Direction) -> bool {
        self.old == old && self.new == new && self.direction == direction
    }
}

impl PartialEq for Waiver {
    fn eq(&self, other: &Self) -> bool {
        self.is_for(&other.old, &other.new, other.direction) && self.reason == other.reason && self.until == other.until
    }
}

/// A version that is no longer in the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retired {
    /// The digest of the version.
    pub digest: String,
    /// The evidence that the version is no longer used.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_one_word() {
        for (text, kind, name) in [
            ("context", ContractKind::Context, "context"),
            ("api.user_input", ContractKind::Event, "api.user_input"),
            ("api.get/request", ContractKind::Request, "api.get"),
            ("navitaire-api.get.booking/response", ContractKind::Response, "navitaire-api.get.booking"),
            ("api.get/error", ContractKind::Error, "api.get"),
        ] {
            let subject: Subject = text.parse().unwrap();
            assert_eq!(subject, Subject { kind, name: name.to_owned() });
            assert_eq!(subject.to_string(), text);
        }
        for bad in ["", "api", "api.get/reply", "api.get/request/error", "/request"] {
            assert!(bad.parse::<Subject>().is_err(), "{bad}");
        }
    }
}
