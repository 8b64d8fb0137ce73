//! The attribute: `#[rpc("service.method", idempotent, concurrency = .., deadline = "..")]`, all but the name optional.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Lit, LitStr, Token};

use super::model::Policy;
use crate::attribute::Attribute;
use crate::catalogue::{Problems, rpc as text};
use crate::numbers;
use crate::runtime::Runtime;

/// The parsed attribute, and its mistakes.
#[derive(Default)]
pub(super) struct Args {
    pub(super) name: Option<LitStr>,
    pub(super) policy: Policy,
    pub(super) runtime: Runtime,
    pub(super) problems: Problems,
}

const ATTRIBUTE: Attribute = Attribute {
    macro_name: "rpc",
    name: "the RPC's name",
    keys: &["idempotent", "concurrency", "deadline", "contracts", "crate"],
};

/// Parses the attribute.
pub(super) fn parse(tokens: TokenStream) -> Args {
    let (mut policy, mut runtime) = (Policy::default(), Runtime::default());
    let (name, problems) = ATTRIBUTE.parse(tokens, |key, input, _| {
        let key = key.to_string();
        if key == "idempotent" {
            policy.idempotent = true;
            return Ok(());
        }
        input.parse::<Token![=]>()?;
        if key == "crate" {
            runtime = Runtime::parse(input)?;
            return Ok(());
        }
        if key == "contracts" {
            // skip the name: the first stage has read it
            input.call(syn::Path::parse_mod_style)?;
            return Ok(());
        }
        if key == "concurrency" {
            policy.concurrency = Some(numbers::count(input, "concurrency", u16::MAX)?);
            return Ok(());
        }
        let written: Lit = input.parse()?;
        let (said, deadline) = match &written {
            Lit::Str(text) => (text.value(), numbers::duration(&text.value()).filter(|millis| *millis > 0)),
            other => (other.to_token_stream().to_string(), None),
        };
        policy.deadline = Some(deadline.ok_or_else(|| text::bad_deadline(&said).at(written.span()))?);
        Ok(())
    });
    Args { name, policy, runtime, problems }
}
