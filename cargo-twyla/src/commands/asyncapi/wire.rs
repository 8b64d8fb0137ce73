//! The forms of events on the wire, as messages of AsyncAPI: Twyla's envelope, or a CloudEvent of either mode.

use std::collections::BTreeMap;
use std::str::FromStr;

use twyla_codec::cloud_event::{CONTEXT, MEDIA_TYPE, SESSION, SPEC_VERSION};

use super::members::{object, text};
use crate::support::json::Json;

/// The prefix of the headers of an event in binary mode.
const PREFIX: &str = "cloudEvents:";

/// The form of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Form {
    #[default]
    Envelope,
    Binary,
    Structured,
}

/// An argument `--wire`: the form of all events, or of those of a domain, or of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WireArg {
    name: Option<String>,
    form: Form,
}

impl FromStr for WireArg {
    type Err = String;

    fn from_str(argument: &str) -> Result<Self, String> {
        let (name, form) = match argument.split_once('=') {
            Some((name, form)) => (Some(name.to_owned()), form),
            None => (None, argument),
        };
        let form = match form {
            "envelope" => Form::Envelope,
            "cloudevents-binary" => Form::Binary,
            "cloudevents-structured" => Form::Structured,
            other => {
                return Err(format!(
                    "expected `envelope`, `cloudevents-binary` or `cloudevents-structured`, found {other:?}"
                ));
            }
        };
        Ok(Self { name, form })
    }
}

/// The form of each event.
#[derive(Debug, Default)]
pub(super) struct Forms {
    all: Form,
    named: BTreeMap<String, Form>,
}

impl Forms {
    /// Returns the forms of these arguments, or the first name that is neither an event nor a domain.
    pub(super) fn of<'a>(arguments: &[WireArg], events: impl Iterator<Item = &'a str> + Clone) -> Result<Self, String> {
        let mut forms = Self::default();
        for WireArg { name, form } in arguments {
            let Some(name) = name else {
                forms.all = *form;
                continue;
            };
            if !events.clone().any(|event| event == name || domain(event) == name) {
                return Err(name.clone());
            }
            forms.named.insert(name.clone(), *form);
        }
        Ok(forms)
    }

    /// Returns the form of an event: its own, or else its domain's.
    pub(super) fn form(&self, event: &str) -> Form {
        self.named.get(event).or_else(|| self.named.get(domain(event))).copied().unwrap_or(self.all)
    }
}

fn domain(event: &str) -> &str {
    event.split_once('.').map_or(event, |(domain, _)| domain)
}

/// The content type, the schema of the headers and that of the payload of a CloudEvent.
pub(super) struct CloudEvent {
    pub(super) content_type: &'static str,
    pub(super) headers: Option<Json>,
    pub(super) payload: Json,
}

impl CloudEvent {
    pub(super) fn binary(event: &str, content: Json) -> Self {
        let (required, properties) = attributes(event);
        let required = required.map(|name| text(&format!("{PREFIX}{name}")));
        let properties = properties.into_iter().map(|(name, schema)| (format!("{PREFIX}{name}"), schema)).collect();
        let headers = object([
            ("type", text("object")),
            ("properties", Json::Object(properties)),
            ("required", Json::Array(required.into())),
        ]);
        Self { content_type: "application/json", headers: Some(headers), payload: content }
    }

    pub(super) fn structured(event: &str, content: Json) -> Self {
        let (required, mut properties) = attributes(event);
        properties.push(("datacontenttype", object([("const", text("application/json"))])));
        properties.push(("data", content));
        let required = required.iter().copied().chain(["data"]).map(text).collect();
        let payload =
            object([("type", text("object")), ("properties", object(properties)), ("required", Json::Array(required))]);
        Self { content_type: MEDIA_TYPE, headers: None, payload }
    }
}

/// Returns the names of the required attributes, and the schemas of all.
fn attributes(event: &str) -> ([&'static str; 4], Vec<(&'static str, Json)>) {
    let string = |description: &str| object([("type", text("string")), ("description", text(description))]);
    let of_format = |format: &str, description: &str| {
        object([("type", text("string")), ("format", text(format)), ("description", text(description))])
    };
    let properties = vec![
        ("specversion", object([("const", text(SPEC_VERSION))])),
        ("type", object([("const", text(event))])),
        ("source", of_format("uri-reference", "The sending service.")),
        ("id", string("The message's id.")),
        ("time", of_format("date-time", "When it was emitted.")),
        (SESSION, of_format("uuid", "The session of the event. Events that follow from it have the same session.")),
        (CONTEXT, string("The context, a JSON text. Absent if it is an empty object.")),
        ("traceparent", string("The trace, as in W3C Trace Context.")),
        ("tracestate", string("Vendor-specific data of the trace, as in W3C Trace Context.")),
    ];
    (["specversion", "type", "source", "id"], properties)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(arguments: &[&str]) -> Result<Forms, String> {
        let arguments: Vec<WireArg> = arguments.iter().map(|it| it.parse().unwrap()).collect();
        Forms::of(&arguments, ["shop.paid", "shop.sent", "till.opened"].into_iter())
    }

    #[test]
    fn an_event_s_own_form_goes_before_its_domain_s() {
        let forms = forms(&["cloudevents-binary", "shop=cloudevents-structured", "shop.sent=envelope"]).unwrap();
        assert_eq!(forms.form("till.opened"), Form::Binary);
        assert_eq!(forms.form("shop.paid"), Form::Structured);
        assert_eq!(forms.form("shop.sent"), Form::Envelope);
    }

    #[test]
    fn refuses_unknown_names_and_forms() {
        assert_eq!(forms(&["shop.pait=envelope"]).unwrap_err(), "shop.pait");
        let refused = "shop=json".parse::<WireArg>().unwrap_err();
        assert!(refused.ends_with("found \"json\""), "{refused}");
    }
}
