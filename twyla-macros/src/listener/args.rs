//! The attribute's text: `#[listener("domain.event_type", group = "..")]`, both optional.

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, LitStr, Token, ext::IdentExt};

use crate::catalogue::{self, Problems};

/// What the attribute says.
#[derive(Default)]
pub(super) struct Args {
    pub(super) event: Option<LitStr>,
    pub(super) group: Option<LitStr>,
    pub(super) problems: Problems,
}

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
            let known = key == "group";
            if !known {
                let text = catalogue::unknown_key("listener", &key.to_string(), &["group"]);
                args.problems.add(text.at(key.span()));
            }
            if known || input.peek(Token![=]) {
                input.parse::<Token![=]>()?;
                if known {
                    let group: LitStr = input.parse()?;
                    if args.group.is_some() {
                        args.problems.add(catalogue::repeated_key("listener", "`group`").at(key.span()));
                    }
                    args.group.get_or_insert(group);
                } else {
                    input.parse::<syn::Expr>()?;
                }
            }
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(())
}
