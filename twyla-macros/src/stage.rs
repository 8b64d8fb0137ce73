//! The two stages of an attribute. The first stage looks for the contracts: in the crate itself, or elsewhere.
//! Elsewhere they come with a macro, `__twyla_contracts!`, that [`include_contracts!`](crate::include) has written beside
//! the generated types. The first stage calls that macro, and the macro calls the second stage with the index in front
//! of its input.
//!
//! If the path of that macro leads nowhere, the compiler reports the path. So that it reports nothing else, the first
//! stage keeps the item, and has a stand-in for what the second stage would have implemented:
//!
//! ```text
//! async fn answer(..) { .. }
//! struct answer {}
//! const _: () = {
//!     use twyla_runtime::__private::stand_in as __twyla_stand_in;         // `Listener`, `Event`, ..
//!     {
//!         platform::__twyla_contracts! { .. }
//!         impl __twyla_stand_in::Listener for answer { .. }
//!     }
//! };
//! ```
//! The second stage implements `Listener` itself. Within the inner block it imports another module as
//! `__twyla_stand_in`, with traits of the same names that nothing requires.

use proc_macro2::{Delimiter, Group, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::{Ident, Lit, LitInt, LitStr, Path, Token};

use crate::absent::{self, Renamed, Resolution};
use crate::contracts::{self, ContractsResult, Missing};
use crate::expansion::Expansion;
use crate::runtime::Runtime;
use crate::{event, listener, rpc};

/// The attributes.
#[derive(Clone, Copy)]
pub(crate) enum Attribute {
    Event,
    Listener,
    Rpc,
}

impl Attribute {
    const ALL: [Self; 3] = [Self::Event, Self::Listener, Self::Rpc];

    fn word(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Listener => "listener",
            Self::Rpc => "rpc",
        }
    }

    fn expand(self, args: TokenStream, item: TokenStream, contracts: impl FnOnce() -> ContractsResult) -> Expansion {
        match self {
            Self::Event => event::expand(args, item, contracts),
            Self::Listener => listener::expand(args, item, contracts, std::env::var("CARGO_PKG_NAME").ok().as_deref()),
            Self::Rpc => rpc::expand(args, item, contracts),
        }
    }

    /// Returns the item and its stand-in, if the item can have one.
    fn stand_in(self, args: &TokenStream, item: &TokenStream, runtime: &Runtime) -> Option<Expansion> {
        let traits = quote!(__twyla_stand_in);
        match self {
            Self::Event => event::stand_in(args.clone(), item.clone(), &quote!(__TwylaContext), &traits),
            Self::Listener => listener::stand_in(item, runtime, &traits),
            Self::Rpc => rpc::stand_in(item, runtime, &traits),
        }
    }
}

