//! Whether a call that has failed is tried again, and when.

use std::time::Duration;

use crate::rpc::protocol::ask::{Answer, Kind, Lost};

/// How long a call may take, and how often it is tried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) deadline: Duration,
    pub(crate) attempts: u32,
    /// How long one attempt may take, where that is less than what is left.
    pub(crate) attempt: Option<Duration>,
    pub(crate) first_pause: Duration,
    pub(crate) max_pause: Duration,
}

impl Default for Patience {
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

/// What becomes of a call after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It has ended, one way or the other.
    Done,
    /// It may be tried again.
    Again {
        /// Not before this.
        after: Duration,
        /// Whether nobody was reached: to try elsewhere then costs a service nothing.
        unreached: bool,
    },
}

/// What becomes of a call after an attempt; `safe` where it may be done twice.
pub(crate) fn next(outcome: &Result<Answer, Lost>, safe: bool) -> Next {
    let after = |answer: &Answer| answer.retry_after.unwrap_or_default();
    match outcome {
        Err(lost) if !lost.maybe_begun => Next::Again { after: Duration::ZERO, unreached: true },
        Err(_) if safe => Next::Again { after: Duration::ZERO, unreached: false },
        // a service that has turned the call away has begun nothing; others may mean anything by it
        Ok(answer) if answer.status == 503 && (safe || is_busy(answer)) => {
            Next::Again { after: after(answer), unreached: false }
        }
        Ok(answer) if safe && matches!(answer.status, 408 | 429 | 502) => {
            Next::Again { after: after(answer), unreached: false }
        }
        // a gateway's own, and not a service's whose caller has no time left either
        Ok(answer) if safe && answer.status == 504 && answer.kind != Kind::Problem => {
            Next::Again { after: after(answer), unreached: false }
        }
        _ => Next::Done,
    }
}

fn is_busy(answer: &Answer) -> bool {
    answer.read_problem().is_some_and(|problem| problem.is("busy"))
}

/// Whether something of the call may have been begun by whoever answers so.
pub(crate) fn maybe_begun(answer: &Answer) -> bool {
    answer.read_problem().is_none_or(|problem| problem.maybe_begun())
}

impl Patience {
    /// How long to wait after so many rounds: twice as long each time, and at random between nothing and that, so that
    /// callers who have failed together don't come back together.
    pub(crate) fn pause(&self, rounds: u32) -> Duration {
        let most = self.first_pause.saturating_mul(1_u32.checked_shl(rounds.saturating_sub(1)).unwrap_or(u32::MAX));
        let random = uuid::Uuid::new_v4().as_u128() as u64 as f64 / u64::MAX as f64;
        most.min(self.max_pause).mul_f64(random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::protocol::ask::Kind;
    use crate::rpc::protocol::problem::Problem;

    fn answer(status: u16, kind: Kind) -> Result<Answer, Lost> {
        let problem = Answer::problem(&Problem::of(status, "a.get", ""));
        Ok(Answer { kind, ..problem })
    }

    fn lost(maybe_begun: bool) -> Result<Answer, Lost> {
        Err(Lost { maybe_begun, why: String::new() })
    }

    #[test]
    fn only_what_is_safe_is_repeated() {
        let again = |unreached| Next::Again { after: Duration::ZERO, unreached };
        let other = || Kind::Other("text/html".to_owned());
        for (outcome, unsafe_, safe) in [
            (lost(false), again(true), again(true)),
            (lost(true), Next::Done, again(false)),
            (answer(503, Kind::Problem), again(false), again(false)),
            (Ok(Answer::problem(&Problem::later("a.get"))), Next::Done, again(false)),
            (answer(503, other()), Next::Done, again(false)),
            (answer(502, other()), Next::Done, again(false)),
            (answer(504, other()), Next::Done, again(false)),
            (answer(504, Kind::Problem), Next::Done, Next::Done),
            (answer(500, Kind::Problem), Next::Done, Next::Done),
            (answer(422, Kind::Problem), Next::Done, Next::Done),
            (answer(409, Kind::Json), Next::Done, Next::Done),
            (answer(200, Kind::Json), Next::Done, Next::Done),
        ] {
            assert_eq!(next(&outcome, false), unsafe_, "{outcome:?}");
            assert_eq!(next(&outcome, true), safe, "{outcome:?}");
        }
    }

    #[test]
    fn a_service_says_when() {
        let busy =
            Answer { retry_after: Some(Duration::from_secs(2)), ..Answer::problem(&Problem::of(503, "a.get", "")) };
        assert_eq!(next(&Ok(busy), false), Next::Again { after: Duration::from_secs(2), unreached: false });
    }

    #[test]
    fn pauses_grow_up_to_a_bound() {
        let patience = Patience::default();
        for rounds in [1, 2, 3, 40, u32::MAX] {
            let most = Duration::from_millis(50).saturating_mul(1_u32.checked_shl(rounds - 1).unwrap_or(u32::MAX));
            let most = most.min(Duration::from_secs(1));
            let pauses: Vec<Duration> = (0..100).map(|_| patience.pause(rounds)).collect();
            assert!(pauses.iter().all(|pause| *pause <= most), "{rounds}");
            // none of a hundred in the upper half would be chance once in 2^100 times
            assert!(pauses.iter().any(|pause| *pause > most / 2), "{rounds}");
        }
    }
}
