//! The attribute: `#[event("domain.event_type", listen, contracts = some::path, crate = some::runtime)]`.

use proc_macro2::{Span, TokenStream};
use syn::{LitStr, Path, Token};

use super::model::Direction;
use crate::attribute::Attribute;
use crate::catalogue::{Problems, event as text};
use crate::runtime::Runtime;

/// The parsed attribute, and its mistakes.
#[derive(Default)]
pub(super) struct Args {
    pub(super) event: Option<LitStr>,
    pub(super) direction: Option<Direction>,
    pub(super) contracts: Option<Path>,
    pub(super) runtime: Runtime,
    pub(super) problems: Problems,
}

const ATTRIBUTE: Attribute =
    Attribute { macro_name: "event", name: "the event's name", keys: &["emit", "listen", "contracts", "crate"] };

/// Parses the attribute.
pub(super) fn parse(tokens: TokenStream) -> Args {
    let mut args = Args::default();
    let Args { direction, contracts, runtime, .. } = &mut args;
    let (event, mut problems) = ATTRIBUTE.parse(tokens, |key, input, problems| {
        let one = match key.to_string().as_str() {
            "emit" => Direction::Emit,
            "listen" => Direction::Listen,
            "crate" => {
                input.parse::<Token![=]>()?;
                *runtime = Runtime::parse(input)?;
                return Ok(());
            }
            _ => {
                input.parse::<Token![=]>()?;
                contracts.get_or_insert(input.parse()?);
                return Ok(());
            }
        };
        if *direction.get_or_insert(one) != one {
            problems.add(text::both_directions().at(key.span()));
        }
        Ok(())
    });
    if event.is_none() && problems.is_empty() {
        problems.add(text::no_event().at(Span::call_site()));
    }
    Args { event, problems, ..args }
}
