//! The attribute's text: `#[event("domain.event_type", listen, contracts = some::path)]`.

use proc_macro2::{Ident, Span, TokenStream};
use syn::parse::{ParseStream, Parser};
use syn::{LitStr, Path, Token, ext::IdentExt};

use super::model::Direction;
use crate::catalogue::{self, Problems, event as text};

/// What the attribute says.
#[derive(Default)]
pub(super) struct Args {
    pub(super) event: Option<LitStr>,
    pub(super) direction: Option<Direction>,
    pub(super) contracts: Option<Path>,
    pub(super) problems: Problems,
}

const KEYS: &[&str] = &["emit", "listen", "contracts"];

/// Parses the attribute; what is wrong with it is among its problems.
pub(super) fn parse(tokens: TokenStream) -> Args {
    let mut args = Args::default();
    let parsed = (|input: ParseStream<'_>| entries(input, &mut args)).parse2(tokens);
    if args.problems.ok(parsed).is_some() && args.event.is_none() && args.problems.is_empty() {
        args.problems.add(text::no_event().at(Span::call_site()));
    }
    args
}

fn entries(input: ParseStream<'_>, args: &mut Args) -> syn::Result<()> {
    while !input.is_empty() {
        if input.peek(syn::Lit) {
            let name: LitStr = input.parse()?;
            if args.event.is_some() {
                args.problems.add(catalogue::repeated_key("event", "the event's name").at(name.span()));
            }
            args.event.get_or_insert(name);
        } else {
            let key = input.call(Ident::parse_any)?;
            match key.to_string().as_str() {
                "emit" => direction(args, Direction::Emit, &key),
                "listen" => direction(args, Direction::Listen, &key),
                "contracts" => {
                    input.parse::<Token![=]>()?;
                    let path: Path = input.parse()?;
                    if args.contracts.is_some() {
                        args.problems.add(catalogue::repeated_key("event", "`contracts`").at(key.span()));
                    }
                    args.contracts.get_or_insert(path);
                }
                unknown => {
                    args.problems.add(catalogue::unknown_key("event", unknown, KEYS).at(key.span()));
                    if input.peek(Token![=]) {
                        input.parse::<Token![=]>()?;
                        input.parse::<syn::Expr>()?;
                    }
                }
            }
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(())
}

fn direction(args: &mut Args, direction: Direction, key: &Ident) {
    match args.direction {
        None => args.direction = Some(direction),
        Some(before) if before == direction => {
            args.problems.add(catalogue::repeated_key("event", &format!("`{key}`")).at(key.span()));
        }
        Some(_) => args.problems.add(text::both_directions().at(key.span())),
    }
}
