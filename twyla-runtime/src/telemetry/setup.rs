//! Sets up traces, logs and metrics for the process, as the environment says.

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
use super::metrics::Settle;
use super::otlp::BUCKETS;
use super::sampling::Sampling;
use super::sink::Sink;
use super::{current, lines, otlp};
use crate::bus::config::program;

/// How an operator's tools are told of it, once [`init`] has set it up. Dropping it flushes what is left, for at most 5 s.
#[must_use = "what is dropped at once tells nobody of anything"]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
    figures: Option<SdkMeterProvider>,
    prometheus: Arc<Prometheus>,
    sink: Option<Sink>,
}

/// How long the last traces and figures may take to be sent.
const FLUSH: Duration = Duration::from_secs(5);
static PROMETHEUS: OnceLock<PrometheusHandle> = OnceLock::new();

/// The figures in Prometheus' text format, where there are some.
#[cfg(feature = "rpc-server")]
pub(crate) fn metrics_text() -> Option<String> {
    PROMETHEUS.get().map(rendered)
}

fn rendered(prometheus: &PrometheusHandle) -> String {
    crate::telemetry::metrics::settle();
    prometheus.run_upkeep();
    prometheus.render()
}

/// What takes the times into their buckets now and then, whether somebody asks for the figures or not: they are kept one by
/// one until then.
struct Prometheus(PrometheusHandle);

impl Settle for Prometheus {
    fn settle(&self) {
        self.0.run_upkeep();
    }
}

/// Sets up traces, logs and figures for the whole process, as the environment says: the page of this module tells of each
/// variable. To be called once, before the bus is made, within a tokio runtime or without.
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
/// [`SetupError`] names a variable that is bad, and says if something else has set up logs or figures before.
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
        // lapin has one for as long as it is connected.
        spans.with_filter(Targets::new().with_default(LevelFilter::INFO).with_target("lapin", LevelFilter::OFF)).boxed()
    });
    let (filter, sink) = (filter(&variable("LOG"))?, Sink::from_env(&variable("LOG_URL"), &variable("LOG_TOKEN"))?);
    let log = log(&variable("LOG_FORMAT"), sink.as_ref())?.map(|log| log.with_filter(filter).boxed());
    let layers: Vec<Both> = spans.into_iter().chain(log).collect();
    Registry::default()
        .with(layers)
        .try_init()
        .map_err(|_| SetupError("something else has set up `tracing` before".to_owned()))?;
    if traces.is_some() {
        sampling.install();
    }

    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
        .map_err(|error| SetupError(error.to_string()))?
        .build_recorder();
    let prometheus = recorder.handle();
    let _ = PROMETHEUS.set(prometheus.clone());
    let figures = otlp::figures(recorder, resource)?;
    let prometheus = Arc::new(Prometheus(prometheus));
    let weak = Arc::downgrade(&prometheus);
    crate::telemetry::metrics::register(weak);
    crate::telemetry::metrics::describe();
    Ok(Telemetry { traces, figures, prometheus, sink })
}

impl Telemetry {
    /// The figures in Prometheus' text format.
    #[must_use]
    pub fn prometheus(&self) -> String {
        rendered(&self.prometheus.0)
    }

    /// Sends what is left, for at most 5 s.
    pub fn shutdown(self) {}
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        crate::telemetry::metrics::settle();
        // Side by side, so that the slowest alone counts. An error says that a receiver isn't there, and no log is left to write it to.
        thread::scope(|scope| {
            if let Some(traces) = &self.traces {
                let _ = thread::Builder::new().spawn_scoped(scope, || traces.shutdown_with_timeout(FLUSH));
            }
            if let Some(figures) = &self.figures {
                let _ = thread::Builder::new().spawn_scoped(scope, || figures.shutdown_with_timeout(FLUSH));
            }
            if let Some(sink) = &self.sink {
                sink.flush(FLUSH);
            }
        });
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (traces, figures) = (self.traces.is_some(), self.figures.is_some());
        f.debug_struct("Telemetry").field("traces", &traces).field("otlp_figures", &figures).finish_non_exhaustive()
    }
}

/// What is logged: by the service's variable, or `RUST_LOG`, or from `info` on.
fn filter(variable: &str) -> Result<EnvFilter, SetupError> {
    let (name, directives) = match (env::var(variable), env::var("RUST_LOG")) {
        (Ok(directives), _) => (variable, directives),
        (_, Ok(directives)) => ("RUST_LOG", directives),
        _ => return Ok(EnvFilter::new("info")),
    };
    let should = "a filter of tracing, for example `info` or `info,twyla_runtime=debug`";
    EnvFilter::try_new(&directives).map_err(|_| SetupError::bad(name, &directives, should))
}

/// What takes spans, or lines.
type Both = Box<dyn Layer<Registry> + Send + Sync>;

/// Lines on the standard error, and the same to the sink, as JSON.
fn log(variable: &str, sink: Option<&Sink>) -> Result<Option<Both>, SetupError> {
    let terminal = io::stderr().is_terminal();
    let format = env::var(variable).unwrap_or_else(|_| if terminal { "pretty" } else { "json" }.to_owned());
    let log = || tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let here: Option<Both> = match format.as_str() {
        "off" => None,
        "pretty" => Some(log().event_format(lines::Pretty { colours: terminal }).boxed()),
        "json" => Some(log().event_format(lines::Json).boxed()),
        "platform" => Some(log().event_format(lines::Platform).boxed()),
        other => return Err(SetupError::bad(variable, other, "pretty, json, platform or off")),
    };
    let there: Option<Both> = sink.map(|sink| {
        let log = tracing_subscriber::fmt::layer().with_writer(sink.clone());
        if format == "platform" {
            log.event_format(lines::Platform).boxed()
        } else {
            log.event_format(lines::Json).boxed()
        }
    });
    let both: Vec<Both> = here.into_iter().chain(there).collect();
    if both.is_empty() {
        return Ok(None);
    }
    current::want();
    Ok(Some(both.boxed()))
}
