//! From the attribute and the item to a listener, or to everything that is wrong with them.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{FnArg, GenericParam, Ident, ItemFn, LitStr, ReturnType, Safety, Signature, Token, Type, Visibility};
use twyla_contract::{EventName, Group, similar};

use super::args::Args;
use super::model::{Listener, Named};
use crate::catalogue::{self, Problems, listener as text};
use crate::contracts::Found;

/// An item that is no listener, with what its stand-in needs.
pub(super) struct Refused {
    pub(super) problems: Problems,
    /// The function's visibility and name, where it is one.
    pub(super) stands_for: Option<(Visibility, Ident)>,
}

pub(super) fn check(
    args: Args,
    item: TokenStream,
    contracts: impl FnOnce() -> Found,
    package: Option<&str>,
) -> Result<(ItemFn, Listener), Refused> {
    let Args { event, group, policy, mut problems } = args;
    let function: ItemFn = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            // a function with a mistake in it has the compiler's own error; anything else is no function
            let error = if looks_like_function(&item) { error } else { text::not_a_function().over(first(&item)) };
            problems.add(error);
            return Err(Refused { problems, stands_for: None });
        }
    };
    let name = function.sig.ident.clone();
    let group = group_of(group.as_ref(), package, &name, &mut problems);
    qualifiers(&function.sig, &mut problems);
    let inputs = inputs(&function.sig.inputs, &name, &mut problems);
    let written = inputs.first().map(catalogue::display).unwrap_or_default();
    let event = event.and_then(|event| named(&event, contracts, &name, &written, inputs.is_empty(), &mut problems));
    if function.sig.inputs.is_empty() && !matches!(event, Some(None)) {
        // with an event, `named` has said which to take
        if event.is_none() {
            problems.add(text::no_arguments(&name.to_string(), None, "contracts").at(name.span()));
        }
    }
    let output = match &function.sig.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some((**ty).clone()),
    };
    let mut inputs = inputs.into_iter();
    match (group, inputs.next(), problems.is_empty()) {
        (Some(group), Some(content), true) => {
            let vis = function.vis.clone();
            let event = event.flatten();
            let listener = Listener { vis, name, event, group, content, arguments: inputs.collect(), output, policy };
            Ok((function, listener))
        }
        // a method stands among its like, where no type may be declared
        _ if function.sig.receiver().is_some() => Err(Refused { problems, stands_for: None }),
        _ => Err(Refused { problems, stands_for: Some((function.vis, name)) }),
    }
}

fn looks_like_function(item: &TokenStream) -> bool {
    item.clone().into_iter().any(|token| matches!(&token, TokenTree::Ident(word) if word == "fn"))
}

/// The first tokens of an item that isn't an attribute's: `struct`, `impl`.
fn first(item: &TokenStream) -> TokenStream {
    let mut tokens = item.clone().into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_attribute = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '#');
        if is_attribute {
            tokens.next();
        } else {
            return token.into();
        }
    }
    item.clone()
}

fn group_of(written: Option<&LitStr>, package: Option<&str>, name: &Ident, problems: &mut Problems) -> Option<Group> {
    let group = match (written, package) {
        (Some(written), _) => {
            Group::parse(&written.value()).map_err(|error| text::bad_group(&error).at(written.span()))
        }
        (None, Some(package)) => Group::parse(package).map_err(|error| text::bad_default_group(&error).at(name.span())),
        (None, None) => Err(text::no_default_group().at(name.span())),
    };
    problems.ok(group)
}

fn qualifiers(sig: &Signature, problems: &mut Problems) {
    let name = sig.ident.to_string();
    if sig.asyncness.is_none() {
        problems.add(text::not_async(&name).at(sig.fn_token.span()));
    }
    if let Some(word) = &sig.constness {
        problems.add(text::qualified(&name, "const").at(word.span()));
    }
    if !matches!(sig.safety, Safety::Default) {
        problems.add(text::qualified(&name, "unsafe").over(&sig.safety));
    }
    if let Some(abi) = &sig.abi {
        problems.add(text::qualified(&name, "extern").at(abi.extern_token.span()));
    }
    if let Some(variadic) = &sig.variadic {
        problems.add(text::qualified(&name, "variadic").at(variadic.span()));
    }
    if let Some(parameter) = sig.generics.params.first() {
        let what = match parameter {
            GenericParam::Lifetime(_) => "lifetime parameters",
            GenericParam::Const(_) => "const parameters",
            GenericParam::Type(_) => "type parameters",
        };
        problems.add(text::generic(&name, what).over(&sig.generics));
    }
}

/// The arguments' types. One that can't be an argument stays among them, for its number.
fn inputs(inputs: &Punctuated<FnArg, Token![,]>, name: &Ident, problems: &mut Problems) -> Vec<Type> {
    let name = name.to_string();
    let mut types = Vec::new();
    for input in inputs {
        match input {
            FnArg::Receiver(receiver) => problems.add(text::takes_self(&name).over(receiver)),
            FnArg::Typed(input) => {
                if let Type::Reference(reference) = &*input.ty {
                    let owned = catalogue::display(&reference.elem);
                    problems.add(text::reference(&name, &owned).over(&input.ty));
                } else if let Some(span) = impl_trait(&input.ty) {
                    problems.add(text::generic(&name, "`impl Trait` as an argument").at(span));
                }
                types.push((*input.ty).clone());
            }
        }
    }
    types
}

/// The type, where it is an `impl Trait`, or the first one within it.
fn impl_trait(ty: &Type) -> Option<Span> {
    fn within(tokens: TokenStream) -> Option<Span> {
        tokens.into_iter().find_map(|token| match token {
            TokenTree::Ident(word) if word == "impl" => Some(word.span()),
            TokenTree::Group(group) => within(group.stream()),
            _ => None,
        })
    }
    if let Type::ImplTrait(_) = ty { Some(ty.span()) } else { within(ty.to_token_stream()) }
}

/// The event that the attribute names: the outer none is no attribute, the inner one a name that can't be used.
fn named(
    written: &LitStr,
    contracts: impl FnOnce() -> Found,
    handler: &Ident,
    argument: &str,
    takes_nothing: bool,
    problems: &mut Problems,
) -> Option<Option<Named>> {
    let value = written.value();
    let result = EventName::parse(&value)
        .map_err(|error| catalogue::bad_event_name(&error).at(written.span()))
        .and_then(|name| {
            let contracts = contracts().map_err(|missing| catalogue::no_contracts(&missing).at(written.span()))?;
            let event = contracts.event(&value).ok_or_else(|| {
                let names = contracts.events.iter().map(|event| event.name.as_str());
                let meant = similar::nearest(&value, names).and_then(|meant| contracts.event(meant));
                catalogue::unknown_event(&value, &contracts.root, meant, &contracts.events).at(written.span())
            })?;
            if takes_nothing {
                return Err(text::no_arguments(&handler.to_string(), Some(event), "contracts").at(handler.span()));
            }
            let mismatch = text::other_event(&handler.to_string(), event, &contracts, argument);
            Ok(Named { name, rust_name: event.rust_name().to_owned(), mismatch })
        });
    Some(problems.ok(result))
}