/// Expands an attribute if the crate itself has the contracts. Otherwise calls the macro that carries them to the
/// second stage.
pub(crate) fn first(attribute: Attribute, args: TokenStream, item: TokenStream) -> TokenStream {
    let given = Given::read(&args);
    let at = given.name.unwrap_or_else(Span::call_site);
    let is_named = given.names_runtime || given.has_mistake;
    let renamed = if is_named { None } else { absent::runtime(attribute.word(), at) };
    let Some(Renamed { text, path }) = renamed else { return with_runtime(attribute, given, args, item) };
    let error = text.at(at).to_compile_error();
    // only the path of the runtime is missing
    let expanded = match path.and_then(|path| syn::parse_str::<Path>(&path).ok()) {
        Some(path) => {
            let args = quote!(crate = #path, #args);
            with_runtime(attribute, Given::read(&args), args, item)
        }
        None => item,
    };
    quote!(#error #expanded)
}

fn with_runtime(attribute: Attribute, given: Given, args: TokenStream, item: TokenStream) -> TokenStream {
    let Given { name, contracts: path, runtime, has_mistake, .. } = given;
    let Some(name) = name else {
        // without a name no contract is looked up, and an attribute that needs a name reports the mistake
        return attribute.expand(args, item, || Err(Missing::Reported)).whole();
    };
    if path.is_none()
        && let Some(found) = contracts::of_crate()
    {
        return attribute.expand(args, item, || found).whole();
    }
    // the attribute itself reports a mistake in its arguments
    let found = if has_mistake { Resolution::Reported } else { absent::contracts(path.as_ref(), &runtime) };
    let error = match found {
        Resolution::Maybe => None,
        Resolution::Absent(text) => {
            Some(path.as_ref().map_or_else(|| text.at(name), |path| text.over(path)).to_compile_error())
        }
        Resolution::Reported => Some(TokenStream::new()),
    };
    if let Some(error) = error {
        let expanded = attribute.expand(args, item, || Err(Missing::Reported)).whole();
        return quote!(#error #expanded);
    }
    let path = path.map_or_else(|| quote_spanned!(name=> crate::contracts), ToTokens::into_token_stream);
    let end = path.clone().into_iter().last().map_or(name, |last| last.span());
    let (carrier, context) = (Ident::new("__twyla_contracts", end), Ident::new("Context", end));
    let word = format_ident!("{}", attribute.word());
    let call = |carrier: TokenStream, import: Option<TokenStream>| {
        let groups = [Some(args.clone()), Some(item.clone()), import].into_iter().flatten();
        let groups = groups.map(|tokens| Group::new(Delimiter::Brace, tokens));
        quote!(#carrier! { { #runtime::__private::expand } #word #(#groups)* })
    };
    let Some(stand_in) = attribute.stand_in(&args, &item, &runtime) else {
        return call(quote!(#path::#carrier), None);
    };
    let mut imports = quote! {
        #[allow(unused_imports)]
        use #runtime::__private::stand_in as __twyla_stand_in;
    };
    let carrier = match attribute {
        // imported together, so that the compiler reports a wrong path once
        Attribute::Event => {
            imports.extend(quote!(use #path::{#carrier as __twyla_carrier, #context as __TwylaContext};));
            quote!(__twyla_carrier)
        }
        Attribute::Listener | Attribute::Rpc => quote!(#path::#carrier),
    };
    let import = quote!(use #runtime::__private::no_stand_in as __twyla_stand_in;);
    stand_in.first(&imports, &call(carrier, Some(import)))
}

/// Expands an attribute with the contracts in its input. See [`index`] for their form.
pub(crate) fn second(input: TokenStream) -> TokenStream {
    let read = |input: ParseStream<'_>| {
        let contracts = if input.peek(LitInt) {
            let digest = input.parse::<LitInt>()?.base10_parse()?;
            let TokenTree::Literal(index) = input.parse()? else { return Err(input.error("expected an index")) };
            contracts::of_text(digest, || text(index))
        } else {
            input.parse::<Token![!]>()?;
            Err(Missing::Reported)
        };
        let word: Ident = input.parse()?;
        let attribute = Attribute::ALL.into_iter().find(|attribute| word == attribute.word());
        let attribute = attribute.ok_or_else(|| syn::Error::new(word.span(), "expected an attribute"))?;
        let group = || match input.parse()? {
            TokenTree::Group(group) => Ok(group.stream()),
            other => Err(syn::Error::new(other.span(), "expected a group")),
        };
        let expansion = attribute.expand(group()?, group()?, || contracts);
        // the import, if the first stage has kept the item
        Ok(if input.is_empty() { expansion.whole() } else { expansion.second(&group()?) })
    };
    Parser::parse2(read, input).unwrap_or_else(|error| error.to_compile_error())
}

/// Returns an index as tokens: its digest, and its text as a string.
pub(crate) fn index(text: &str) -> TokenStream {
    let digest = twyla_contract::name::key(text);
    let literal = Literal::string(text);
    quote!(#digest #literal)
}

/// Returns the text of a string literal. The text of another literal is empty, which isn't an index.
fn text(literal: Literal) -> String {
    match Lit::new(literal) {
        Lit::Str(text) => text.value(),
        _ => String::new(),
    }
}

/// The parts of an attribute that the first stage needs.
#[derive(Default)]
struct Given {
    /// The span of the contract's name.
    name: Option<Span>,
    contracts: Option<Path>,
    runtime: Runtime,
    names_runtime: bool,
    /// Whether reading ended at a mistake.
    has_mistake: bool,
}

impl Given {
    /// Reads the arguments up to the first mistake, which the attribute itself reports.
    fn read(args: &TokenStream) -> Self {
        let mut given = Self::default();
        let entries = |input: ParseStream<'_>| {
            while !input.is_empty() {
                if input.peek(LitStr) {
                    given.name = Some(input.parse::<LitStr>()?.span());
                } else if input.peek(Token![crate]) && input.peek2(Token![=]) {
                    input.parse::<Token![crate]>()?;
                    input.parse::<Token![=]>()?;
                    // even an invalid path counts as a path
                    given.names_runtime = true;
                    given.runtime = Runtime::parse(input)?;
                } else if input.peek(Ident) && input.fork().parse::<Ident>()? == "contracts" {
                    input.parse::<Ident>()?;
                    input.parse::<Token![=]>()?;
                    given.contracts = Some(input.call(Path::parse_mod_style)?);
                }
                while !input.is_empty() && !input.peek(Token![,]) {
                    input.parse::<TokenTree>()?;
                }
                input.parse::<Option<Token![,]>>()?;
            }
            Ok(())
        };
        given.has_mistake = entries.parse2(args.clone()).is_err();
        given
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_of_any_text_is_read_back() {
        for text in ["", "twyla-index 1\nevent\tapi", "a \"quoted\" \\n", "\"#\"##\"", "\u{202e}ü", "a\r\n\0b"] {
            let tokens: Vec<TokenTree> = index(text).into_iter().collect();
            let [_, TokenTree::Literal(literal)] = &tokens[..] else { panic!("{tokens:?}") };
            assert_eq!(super::text(literal.clone()), text);
        }
    }

    #[test]
    fn reads_what_is_needed_of_an_attribute() {
        let read = |args: &str| {
            let given = Given::read(&args.parse().unwrap());
            let path = given.contracts.map(|path| path.into_token_stream().to_string());
            (given.name.is_some(), path, given.runtime.to_token_stream().to_string())
        };
        let runtime = || ":: twyla_runtime".to_owned();
        assert_eq!(read(""), (false, None, runtime()));
        assert_eq!(read("\"api.x\", group = \"bots\""), (true, None, runtime()));
        assert_eq!(read("group = \"bots\", contracts = a::b"), (false, Some("a :: b".into()), runtime()));
        assert_eq!(read("ordered_by = a.b, crate = kit::twyla, \"x\""), (true, None, "kit :: twyla".into()));
        assert_eq!(read("\"api.x\", emit, contracts = crate::api"), (true, Some("crate :: api".into()), runtime()));
        // parsing stops at the first mistake
        let has_mistake = |args: &str| Given::read(&args.parse().unwrap()).has_mistake;
        assert!(has_mistake("\"api.x\", contracts = \"kit\", crate = bus") && !has_mistake("\"api.x\", retry = 1, x"));
        assert_eq!(read("\"api.x\", contracts ="), (true, None, runtime()));
    }
}
