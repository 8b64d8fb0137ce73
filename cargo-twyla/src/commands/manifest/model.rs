//! A manifest: what one version of a service emits, listens to, serves and calls, and the versions before it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use twyla_build::compare::Bundle;
use twyla_contract::record::{Method, Record};

/// The value of `format`. Other versions are refused.
pub(crate) const FORMAT: &str = "twyla-contracts 1";

/// A manifest in the format of its file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) format: String,
    pub(crate) service: String,
    pub(crate) version: String,
    /// The environment that the service is deployed in, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) environment: Option<String>,
    /// Whether old versions keep running after a deployment, as apps on phones do.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) in_the_field: bool,
    #[serde(default)]
    pub(crate) emits: Vec<Emits>,
    #[serde(default)]
    pub(crate) listens: Vec<Listens>,
    #[serde(default)]
    pub(crate) serves: Vec<Rpc>,
    #[serde(default)]
    pub(crate) calls: Vec<Rpc>,
    /// Earlier versions that may still run, be rolled back to, or have events in queues; newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) previous: Vec<Version>,
    /// The schemas, by their digests.
    pub(crate) schemas: BTreeMap<String, Box<RawValue>>,
}

/// A version of a service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Version {
    #[serde(rename = "version")]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) emits: Vec<Emits>,
    #[serde(default)]
    pub(crate) listens: Vec<Listens>,
    #[serde(default)]
    pub(crate) serves: Vec<Rpc>,
    #[serde(default)]
    pub(crate) calls: Vec<Rpc>,
}

/// An event that is emitted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Emits {
    pub(crate) event: String,
    pub(crate) content: String,
    pub(crate) context: String,
}

/// An event that is listened to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listens {
    pub(crate) event: String,
    pub(crate) group: String,
    pub(crate) content: String,
    pub(crate) context: String,
    /// The handler function's path.
    pub(crate) handler: String,
}

/// A method that is served or called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rpc {
    /// `service.method`
    pub(crate) method: String,
    pub(crate) request: String,
    pub(crate) response: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    pub(crate) context: String,
}

impl From<Method> for Rpc {
    fn from(method: Method) -> Self {
        let Method { name, request, response, error, context } = method;
        Self { method: name, request, response, error, context }
    }
}

/// The contracts that a program uses, sorted and without duplicates.
#[derive(Clone, Debug, Default)]
pub(crate) struct Contents {
    pub(crate) emits: Vec<Emits>,
    pub(crate) listens: Vec<Listens>,
    pub(crate) serves: Vec<Rpc>,
    pub(crate) calls: Vec<Rpc>,
    /// The schemas' texts by their digests.
    pub(crate) schemas: BTreeMap<String, String>,
}

impl Contents {
    pub(crate) fn new(records: impl IntoIterator<Item = Record>) -> Self {
        let mut found = Self::default();
        for record in records {
            match record {
                Record::Emits { event, content, context } => found.emits.push(Emits { event, content, context }),
                Record::Listens { event, group, content, context, handler } => {
                    found.listens.push(Listens { event, group, content, context, handler });
                }
                Record::Serves(method) => found.serves.push(method.into()),
                Record::Calls(method) => found.calls.push(method.into()),
                Record::Schema { digest, text } => drop(found.schemas.insert(digest, text)),
            }
        }
        // code that is compiled twice has two records
        fn once<T: Ord>(list: &mut Vec<T>) {
            list.sort();
            list.dedup();
        }
        once(&mut found.emits);
        once(&mut found.listens);
        once(&mut found.serves);
        once(&mut found.calls);
        found
    }

    /// Returns whether the program uses no contract.
    pub(crate) fn is_empty(&self) -> bool {
        self.emits.is_empty() && self.listens.is_empty() && self.serves.is_empty() && self.calls.is_empty()
    }
}

/// Returns the digests that a version names, each with a description of its use.
pub(crate) fn named<'a>(
    emits: &'a [Emits],
    listens: &'a [Listens],
    serves: &'a [Rpc],
    calls: &'a [Rpc],
) -> impl Iterator<Item = (&'a str, String)> {
    let emits = emits.iter().flat_map(|it| {
        let what = |part| format!("the {part} of {}, which the service emits", it.event);
        [(&*it.content, what("content")), (&*it.context, what("context"))]
    });
    let listens = listens.iter().flat_map(|it| {
        let what = |part| format!("the {part} of {}, which the service listens to", it.event);
        [(&*it.content, what("content")), (&*it.context, what("context"))]
    });
    let methods = serves.iter().map(|it| (it, "serves")).chain(calls.iter().map(|it| (it, "calls")));
    let methods = methods.flat_map(|(it, verb)| {
        let what = |part| format!("the {part} of {}, which the service {verb}", it.method);
        let error = it.error.as_deref().map(|digest| (digest, what("error")));
        let parts = [(&*it.request, "request"), (&*it.response, "response"), (&*it.context, "context")];
        parts.map(|(digest, part)| (digest, what(part))).into_iter().chain(error)
    });
    emits.chain(listens).chain(methods)
}

/// Formats a schema in several lines, so that manifests have readable diffs.
pub(super) fn in_lines(bundle: &Bundle) -> serde_json::Result<Box<RawValue>> {
    RawValue::from_string(format!("{bundle:#}").replace('\n', "\n    "))
}

impl Manifest {
    /// Returns the digests that all versions of the manifest name.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&str, String)> {
        let now = named(&self.emits, &self.listens, &self.serves, &self.calls);
        now.chain(self.previous.iter().flat_map(|it| named(&it.emits, &it.listens, &it.serves, &it.calls)))
    }

    /// Returns the manifest's text: readable lines, and the same text for equal manifests.
    pub(crate) fn text(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
