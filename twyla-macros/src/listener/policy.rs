//! The settings in a listener's attribute: `retry = "5x 1s..1m"`, `prefetch`, `concurrency`, `ordered_by`, `batch`, `within`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Expr, Ident, LitInt, LitStr, Member, Type};

use crate::catalogue::{Problems, listener as text};
use crate::numbers::{self, duration};
use crate::runtime::Runtime;

/// The settings in the attribute.
#[derive(Default)]
pub(super) struct Policy {
    pub(super) retry: Option<Retry>,
    pub(super) prefetch: Option<u16>,
    pub(super) concurrency: Option<u16>,
    pub(super) rate: Option<Rate>,
    pub(super) pause_after: Option<PauseAfter>,
    pub(super) ordered_by: Option<Key>,
    /// Whether the attribute has `batch`, right or wrong.
    pub(super) is_batch: bool,
    pub(super) batch: Option<(u16, Span)>,
    /// How long a batch waits for more events, in milliseconds.
    pub(super) within: Option<(u64, Span)>,
}

/// The default of `within`, in milliseconds.
const WITHIN: u64 = 200;
/// The maximum of `within`, in milliseconds: the broker's `consumer_timeout` counts meanwhile.
const LONGEST_WITHIN: u64 = 60_000;

/// The largest number of events in a rate.
const MOST_OF_A_RATE: u32 = 1_000_000;

/// The largest prefetch, which AMQP writes in 16 bits.
pub(super) const MOST_EVENTS: u16 = u16::MAX;

/// The number of attempts, and the pauses in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Retry {
    attempts: u32,
    first: u64,
    max: u64,
}

/// The number of events, and the period in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    events: u32,
    seconds: u64,
}

/// The number of failures, and the times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PauseAfter {
    failures: u16,
    within: u64,
    pause: u64,
}

/// Why a text is not a [`PauseAfter`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BadPause {
    NoFailure,
    NoPause,
    Other,
}

/// The ordering key of events.
pub(super) enum Key {
    Session,
    /// The path of a member in the content, without the root `content`.
    Content(Vec<Member>, Span),
    /// The path of a member in the context, without the root `context`.
    Context(Vec<Member>, Span),
}

impl Retry {
    /// Reads `never`, `5x`, `5x 1s`, `5x 1s..1m`.
    fn parse(text: &str) -> Option<Self> {
        if text.trim() == "never" {
            return Some(Self { attempts: 1, first: 0, max: 0 });
        }
        let mut words = text.split_whitespace();
        let attempts: u32 = words.next()?.strip_suffix('x')?.parse().ok().filter(|attempts| *attempts > 0)?;
        // the runtime's default: from 100 ms, at most 5 s
        let (first, max) = match words.next() {
            None => (100, 5_000),
            Some(pauses) => match pauses.split_once("..") {
                Some((first, max)) => (duration(first)?, duration(max)?),
                None => (duration(pauses)?, duration(pauses)?),
            },
        };
        (words.next().is_none() && first <= max).then_some(Self { attempts, first, max })
    }
}

pub(super) fn retry(input: ParseStream<'_>) -> syn::Result<Retry> {
    let written: LitStr = input.parse()?;
    Retry::parse(&written.value()).ok_or_else(|| text::bad_retry(&written.value()).at(written.span()))
}

impl Rate {
    /// Reads `100/s`, `1000/m` or `1000/min`, `50/h`, `10/d`.
    fn parse(text: &str) -> Option<Self> {
        let (events, unit) = text.split_once('/')?;
        let seconds = match unit {
            "s" => 1,
            "m" | "min" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return None,
        };
        let events = events.parse().ok().filter(|events| (1..=MOST_OF_A_RATE).contains(events))?;
        Some(Self { events, seconds })
    }
}

pub(super) fn rate(input: ParseStream<'_>) -> syn::Result<Rate> {
    let (written, span) = text_or_number(input)?;
    Rate::parse(&written).ok_or_else(|| text::bad_rate(&written).at(span))
}

impl PauseAfter {
    /// Reads `20 failures in 1m, for 30s`.
    fn parse(text: &str) -> Result<Self, BadPause> {
        let (condition, pause) = match text.split_once(',') {
            Some((condition, pause)) => (condition, Some(pause)),
            None => (text, None),
        };
        let words: Vec<_> = condition.split_whitespace().collect();
        let [failures, "failure" | "failures", "in", within] = words.as_slice() else { return Err(BadPause::Other) };
        let failures = failures.parse().map_err(|_| BadPause::Other)?;
        let time = |text: &str| duration(text).filter(|millis| *millis > 0).ok_or(BadPause::Other);
        let within = time(within)?;
        if failures == 0 {
            return Err(BadPause::NoFailure);
        }
        let words: Vec<_> = pause.ok_or(BadPause::NoPause)?.split_whitespace().collect();
        let ["for", pause] = words.as_slice() else { return Err(BadPause::Other) };
        Ok(Self { failures, within, pause: time(pause)? })
    }
}

