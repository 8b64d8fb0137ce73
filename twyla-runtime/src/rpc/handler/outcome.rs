//! Conversion of a handler's result to an answer: a response, an error of the RPC's contract, or a fault without details.

use std::error::Error;
use std::future::ready;

use super::registration::AnswerFuture;
use crate::rpc::protocol::attempt::Answer;
use crate::rpc::protocol::encoded::encoded;
use crate::rpc::protocol::problem::{Broken, Part, Problem};
use crate::rpc::{Body, CallMeta, Method};
use crate::service::catch_panic::chain;
use crate::service::fail::{self, FailAction};
use twyla_codec::validate::Refusal;

type Cause = Box<dyn Error + Send + Sync>;

/// Converts a handler's result to an answer.
pub fn answer<M: Method, E: Into<Cause>>(outcome: Result<M::Response, E>) -> Answer {
    match outcome {
        Ok(response) => match encoded(|out| response.encode(out)) {
            Ok(body) => Answer::response(body),
            Err(refusal) => broken::<M>("response", M::RESPONSE, &refusal),
        },
        Err(error) => failed::<M>(&*error.into()),
    }
}

/// Returns the future of an answer that is known without a call of the handler.
#[must_use]
pub fn answered(answer: Answer) -> AnswerFuture {
    Box::pin(ready(answer))
}

fn failed<M: Method>(error: &(dyn Error + 'static)) -> Answer {
    if let Some(error) = fail::causes(error).find_map(|error| error.downcast_ref::<M::Error>()) {
        return match encoded(|out| error.encode(out)) {
            Ok(body) => Answer::error(body),
            Err(refusal) => broken::<M>("error", "its contract", &refusal),
        };
    }
    let (method, said) = (M::NAME, chain(error));
    if let FailAction::RetryAfter(after) = FailAction::of(error) {
        tracing::warn!(method, error = said, ?after, "the call can't be answered now");
        return Answer { retry_after: Some(after), ..Answer::problem(&Problem::later(method)) };
    }
    tracing::error!(method, error = said, "the handler failed");
    Answer::problem(&Problem::of(500, method, "the handler failed"))
}

/// Returns the answer if the handler's value breaks its contract: the value is never sent, and the violations are logged.
fn broken<M: Method>(what: &'static str, schema: &'static str, refusal: &Refusal) -> Answer {
    tracing::error!(method = M::NAME, schema, %refusal, "the {what} breaks its contract and was not sent");
    let detail = format!("the service's {what} breaks its contract, and was not sent");
    Answer::problem(&Problem { part: Some(Part::Response), ..Problem::of(500, M::NAME, detail) })
}

/// Returns the answer to a request or context that breaks its contract.
pub(crate) fn refused(meta: &CallMeta, part: Part, refusal: &Refusal) -> Answer {
    tracing::debug!(method = meta.method, session = %meta.session_id, %refusal, "the call was refused: the {part} breaks its contract");
    let detail = format!("the {part} breaks its contract: {refusal}");
    let errors = refusal.violations.iter().map(Broken::from).collect();
    Answer::problem(&Problem { part: Some(part), errors, ..Problem::of(422, meta.method, detail) })
}

/// Returns the answer if the service lacks an argument of the handler. A service checks for this before it serves.
pub(crate) fn not_given(meta: &CallMeta, what: &'static str) -> Answer {
    tracing::error!(method = meta.method, what, "the service has no value for an argument of the handler");
    problem(500, meta.method, "the handler could not be called")
}

/// Returns an answer with problem details.
pub(crate) fn problem(status: u16, method: &str, detail: impl Into<String>) -> Answer {
    Answer::problem(&Problem::of(status, method, detail))
}

/// Returns the answer to a request that is too large.
pub(crate) fn too_large(method: &str, most: usize) -> Answer {
    problem(413, method, format!("the request has more than the allowed {most} bytes"))
}
