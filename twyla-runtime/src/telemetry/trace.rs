//! W3C Trace Context, carried in the headers of events and calls.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The header with the trace id and the parent span id.
#[cfg_attr(not(feature = "amqp"), allow(dead_code, reason = "in memory there are no headers"))]
pub(crate) const TRACE_PARENT: &str = "traceparent";
/// The header with vendor-specific trace data.
#[cfg_attr(not(feature = "amqp"), allow(dead_code, reason = "in memory there are no headers"))]
pub(crate) const TRACE_STATE: &str = "tracestate";

/// The longest `tracestate` that is propagated, in bytes. W3C Trace Context, section 3.3.1.5, requires at least 512 characters.
const MAX_STATE: usize = 512;
const SAMPLED: u8 = 1;
/// A `traceparent` of version 00 with zeros for ids and flags.
const NO_PARENT: [u8; 55] = *b"00-00000000000000000000000000000000-0000000000000000-00";

/// A trace id, a span id and the sampling decision (W3C Trace Context, section 3).
///
/// The headers `traceparent` and `tracestate` carry it from the emit of an event to its handler, and on to all events and calls of
/// the handler.
///
/// ```
/// use twyla_runtime::TraceContext;
///
/// let context: TraceContext = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap();
/// assert!(context.is_sampled());
/// assert_eq!(context.trace_id(), "0af7651916cd43dd8448eb211c80319c");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct TraceContext {
    trace: [u8; 16],
    span: [u8; 8],
    flags: u8,
    state: Option<Arc<str>>,
}

/// The error for a text that isn't a valid `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoTraceContext;

impl fmt::Display for NoTraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a `traceparent`: `00-`, 32 hexadecimal digits, `-`, 16 hexadecimal digits, `-`, 2 hexadecimal digits")
    }
}

impl std::error::Error for NoTraceContext {}

impl TraceContext {
    /// Creates a context with these ids; `None` if one of them is all zeros.
    #[must_use]
    pub fn new(trace: [u8; 16], span: [u8; 8], sampled: bool) -> Option<Self> {
        let flags = if sampled { SAMPLED } else { 0 };
        (trace != [0; 16] && span != [0; 8]).then_some(Self { trace, span, flags, state: None })
    }

    /// Starts an unsampled trace. Its ids are never recorded; they only have to be unique.
    #[cfg(feature = "telemetry")]
    pub(crate) fn unsampled() -> Self {
        // an id of all zeros is invalid
        let (trace, span) = (fastrand::u128(..) | 1, fastrand::u64(..) | 1);
        Self { trace: trace.to_be_bytes(), span: span.to_be_bytes(), flags: 0, state: None }
    }

    /// Sets the `tracestate`; removes it if `state` is empty, longer than 512 bytes or not a valid header value.
    #[must_use]
    pub fn with_state(mut self, state: &str) -> Self {
        let fits = !state.is_empty() && state.len() <= MAX_STATE && state.bytes().all(|b| (b' '..=b'~').contains(&b));
        self.state = fits.then(|| state.into());
        self
    }

