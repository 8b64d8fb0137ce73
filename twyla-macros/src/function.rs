//! The rules for every handler function.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{FnArg, GenericParam, Ident, ItemFn, Safety, Signature, Token, Type, Visibility};

use crate::catalogue::handler::{self as text, HandlerKind};
use crate::catalogue::{self, Problems};
use crate::expansion::Expansion;
use crate::runtime::Runtime;

/// Parses an item as a function.
pub(crate) fn parse(item: &TokenStream, kind: &HandlerKind) -> Result<ItemFn, syn::Error> {
    syn::parse2(item.clone()).map_err(|error| {
        // a function with a syntax error has the compiler's own error; anything else isn't a function
        if looks_like_function(item) { error } else { text::not_a_function(kind).over(first(item)) }
    })
}

fn looks_like_function(item: &TokenStream) -> bool {
    item.clone().into_iter().any(|token| matches!(&token, TokenTree::Ident(word) if word == "fn"))
}

/// Returns the first token of an item after its attributes: `struct`, `impl`.
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

/// Reports qualifiers that a handler function can't have.
pub(crate) fn qualifiers(sig: &Signature, kind: &HandlerKind, problems: &mut Problems) {
    let name = sig.ident.to_string();
    if sig.asyncness.is_none() {
        problems.add(text::not_async(&name).at(sig.fn_token.span()));
    }
    if let Some(word) = &sig.constness {
        problems.add(text::qualified(kind, &name, "const").at(word.span()));
    }
    if !matches!(sig.safety, Safety::Default) {
        problems.add(text::qualified(kind, &name, "unsafe").over(&sig.safety));
    }
    if let Some(abi) = &sig.abi {
        problems.add(text::qualified(kind, &name, "extern").at(abi.extern_token.span()));
    }
    if let Some(variadic) = &sig.variadic {
        problems.add(text::qualified(kind, &name, "variadic").at(variadic.span()));
    }
    if let Some(parameter) = sig.generics.params.first() {
        let what = match parameter {
            GenericParam::Lifetime(_) => "lifetime parameters",
            GenericParam::Const(_) => "const parameters",
            GenericParam::Type(_) => "type parameters",
        };
        problems.add(text::generic(kind, &name, what).over(&sig.generics));
    }
}

/// Returns the types of the arguments, without `self`. An argument that isn't allowed is reported, but its type stays
/// in the list, so that the number of arguments is right.
pub(crate) fn inputs(
    inputs: &Punctuated<FnArg, Token![,]>,
    name: &Ident,
    kind: &HandlerKind,
    problems: &mut Problems,
) -> Vec<Type> {
    let name = name.to_string();
    let mut types = Vec::new();
    for input in inputs {
        match input {
            FnArg::Receiver(receiver) => problems.add(text::takes_self(&name).over(receiver)),
            FnArg::Typed(input) => {
                if let Type::Reference(reference) = &*input.ty {
                    let owned = catalogue::display(&reference.elem);
                    problems.add(text::reference(kind, &name, &owned).over(&input.ty));
                } else if let Some(span) = impl_trait(&input.ty) {
                    problems.add(text::generic(kind, &name, "`impl Trait` as an argument").at(span));
                }
                types.push((*input.ty).clone());
            }
        }
    }
    types
}

/// Returns the span of the type if it is an `impl Trait`, or of the first `impl` within it.
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

/// Returns the type that stands for the function. Its name has the macro's span, so that the compiler gives one
/// warning, at the function, for a handler that is never registered.
pub(crate) fn stand_in(vis: &Visibility, name: &Ident) -> TokenStream {
    let mut name = name.clone();
    name.set_span(Span::call_site());
    quote! {
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #vis struct #name {}
    }
}

/// An item that can't be a handler, with the parts of its stand-in, so that one mistake gives one error.
pub(crate) struct Rejected {
    pub(crate) problems: Problems,
    pub(crate) runtime: Runtime,
    /// The item, without the parts that would repeat the same error.
    pub(crate) item: TokenStream,
    /// The visibility and the name, if the item is a function.
    pub(crate) stands_for: Option<(Visibility, Ident)>,
}

impl Rejected {
    /// Returns the item, its errors, and a stand-in of the same name, so that a list with the stand-in adds no errors.
    pub(crate) fn expand(&self, stand_in: &StandIn) -> Expansion {
        let Self { problems, runtime, item, stands_for } = self;
        let expansion = match stands_for {
            Some((vis, name)) => stand_in.expand(item, vis, name, runtime, &runtime.stand_in()),
            None => Expansion { item: item.clone(), ..Expansion::default() },
        };
        Expansion { errors: problems.tokens(), ..expansion }
    }
}

/// What the stand-in of a refused handler implements.
pub(crate) struct StandIn {
    pub(crate) implements: &'static str,
    /// The constant that is empty, and the one that each stand-in has for its own, so that it isn't a duplicate.
    pub(crate) constants: [&'static str; 2],
    /// The path of its registration.
    pub(crate) registration: &'static [&'static str],
}

impl StandIn {
    /// Returns the item and a stand-in of the same name. `traits`: the path of the traits.
    pub(crate) fn expand(
        &self,
        item: &TokenStream,
        vis: &Visibility,
        name: &Ident,
        runtime: &Runtime,
        traits: &TokenStream,
    ) -> Expansion {
        let ident = |word: &str| Ident::new(word, Span::call_site());
        let (implements, [empty, own]) = (ident(self.implements), self.constants.map(ident));
        let (stand_in, registration) = (stand_in(vis, name), self.registration.iter().map(|step| ident(step)));
        let body = quote! {
            impl #traits::#implements for #name {
                const #empty: &'static str = "";
                const #own: &'static str = ::core::concat!(::core::line!(), ":", ::core::column!(), ::core::stringify!(#name));
                fn registration() -> #runtime::__private #(::#registration)* {
                    ::core::unreachable!()
                }
            }
        };
        Expansion { item: quote!(#item #stand_in), body, ..Expansion::default() }
    }
}
