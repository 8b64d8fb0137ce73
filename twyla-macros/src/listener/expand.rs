//! Expands a listener.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ItemFn, Type};

use super::model::{BatchArgument, Listener};
use crate::expansion::Expansion;
use crate::function;

/// ```text
/// async fn answer(..) { .. }                       // the function as it was
/// struct answer {}                                 // stands for it in `listeners![answer]`
/// const _: () = {
///     trait ContentOfUserInput { .. }              // carries the error for a first argument of another type
///     impl Listener for answer { .. }
/// };
/// ```
pub(super) fn expand(function: &ItemFn, listener: &Listener) -> Expansion {
    let Listener { runtime, vis, name, event, group, content, batch, arguments, output, policy: settings } = listener;
    let policy = settings.expand(content, runtime);
    let group = group.as_str();
    let (check, event_name, domain, event_type, is) = match event {
        Some(event) => {
            let words = event.mismatch.unimplemented();
            let content_of = format_ident!("ContentOf{}", event.rust_name);
            let key = event.name.key();
            let key = quote!(#runtime::event::EventKey<#key>);
            let matches = quote_spanned!(content.span()=> <#content as #content_of>::MATCHES);
            let check = quote! {
                #words
                trait #content_of {
                    const MATCHES: () = ();
                }
                #[diagnostic::do_not_recommend]
                impl<T: #runtime::event::Event<Key = #key>> #content_of for T {}
                const _: () = #matches;
            };
            let (whole, domain, event_type) = (event.name.as_str(), event.name.domain(), event.name.event_type());
            let is = quote!(__twyla::IsEvent::<#content, #key>);
            (check, quote!(#whole), quote!(#domain), quote!(#event_type), is)
        }
        None => {
            let of = |what: &str| {
                let what = Ident::new(what, content.span());
                quote_spanned!(content.span()=> <#content as __twyla::Content>::#what)
            };
            let is = quote!(__twyla::IsAnyEvent::<#content>);
            (TokenStream::new(), of("NAME"), of("DOMAIN"), of("EVENT_TYPE"), is)
        }
    };
    // the macro's own names are hygienic, because a handler may come from a user's macro
    let own = |name: &str| Ident::new(name, Span::mixed_site());
    let (incoming, event_content, parts) = (own("incoming"), own("content"), own("parts"));
    let traits = match batch {
        None => ["Argument", "Outcome"],
        Some(_) => ["BatchArgument", "BatchOutcome"],
    };
    let argument = |ty: &Type| {
        let argument = Ident::new(traits[0], ty.span());
        quote_spanned!(ty.span()=> <#ty as __twyla::#argument>)
    };
    let needs = arguments.iter().map(|ty| {
        let argument = argument(ty);
        quote_spanned!(ty.span()=> #argument::need())
    });
    let needs = if arguments.is_empty() {
        quote!(::std::vec::Vec::new())
    } else {
        quote!(::std::vec::Vec::from_iter([#(#needs),*].into_iter().flatten()))
    };
    let takes = arguments.iter().map(|ty| {
        let argument = argument(ty);
        quote_spanned!(ty.span()=> #argument::take(&#parts))
    });
    let locals: Vec<_> = (1..=arguments.len()).map(|i| own(&format!("argument_{i}"))).collect();
    let outcome = match output {
        Some(ty) => {
            let outcome = Ident::new(traits[1], ty.span());
            quote_spanned!(ty.span()=> <#ty as __twyla::#outcome>::outcome)
        }
        None => {
            let outcome = Ident::new(traits[1], Span::call_site());
            quote!(<() as __twyla::#outcome>::outcome)
        }
    };
    let call = quote_spanned!(name.span()=> #name(#event_content, #(#locals),*));
    let arrives = quote_spanned!(content.span()=> <#content as __twyla::Arrives<{ #is::HOLDS }>>);
    let (batching, handle) = match (batch, settings.batching()) {
        (Some(batch), Some((size, within))) => {
            let opened = own("opened");
            let collected = match batch {
                BatchArgument::Contents => quote!(#arrives::contents(#opened)),
                BatchArgument::Events(ty) => {
                    quote_spanned!(ty.span()=> <#ty as __twyla::BatchOf<#content>>::collect(#opened, &#parts))
                }
            };
            let len = own("len");
            let attempt = quote_spanned!(name.span()=> __twyla::attempt_batch(#len, #call, #outcome));
            let batching = quote! {
                const TWYLA_BATCHING: __twyla::Batching = __twyla::Batching {
                    size: #size,
                    within: #within,
                    open: #arrives::open_in_batch,
                    handle: |#incoming| {
                        let (#opened, #parts) = __twyla::BatchParts::split(#incoming);
                        let #len = #opened.len();
                        // a handler may take none of the parts
                        let _ = &#parts;
                        #(let #locals = match #takes { ::core::result::Result::Ok(argument) => argument, ::core::result::Result::Err(failure) => return __twyla::failed_batch(failure) };)*
                        let #event_content = #collected;
                        #attempt
                    },
                };
            };
            (batching, quote!(|#incoming| __twyla::alone(#incoming, &TWYLA_BATCHING)))
        }
        _ => {
            let open = quote_spanned!(content.span()=> #arrives::open(#incoming));
            let attempt = quote_spanned!(name.span()=> __twyla::attempt(#call, #outcome));
            let handle = quote! {
                |#incoming| {
                    let (#event_content, #parts) = match #open {
                        ::core::result::Result::Ok(opened) => opened,
                        ::core::result::Result::Err(failure) => return __twyla::failed(failure),
                    };
                    #(let #locals = match #takes { ::core::result::Result::Ok(argument) => argument, ::core::result::Result::Err(failure) => return __twyla::failed(failure) };)*
                    #attempt
                }
            };
            (TokenStream::new(), handle)
        }
    };
    let stand_in = function::stand_in(vis, name);
    let item = quote!(#function #stand_in);
    let body = quote! {
        use #runtime::__private as __twyla;
        #[allow(unused_imports)]
        use __twyla::Otherwise as _;

        #check

        const TWYLA_HANDLER: &str = ::core::concat!(::core::module_path!(), "::", ::core::stringify!(#name));
        const TWYLA_SCHEMAS: __twyla::record::Schemas = #is::SCHEMAS;
        #batching

        #[automatically_derived]
        impl __twyla::Listener for #name {
            const EVENT: &'static str = #event_name;
            const GROUP: &'static str = #group;

            fn registration() -> __twyla::Registration {
                __twyla::Registration {
                    event: <Self as __twyla::Listener>::EVENT,
                    domain: #domain,
                    event_type: #event_type,
                    group: <Self as __twyla::Listener>::GROUP,
                    handler: TWYLA_HANDLER,
                    record: __twyla::record!(
                        [
                            "listens",
                            <#name as __twyla::Listener>::EVENT,
                            #group,
                            TWYLA_SCHEMAS.content.digest,
                            TWYLA_SCHEMAS.context.digest,
                            TWYLA_HANDLER,
                        ],
                        &[TWYLA_SCHEMAS.content, TWYLA_SCHEMAS.context]
                    ),
                    needs: #needs,
                    policy: #policy,
                    handle: #handle,
                }
            }
        }
    };
    Expansion { item, body, ..Expansion::default() }
}
