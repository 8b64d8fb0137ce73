//! Head sampling, decided before a span is created, so that unrecorded spans cost almost nothing.

use std::cell::{Cell, RefCell};
use std::env;
use std::sync::OnceLock;

use opentelemetry::trace::{Link, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::error::SetupError;
use super::trace::TraceContext;

const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";

/// The sampler that `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` configure.
#[derive(Clone, Debug)]
pub(crate) struct Sampling {
    /// Whether a span with a parent has the parent's decision.
    by_parent: bool,
    rest: Sampler,
}

static SAMPLING: OnceLock<Sampling> = OnceLock::new();

/// Returns the sampler of this process, if traces are exported.
pub(crate) fn installed() -> Option<&'static Sampling> {
    SAMPLING.get()
}

thread_local! {
    /// Whether the sampler has already decided to record the span that is being created.
    static DECIDED: Cell<bool> = const { Cell::new(false) };
    /// The unrecorded spans that this thread has entered, the innermost last.
    static UNRECORDED: RefCell<Vec<Unrecorded>> = const { RefCell::new(Vec::new()) };
}

/// The context of an unrecorded span. Creating and entering an OpenTelemetry span instead would take ten times as long.
struct Unrecorded {
    context: TraceContext,
    /// The OpenTelemetry span that was current on entry. The unrecorded span applies only while that span is current.
    outer: SpanId,
}

/// Makes new spans unrecorded children of `context` until the guard is dropped. Don't hold the guard across an await.
#[must_use]
pub(crate) fn unrecorded(context: &TraceContext) -> impl Sized + use<> {
    UNRECORDED.with_borrow_mut(|all| all.push(Unrecorded { context: context.clone(), outer: current_span_id() }));
    UnrecordedGuard
}

struct UnrecordedGuard;

impl Drop for UnrecordedGuard {
    fn drop(&mut self) {
        let left = UNRECORDED.with_borrow_mut(Vec::pop);
        drop(left);
    }
}

/// Returns the id of the current OpenTelemetry span; [`SpanId::INVALID`] if there is none.
fn current_span_id() -> SpanId {
    Context::map_current(|context| {
        if context.has_active_span() { context.span().span_context().span_id() } else { SpanId::INVALID }
    })
}

impl Sampling {
    /// Installs this as the sampler of the process.
    pub(crate) fn install(self) {
        // Can't be set already: a second set-up of `tracing` fails earlier.
        let _ = SAMPLING.set(self);
    }

    /// Reads the variables `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`.
    pub(crate) fn from_env() -> Result<Self, SetupError> {
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

    #[inline]
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

    /// Starts a span as a child of the current one, or else of `parent`, if the trace is sampled. Returns the span and its
    /// trace context; for a root span, the sampler `always_off` returns no context.
    #[inline]
    pub(crate) fn begin(
        &self,
        parent: Option<&TraceContext>,
        span: impl FnOnce() -> Span,
    ) -> (Span, Option<TraceContext>) {
        let current = current();
        let is_current = current.is_some();
        let parent = if is_current { current } else { parent.cloned() };
        let sampled = parent.as_ref().map(TraceContext::is_sampled);
        if sampled.is_none() && matches!(self.rest, Sampler::AlwaysOff) {
            return (Span::none(), None);
        }
        let context = parent.unwrap_or_else(TraceContext::unsampled);
        if self.records(sampled, TraceId::from_bytes(context.ids().0)) {
            let (span, context) = recorded(span, context, sampled.is_some() && !is_current);
            (span, Some(context))
        } else {
            (Span::none(), Some(context))
        }
    }
}

/// Creates a recorded span, as a remote child of `parent` if `is_remote`, or else of the current span. A separate function,
/// so that the unrecorded path stays small.
#[inline(never)]
fn recorded(span: impl FnOnce() -> Span, parent: TraceContext, is_remote: bool) -> (Span, TraceContext) {
    DECIDED.set(true);
    let span = span();
    if is_remote {
        // fails if no layer exports the span, which then needs no parent
        let _ = span.set_parent(remote_context(&parent));
    }
    let context = span.context();
    DECIDED.set(false);
    let own = context.span().span_context().clone();
    (span, if own.is_valid() { from_otel(&own) } else { parent })
}

/// Adds a link to a span of another trace.
pub(crate) fn link(span: &Span, to: &TraceContext) {
    span.add_link(to_otel(to));
}

/// Returns the trace context of the current span.
pub(crate) fn current() -> Option<TraceContext> {
    let span = Context::map_current(|context| context.has_active_span().then(|| context.span().span_context().clone()));
    let span = span.filter(SpanContext::is_valid);
    within_unrecorded(span.as_ref(), TraceContext::clone).or_else(|| span.as_ref().map(from_otel))
}

/// Applies `of` to the innermost unrecorded span, if `span` was the current span when it was entered.
fn within_unrecorded<T>(span: Option<&SpanContext>, of: impl FnOnce(&TraceContext) -> T) -> Option<T> {
    let span = span.map_or(SpanId::INVALID, SpanContext::span_id);
    UNRECORDED.with_borrow(|all| all.last().filter(|it| it.outer == span).map(|it| of(&it.context)))
}

/// Returns an OpenTelemetry context in which new spans are children of `parent`.
fn remote_context(parent: &TraceContext) -> Context {
    Context::new().with_remote_span_context(to_otel(parent))
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
        let sampled = within_unrecorded(parent.as_ref(), TraceContext::is_sampled);
        let sampled = sampled.or_else(|| parent.as_ref().map(SpanContext::is_sampled));
        let records = DECIDED.get() || self.records(sampled, trace);
        SamplingResult {
            decision: if records { SamplingDecision::RecordAndSample } else { SamplingDecision::Drop },
            attributes: Vec::new(),
            trace_state: parent.map(|parent| parent.trace_state().clone()).unwrap_or_default(),
        }
    }
}

