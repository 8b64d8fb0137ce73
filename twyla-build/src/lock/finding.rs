//! The findings of comparing contracts with their lock.

use twyla_contract::Location;

use super::edit::Edit;
use super::model::{Direction, Sides, Subject, Version, Waiver};
use crate::compare;

/// A finding about a contract.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The contract.
    pub subject: Subject,
    /// The place of the change: in the schema, or in the lock.
    pub place: Location,
    /// The kind of finding.
    pub kind: FindingKind,
}

/// The kind of a finding.
#[derive(Clone, Debug)]
pub enum FindingKind {
    /// A contract that isn't in the lock.
    New,
    /// A contract in the lock whose schema is gone.
    Removed,
    /// A contract in the lock whose schema is gone, and that is similar to a new contract. The finding has the old
    /// name.
    Renamed {
        /// The similar contract.
        to: Subject,
    },
    /// A compatible change; the lock has the version before.
    Behind(Box<EditedContract>),
    /// A breaking change.
    Broken(Box<BreakingChange>),
    /// A breaking change with a waiver.
    Waived(Box<WaivedMisfit>),
    /// An unused waiver: its versions are gone, or fit each other.
    Idle(Waiver),
    /// A version in the field was removed from the lock without a reason.
    Lost {
        /// The digest of the version.
        digest: String,
        /// The user of the version in the field; `None` for the accepted version.
        because: Option<String>,
    },
}

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The build goes on.
    Warning,
    /// The lock is behind: the build goes on, but not in CI.
    Behind,
    /// The build fails.
    Error,
}

impl Finding {
    /// Returns the severity of the finding.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match &self.kind {
            FindingKind::Waived(_) | FindingKind::Idle(_) => Severity::Warning,
            FindingKind::New | FindingKind::Behind(_) => Severity::Behind,
            FindingKind::Removed | FindingKind::Renamed { .. } | FindingKind::Broken(_) | FindingKind::Lost { .. } => {
                Severity::Error
            }
        }
    }
}

/// What a change means for the order in which services are deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EditVerdict {
    /// Old and new fit each other: deploy in any order.
    Additive,
    /// Only new events don't fit: deploy listeners first, then producers.
    ConsumerFirst,
    /// Only old events don't fit: deploy producers first, then listeners.
    ProducerFirst,
    /// Old and new each refuse what the other sends: make a new event.
    Breaking,
    /// At least one direction is undecided.
    Undecided,
}

impl EditVerdict {
    /// Combines the verdicts on both directions.
    #[must_use]
    pub fn of(old_to_new: &compare::Verdict, new_to_old: &compare::Verdict) -> Self {
        use compare::Verdict::{Breaks, Fits, Undecided};
        match (old_to_new, new_to_old) {
            (Undecided(_), _) | (_, Undecided(_)) => Self::Undecided,
            (Fits, Fits) => Self::Additive,
            (Fits, Breaks(_)) => Self::ConsumerFirst,
            (Breaks(_), Fits) => Self::ProducerFirst,
            (Breaks(_), Breaks(_)) => Self::Breaking,
        }
    }

    /// Returns the word for the verdict, such as `additive`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Additive => "additive",
            Self::ConsumerFirst => "consumer-first",
            Self::ProducerFirst => "producer-first",
            Self::Breaking => "breaking",
            Self::Undecided => "undecided",
        }
    }
}

/// A changed contract.
#[derive(Clone, Debug)]
pub struct EditedContract {
    /// The old version.
    pub old: ComparedVersion,
    /// The digest of the new version.
    pub new: String,
    /// The edits.
    pub edits: Vec<Edit>,
    /// The verdict on the change.
    pub verdict: EditVerdict,
}

/// A version that a contract is compared with.
#[derive(Clone, Debug)]
pub struct ComparedVersion {
    /// The version.
    pub version: Version,
    /// The user of the version in the field; `None` for the accepted version.
    pub because: Option<String>,
    /// The sides of the version that are in the field.
    pub sides: Sides,
}

/// A breaking change.
#[derive(Clone, Debug)]
pub struct BreakingChange {
    /// The edits since the first version that doesn't fit.
    pub edited: EditedContract,
    /// The breaking edits, by index.
    pub culprits: Vec<usize>,
    /// Every version and direction in which old and new don't fit.
    pub misfits: Vec<Misfit>,
    /// The alternatives to the change.
    pub ways: Vec<String>,
    /// The command that accepts the change anyway.
    pub command: String,
}

impl BreakingChange {
    /// Returns the directions that have a misfit.
    #[must_use]
    pub fn directions(&self) -> Vec<Direction> {
        let has = |direction: &Direction| self.misfits.iter().any(|misfit| misfit.direction == *direction);
        Direction::ALL.into_iter().filter(has).collect()
    }
}

/// A way to resolve a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WayOn {
    /// The advice; if there is a command, when to run it.
    pub text: String,
    /// The command to run, if there is one.
    pub command: Option<String>,
}

/// A pair of versions that don't fit.
#[derive(Clone, Debug)]
pub struct Misfit {
    /// The old version.
    pub old: ComparedVersion,
    /// The direction.
    pub direction: Direction,
    /// The witness, or why it is undecided.
    pub verdict: compare::Verdict,
    /// The place of the rule that refuses the witness, if the rule is in the folder's files; `None` for an undecided
    /// misfit.
    pub place: Option<Location>,
    /// The waiver of this misfit, if its last day is over.
    pub ended: Option<Waiver>,
}

/// A misfit with a waiver.
#[derive(Clone, Debug)]
pub struct WaivedMisfit {
    /// The misfit.
    pub misfit: Misfit,
    /// The waiver.
    pub waiver: Waiver,
}
