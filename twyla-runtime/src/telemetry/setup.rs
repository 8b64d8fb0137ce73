//! Sets up traces, logs and metrics for the process from environment variables.

use std::env;
use std::fmt;
use std::io::{self, IsTerminal};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry};

use super::error::SetupError;
use super::log_sink::LogSink;
use super::metrics::Flush;
use super::otlp::BUCKETS;
use super::sampling::Sampling;
use super::{current, log_format, otlp};
use crate::bus::config::program;

/// The telemetry of the process, returned by [`init`]. Dropping it flushes unsent spans, metrics and log lines, for at
/// most 5 s.
#[must_use = "dropping it shuts telemetry down"]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
    meters: Option<SdkMeterProvider>,
    prometheus: Arc<Prometheus>,
    sink: Option<LogSink>,
}

/// The maximum time of a flush on shutdown.
const FLUSH: Duration = Duration::from_secs(5);
static PROMETHEUS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Returns the metrics in Prometheus' text format; `None` before [`init`].
#[cfg(feature = "rpc-server")]
pub(crate) fn metrics_text() -> Option<String> {
    PROMETHEUS.get().map(rendered)
}

fn rendered(prometheus: &PrometheusHandle) -> String {
    crate::telemetry::metrics::flush();
    prometheus.run_upkeep();
    prometheus.render()
}

/// The Prometheus recorder. Each flush sorts the recorded durations into buckets; without flushes or scrapes, the recorder would keep
/// every duration.
struct Prometheus(PrometheusHandle);

impl Flush for Prometheus {
    fn flush(&self) {
        self.0.run_upkeep();
    }
}

/// Sets up traces, logs and metrics for the whole process from environment variables, which the [module page](crate::telemetry)
/// describes. Call it once, before the bus is created; a tokio runtime isn't needed.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let telemetry = twyla_runtime::telemetry::init("SHOP")?;
/// // … the service runs …
/// telemetry.shutdown();
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`SetupError`] if a variable is invalid, or if a `tracing` subscriber or a `metrics` recorder is already installed.
pub fn init(prefix: &str) -> Result<Telemetry, SetupError> {
    let prefix = prefix.strip_suffix('_').unwrap_or(prefix);
    let variable = |part: &str| if prefix.is_empty() { part.to_owned() } else { format!("{prefix}_{part}") };
    let sampling = Sampling::from_env()?;
    let service = env::var("OTEL_SERVICE_NAME").ok().filter(|name| !name.is_empty()).unwrap_or_else(program);
    let resource = otlp::resource(&service);

    let traces = otlp::traces(&sampling, resource.clone())?;
    let spans = traces.as_ref().map(|traces| {
        let spans = tracing_opentelemetry::layer().with_tracer(traces.tracer("twyla"));
        let spans = spans.with_location(false).with_threads(false).with_tracked_inactivity(false);
        // lapin keeps one span open for as long as it is connected
        spans.with_filter(Targets::new().with_default(LevelFilter::INFO).with_target("lapin", LevelFilter::OFF)).boxed()
    });
    let (filter, sink) = (filter(&variable("LOG"))?, LogSink::from_env(&variable("LOG_URL"), &variable("LOG_TOKEN"))?);
    let log = log(&variable("LOG_FORMAT"), sink.as_ref())?.map(|log| log.with_filter(filter).boxed());
    let layers: Vec<BoxedLayer> = spans.into_iter().chain(log).collect();
    Registry::default()
        .with(layers)
        .try_init()
        .map_err(|_| SetupError("another subscriber of the crate `tracing` is already installed".to_owned()))?;
    if traces.is_some() {
        sampling.install();
    }

    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
        .map_err(|error| SetupError(error.to_string()))?
        .build_recorder();
    let prometheus = recorder.handle();
    let _ = PROMETHEUS.set(prometheus.clone());
    let meters = otlp::meters(recorder, resource)?;
    let prometheus = Arc::new(Prometheus(prometheus));
    let weak = Arc::downgrade(&prometheus);
    crate::telemetry::metrics::register(weak);
    crate::telemetry::metrics::describe();
    Ok(Telemetry { traces, meters, prometheus, sink })
}

impl Telemetry {
    /// Returns the metrics in Prometheus' text format.
    #[must_use]
    pub fn prometheus(&self) -> String {
        rendered(&self.prometheus.0)
    }

    /// Flushes unsent spans, metrics and log lines, for at most 5 s.
    pub fn shutdown(self) {}
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        crate::telemetry::metrics::flush();
        // In parallel, so that all flushes together take at most 5 s. A failed flush can't be logged any more.
        thread::scope(|scope| {
            if let Some(traces) = &self.traces {
                let _ = thread::Builder::new().spawn_scoped(scope, || traces.shutdown_with_timeout(FLUSH));
            }
            if let Some(meters) = &self.meters {
                let _ = thread::Builder::new().spawn_scoped(scope, || meters.shutdown_with_timeout(FLUSH));
            }
            if let Some(sink) = &self.sink {
                sink.flush(FLUSH);
            }
        });
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (traces, meters) = (self.traces.is_some(), self.meters.is_some());
        f.debug_struct("Telemetry").field("traces", &traces).field("otlp_metrics", &meters).finish_non_exhaustive()
    }
}

/// Returns the log filter: the service's variable, or `RUST_LOG`, or `info`.
fn filter(variable: &str) -> Result<EnvFilter, SetupError> {
    let (name, directives) = match (env::var(variable), env::var("RUST_LOG")) {
        (Ok(directives), _) => (variable, directives),
        (_, Ok(directives)) => ("RUST_LOG", directives),
        _ => return Ok(EnvFilter::new("info")),
    };
    let should = "a tracing filter, for example `info` or `info,twyla_runtime=debug`";
    EnvFilter::try_new(&directives).map_err(|_| SetupError::bad(name, &directives, should))
}

/// A layer for spans or for log lines.
type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Returns the layers that log to standard error and, as JSON, to the sink; `None` if both are off.
fn log(variable: &str, sink: Option<&LogSink>) -> Result<Option<BoxedLayer>, SetupError> {
    let terminal = io::stderr().is_terminal();
    let format = env::var(variable).unwrap_or_else(|_| if terminal { "pretty" } else { "json" }.to_owned());
    let log = || tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let stderr: Option<BoxedLayer> = match format.as_str() {
        "off" => None,
        "pretty" => Some(log().event_format(log_format::Pretty { colours: terminal }).boxed()),
        "json" => Some(log().event_format(log_format::Json).boxed()),
        "platform" => Some(log().event_format(log_format::Platform).boxed()),
        other => return Err(SetupError::bad(variable, other, "pretty, json, platform or off")),
    };
    let collector: Option<BoxedLayer> = sink.map(|sink| {
        let log = tracing_subscriber::fmt::layer().with_writer(sink.clone());
        if format == "platform" {
            log.event_format(log_format::Platform).boxed()
        } else {
            log.event_format(log_format::Json).boxed()
        }
    });
    let layers: Vec<BoxedLayer> = stderr.into_iter().chain(collector).collect();
    if layers.is_empty() {
        return Ok(None);
    }
    current::enable();
    Ok(Some(layers.boxed()))
}
