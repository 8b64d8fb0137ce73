//! The retry policy: whether and when a failed call is retried.

use std::time::Duration;

use crate::rpc::protocol::attempt::{Answer, AttemptError, BodyKind};

/// Deadlines, attempts and pauses of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetryPolicy {
    pub(crate) deadline: Duration,
    pub(crate) attempts: u32,
    /// The deadline of one attempt, if it is shorter than the rest of the call's deadline.
    pub(crate) attempt: Option<Duration>,
    pub(crate) first_pause: Duration,
    pub(crate) max_pause: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(10),
            attempts: 3,
            attempt: None,
            first_pause: Duration::from_millis(50),
            max_pause: Duration::from_secs(1),
        }
    }
}

/// The decision after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetryDecision {
    /// The call has ended, successfully or not.
    Done,
    /// The call may be retried.
    Again {
        /// The earliest time of the retry.
        after: Duration,
        /// Whether no service was reached, so that another address can be tried without cost to the service.
        unreached: bool,
    },
}

/// Decides after an attempt; `safe` means that the call may be repeated.
pub(crate) fn next(outcome: &Result<Answer, AttemptError>, safe: bool) -> RetryDecision {
    let after = |answer: &Answer| answer.retry_after.unwrap_or_default();
    match outcome {
        Err(lost) if !lost.maybe_begun => RetryDecision::Again { after: Duration::ZERO, unreached: true },
        Err(_) if safe => RetryDecision::Again { after: Duration::ZERO, unreached: false },
        // a busy Twyla service hasn't begun the call; other servers may mean anything by a 503
        Ok(answer) if answer.status == 503 && (safe || is_busy(answer)) => {
            RetryDecision::Again { after: after(answer), unreached: false }
        }
        Ok(answer) if safe && matches!(answer.status, 408 | 429 | 502) => {
            RetryDecision::Again { after: after(answer), unreached: false }
        }
        // the 504 of a gateway; a 504 of the service is final, because its deadline is also the caller's
        Ok(answer) if safe && answer.status == 504 && answer.kind != BodyKind::Problem => {
            RetryDecision::Again { after: after(answer), unreached: false }
        }
        _ => RetryDecision::Done,
    }
}

fn is_busy(answer: &Answer) -> bool {
    answer.read_problem().is_some_and(|problem| problem.is("busy"))
}

/// Returns whether the sender of this answer may have begun the call.
pub(crate) fn maybe_begun(answer: &Answer) -> bool {
    answer.read_problem().is_none_or(|problem| problem.maybe_begun())
}

impl RetryPolicy {
    /// Returns the pause after the round with the number `rounds`: random, up to a limit that doubles with each round, so
    /// that callers that failed together don't retry together.
    pub(crate) fn pause(&self, rounds: u32) -> Duration {
        let most = self.first_pause.saturating_mul(1_u32.checked_shl(rounds.saturating_sub(1)).unwrap_or(u32::MAX));
        let random = uuid::Uuid::new_v4().as_u128() as u64 as f64 / u64::MAX as f64;
        most.min(self.max_pause).mul_f64(random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::protocol::attempt::BodyKind;
    use crate::rpc::protocol::problem::Problem;

    fn answer(status: u16, kind: BodyKind) -> Result<Answer, AttemptError> {
        let problem = Answer::problem(&Problem::of(status, "a.get", ""));
        Ok(Answer { kind, ..problem })
    }

    fn lost(maybe_begun: bool) -> Result<Answer, AttemptError> {
        Err(AttemptError { maybe_begun, why: String::new() })
    }

    #[test]
    fn repeats_only_safe_calls() {
        let again = |unreached| RetryDecision::Again { after: Duration::ZERO, unreached };
        let other = || BodyKind::Other("text/html".to_owned());
        for (outcome, unsafe_, safe) in [
            (lost(false), again(true), again(true)),
            (lost(true), RetryDecision::Done, again(false)),
            (answer(503, BodyKind::Problem), again(false), again(false)),
            (Ok(Answer::problem(&Problem::later("a.get"))), RetryDecision::Done, again(false)),
            (answer(503, other()), RetryDecision::Done, again(false)),
            (answer(502, other()), RetryDecision::Done, again(false)),
            (answer(504, other()), RetryDecision::Done, again(false)),
            (answer(504, BodyKind::Problem), RetryDecision::Done, RetryDecision::Done),
            (answer(500, BodyKind::Problem), RetryDecision::Done, RetryDecision::Done),
            (answer(422, BodyKind::Problem), RetryDecision::Done, RetryDecision::Done),
            (answer(409, BodyKind::Json), RetryDecision::Done, RetryDecision::Done),
            (answer(200, BodyKind::Json), RetryDecision::Done, RetryDecision::Done),
        ] {
            assert_eq!(next(&outcome, false), unsafe_, "{outcome:?}");
            assert_eq!(next(&outcome, true), safe, "{outcome:?}");
        }
    }

    #[test]
    fn a_service_says_when() {
        let busy =
            Answer { retry_after: Some(Duration::from_secs(2)), ..Answer::problem(&Problem::of(503, "a.get", "")) };
        assert_eq!(next(&Ok(busy), false), RetryDecision::Again { after: Duration::from_secs(2), unreached: false });
    }

    #[test]
    fn pauses_grow_up_to_a_bound() {
        let retry_policy = RetryPolicy::default();
        for rounds in [1, 2, 3, 40, u32::MAX] {
            let most = Duration::from_millis(50).saturating_mul(1_u32.checked_shl(rounds - 1).unwrap_or(u32::MAX));
            let most = most.min(Duration::from_secs(1));
            let pauses: Vec<Duration> = (0..100).map(|_| retry_policy.pause(rounds)).collect();
            assert!(pauses.iter().all(|pause| *pause <= most), "{rounds}");
            // the probability that none of a hundred is in the upper half is 2^-100
            assert!(pauses.iter().any(|pause| *pause > most / 2), "{rounds}");
        }
    }
}
