//! The attribute: `#[listener("domain.event_type", group = "..", retry = "..", ..)]`, all optional.

use proc_macro2::TokenStream;
use syn::{LitStr, Token};

use super::policy::{self, MOST_EVENTS, Policy};
use crate::attribute::Attribute;
use crate::catalogue::{Problems, listener as text};
use crate::numbers;
use crate::runtime::Runtime;

/// The parsed attribute, and its mistakes.
#[derive(Default)]
pub(super) struct Args {
    pub(super) event: Option<LitStr>,
    pub(super) group: Option<LitStr>,
    pub(super) policy: Policy,
    pub(super) runtime: Runtime,
    pub(super) problems: Problems,
}

const ATTRIBUTE: Attribute = Attribute {
    macro_name: "listener",
    name: "the event's name",
    keys: &[
        "group",
        "retry",
        "prefetch",
        "concurrency",
        "rate",
        "pause_after",
        "ordered_by",
        "batch",
        "within",
        "contracts",
        "crate",
    ],
};

/// Parses the attribute.
pub(super) fn parse(tokens: TokenStream) -> Args {
    let mut args = Args::default();
    let mut contracts = None;
    let Args { group, policy, runtime, .. } = &mut args;
    let (event, mut problems) = ATTRIBUTE.parse(tokens, |key, input, _| {
        input.parse::<Token![=]>()?;
        match key.to_string().as_str() {
            "group" => *group = Some(input.parse()?),
            "crate" => *runtime = Runtime::parse(input)?,
            "contracts" => contracts = Some(input.call(syn::Path::parse_mod_style)?),
            "retry" => policy.retry = Some(policy::retry(input)?),
            "prefetch" => policy.prefetch = Some(numbers::count(input, "prefetch", MOST_EVENTS)?),
            "concurrency" => policy.concurrency = Some(numbers::count(input, "concurrency", MOST_EVENTS)?),
            "rate" => policy.rate = Some(policy::rate(input)?),
            "pause_after" => policy.pause_after = Some(policy::pause_after(input)?),
            "batch" => {
                policy.is_batch = true;
                policy.batch = Some(policy::batch(input)?);
            }
            "within" => policy.within = Some(policy::within(input)?),
            _ => policy.ordered_by = Some(policy::key(input)?),
        }
        Ok(())
    });
    // if there is an event's name, the first stage has used the path
    if let (None, Some(path), true) = (&event, contracts, problems.is_empty()) {
        problems.add(text::contracts_without_a_name().over(path));
    }
    Args { event, problems, ..args }
}
