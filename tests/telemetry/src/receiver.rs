//! An OTLP receiver: HTTP with protobuf, as a collector takes it.
#![allow(clippy::unwrap_used, reason = "data that is not OTLP ends the test")]

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{metric::Data, number_data_point};
use opentelemetry_proto::tonic::trace::v1::{span::SpanKind, status};
use prost::Message;
use serde_json::Value;

/// A received span.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The `service.name` of its program.
    pub service: String,
    /// In hexadecimal digits, like the other ids.
    pub trace: String,
    /// Its own id.
    pub id: String,
    /// The parent's id, or empty.
    pub parent: String,
    /// The name of its operation.
    pub name: String,
    /// `producer`, `consumer`, `internal`, `client` or `server`.
    pub kind: &'static str,
    /// The error's text.
    pub error: Option<String>,
    /// All attributes, each with the type that was sent.
    pub attributes: HashMap<String, Value>,
    /// In nanoseconds since 1970.
    pub from: u64,
    /// In nanoseconds since 1970.
    pub to: u64,
}

/// Sums by name and labels.
pub type Figures = HashMap<(String, BTreeMap<String, String>), f64>;

/// A received metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// As a UCUM code, `s` for seconds.
    pub unit: String,
    /// Its description.
    pub description: String,
    /// Of a histogram, the upper bounds of all buckets but the last.
    pub bounds: Vec<f64>,
}

#[derive(Default)]
struct Received {
    spans: Mutex<Vec<Seen>>,
    lines: Mutex<Vec<String>>,
    /// The number of requests with log lines; the first ones are refused.
    busy: Mutex<u32>,
    figures: Mutex<Figures>,
    described: Mutex<HashMap<String, Vec<Described>>>,
}

/// A receiver that runs until the test ends.
pub struct Receiver {
    /// Its address, for `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub endpoint: String,
    received: Arc<Received>,
}

impl Receiver {
    /// Starts one on its own port.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn start() -> Self {
        let received = Arc::new(Received::default());
        let routes = Router::new().route("/v1/traces", post(traces)).route("/v1/metrics", post(metrics));
        let routes = routes.route("/lines", post(lines)).route("/never", post(|| async { StatusCode::FORBIDDEN }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let service = routes.with_state(received.clone());
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self { endpoint, received }
    }

    /// All spans received so far.
    ///
    /// # Panics
    /// If earlier data was not OTLP.
    #[must_use]
    pub fn spans(&self) -> Vec<Seen> {
        self.received.spans.lock().unwrap().clone()
    }

    /// The log lines received so far.
    ///
    /// # Panics
    /// If earlier data was not OTLP.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.received.lines.lock().unwrap().clone()
    }

    /// The last value of each sum.
    ///
    /// # Panics
    /// If earlier data was not OTLP.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.received.figures.lock().unwrap().clone()
    }

    /// The metrics by name. Each name has one entry, unless the exporter is wrong.
    ///
    /// # Panics
    /// If earlier data was not OTLP.
    #[must_use]
    pub fn described(&self) -> HashMap<String, Vec<Described>> {
        self.received.described.lock().unwrap().clone()
    }
}

async fn traces(State(received): State<Arc<Received>>, body: Bytes) {
    for resource in ExportTraceServiceRequest::decode(body).unwrap().resource_spans {
        let about = values(resource.resource.map(|resource| resource.attributes).unwrap_or_default());
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            let kind = match span.kind() {
                SpanKind::Producer => "producer",
                SpanKind::Consumer => "consumer",
                SpanKind::Internal => "internal",
                SpanKind::Client => "client",
                SpanKind::Server => "server",
                _ => "other",
            };
            let status = span.status.clone().unwrap_or_default();
            received.spans.lock().unwrap().push(Seen {
                service: about.get("service.name").and_then(Value::as_str).unwrap_or_default().to_owned(),
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                name: span.name,
                kind,
                error: (status.code() == status::StatusCode::Error).then_some(status.message),
                attributes: values(span.attributes),
                from: span.start_time_unix_nano,
                to: span.end_time_unix_nano,
            });
        }
    }
}

/// Accepts lines with the right token, from the third request on.
async fn lines(State(received): State<Arc<Received>>, headers: HeaderMap, body: String) -> StatusCode {
    if headers["authorization"] != "Bearer sesame" || headers["content-type"] != "application/x-ndjson" {
        return StatusCode::BAD_REQUEST;
    }
    let mut busy = received.busy.lock().unwrap();
    *busy += 1;
    if *busy < 3 {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    received.lines.lock().unwrap().extend(body.lines().map(str::to_owned));
    StatusCode::OK
}

async fn metrics(State(received): State<Arc<Received>>, body: Bytes) {
    let request = ExportMetricsServiceRequest::decode(body).unwrap();
    let scopes = request.resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
    for metric in scopes.flat_map(|scope| scope.metrics) {
        let bounds = match &metric.data {
            Some(Data::Histogram(histogram)) => histogram.data_points[0].explicit_bounds.clone(),
            _ => Vec::new(),
        };
        let described = Described { unit: metric.unit, description: metric.description, bounds };
        let mut all = received.described.lock().unwrap();
        let named = all.entry(metric.name.clone()).or_default();
        if !named.contains(&described) {
            named.push(described);
        }
        drop(all);
        let Some(Data::Sum(sum)) = metric.data else { continue };
        for point in sum.data_points {
            let value = match point.value {
                Some(number_data_point::Value::AsDouble(value)) => value,
                Some(number_data_point::Value::AsInt(value)) => value as f64,
                None => continue,
            };
            let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let labels = values(point.attributes).into_iter().map(|(name, value)| (name, text(value))).collect();
            received.figures.lock().unwrap().insert((metric.name.clone(), labels), value);
        }
    }
}

fn values(attributes: Vec<KeyValue>) -> HashMap<String, Value> {
    let value = |value: Option<any_value::Value>| match value {
        Some(any_value::Value::StringValue(text)) => text.into(),
        Some(any_value::Value::IntValue(number)) => number.into(),
        Some(any_value::Value::DoubleValue(number)) => number.into(),
        Some(any_value::Value::BoolValue(flag)) => flag.into(),
        other => panic!("an attribute of a type that no span of Twyla's has: {other:?}"),
    };
    attributes.into_iter().map(|pair| (pair.key, value(pair.value.and_then(|value| value.value)))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