pub(super) fn pause_after(input: ParseStream<'_>) -> syn::Result<PauseAfter> {
    let (written, span) = text_or_number(input)?;
    PauseAfter::parse(&written).map_err(|bad| {
        let text = match bad {
            BadPause::NoFailure => text::pause_after_no_failure(),
            BadPause::NoPause => text::pause_after_without_pause(&written),
            BadPause::Other => text::bad_pause_after(&written),
        };
        text.at(span)
    })
}

/// Parses a text, or a number, which is a mistake that the caller reports.
fn text_or_number(input: ParseStream<'_>) -> syn::Result<(String, Span)> {
    if input.peek(LitInt) {
        let written: LitInt = input.parse()?;
        return Ok((written.to_string(), written.span()));
    }
    let written: LitStr = input.parse()?;
    Ok((written.value(), written.span()))
}

pub(super) fn batch(input: ParseStream<'_>) -> syn::Result<(u16, Span)> {
    let span = input.span();
    // one batch gathers while another is handled
    Ok((numbers::count(input, "batch", MOST_EVENTS / 2)?, span))
}

pub(super) fn within(input: ParseStream<'_>) -> syn::Result<(u64, Span)> {
    let (written, span) = text_or_number(input)?;
    let millis = duration(&written).filter(|millis| (1..=LONGEST_WITHIN).contains(millis));
    let millis = millis.ok_or_else(|| text::bad_within(&written).at(span))?;
    Ok((millis, span))
}

pub(super) fn key(input: ParseStream<'_>) -> syn::Result<Key> {
    let written: Expr = input.parse()?;
    let bad = || text::bad_key(&written.to_token_stream().to_string().replace(' ', "")).over(&written);
    let mut members = Vec::new();
    let mut at = &written;
    let root = loop {
        match at {
            Expr::Field(field) => {
                members.insert(0, field.member.clone());
                at = &field.base;
            }
            Expr::Path(path) => break path.path.get_ident().map(Ident::to_string).ok_or_else(bad)?,
            _ => return Err(bad()),
        }
    };
    match (root.as_str(), members.is_empty()) {
        ("session", true) => Ok(Key::Session),
        ("content", false) => Ok(Key::Content(members, written.span())),
        ("context", false) => Ok(Key::Context(members, written.span())),
        _ => Err(bad()),
    }
}

impl Policy {
    /// Adds the errors of settings that don't fit together.
    pub(super) fn check(&self, problems: &mut Problems) {
        let Some((batch, at)) = self.batch else {
            if let Some((_, span)) = self.within.filter(|_| !self.is_batch) {
                problems.add(text::within_without_batch().at(span));
            }
            return;
        };
        if let Some((_, span)) = self.within.filter(|_| batch == 1) {
            problems.add(text::within_of_one_event().at(span));
        }
        let concurrency = self.concurrency.unwrap_or(1);
        let handled = u32::from(batch) * u32::from(concurrency);
        let most = u32::from(MOST_EVENTS) / (u32::from(concurrency) + 1);
        if u32::from(batch) > most {
            problems.add(text::batch_over_the_most(batch, concurrency, most, MOST_EVENTS).at(at));
        } else if let Some(prefetch) = self.prefetch.filter(|prefetch| u32::from(*prefetch) < handled) {
            problems.add(text::batch_over_prefetch(batch, concurrency, handled, prefetch).at(at));
        }
    }

