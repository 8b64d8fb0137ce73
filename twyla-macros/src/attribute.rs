//! The text of an attribute: the name of a contract, and keys, some with a value.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, LitStr, Token};

use crate::catalogue::{self, Problems};

/// The syntax of a macro's attribute.
pub(crate) struct Attribute {
    /// The macro: `listener`.
    pub(crate) macro_name: &'static str,
    /// The description of the name in error messages: `the event's name`. The name is written without a key: `#[listener("api.user_input")]`.
    pub(crate) name: &'static str,
    pub(crate) keys: &'static [&'static str],
}

impl Attribute {
    /// Parses an attribute; returns the name in it and its mistakes. `value` parses the tokens after a known key.
    pub(crate) fn parse(
        &self,
        tokens: TokenStream,
        mut value: impl FnMut(&Ident, ParseStream<'_>, &mut Problems) -> syn::Result<()>,
    ) -> (Option<LitStr>, Problems) {
        let (mut name, mut problems, mut seen) = (None, Problems::default(), Vec::new());
        let entries = |input: ParseStream<'_>| {
            while !input.is_empty() {
                if input.peek(syn::Lit) {
                    let literal: LitStr = input.parse()?;
                    if name.is_some() {
                        problems.add(catalogue::repeated_key(self.macro_name, self.name).at(literal.span()));
                    }
                    name.get_or_insert(literal);
                } else {
                    let key = input.call(Ident::parse_any)?;
                    let text = key.to_string();
                    if self.keys.contains(&text.as_str()) {
                        value(&key, input, &mut problems)?;
                        if seen.contains(&text) {
                            problems.add(catalogue::repeated_key(self.macro_name, &format!("`{text}`")).at(key.span()));
                        }
                        seen.push(text);
                    } else if is_constant(&text, input) {
                        let mut written = text;
                        while input.peek(Token![::]) {
                            input.parse::<Token![::]>()?;
                            written = format!("{written}::{}", input.call(Ident::parse_any)?);
                        }
                        problems.add(catalogue::no_literal(self.macro_name, self.name, &written).at(key.span()));
                    } else {
                        problems.add(catalogue::unknown_key(self.macro_name, &text, self.keys).at(key.span()));
                        if input.peek(Token![=]) {
                            input.parse::<Token![=]>()?;
                            input.parse::<syn::Expr>()?;
                        }
                    }
                }
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        };
        let parsed = entries.parse2(tokens);
        problems.ok(parsed);
        (name, problems)
    }
}

/// Returns whether a word is meant as a name, not as a key: it looks like a constant, or a path begins with it.
fn is_constant(word: &str, behind: ParseStream<'_>) -> bool {
    let upper = word.chars().any(char::is_uppercase) && !word.chars().any(char::is_lowercase);
    behind.peek(Token![::]) || upper && !behind.peek(Token![=])
}
