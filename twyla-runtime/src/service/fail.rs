//! Errors with which a handler decides what happens to the event: retry, retry later, dead-letter, drop.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::bus::config::FOREVER;

type Cause = Box<dyn StdError + Send + Sync>;

/// An error of a handler that decides what happens to the event.
///
/// After any other error, the event is retried by its listener's [`Retry`](crate::Retry); `?` converts such an error to a
/// `Fail` that does the same. The other decisions have constructors:
///
/// ```
/// use std::time::Duration;
/// use twyla_runtime::Fail;
///
/// async fn charge(cents: i64) -> Result<(), Fail> {
///     if cents < 0 {
///         return Err(Fail::park("a price is never negative")); // trying again would be no use
///     }
///     let busy: Result<(), std::io::Error> = Err(std::io::ErrorKind::ResourceBusy.into());
///     busy.map_err(|error| Fail::retry_after(Duration::from_secs(30), error))
/// }
/// ```
///
/// A `Fail` also counts inside a chain of errors, as with `anyhow` or `Box<dyn Error>`. If there are several, the outermost one
/// decides; a [`Fail::retry`] leaves the decision to the next one.
pub struct Fail {
    what: FailAction,
    cause: Cause,
}

/// The action that a handler chose for a failed event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailAction {
    /// Retry the event by the listener's policy.
    Retry,
    /// Retry the event after this pause, if the policy has attempts left.
    RetryAfter(Duration),
    DeadLetter,
    Drop,
    /// Retry the event until the store or the outbox works; the attempt doesn't count.
    Store,
}

impl Fail {
    /// Retries the event by the listener's policy, unless an error in the chain of `error` decides otherwise.
    pub fn retry(error: impl Into<Cause>) -> Self {
        Self { what: FailAction::Retry, cause: error.into() }
    }

    /// Retries the event after at least `after`, as often as the listener's policy allows.
    ///
    /// For up to a second the event waits in this process. For longer pauses it waits in a retry queue, and the pause is
    /// rounded up to one of a few steps, because each step is a queue: 1, 2, 5, 10 or 30 s or min; 1, 2, 5 or 10 h; 1, 2 or
    /// 5 days, and above that whole days up to 30.
    pub fn retry_after(after: Duration, error: impl Into<Cause>) -> Self {
        // limited, because a listener adds the pause to the current time
        Self { what: FailAction::RetryAfter(after.min(FOREVER)), cause: error.into() }
    }

    /// Dead-letters the event at once, because a retry would fail too.
    pub fn park(error: impl Into<Cause>) -> Self {
        Self { what: FailAction::DeadLetter, cause: error.into() }
    }

    /// Drops the event, with a warning in the log.
    pub fn drop(error: impl Into<Cause>) -> Self {
        Self { what: FailAction::Drop, cause: error.into() }
    }
}

/// A `Fail` within a chain of errors. `Fail` itself doesn't implement `Error`, so that `?` can convert any error.
struct ChainedFail(Fail);

impl fmt::Display for ChainedFail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.cause, f)
    }
}

impl fmt::Debug for ChainedFail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl StdError for ChainedFail {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        // `Display` prints the cause, so the source is the source of the cause.
        self.0.cause.source()
    }
}

impl fmt::Display for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.cause, f)
    }
}

impl fmt::Debug for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fail").field("what", &self.what).field("cause", &self.cause).finish()
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Fail {
    fn from(error: E) -> Self {
        Self { what: FailAction::of(&error), cause: Box::new(error) }
    }
}

impl From<Fail> for Box<dyn StdError + Send + Sync> {
    fn from(fail: Fail) -> Self {
        Box::new(ChainedFail(fail))
    }
}

/// Returns an error and all its causes, the outermost first.
pub(crate) fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| {
        let error: &'a (dyn StdError + 'static) = *error;
        match error.downcast_ref::<ChainedFail>() {
            Some(said) => Some(&*said.0.cause),
            None => error.source(),
        }
    })
}

impl FailAction {
    /// Returns the decision of the outermost error in the chain that decides; `Retry` if none does.
    pub(crate) fn of(error: &(dyn StdError + 'static)) -> Self {
        let said = causes(error).find_map(|error| {
            // an event or a call that breaks its contract or is too large would fail again at the next attempt
            if let Some(crate::Error::Content { .. } | crate::Error::Context { .. } | crate::Error::TooLarge { .. }) =
                error.downcast_ref()
            {
                return Some(Self::DeadLetter);
            }
            if let Some(crate::Error::Outbox { passes: true, .. }) = error.downcast_ref() {
                return Some(Self::Store);
            }
            if error.is::<NoUse>() {
                return Some(Self::DeadLetter);
            }
            error.downcast_ref::<ChainedFail>().map(|said| said.0.what).filter(|what| *what != Self::Retry)
        });
        said.unwrap_or(Self::Retry)
    }
}

/// The source of a [`CallError`](crate::rpc::CallError) whose cause is outside of the request, such as an unreachable service.
#[derive(Debug)]
pub(crate) struct MayPass;

impl fmt::Display for MayPass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a later attempt may succeed")
    }
}

impl StdError for MayPass {}

/// The source of a [`CallError`](crate::rpc::CallError) for a request that breaks its contract and isn't sent. A retry would fail too, so
/// the event is dead-lettered at once.
#[derive(Debug)]
pub(crate) struct NoUse;

impl fmt::Display for NoUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a retry would break the contract too")
    }
}

impl StdError for NoUse {}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Around(Cause);

    impl fmt::Display for Around {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("around")
        }
    }

    impl StdError for Around {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&*self.0)
        }
    }

    fn what(error: impl Into<Cause>) -> FailAction {
        FailAction::of(&*error.into())
    }

    #[test]
    fn finds_the_failure_anywhere_in_the_chain() {
        assert_eq!(what("plain"), FailAction::Retry);
        assert_eq!(what(Fail::park("no")), FailAction::DeadLetter);
        assert_eq!(what(Around(Fail::drop("no").into())), FailAction::Drop);
        assert_eq!(what(Fail::from(Around(Fail::park("no").into()))), FailAction::DeadLetter);
        assert_eq!(what(Fail::retry(Fail::park("no"))), FailAction::DeadLetter);
        let later = Duration::from_secs(9);
        assert_eq!(what(Fail::retry_after(later, Fail::park("no"))), FailAction::RetryAfter(later));
    }

    #[test]
    fn a_broken_emit_is_not_tried_again() {
        let refusal = twyla_codec::validate::Refusal { violations: Vec::new() };
        let error = crate::Error::Content { event: "a.b", schema: "s", refusal };
        assert_eq!(what(Around(error.into())), FailAction::DeadLetter);
        assert_eq!(
            what(crate::Error::TooLarge { event: "a.b", bytes: 2, most: 1, broker: true }),
            FailAction::DeadLetter
        );
        assert_eq!(what(crate::Error::Closed), FailAction::Retry);
    }

    #[test]
    fn an_outbox_in_trouble_costs_no_attempt() {
        let outbox = |passes| crate::Error::Outbox { event: "a.b", why: "no connection".to_owned(), passes };
        assert_eq!(what(Around(outbox(true).into())), FailAction::Store);
        assert_eq!(what(outbox(false)), FailAction::Retry);
    }

    #[test]
    fn its_words_are_those_of_its_cause_once() {
        let error: Cause = Fail::park(Around("inner".into())).into();
        assert_eq!(error.to_string(), "around");
        assert_eq!(error.source().map(ToString::to_string), Some("inner".to_owned()));
    }
}
