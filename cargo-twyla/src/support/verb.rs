//! The use that a service makes of a contract: it emits, listens, serves or calls.

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    Emits,
    Listens,
    Serves,
    Calls,
}

impl Verb {
    pub(crate) const ALL: [Self; 4] = [Self::Emits, Self::Listens, Self::Serves, Self::Calls];

    /// Returns the verb's key in a service card.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Emits => "emits",
            Self::Listens => "listens",
            Self::Serves => "serves",
            Self::Calls => "calls",
        }
    }

    /// Returns the verb in the form that stands before the name of an event or an RPC.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Listens => "listens to",
            other => other.key(),
        }
    }

    pub(crate) fn is_of_rpc(self) -> bool {
        matches!(self, Self::Serves | Self::Calls)
    }
}
