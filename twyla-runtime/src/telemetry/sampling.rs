//! Which traces are recorded: decided before anything is done for a span, so that what isn't recorded costs next to nothing.

use std::cell::Cell;
use std::env;

use opentelemetry::trace::{Link, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::SetupError;
use crate::trace::TraceContext;

const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";

/// Decides as `OTEL_TRACES_SAMPLER` says.
#[derive(Clone, Debug)]
pub(crate) struct Sampling {
    /// What has a parent is recorded if that is.
    by_parent: bool,
    rest: Sampler,
}

thread_local! {
    /// A span is being made of which it is known that it is recorded.
    static DECIDED: Cell<bool> = const { Cell::new(false) };
}

impl Sampling {
    /// By the variables `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`.
    pub(super) fn from_env() -> Result<Self, SetupError> {
        Self::from_lookup(|name| env::var(name).ok())
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SetupError> {
        let name = lookup(SAMPLER).unwrap_or_else(|| "parentbased_always_on".to_owned());
        let (by_parent, rest) = match name.strip_prefix("parentbased_") {
            Some(rest) => (true, rest),
            None => (false, &*name),
        };
        let rest = match rest {
            "always_on" => Sampler::AlwaysOn,
            "always_off" => Sampler::AlwaysOff,
            "traceidratio" => match lookup(ARGUMENT) {
                None => Sampler::TraceIdRatioBased(1.0),
                Some(text) => match text.parse() {
                    Ok(ratio) if (0.0..=1.0).contains(&ratio) => Sampler::TraceIdRatioBased(ratio),
                    _ => return Err(SetupError::bad(ARGUMENT, &text, "a number from 0 to 1")),
                },
            },
            _ => {
                let one_of = "always_on, always_off or traceidratio, or one of these with parentbased_ before it";
                return Err(SetupError::bad(SAMPLER, &name, one_of));
            }
        };
        Ok(Self { by_parent, rest })
    }

    fn records(&self, parent: Option<bool>, trace: TraceId) -> bool {
        match (parent, &self.rest) {
            (Some(sampled), _) if self.by_parent => sampled,
            (_, Sampler::AlwaysOn) => true,
            (_, Sampler::AlwaysOff) => false,
            (_, rest) => {
                let result = rest.should_sample(None, trace, "", &SpanKind::Internal, &[], &[]);
                result.decision == SamplingDecision::RecordAndSample
            }
        }
    }

    /// Begins a span below the one that is current, or else below `parent`, if it is to be recorded; with its place in the
    /// trace.
    pub(crate) fn begin(&self, parent: Option<&TraceContext>, span: impl FnOnce() -> Span) -> (Span, TraceContext) {
        let current = current();
        let is_current = current.is_some();
        let (parent, place) = match current.as_ref().or(parent) {
            Some(parent) => (Some(parent.is_sampled()), parent.clone()),
            None => (None, TraceContext::unsampled()),
        };
        if !self.records(parent, TraceId::from_bytes(place.ids().0)) {
            return (Span::none(), place);
        }
        DECIDED.set(true);
        let span = span();
        if parent.is_some() && !is_current {
            // It fails where nobody makes OpenTelemetry's spans of it, and then it has no parent either.
            let _ = span.set_parent(around(&place));
        }
        let context = span.context();
        DECIDED.set(false);
        let own = context.span().span_context().clone();
        (span, if own.is_valid() { from_otel(&own) } else { place })
    }
}

/// Where in its trace the span is that is entered, if one is.
pub(crate) fn current() -> Option<TraceContext> {
    Context::map_current(|context| {
        let span = context.span();
        span.span_context().is_valid().then(|| from_otel(span.span_context()))
    })
}

/// A context in which spans are below this place.
pub(crate) fn around(place: &TraceContext) -> Context {
    Context::new().with_remote_span_context(to_otel(place))
}

impl ShouldSample for Sampling {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        _: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let parent = parent.map(|parent| parent.span().span_context().clone()).filter(SpanContext::is_valid);
        let records = DECIDED.get() || self.records(parent.as_ref().map(SpanContext::is_sampled), trace);
        SamplingResult {
            decision: if records { SamplingDecision::RecordAndSample } else { SamplingDecision::Drop },
            attributes: Vec::new(),
            trace_state: parent.map(|parent| parent.trace_state().clone()).unwrap_or_default(),
        }
    }
}

fn to_otel(place: &TraceContext) -> SpanContext {
    let (trace, span) = place.ids();
    let flags = if place.is_sampled() { TraceFlags::SAMPLED } else { TraceFlags::NOT_SAMPLED };
    let state = place.state().and_then(|state| state.parse::<TraceState>().ok()).unwrap_or_default();
    SpanContext::new(TraceId::from_bytes(trace), SpanId::from_bytes(span), flags, true, state)
}

fn from_otel(context: &SpanContext) -> TraceContext {
    let (trace, span) = (context.trace_id().to_bytes(), context.span_id().to_bytes());
    let place = TraceContext::new(trace, span, context.is_sampled()).unwrap_or_else(TraceContext::unsampled);
    match context.trace_state() {
        state if *state == TraceState::default() => place,
        state => place.with_state(&state.header()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampling(name: &str, argument: &str) -> Result<Sampling, String> {
        let lookup = |asked: &str| {
            let value = if asked == SAMPLER { name } else { argument };
            (!value.is_empty()).then(|| value.to_owned())
        };
        Sampling::from_lookup(lookup).map_err(|error| error.to_string())
    }

    #[test]
    fn decides_as_it_is_told() {
        let (low, high) = (TraceId::from_bytes([0; 16]), TraceId::from_bytes([0xff; 16]));
        for (name, argument, root, recorded, unrecorded) in [
            ("", "", true, true, false),
            ("always_on", "", true, true, true),
            ("always_off", "", false, false, false),
            ("traceidratio", "0", false, false, false),
            ("traceidratio", "", true, true, true),
            ("parentbased_always_off", "", false, true, false),
            ("parentbased_traceidratio", "0.0", false, true, false),
        ] {
            let sampling = sampling(name, argument).unwrap();
            let decisions = [None, Some(true), Some(false)].map(|parent| sampling.records(parent, high));
            assert_eq!(decisions, [root, recorded, unrecorded], "{name}");
        }
        let half = sampling("traceidratio", "0.5").unwrap();
        assert_eq!([low, high].map(|trace| half.records(None, trace)), [true, false]);
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(
            sampling("traceidratio", "2").unwrap_err(),
            "OTEL_TRACES_SAMPLER_ARG is \"2\": it should be a number from 0 to 1"
        );
        assert!(sampling("parent", "").unwrap_err().starts_with("OTEL_TRACES_SAMPLER is \"parent\": it should be"));
    }

    #[test]
    fn what_is_not_recorded_has_no_span_and_its_place_goes_on() {
        let sampling = sampling("parentbased_always_off", "").unwrap();
        let (span, place) = sampling.begin(None, || panic!("a span is made"));
        assert!(span.is_none() && !place.is_sampled());
        let parent = TraceContext::new([1; 16], [2; 8], false).unwrap().with_state("a=1");
        let (_, same) = sampling.begin(Some(&parent), || panic!("a span is made"));
        assert_eq!(same, parent);
        // and what is current counts more
        let _current = around(&place).attach();
        assert_eq!(sampling.begin(Some(&parent), || panic!("a span is made")).1, place);
    }
}
