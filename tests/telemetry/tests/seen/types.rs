//! Types and units of exported OTLP data: those of OpenTelemetry's semantic conventions.

use std::collections::BTreeSet;

use serde_json::Value;
use twyla_telemetry_tests::receiver::{Receiver, Seen};
use twyla_tests::within;

use super::{ended, service};

type Check = fn(&Value) -> bool;

/// Each used attribute of the semantic conventions with its registered type; then Twyla's own.
const TYPES: [(&str, Check); 23] = [
    ("error.type", Value::is_string),
    ("http.request.method", Value::is_string),
    ("http.request.resend_count", Value::is_i64),
    ("http.response.status_code", Value::is_i64),
    ("http.route", Value::is_string),
    ("messaging.consumer.group.name", Value::is_string),
    ("messaging.destination.name", Value::is_string),
    ("messaging.message.body.size", Value::is_i64),
    ("messaging.message.conversation_id", Value::is_string),
    ("messaging.message.id", Value::is_string),
    ("messaging.operation.name", Value::is_string),
    ("messaging.operation.type", Value::is_string),
    ("messaging.rabbitmq.destination.routing_key", Value::is_string),
    ("messaging.system", Value::is_string),
    ("rpc.method", Value::is_string),
    ("rpc.service", Value::is_string),
    ("session.id", Value::is_string),
    ("url.template", Value::is_string),
    ("twyla.attempt", Value::is_i64),
    ("twyla.reason", Value::is_string),
    ("twyla.redeliveries", Value::is_i64),
    ("twyla.session_text", Value::is_string),
    // added by `tracing-opentelemetry` from `tracing`
    ("target", Value::is_string),
];

/// All spans of events and calls, of all kinds.
async fn spans() -> Vec<Seen> {
    let receiver = Receiver::start().await;
    for role in ["all", "call"] {
        ended(service(role, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.endpoint), ("SEEN_LOG_FORMAT", "off")])).await;
    }
    receiver.spans()
}

#[tokio::test]
async fn attributes_have_the_types_of_the_semantic_conventions() {
    within(async {
        let spans = spans().await;
        let mut wrong = BTreeSet::new();
        for (name, value) in spans.iter().flat_map(|span| &span.attributes) {
            let known = TYPES.iter().find(|(known, _)| known == name);
            if known.is_none_or(|(_, is_of_type)| !is_of_type(value)) {
                wrong.insert(format!("{name}: {value}"));
            }
        }
        assert_eq!(wrong, BTreeSet::new());
        let kinds: BTreeSet<_> = spans.iter().map(|span| span.kind).collect();
        assert_eq!(kinds, BTreeSet::from(["client", "consumer", "internal", "producer", "server"]));
    })
    .await;
}

#[tokio::test]
async fn a_metric_has_one_unit_and_times_have_buckets_below_a_second() {
    within(async {
        let receiver = Receiver::start().await;
        ended(service("all", &[("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.endpoint), ("SEEN_LOG_FORMAT", "off")])).await;
        let described = receiver.described();
        assert!(described.contains_key("twyla_handler_seconds") && described.contains_key("twyla_emitted_total"));
        for (name, described) in described {
            let [metric] = &described[..] else { panic!("{name} is several metrics: {described:?}") };
            assert!(!metric.description.is_empty(), "{name}");
            let is_time = name.ends_with("_seconds");
            assert_eq!(metric.unit, if is_time { "s" } else { "" }, "{name}");
            let bounds = (metric.bounds.first(), metric.bounds.last());
            assert_eq!(bounds, if is_time { (Some(&0.0001), Some(&30.0)) } else { (None, None) }, "{name}");
        }
    })
    .await;
}