    /// Returns the trace id, as 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.trace))
    }

    /// Returns the span id, as 16 hexadecimal digits.
    #[must_use]
    pub fn span_id(&self) -> String {
        format!("{:016x}", u64::from_be_bytes(self.span))
    }

    /// Returns whether the sender recorded its span.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// Returns the `tracestate`.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    #[cfg(feature = "telemetry")]
    pub(crate) fn ids(&self) -> ([u8; 16], [u8; 8]) {
        (self.trace, self.span)
    }

    /// Returns the header `traceparent`, in version 00.
    pub(crate) fn parent(&self) -> [u8; 55] {
        let mut out = NO_PARENT;
        self.write(&mut out);
        out
    }

    /// Appends the header `traceparent` to `out`, without an intermediate copy.
    #[cfg_attr(not(feature = "amqp"), allow(dead_code, reason = "in memory there are no headers"))]
    pub(crate) fn append_parent(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&NO_PARENT);
        if let Some(parent) = out.last_chunk_mut() {
            self.write(parent);
        }
    }

    fn write(&self, parent: &mut [u8; 55]) {
        hex(&self.trace, &mut parent[3..35]);
        hex(&self.span, &mut parent[36..52]);
        hex(&[self.flags & SAMPLED], &mut parent[53..]);
    }

    /// Parses the header `traceparent`; `None` if it is invalid. Later versions may append fields (section 3.2.4).
    pub(crate) fn read(parent: &[u8]) -> Option<Self> {
        let (known, more) = parent.split_at_checked(55)?;
        let version = digits::<1>(&known[..2])?[0];
        let is_whole = match version {
            0 => more.is_empty(),
            0xff => false,
            _ => more.is_empty() || more[0] == b'-',
        };
        let dashes = [2, 35, 52].iter().all(|at| known[*at] == b'-');
        if !(is_whole && dashes) {
            return None;
        }
        let (trace, span, flags) = (digits(&known[3..35])?, digits(&known[36..52])?, digits::<1>(&known[53..])?[0]);
        (trace != [0; 16] && span != [0; 8]).then_some(Self { trace, span, flags, state: None })
    }
}

impl FromStr for TraceContext {
    type Err = NoTraceContext;

    fn from_str(parent: &str) -> Result<Self, NoTraceContext> {
        Self::read(parent.as_bytes()).ok_or(NoTraceContext)
    }
}

impl fmt::Display for TraceContext {
    /// Writes the header `traceparent`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.parent()))
    }
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceContext({self})")
    }
}

/// The two hexadecimal digits of each byte.
const HEX: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    pairs
};

fn hex(bytes: &[u8], out: &mut [u8]) {
    for (byte, out) in bytes.iter().zip(out.as_chunks_mut().0) {
        *out = HEX[usize::from(*byte)];
    }
}

/// Parses hexadecimal digits; the specification allows lower case only.
fn digits<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut out = [0; N];
    for (pair, out) in text.chunks_exact(2).zip(&mut out) {
        *out = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_the_specification_allows_and_nothing_else() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let context: TraceContext = good.parse().unwrap();
        assert_eq!((context.to_string().as_str(), context.is_sampled()), (good, true));
        assert_eq!(context.span_id(), "b7ad6b7169203331");
        assert!(!good.replace("-01", "-02").parse::<TraceContext>().unwrap().is_sampled());
        // a later version
        assert!(good.replacen("00", "cc", 1).parse::<TraceContext>().is_ok());
        assert!(format!("cc{}-more", &good[2..]).parse::<TraceContext>().is_ok());
        for bad in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01more",
            "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert_eq!(bad.parse::<TraceContext>(), Err(NoTraceContext), "{bad}");
        }
    }

    #[test]
    fn passes_on_a_state_that_a_header_can_have() {
        let context = TraceContext::new([1; 16], [2; 8], false).unwrap();
        assert_eq!(context.clone().with_state("a=1,b=2").state(), Some("a=1,b=2"));
        for bad in ["", "a=\n", "a=\u{e4}", &"a".repeat(513)] {
            assert_eq!(context.clone().with_state(bad).state(), None);
        }
    }

    proptest! {
        #[test]
        fn reads_what_it_writes(trace in any::<[u8; 16]>(), span in any::<[u8; 8]>(), sampled in any::<bool>()) {
            if let Some(context) = TraceContext::new(trace, span, sampled) {
                prop_assert_eq!(TraceContext::read(&context.parent()), Some(context.clone()));
                prop_assert_eq!(context.to_string(), format!("00-{}-{}-0{}", context.trace_id(), context.span_id(), u8::from(sampled)));
            }
        }

        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = TraceContext::read(&bytes);
        }
    }
}
