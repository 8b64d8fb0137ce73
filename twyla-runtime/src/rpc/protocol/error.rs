//! What can go wrong with a call, told apart by what a caller can do about it.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::method::NoError;
use super::problem::Broken;
use crate::service::fail::NoUse;

/// What can go wrong with a call.
///
/// Its `Debug` is its `Display`, so that a `main` that returns it prints a sentence.
#[non_exhaustive]
pub enum CallError<E = NoError> {
    /// No service could be reached, or the connection to it was lost before it had answered.
    Unreachable {
        /// The RPC's name.
        method: &'static str,
        /// Whether the service may have begun with the call. `false` is certain.
        maybe_begun: bool,
        /// What stood in the way of the last attempt.
        why: String,
    },

    /// There was no answer in time.
    Deadline {
        /// The RPC's name.
        method: &'static str,
        /// How long was waited.
        after: Duration,
        /// Whether the service may have begun with the call. `false` is certain.
        maybe_begun: bool,
        /// What stood in the way of the last attempt that had ended; empty where the first one had not.
        why: String,
    },

    /// What we ask breaks its contract: the request or the context. Whoever found that has done nothing.
    Request {
        /// The RPC's name.
        method: &'static str,
        /// Who found it: here before anything was sent, or there.
        by: Side,
        /// Each rule that is broken.
        errors: Vec<Broken>,
        /// Whether the service may have begun with the call, in an attempt before. `false` is certain.
        maybe_begun: bool,
    },

    /// What they answer breaks its contract. What was asked for may have been done.
    Response {
        /// The RPC's name.
        method: &'static str,
        /// Who found it: they before they sent it, or we.
        by: Side,
        /// Each rule that is broken. Empty where they found it: what is wrong with it is in their log.
        errors: Vec<Broken>,
    },

    /// The service can't do what was asked for, and says so as the RPC's contract for errors has it.
    Domain(E),

    /// The service failed, turned the call away, or is none of the kind.
    Fault {
        /// The RPC's name.
        method: &'static str,
        /// The HTTP status.
        status: u16,
        /// Whether the service may have begun with the call. `false` is certain.
        maybe_begun: bool,
        /// What the service says, or what is wrong with what it says.
        why: String,
        /// When it may be tried again, if the service says.
        retry_after: Option<Duration>,
    },
}

/// Which side of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The caller.
    Ours,
    /// The service.
    Theirs,
}

impl<E> CallError<E> {
    /// What kind of an end it is, for those who count.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::Deadline { .. } => "deadline",
            Self::Request { .. } => "request",
            Self::Response { .. } => "response",
            Self::Domain(_) => "domain",
            Self::Fault { .. } => "fault",
        }
    }

    /// Whether the service may have begun with the call. `false` is certain: it may be called again.
    #[must_use]
    pub fn maybe_begun(&self) -> bool {
        match self {
            Self::Unreachable { maybe_begun, .. }
            | Self::Deadline { maybe_begun, .. }
            | Self::Request { maybe_begun, .. }
            | Self::Fault { maybe_begun, .. } => *maybe_begun,
            Self::Response { .. } | Self::Domain(_) => true,
        }
    }

    /// The same of a call of which an attempt before may have been begun.
    pub(crate) fn after_another(mut self, may: bool) -> Self {
        if let Self::Unreachable { maybe_begun, .. }
        | Self::Deadline { maybe_begun, .. }
        | Self::Request { maybe_begun, .. }
        | Self::Fault { maybe_begun, .. } = &mut self
        {
            *maybe_begun |= may;
        }
        self
    }

    /// The error that the RPC has a contract for, if it is one.
    #[must_use]
    pub fn domain(&self) -> Option<&E> {
        match self {
            Self::Domain(error) => Some(error),
            _ => None,
        }
    }
}

struct All<'a>(&'a [Broken]);

impl fmt::Display for All<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, broken) in self.0.iter().enumerate() {
            write!(f, "{}{broken}", if i == 0 { ": " } else { "; " })?;
        }
        Ok(())
    }
}

/// What is known of how far the call came.
struct Begun(bool);

impl fmt::Display for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 { "it may have been begun" } else { "it was not begun" })
    }
}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { method, maybe_begun, why } => {
                write!(f, "{method} got no answer ({}): {why}", Begun(*maybe_begun))
            }
            Self::Deadline { method, after, maybe_begun, why } => {
                let whole = Duration::new(after.as_secs(), after.subsec_millis() * 1_000_000);
                let shown = if whole.is_zero() { *after } else { whole };
                write!(f, "{method} was not answered within {shown:?} ({})", Begun(*maybe_begun))?;
                if why.is_empty() { Ok(()) } else { write!(f, ": {why}") }
            }
            Self::Request { method, by: Side::Ours, errors, .. } => {
                write!(f, "{method} was not called: what is asked breaks its contract{}", All(errors))
            }
            Self::Request { method, by: Side::Theirs, errors, maybe_begun } => {
                write!(
                    f,
                    "{method} was refused by the service: what is asked breaks its contract there{}",
                    All(errors)
                )?;
                if *maybe_begun { write!(f, " (an attempt before may have been begun)") } else { Ok(()) }
            }
            Self::Response { method, by: Side::Ours, errors } => {
                write!(f, "{method} was answered with what breaks its contract{}", All(errors))
            }
            Self::Response { method, by: Side::Theirs, .. } => {
                write!(f, "{method} has no answer: what the service would have sent breaks its contract")
            }
            Self::Domain(error) => error.fmt(f),
            Self::Fault { method, status, why, .. } => write!(f, "{method} failed with HTTP status {status}: {why}"),
        }
    }
}

impl<E: fmt::Display> fmt::Debug for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<E: Error + 'static> Error for CallError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Domain(error) => Some(error),
            Self::Request { by: Side::Ours, .. } => Some(&NoUse),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::fail::{Fail, What};

    #[test]
    fn what_breaks_our_own_contract_is_not_tried_again() {
        let error = |by| CallError::<NoError>::Request { method: "a.get", by, errors: Vec::new(), maybe_begun: false };
        assert_eq!(What::of(&error(Side::Ours)), What::Park);
        let boxed: Box<dyn Error + Send + Sync> = Fail::from(error(Side::Ours)).into();
        assert_eq!(What::of(&*boxed), What::Park);
        // theirs may be another version's, which is gone at the next attempt
        assert_eq!(What::of(&error(Side::Theirs)), What::Retry);
    }
}