fn to_otel(context: &TraceContext) -> SpanContext {
    let (trace, span) = context.ids();
    let flags = if context.is_sampled() { TraceFlags::SAMPLED } else { TraceFlags::NOT_SAMPLED };
    let state = context.state().and_then(|state| state.parse::<TraceState>().ok()).unwrap_or_default();
    SpanContext::new(TraceId::from_bytes(trace), SpanId::from_bytes(span), flags, true, state)
}

fn from_otel(context: &SpanContext) -> TraceContext {
    let (trace, span) = (context.trace_id().to_bytes(), context.span_id().to_bytes());
    let converted = TraceContext::new(trace, span, context.is_sampled()).unwrap_or_else(TraceContext::unsampled);
    match context.trace_state() {
        state if *state == TraceState::default() => converted,
        state => converted.with_state(&state.header()),
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
    fn decides_as_configured() {
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
    fn rejects_an_unknown_sampler_and_a_ratio_above_one() {
        assert_eq!(
            sampling("traceidratio", "2").unwrap_err(),
            "OTEL_TRACES_SAMPLER_ARG is \"2\": it should be a number from 0 to 1"
        );
        assert!(sampling("parent", "").unwrap_err().starts_with("OTEL_TRACES_SAMPLER is \"parent\": it should be"));
    }

    #[test]
    fn an_unrecorded_span_is_a_no_op_and_passes_its_context_on() {
        let sampling = sampling("parentbased_always_off", "").unwrap();
        let (span, none) = sampling.begin(None, || panic!("a span is made"));
        assert!(span.is_none() && none.is_none());
        let context = TraceContext::unsampled();
        assert!(!context.is_sampled() && context != TraceContext::unsampled());
        let parent = TraceContext::new([1; 16], [2; 8], false).unwrap().with_state("a=1");
        let (_, same) = sampling.begin(Some(&parent), || panic!("a span is made"));
        assert_eq!(same.as_ref(), Some(&parent));
        // the current span takes precedence, the innermost first
        let begun = || sampling.begin(Some(&parent), || panic!("a span is made")).1.unwrap();
        let outer = TraceContext::new([3; 16], [4; 8], false).unwrap();
        let _outer = remote_context(&outer).attach();
        assert_eq!(begun(), outer);
        {
            let _entered = unrecorded(&context);
            assert_eq!(begun(), context);
            {
                let inner = TraceContext::new([5; 16], [6; 8], false).unwrap();
                let _inner = remote_context(&inner).attach();
                assert_eq!(begun(), inner);
            }
            assert_eq!(begun(), context);
        }
        assert_eq!(begun(), outer);
    }

    #[test]
    fn foreign_spans_within_an_unrecorded_one_are_not_recorded() {
        let sampling = sampling("parentbased_always_on", "").unwrap();
        let decides = |parent: Option<&Context>| {
            let trace = TraceId::from_bytes([7; 16]);
            sampling.should_sample(parent, trace, "theirs", &SpanKind::Internal, &[], &[]).decision
        };
        let recorded = remote_context(&TraceContext::new([1; 16], [2; 8], true).unwrap());
        let context = TraceContext::unsampled();
        let entered = unrecorded(&context);
        assert_eq!(decides(None), SamplingDecision::Drop);
        assert_eq!(decides(Some(&Context::new())), SamplingDecision::Drop);
        // an explicit recorded parent takes precedence
        assert_eq!(decides(Some(&recorded)), SamplingDecision::RecordAndSample);
        drop(entered);
        assert_eq!(decides(None), SamplingDecision::RecordAndSample);
    }
}
