//! What is found when contracts are held against their lock.

use twyla_contract::Place;

use super::edit::Edit;
use super::model::{Direction, Sides, Subject, Version, Waiver};
use crate::compare;

/// One thing that was found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The contract.
    pub subject: Subject,
    /// Where: in the schema, at what was changed; or in the lock.
    pub place: Place,
    /// What.
    pub matter: Matter,
}

/// What was found.
#[derive(Clone, Debug)]
pub enum Matter {
    /// The contract isn't in the lock.
    New,
    /// Its schema is gone, and the lock still has it.
    Removed,
    /// Its schema is gone, and this one looks like it: the finding is of the old name.
    Renamed {
        /// The contract that it seems to be now.
        to: Subject,
    },
    /// It was changed in a way that harms nobody, and the lock has the version before.
    Behind(Box<Edited>),
    /// It was changed in a way that harms somebody.
    Broken(Box<Broken>),
    /// It would harm somebody, and that is let pass.
    Waived(Box<Waived>),
    /// A waiver that is of no use: its versions aren't there any more, or fit each other.
    Idle(Waiver),
    /// A version that was out in the field isn't in the lock any more, and nobody has said why.
    Lost {
        /// Its digest.
        digest: String,
        /// What said that it was in the field; none where it was the one accepted.
        because: Option<String>,
    },
}

/// How serious something is.
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
    /// How serious it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match &self.matter {
            Matter::Waived(_) | Matter::Idle(_) => Severity::Warning,
            Matter::New | Matter::Behind(_) => Severity::Behind,
            Matter::Removed | Matter::Renamed { .. } | Matter::Broken(_) | Matter::Lost { .. } => Severity::Error,
        }
    }
}

/// What a change means for the order in which services are deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EditVerdict {
    /// Old and new fit each other: in any order.
    Additive,
    /// Only what is sent anew doesn't fit: listeners first, then producers.
    ConsumerFirst,
    /// Only what was sent before doesn't fit: producers first, then listeners.
    ProducerFirst,
    /// Neither fits the other: it takes a new event.
    Breaking,
    /// Nobody knows, for at least one of them.
    Undecided,
}

impl EditVerdict {
    /// The verdict on old in new, and on new in old.
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

    /// The word for it.
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

/// A contract that was changed.
#[derive(Clone, Debug)]
pub struct Edited {
    /// The version before.
    pub old: Held,
    /// The digest of what it is now.
    pub new: String,
    /// What was changed.
    pub edits: Vec<Edit>,
    /// What that means.
    pub verdict: EditVerdict,
}

/// A version that a contract is held against.
#[derive(Clone, Debug)]
pub struct Held {
    /// The version.
    pub version: Version,
    /// What says that it is in the field, where it isn't the one accepted last.
    pub because: Option<String>,
    /// Which of its sides there are.
    pub sides: Sides,
}

/// A change that harms somebody.
#[derive(Clone, Debug)]
pub struct Broken {
    /// What was changed since the version that it harms first.
    pub edited: Edited,
    /// Which of the edits it is that harm, by index.
    pub culprits: Vec<usize>,
    /// Every version and direction in which old and new don't fit.
    pub misfits: Vec<Misfit>,
    /// What can be done instead.
    pub ways: Vec<String>,
    /// What accepts it all the same.
    pub command: String,
}

/// A pair of versions that don't fit.
#[derive(Clone, Debug)]
pub struct Misfit {
    /// The old version.
    pub old: Held,
    /// From which to which.
    pub direction: Direction,
    /// What was sent and refused, or what can't be decided.
    pub verdict: compare::Verdict,
    /// Where the rule stands that refuses it or can't be decided, if that is in the folder's files.
    pub place: Option<Place>,
    /// A waiver for it that has ended.
    pub ended: Option<Waiver>,
}

/// A misfit that is let pass.
#[derive(Clone, Debug)]
pub struct Waived {
    /// What doesn't fit.
    pub misfit: Misfit,
    /// What lets it pass.
    pub waiver: Waiver,
}
