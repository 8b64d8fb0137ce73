//! The settings in a listener's attribute: `retry = "5x 1s..1m"`, `prefetch`, `concurrency`, `ordered_by`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Expr, Ident, LitStr, Member, Type};

use crate::catalogue::listener as text;
use crate::numbers::duration;
use crate::runtime::Runtime;

/// The settings in the attribute.
#[derive(Default)]
pub(super) struct Policy {
    pub(super) retry: Option<Retry>,
    pub(super) prefetch: Option<u16>,
    pub(super) concurrency: Option<u16>,
    pub(super) ordered_by: Option<Key>,
}

/// The number of attempts, and the pauses in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Retry {
    attempts: u32,
    first: u64,
    max: u64,
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
        fields.extend(self.ordered_by.as_ref().map(|key| some("key", key.expand(content, runtime))));
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
}
