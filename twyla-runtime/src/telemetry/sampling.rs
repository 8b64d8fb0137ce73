//! Which traces are recorded: decided before anything is done for a span, so that what isn't recorded costs next to nothing.

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

/// Decides as `OTEL_TRACES_SAMPLER` says.
#[derive(Clone, Debug)]
pub(crate) struct Sampling {
    /// What has a parent is recorded if that is.
    by_parent: bool,
    rest: Sampler,
}

static SAMPLING: OnceLock<Sampling> = OnceLock::new();

/// What decides on traces, where they are recorded.
pub(crate) fn installed() -> Option<&'static Sampling> {
    SAMPLING.get()
}

thread_local! {
    /// A span is being made of which it is known that it is recorded.
    static DECIDED: Cell<bool> = const { Cell::new(false) };
    /// What this thread is at that isn't recorded, the innermost last.
    static UNRECORDED: RefCell<Vec<Unrecorded>> = const { RefCell::new(Vec::new()) };
}

/// A place in a trace that isn't recorded. It is no span of OpenTelemetry's: to make one and enter it takes ten times as long.
struct Unrecorded {
    place: TraceContext,
    /// The span that was current then: within this place for as long as it still is.
    outside: SpanId,
}

/// Until what is returned is dropped, what begins is below this place, and isn't recorded either. Never across an await.
#[must_use]
pub(crate) fn unrecorded(place: &TraceContext) -> impl Sized + use<> {
    UNRECORDED.with_borrow_mut(|all| all.push(Unrecorded { place: place.clone(), outside: span_here() }));
    Leave
}

struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        let left = UNRECORDED.with_borrow_mut(Vec::pop);
        drop(left);
    }
}

/// The span of OpenTelemetry's that is current; an invalid one where none is.
fn span_here() -> SpanId {
    Context::map_current(|context| {
        if context.has_active_span() { context.span().span_context().span_id() } else { SpanId::INVALID }
    })
}

impl Sampling {
    /// Decides on all traces of this process from now on.
    pub(crate) fn install(self) {
        // Nothing has set it before: that would have set up `tracing` too.
        let _ = SAMPLING.set(self);
    }

    /// By the variables `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`.
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

    /// Begins a span below the one that is current, or else below `parent`, if it is to be recorded; with its place in the
    /// trace. There is none where a trace would begin that nobody records: it is any, for whoever needs one.
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
        let place = parent.unwrap_or_else(TraceContext::unsampled);
        if self.records(sampled, TraceId::from_bytes(place.ids().0)) {
            let (span, place) = recorded(span, place, sampled.is_some() && !is_current);
            (span, Some(place))
        } else {
            (Span::none(), Some(place))
        }
    }
}

/// Makes a span that is recorded, below `place` or where it finds itself. It is kept out of what isn't recorded.
#[inline(never)]
fn recorded(span: impl FnOnce() -> Span, place: TraceContext, below: bool) -> (Span, TraceContext) {
    DECIDED.set(true);
    let span = span();
    if below {
        // It fails where nobody makes OpenTelemetry's spans of it, and then it has no parent either.
        let _ = span.set_parent(around(&place));
    }
    let context = span.context();
    DECIDED.set(false);
    let own = context.span().span_context().clone();
    (span, if own.is_valid() { from_otel(&own) } else { place })
}

/// Where in its trace that is which is entered, if anything is.
pub(crate) fn current() -> Option<TraceContext> {
    let span = Context::map_current(|context| context.has_active_span().then(|| context.span().span_context().clone()));
    let span = span.filter(SpanContext::is_valid);
    within_unrecorded(span.as_ref(), TraceContext::clone).or_else(|| span.as_ref().map(from_otel))
}

/// What is unrecorded, where it was entered later than this span.
fn within_unrecorded<T>(span: Option<&SpanContext>, of: impl FnOnce(&TraceContext) -> T) -> Option<T> {
    let span = span.map_or(SpanId::INVALID, SpanContext::span_id);
    UNRECORDED.with_borrow(|all| all.last().filter(|it| it.outside == span).map(|it| of(&it.place)))
}

/// A context in which spans are below this place.
fn around(place: &TraceContext) -> Context {
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
        let (span, none) = sampling.begin(None, || panic!("a span is made"));
        assert!(span.is_none() && none.is_none());
        let place = TraceContext::unsampled();
        assert!(!place.is_sampled() && place != TraceContext::unsampled());
        let parent = TraceContext::new([1; 16], [2; 8], false).unwrap().with_state("a=1");
        let (_, same) = sampling.begin(Some(&parent), || panic!("a span is made"));
        assert_eq!(same.as_ref(), Some(&parent));
        // and what is current counts more, the innermost most
        let begun = || sampling.begin(Some(&parent), || panic!("a span is made")).1.unwrap();
        let outer = TraceContext::new([3; 16], [4; 8], false).unwrap();
        let _outer = around(&outer).attach();
        assert_eq!(begun(), outer);
        {
            let _entered = unrecorded(&place);
            assert_eq!(begun(), place);
            {
                let inner = TraceContext::new([5; 16], [6; 8], false).unwrap();
                let _inner = around(&inner).attach();
                assert_eq!(begun(), inner);
            }
            assert_eq!(begun(), place);
        }
        assert_eq!(begun(), outer);
    }

    #[test]
    fn what_somebody_else_begins_in_it_is_not_recorded_either() {
        let sampling = sampling("parentbased_always_on", "").unwrap();
        let decides = |parent: Option<&Context>| {
            let trace = TraceId::from_bytes([7; 16]);
            sampling.should_sample(parent, trace, "theirs", &SpanKind::Internal, &[], &[]).decision
        };
        let recorded = around(&TraceContext::new([1; 16], [2; 8], true).unwrap());
        let place = TraceContext::unsampled();
        let entered = unrecorded(&place);
        assert_eq!(decides(None), SamplingDecision::Drop);
        assert_eq!(decides(Some(&Context::new())), SamplingDecision::Drop);
        // a parent of its own is another matter
        assert_eq!(decides(Some(&recorded)), SamplingDecision::RecordAndSample);
        drop(entered);
        assert_eq!(decides(None), SamplingDecision::RecordAndSample);
    }
}
