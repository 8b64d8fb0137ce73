//! What a lock holds: of each contract the version that was accepted, the earlier ones that are still out in the field,
//! and the waivers.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::date::Date;
use crate::compare::{Bundle, ContractKind, ContractSchema, Sources};
use crate::schema::load::At;

/// The accepted contracts of a schemas folder.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lock {
    /// By what they are of.
    pub contracts: BTreeMap<Subject, Entry>,
}

impl Lock {
    /// The contracts of a folder, each accepted as it is.
    #[must_use]
    pub fn of(sources: &Sources) -> Self {
        let entry = |contract: &ContractSchema| (Subject::of(contract), Entry::new(Version::of(&contract.bundle)));
        Self { contracts: sources.contracts.iter().map(entry).collect() }
    }
}

/// What a contract is of, in one word: `context`, `api.user_input`, `booking.get/request`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// What is held to it.
    pub kind: ContractKind,
    /// Its name.
    pub name: String,
}

impl Subject {
    /// What a contract of a folder is of.
    #[must_use]
    pub fn of(contract: &ContractSchema) -> Self {
        Self { kind: contract.kind, name: contract.name.clone() }
    }

    /// Whether it is one of the contracts that an RPC has.
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

/// One contract in the lock.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The version that was accepted last.
    pub accepted: Version,
    /// Why its schema was taken out, where that was accepted.
    pub removed: Option<String>,
    /// The versions before it that are still out in the field.
    pub earlier: Vec<Earlier>,
    /// What is let pass for a while.
    pub waivers: Vec<Waiver>,
    /// The versions that are no longer out in the field, and were.
    pub retired: Vec<Retired>,
}

impl Entry {
    /// A contract that is accepted for the first time.
    #[must_use]
    pub fn new(accepted: Version) -> Self {
        Self { accepted, removed: None, earlier: Vec::new(), waivers: Vec::new(), retired: Vec::new() }
    }

    /// All its versions, the accepted one first.
    pub fn versions(&self) -> impl Iterator<Item = &Version> {
        std::iter::once(&self.accepted).chain(self.earlier.iter().map(|earlier| &earlier.version))
    }
}

/// A version of a contract.
#[derive(Clone, Debug)]
pub struct Version {
    /// The SHA-256 of its form, in hexadecimal.
    pub digest: String,
    /// Its form in one line of JSON, as [`Bundle`] writes it.
    pub form: String,
    /// Where it stands in the lock.
    pub(crate) at: At,
}

impl Version {
    /// The version that a contract has now.
    #[must_use]
    pub fn of(bundle: &Bundle) -> Self {
        Self { digest: bundle.digest(), form: bundle.to_string(), at: At { line: 1, column: 1 } }
    }

    /// The beginning of the digest, which is enough to tell versions apart.
    #[must_use]
    pub fn short(&self) -> &str {
        short(&self.digest)
    }
}

/// The beginning of a digest.
pub(crate) fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

/// A version that is still out in the field.
#[derive(Clone, Debug, PartialEq)]
pub struct Earlier {
    /// The version.
    pub version: Version,
    /// Which of its sides are out there.
    pub sides: Sides,
    /// What says so: `mobile app 3.1`.
    pub because: String,
}

/// Which sides of a version are out in the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sides {
    /// Some that send it; of a contract of an RPC's request, callers.
    Producers,
    /// Some that receive it.
    Listeners,
    /// Both.
    Both,
}

impl Sides {
    /// Whether a direction matters to them.
    #[must_use]
    pub fn demand(self, direction: Direction) -> bool {
        match self {
            Self::Producers => direction == Direction::OldToNew,
            Self::Listeners => direction == Direction::NewToOld,
            Self::Both => true,
        }
    }

    /// The sides that a direction matters to.
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

/// From which version to which other one events go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// What old producers send, new listeners read.
    OldToNew,
    /// What new producers send, old listeners read.
    NewToOld,
}

impl Direction {
    /// Both.
    pub const ALL: [Self; 2] = [Self::OldToNew, Self::NewToOld];
}

/// Gives a type its words: how they are written in the lock and on the command line.
macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal,)* }) => {
        impl $type {
            /// The words that it is written as.
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

/// A text that is none of some words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoWord(&'static [&'static str]);

impl std::error::Error for NoWord {}

impl fmt::Display for NoWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it is one of {}", self.0.join(", "))
    }
}

/// What is let pass for a while: that one version doesn't fit another one, in one direction.
#[derive(Clone, Debug)]
pub struct Waiver {
    /// The digest of the old version.
    pub old: String,
    /// The digest of the new one.
    pub new: String,
    /// The direction in which they needn't fit.
    pub direction: Direction,
    /// Why that does no harm.
    pub reason: String,
    /// The last day on which it holds.
    pub until: Date,
    /// Where it stands in the lock.
    pub(crate) at: At,
}

impl Waiver {
    /// Whether it is for that pair and direction.
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

/// A version that was out in the field and is no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retired {
    /// Its digest.
    pub digest: String,
    /// What says so.
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
