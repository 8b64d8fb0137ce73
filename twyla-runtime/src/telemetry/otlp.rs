//! Exports traces and metrics over OTLP, configured by OpenTelemetry's environment variables.

use std::env;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusRecorder;
use metrics_util::layers::FanoutBuilder;
use opentelemetry_otlp::{MetricExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{Aggregation, Instrument, PeriodicReader, SdkMeterProvider, Stream};
use opentelemetry_sdk::trace::SdkTracerProvider;

use super::error::SetupError;
use super::sampling::Sampling;

/// Histogram boundaries in seconds: from an in-memory handler to a slow call.
pub(crate) const BUCKETS: [f64; 14] =
    [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
/// The timeout of a request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Returns the OpenTelemetry resource (`OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`).
pub(crate) fn resource(service: &str) -> Resource {
    Resource::builder().with_service_name(service.to_owned()).build()
}

/// Returns the exporter of spans, if `OTEL_TRACES_EXPORTER` is `otlp`, or if it isn't set and the variable of an OTLP endpoint is.
pub(crate) fn traces(sampling: &Sampling, resource: Resource) -> Result<Option<SdkTracerProvider>, SetupError> {
    if !is_on("TRACES")? {
        return Ok(None);
    }
    let client = client()?;
    let exporter = SpanExporter::builder().with_http().with_protocol(protocol("TRACES")?).with_http_client(client);
    let exporter = exporter.build().map_err(|error| SetupError(error.to_string()))?;
    let traces = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(sampling.clone())
        .with_resource(resource)
        .build();
    Ok(Some(traces))
}

/// Installs the Prometheus recorder. Also installs and returns an OTLP exporter if `OTEL_METRICS_EXPORTER` or an endpoint enables it, as
/// in [`traces`].
pub(crate) fn meters(
    prometheus: PrometheusRecorder,
    resource: Resource,
) -> Result<Option<SdkMeterProvider>, SetupError> {
    let taken = |_| SetupError("another recorder of the crate `metrics` is already installed".to_owned());
    if !is_on("METRICS")? {
        metrics::set_global_recorder(prometheus).map_err(taken)?;
        return Ok(None);
    }
    let client = client()?;
    let exporter = MetricExporter::builder().with_http().with_protocol(protocol("METRICS")?).with_http_client(client);
    let exporter = exporter.build().map_err(|error| SetupError(error.to_string()))?;
    let reader = PeriodicReader::builder(exporter).build();
    let (meters, otlp) = metrics_exporter_opentelemetry::Recorder::builder("twyla")
        .with_meter_provider(|provider| provider.with_reader(reader).with_resource(resource).with_view(view))
        .build();
    let both = FanoutBuilder::default().add_recorder(prometheus).add_recorder(otlp).build();
    metrics::set_global_recorder(both)
        .map_err(|_| SetupError("another recorder of the crate `metrics` is already installed".to_owned()))?;
    Ok(Some(meters))
}

/// Sets the unit, the description and the buckets of each metric.
///
/// The recorder passes unit and description only with the first label set; the other label sets would become another metric of the
/// same name. The SDK's default buckets are for milliseconds: nearly all durations in seconds would fall into the first bucket.
fn view(instrument: &Instrument) -> Option<Stream> {
    let stream = Stream::builder();
    let stream = match crate::telemetry::metrics::description(instrument.name()) {
        Some(metric) => stream.with_unit(metric.unit.as_canonical_label()).with_description(metric.help),
        None => stream,
    };
    let stream = if instrument.name().ends_with("_seconds") {
        let boundaries = BUCKETS.to_vec();
        stream.with_aggregation(Aggregation::ExplicitBucketHistogram { boundaries, record_min_max: true })
    } else {
        stream
    };
    stream.build().ok()
}

fn is_on(signal: &str) -> Result<bool, SetupError> {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    if set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(false);
    }
    let exporter = format!("OTEL_{signal}_EXPORTER");
    match set(&exporter).as_deref() {
        Some("otlp") => Ok(true),
        Some("none") => Ok(false),
        // the Prometheus recorder is always installed
        Some("prometheus") if signal == "METRICS" => Ok(false),
        Some(other) => Err(SetupError::bad(&exporter, other, "otlp or none")),
        None => Ok(set("OTEL_EXPORTER_OTLP_ENDPOINT").is_some()
            || set(&format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")).is_some()),
    }
}

fn protocol(signal: &str) -> Result<Protocol, SetupError> {
    let own = format!("OTEL_EXPORTER_OTLP_{signal}_PROTOCOL");
    for name in [own.as_str(), "OTEL_EXPORTER_OTLP_PROTOCOL"] {
        match env::var(name).as_deref() {
            Ok("http/protobuf") => return Ok(Protocol::HttpBinary),
            Ok("") | Err(_) => {}
            Ok(other) => return Err(SetupError::bad(name, other, "http/protobuf")),
        }
    }
    Ok(Protocol::HttpBinary)
}

/// Builds the HTTP client on a separate thread: a blocking client can't be built within a tokio runtime.
pub(crate) fn client() -> Result<reqwest::blocking::Client, SetupError> {
    let tls = crate::tls::client(None, &["http/1.1"]).map_err(SetupError)?;
    let builder = reqwest::blocking::Client::builder().tls_backend_preconfigured(tls).timeout(TIMEOUT);
    let made = std::thread::spawn(|| builder.build()).join();
    match made {
        Ok(client) => client.map_err(|error| SetupError(format!("can't create an HTTP client: {error}"))),
        Err(_) => Err(SetupError("no HTTP client".to_owned())),
    }
}
