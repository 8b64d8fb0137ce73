//! The attribute's text: `#[listener("domain.event_type", group = "..", retry = "..", ..)]`, all optional.

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, LitStr, Token, ext::IdentExt};

use super::policy::{self, Policy};
use crate::catalogue::{self, Problems};
use crate::numbers;

/// What the attribute says.
#[derive(Default)]
pub(super) struct Args {
    pub(super) event: Option<LitStr>,
    pub(super) group: Option<LitStr>,
    pub(super) policy: Policy,
    pub(super) problems: Problems,
}

const KEYS: [&str; 5] = ["group", "retry", "prefetch", "concurrency", "ordered_by"];

/// Parses the attribute; what is wrong with it is among its problems.
pub(super) fn parse(tokens: TokenStream) -> Args {
    let mut args = Args::default();
    let parsed = (|input: ParseStream<'_>| entries(input, &mut args)).parse2(tokens);
    args.problems.ok(parsed);
    args
}

fn entries(input: ParseStream<'_>, args: &mut Args) -> syn::Result<()> {
    while !input.is_empty() {
        if input.peek(syn::Lit) {
            let name: LitStr = input.parse()?;
            if args.event.is_some() {
                args.problems.add(catalogue::repeated_key("listener", "the event's name").at(name.span()));
            }
            args.event.get_or_insert(name);
        } else {
            let key = input.call(Ident::parse_any)?;
            let name = key.to_string();
            let known = KEYS.contains(&name.as_str());
            if !known {
                args.problems.add(catalogue::unknown_key("listener", &name, &KEYS).at(key.span()));
            }
            if known || input.peek(Token![=]) {
                input.parse::<Token![=]>()?;
                if value(&name, input, args)? {
                    args.problems.add(catalogue::repeated_key("listener", &format!("`{name}`")).at(key.span()));
                }
            }
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(())
}

/// Reads the value of a key; says whether there was one already.
fn value(key: &str, input: ParseStream<'_>, args: &mut Args) -> syn::Result<bool> {
    fn set<T>(place: &mut Option<T>, value: T) -> bool {
        let repeated = place.is_some();
        place.get_or_insert(value);
        repeated
    }
    let Args { group, policy, .. } = args;
    Ok(match key {
        "group" => set(group, input.parse()?),
        "retry" => set(&mut policy.retry, policy::retry(input)?),
        "prefetch" => set(&mut policy.prefetch, numbers::count(input, key)?),
        "concurrency" => set(&mut policy.concurrency, numbers::count(input, key)?),
        "ordered_by" => set(&mut policy.ordered_by, policy::key(input)?),
        _ => {
            input.parse::<syn::Expr>()?;
            false
        }
    })
}
