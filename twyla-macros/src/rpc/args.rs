//! The attribute's text: `#[rpc("service.method", idempotent, concurrency = .., deadline = "..")]`, all but the name optional.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, Lit, LitStr, Token, ext::IdentExt};

use super::model::Policy;
use crate::catalogue::rpc as text;
use crate::catalogue::{self, Problems};
use crate::numbers;

/// What the attribute says.
#[derive(Default)]
pub(super) struct Args {
    pub(super) name: Option<LitStr>,
    pub(super) policy: Policy,
    pub(super) problems: Problems,
}

const KEYS: [&str; 3] = ["idempotent", "concurrency", "deadline"];

/// Parses the attribute; what is wrong with it is among its problems.
pub(super) fn parse(tokens: TokenStream) -> Args {
    let mut args = Args::default();
    let parsed = (|input: ParseStream<'_>| entries(input, &mut args)).parse2(tokens);
    args.problems.ok(parsed);
    args
}

fn entries(input: ParseStream<'_>, args: &mut Args) -> syn::Result<()> {
    let mut seen = Vec::new();
    while !input.is_empty() {
        if input.peek(syn::Lit) {
            let name: LitStr = input.parse()?;
            if args.name.is_some() {
                args.problems.add(catalogue::repeated_key("rpc", "the RPC's name").at(name.span()));
            }
            args.name.get_or_insert(name);
        } else {
            let key = input.call(Ident::parse_any)?;
            let name = key.to_string();
            if !KEYS.contains(&name.as_str()) {
                args.problems.add(catalogue::unknown_key("rpc", &name, &KEYS).at(key.span()));
                if input.peek(Token![=]) {
                    input.parse::<Token![=]>()?;
                    input.parse::<syn::Expr>()?;
                }
            } else {
                value(&name, input, &mut args.policy)?;
                if seen.contains(&name) {
                    args.problems.add(catalogue::repeated_key("rpc", &format!("`{name}`")).at(key.span()));
                }
                seen.push(name);
            }
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(())
}

fn value(key: &str, input: ParseStream<'_>, policy: &mut Policy) -> syn::Result<()> {
    if key == "idempotent" {
        policy.idempotent = true;
        return Ok(());
    }
    input.parse::<Token![=]>()?;
    if key == "concurrency" {
        policy.concurrency = Some(numbers::count(input, key)?);
        return Ok(());
    }
    let written: Lit = input.parse()?;
    let (said, deadline) = match &written {
        Lit::Str(text) => (text.value(), numbers::duration(&text.value()).filter(|millis| *millis > 0)),
        other => (other.to_token_stream().to_string(), None),
    };
    policy.deadline = Some(deadline.ok_or_else(|| text::bad_deadline(&said).at(written.span()))?);
    Ok(())
}
