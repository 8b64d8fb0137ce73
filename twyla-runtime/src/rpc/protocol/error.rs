//! Errors of a call, separated by what the caller can do.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::problem::Broken;
use crate::service::fail::{MayPass, NoUse};
use twyla_codec::rpc::NoError;

/// An error of a call.
///
/// `Debug` prints the same as `Display`, so that a `main` that returns the error prints a sentence.
#[non_exhaustive]
pub enum CallError<E = NoError> {
    /// No service was reachable, or the connection was lost before the answer.
    Unreachable {
        /// The RPC's name.
        method: &'static str,
        /// Whether the service may have begun the call. `false` is certain.
        maybe_begun: bool,
        /// The failure of the last attempt.
        why: String,
    },

    /// The deadline passed without an answer.
    Deadline {
        /// The RPC's name.
        method: &'static str,
        /// How long the caller waited.
        after: Duration,
        /// Whether the service may have begun the call. `false` is certain.
        maybe_begun: bool,
        /// The failure of the last completed attempt; empty if none has completed.
        why: String,
    },

    /// The request or context breaks its contract: the caller did not send it, or the service did not call the handler.
    Request {
        /// The RPC's name.
        method: &'static str,
        /// The side that found the violation: the caller before sending, or the service.
        by: Side,
        /// Each broken rule.
        errors: Vec<Broken>,
        /// Whether the service may have begun an earlier attempt of the call. `false` is certain.
        maybe_begun: bool,
    },

    /// The answer breaks its contract. The work may have been done.
    Response {
        /// The RPC's name.
        method: &'static str,
        /// The side that found the violation: the service before sending, or the caller.
        by: Side,
        /// Each broken rule. Empty if the service found it: its log has the details.
        errors: Vec<Broken>,
    },

    /// The service refuses with an error of the RPC's contract.
    Domain(E),

    /// The service failed, rejected the call, or isn't a Twyla service.
    Fault {
        /// The RPC's name.
        method: &'static str,
        /// The HTTP status.
        status: u16,
        /// Whether the service may have begun the call. `false` is certain.
        maybe_begun: bool,
        /// The reason that the service gives, or what is wrong with its answer.
        why: String,
        /// The delay after which the call may be retried, if the answer has one.
        retry_after: Option<Duration>,
    },
}

/// A side of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The caller.
    Ours,
    /// The service.
    Theirs,
}

impl<E> CallError<E> {
    /// Returns the kind of the error, for metrics.
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

    /// Returns whether the service may have begun the call. `false` is certain: the call may be repeated.
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

    /// Returns the error with the outcome of earlier attempts: `may` is whether the service may have begun one of them.
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

    /// Returns the error of the RPC's contract, if this is one.
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

/// Formats whether the call may have been begun.
struct Begun(bool);

impl fmt::Display for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 { "the service may have begun the call" } else { "the service has not begun the call" })
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
                write!(f, "{method} was not called: the call breaks its contract{}", All(errors))
            }
            Self::Request { method, by: Side::Theirs, errors, maybe_begun } => {
                write!(
                    f,
                    "{method} was refused by the service: the call breaks the service's contract{}",
                    All(errors)
                )?;
                if *maybe_begun { write!(f, " (the service may have begun an earlier attempt)") } else { Ok(()) }
            }
            Self::Response { method, by: Side::Ours, errors } => {
                write!(f, "{method} was answered, but the answer breaks its contract{}", All(errors))
            }
            Self::Response { method, by: Side::Theirs, .. } => {
                write!(f, "{method} was not answered: the service's answer breaks its contract")
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
            Self::Unreachable { .. } | Self::Deadline { .. } => Some(&MayPass),
            Self::Fault { status: 429 | 502..=504, .. } => Some(&MayPass),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::fail::{Fail, FailAction};
    use crate::service::passing::may_pass;

    #[test]
    fn a_call_that_no_service_answered_may_pass() {
        let why = String::new;
        let unreachable = CallError::<NoError>::Unreachable { method: "a.get", maybe_begun: false, why: why() };
        assert!(may_pass(&unreachable));
        let fault = |status| {
            let fault = CallError::<NoError>::Fault {
                method: "a.get",
                status,
                maybe_begun: true,
                why: why(),
                retry_after: None,
            };
            may_pass(&fault)
        };
        assert_eq!([400, 429, 500, 503].map(fault), [false, true, false, true]);
    }

    #[test]
    fn a_call_that_breaks_our_own_contract_is_not_retried() {
        let error = |by| CallError::<NoError>::Request { method: "a.get", by, errors: Vec::new(), maybe_begun: false };
        assert_eq!(FailAction::of(&error(Side::Ours)), FailAction::DeadLetter);
        let boxed: Box<dyn Error + Send + Sync> = Fail::from(error(Side::Ours)).into();
        assert_eq!(FailAction::of(&*boxed), FailAction::DeadLetter);
        // another version of the service may answer the next attempt
        assert_eq!(FailAction::of(&error(Side::Theirs)), FailAction::Retry);
    }
}
