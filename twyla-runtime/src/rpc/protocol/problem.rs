//! Problem details (RFC 9457) of a failed call, with each broken rule.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use twyla_codec::validate::Violation;

/// The prefix of each problem's `type`.
const TYPES: &str = "urn:twyla:rpc:";

/// Problem details of a call, `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Problem {
    /// The type of the problem: `urn:twyla:rpc:..`, or another URI if another server answers.
    #[serde(rename = "type")]
    pub kind: String,
    /// The human-readable title of the type.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The description of this occurrence.
    pub detail: String,
    /// The RPC's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// The part of the call that breaks its contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// Each broken rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Broken>,
}

/// A broken rule, as the other side reports it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Broken {
    /// The JSON Pointer (RFC 6901) of the value; empty for the whole request, context or response.
    pub pointer: String,
    /// The keyword that the value breaks, for example `maxLength`; `json` if the text is not valid JSON.
    pub keyword: String,
    /// The problem, with the rule and the value, shortened.
    pub detail: String,
}

/// The part of a call that breaks its contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The request.
    Request,
    /// The context.
    Context,
    /// The response.
    Response,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request => "request",
            Self::Context => "context",
            Self::Response => "response",
        })
    }
}

impl From<&Violation> for Broken {
    fn from(violation: &Violation) -> Self {
        Self {
            pointer: violation.pointer.clone(),
            keyword: violation.keyword.to_owned(),
            detail: violation.message.clone(),
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", if self.pointer.is_empty() { "(root)" } else { &self.pointer }, self.detail)
    }
}

/// Returns the type and title of the problem for a status.
fn words(status: u16) -> (&'static str, &'static str) {
    match status {
        400 => ("bad-header", "A header can't be read"),
        404 => ("unknown-method", "Unknown RPC"),
        405 => ("not-a-post", "RPCs are called with POST"),
        408 => ("too-slow", "The request was not complete in time"),
        413 => ("too-large", "The request is too large"),
        415 => ("not-json", "The content type of a request must be application/json"),
        422 => ("contract", "The call breaks its contract"),
        503 => ("busy", "The service takes no more calls for now"),
        504 => ("deadline", "The call was not answered in time"),
        _ => ("fault", "The service failed"),
    }
}

impl Problem {
    /// Creates the problem details for an HTTP status.
    pub(crate) fn of(status: u16, method: &str, detail: impl Into<String>) -> Self {
        let (kind, title) = words(status);
        Self {
            kind: format!("{TYPES}{kind}"),
            title: title.to_owned(),
            status,
            detail: detail.into(),
            method: method.to_owned(),
            part: None,
            errors: Vec::new(),
        }
    }

    /// Creates the problem details for a request with a content coding.
    #[cfg(feature = "rpc-server")]
    pub(crate) fn of_coding(method: &str, detail: String) -> Self {
        let problem = Self::of(415, method, detail);
        Self {
            kind: format!("{TYPES}encoded"),
            title: "A request must not have a content coding".to_owned(),
            ..problem
        }
    }

    /// Creates the problem details for a call that may be repeated later.
    pub(crate) fn later(method: &str) -> Self {
        let problem = Self::of(503, method, "the service can't answer this call now");
        Self { kind: format!("{TYPES}later"), title: "The call can't be answered now".to_owned(), ..problem }
    }

    /// Returns whether the service may have begun the call. A service that rejects a call has not begun it.
    pub(crate) fn maybe_begun(&self) -> bool {
        let kind = self.kind.strip_prefix(TYPES).unwrap_or_default();
        !matches!(
            kind,
            "busy"
                | "unknown-method"
                | "not-a-post"
                | "bad-header"
                | "too-slow"
                | "too-large"
                | "not-json"
                | "encoded"
                | "contract"
        )
    }

    pub(crate) fn is(&self, kind: &str) -> bool {
        self.kind.strip_prefix(TYPES) == Some(kind)
    }

    pub(crate) fn to_json(&self) -> Vec<u8> {
        // strings and numbers always serialize
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(crate) fn from_json(text: &[u8]) -> Option<Self> {
        let members: Map<String, Value> = serde_json::from_slice(text).ok()?;
        let known = members.into_iter().filter(|(name, value)| fits(name, value)).collect();
        serde_json::from_value(Value::Object(known)).ok()
    }
}

/// Returns whether a member has the expected type; members of another type are ignored (RFC 9457, section 3.1).
fn fits(name: &str, value: &Value) -> bool {
    match name {
        "type" | "title" | "detail" | "method" => value.is_string(),
        "status" => u16::deserialize(value).is_ok(),
        "part" => Part::deserialize(value).is_ok(),
        "errors" => Vec::<Broken>::deserialize(value).is_ok(),
        _ => false,
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = if self.detail.is_empty() { &self.title } else { &self.detail };
        if said.is_empty() { write!(f, "HTTP status {}", self.status) } else { f.write_str(said) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_as_rfc_9457_has_it() {
        let broken = Broken { pointer: "/pnr".into(), keyword: "pattern".into(), detail: "is \"x\"".into() };
        let problem = Problem {
            part: Some(Part::Request),
            errors: vec![broken],
            ..Problem::of(422, "a.get", "the request breaks")
        };
        let text = problem.to_json();
        assert_eq!(
            String::from_utf8(text.clone()).unwrap(),
            r#"{"type":"urn:twyla:rpc:contract","title":"The call breaks its contract","status":422,"detail":"the request breaks","method":"a.get","part":"request","errors":[{"pointer":"/pnr","keyword":"pattern","detail":"is \"x\""}]}"#
        );
        assert_eq!(Problem::from_json(&text), Some(problem));
    }

    #[test]
    fn others_may_say_less_or_more() {
        let problem =
            Problem::from_json(br#"{"title":"no","more":[1],"errors":[{"pointer":"/x","in":"body"}]}"#).unwrap();
        assert_eq!((problem.title.as_str(), problem.errors[0].pointer.as_str()), ("no", "/x"));
        assert_eq!(problem.to_string(), "no");
        assert_eq!(Problem::from_json(b"<html>"), None);
        // problem details of another server (RFC 9457, section 3.1: members of another type are ignored)
        let others = br#"{"title":"no","status":"400","errors":{"id":["is missing"]},"part":"body","method":7}"#;
        assert_eq!(Problem::from_json(others), Some(Problem { title: "no".to_owned(), ..Problem::default() }));
        assert_eq!(Problem::from_json(br#"[{"title":"no"}]"#), None);
    }
}