    /// Returns the number of events in a batch and how long it waits for them, in a batch listener.
    pub(super) fn batching(&self) -> Option<(u16, TokenStream)> {
        let (size, _) = self.batch?;
        let within = self.within.map_or(WITHIN, |(millis, _)| millis);
        Some((size, quote!(::core::time::Duration::from_millis(#within))))
    }

    /// Returns the value for the field `policy` of a registration.
    pub(super) fn expand(&self, content: &Type, runtime: &Runtime) -> TokenStream {
        let some = |name: &str, value: TokenStream| {
            let name = Ident::new(name, Span::mixed_site());
            quote!(#name: ::core::option::Option::Some(#value),)
        };
        let mut fields = TokenStream::new();
        if let Some(Retry { attempts, first, max }) = self.retry {
            let millis = |millis: u64| quote!(::core::time::Duration::from_millis(#millis));
            let (first, max) = (millis(first), millis(max));
            fields.extend(some("retry", quote!(__twyla::Retry { attempts: #attempts, first: #first, max: #max })));
        }
        fields.extend(self.prefetch.map(|count| some("prefetch", quote!(#count))));
        fields.extend(self.concurrency.map(|count| some("concurrency", quote!(#count))));
        if let Some(Rate { events, seconds }) = self.rate {
            let per = quote!(::core::time::Duration::from_secs(#seconds));
            fields.extend(some("rate", quote!(__twyla::Rate { events: #events, per: #per })));
        }
        if let Some(PauseAfter { failures, within, pause }) = self.pause_after {
            let millis = |millis: u64| quote!(::core::time::Duration::from_millis(#millis));
            let (within, pause) = (millis(within), millis(pause));
            let after = quote!(__twyla::PauseAfter { failures: #failures, within: #within, pause: #pause });
            fields.extend(some("pause_after", after));
        }
        fields.extend(self.ordered_by.as_ref().map(|key| some("key", key.expand(content, runtime))));
        fields.extend(self.batch.map(|_| some("batch", quote!(TWYLA_BATCHING))));
        if fields.is_empty() {
            return quote!(::core::default::Default::default());
        }
        quote!(__twyla::Policy { #fields ..::core::default::Default::default() })
    }
}

impl Key {
    fn expand(&self, content: &Type, runtime: &Runtime) -> TokenStream {
        let decoded = match self {
            Self::Session => return quote!(|keyed| ::core::option::Option::Some(__twyla::key_hash(&keyed.session))),
            Self::Content(..) => quote!(<#content as #runtime::event::Listen>::decode(keyed.content)),
            Self::Context(..) => quote! {
                <<#content as #runtime::event::Event>::Context as #runtime::event::EventContext>::decode(keyed.context)
            },
        };
        let (Self::Content(members, span) | Self::Context(members, span)) = self else { return decoded };
        let place = quote_spanned!(*span=> decoded #(.#members)*);
        quote! {
            |keyed| {
                let decoded = #decoded.ok()?;
                ::core::option::Option::Some(__twyla::key_hash(&#place))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_policies() {
        let retry = |attempts, first, max| Some(Retry { attempts, first, max });
        for (text, want) in [
            ("never", retry(1, 0, 0)),
            ("3x", retry(3, 100, 5_000)),
            ("5x 1s..1m", retry(5, 1_000, 60_000)),
            ("2x 250ms", retry(2, 250, 250)),
            ("9x 1h..30d", retry(9, 3_600_000, 2_592_000_000)),
            ("", None),
            ("5", None),
            ("0x", None),
            ("5x 1s..", None),
            ("5x 1m..1s", None),
            ("5x 1s 2s", None),
            ("5x 31d", None),
            ("5x 1w", None),
            ("99999999999x", None),
            ("5x 99999999999999999999s", None),
        ] {
            assert_eq!(Retry::parse(text), want, "{text}");
        }
    }

    #[test]
    fn reads_when_to_pause() {
        for (text, want) in [
            ("20 failures in 1m, for 30s", Ok(PauseAfter { failures: 20, within: 60_000, pause: 30_000 })),
            ("1 failure in 500ms,for 1h", Ok(PauseAfter { failures: 1, within: 500, pause: 3_600_000 })),
            ("0 failures in 1m, for 30s", Err(BadPause::NoFailure)),
            ("20 failures in 1m", Err(BadPause::NoPause)),
            ("20 failures, for 30s", Err(BadPause::Other)),
            ("20 failures in 1m, 30s", Err(BadPause::Other)),
            ("20 failures in 1m for 30s", Err(BadPause::Other)),
            ("20 failures in 1m, for 0s", Err(BadPause::Other)),
            ("20 failures in 0s, for 30s", Err(BadPause::Other)),
            ("70000 failures in 1m, for 30s", Err(BadPause::Other)),
            ("-1 failures in 1m, for 30s", Err(BadPause::Other)),
            ("20 errors in 1m, for 30s", Err(BadPause::Other)),
            ("20 failures in 1m, for 31d", Err(BadPause::Other)),
            ("20 failures in 1m, for 30s, twice", Err(BadPause::Other)),
            ("20", Err(BadPause::Other)),
            ("", Err(BadPause::Other)),
        ] {
            assert_eq!(PauseAfter::parse(text), want, "{text}");
        }
    }

    #[test]
    fn reads_rates() {
        let rate = |events, seconds| Some(Rate { events, seconds });
        for (text, want) in [
            ("100/s", rate(100, 1)),
            ("1/m", rate(1, 60)),
            ("30/min", rate(30, 60)),
            ("1000000/h", rate(1_000_000, 3600)),
            ("5/d", rate(5, 86_400)),
            ("0/s", None),
            ("100", None),
            ("x/s", None),
            ("-1/s", None),
            ("1.5/s", None),
            ("100/w", None),
            ("100/10s", None),
            ("100/", None),
            ("/s", None),
            ("", None),
            ("1000001/s", None),
            ("99999999999/s", None),
        ] {
            assert_eq!(Rate::parse(text), want, "{text}");
        }
    }
}
