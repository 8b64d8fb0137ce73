//! Expands a handler of an RPC.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ItemFn;
use syn::spanned::Spanned;

use super::model::{Handler, Policy};
use crate::expansion::Expansion;
use crate::function;

/// ```text
/// async fn get_booking(..) -> Result<..> { .. }    // the function as it was
/// struct get_booking {}                            // stands for it in `rpcs![get_booking]`
/// const _: () = {
///     trait RequestOfGetBooking { .. }             // carries the error for a first argument of another type
///     trait AnswerOfGetBooking { .. }              // and for a return type that isn't an answer
///     impl Handler for get_booking { .. }
/// };
/// ```
pub(super) fn expand(item: &ItemFn, handler: &Handler) -> Expansion {
    let Handler { runtime, vis, name, rpc, request, arguments, output, policy } = handler;
    let key = rpc.name.key();
    let key = quote!(__twyla::RpcKey<#key>);
    let (other_request, other_answer) = (rpc.other_request.unimplemented(), rpc.other_answer.unimplemented());
    let request_of = format_ident!("RequestOf{}", rpc.rust_name);
    let answer_of = format_ident!("AnswerOf{}", rpc.rust_name);
    let matches = quote_spanned!(request.span()=> <#request as #request_of>::MATCHES);
    // the macro's own names are hygienic, because a handler may come from a user's macro
    let own = |name: &str| Ident::new(name, Span::mixed_site());
    let (incoming, asked, parts) = (own("incoming"), own("request"), own("parts"));
    let is = quote!(__twyla::calls::IsRequest::<#request, #key>);
    let open =
        quote_spanned!(request.span()=> <#request as __twyla::calls::Asks<#key, { #is::HOLDS }>>::open(#incoming));
    let needs = arguments.iter().map(|ty| quote_spanned!(ty.span()=> <#ty as __twyla::CallArgument>::need()));
    let needs = if arguments.is_empty() {
        quote!(::std::vec::Vec::new())
    } else {
        quote!(::std::vec::Vec::from_iter([#(#needs),*].into_iter().flatten()))
    };
    let takes = arguments.iter().map(|ty| quote_spanned!(ty.span()=> <#ty as __twyla::CallArgument>::take(&#parts)));
    let locals: Vec<_> = (1..=arguments.len()).map(|i| own(&format!("argument_{i}"))).collect();
    let answer = quote_spanned!(output.span()=> <#output as #answer_of>::answer);
    let call = quote_spanned!(name.span()=> #name(#asked, #(#locals),*));
    let serve = quote_spanned!(name.span()=> __twyla::calls::serve(#call, #answer));
    let stand_in = function::stand_in(vis, name);
    let policy = policy.expand();
    let (whole, method) = (rpc.name.as_str(), rpc.name.method());
    let item = quote!(#item #stand_in);
    let body = quote! {
        use #runtime::__private as __twyla;
        #[allow(unused_imports)]
        use __twyla::Otherwise as _;

        #other_request
        trait #request_of {
            const MATCHES: () = ();
        }
        #[diagnostic::do_not_recommend]
        impl<T: __twyla::Requests<#key>> #request_of for T {}
        const _: () = #matches;

        #other_answer
        trait #answer_of: ::core::marker::Sized {
            fn answer(self) -> __twyla::Answer;
        }
        #[diagnostic::do_not_recommend]
        impl<T, E> #answer_of for ::core::result::Result<T, E>
        where
            T: __twyla::Responds<#key>,
            E: ::core::convert::Into<::std::boxed::Box<dyn ::std::error::Error + ::core::marker::Send + ::core::marker::Sync>>,
        {
            fn answer(self) -> __twyla::Answer {
                __twyla::calls::answer::<<T as __twyla::Responds<#key>>::Method, E>(self)
            }
        }

        #[automatically_derived]
        impl __twyla::calls::Handler for #name {
            const NAME: &'static str = #whole;
            const METHOD: &'static str = #method;

            fn registration() -> __twyla::calls::Registration {
                __twyla::calls::Registration {
                    name: <Self as __twyla::calls::Handler>::NAME,
                    method: <Self as __twyla::calls::Handler>::METHOD,
                    handler: ::core::concat!(::core::module_path!(), "::", ::core::stringify!(#name)),
                    record: #is::SERVES,
                    needs: #needs,
                    policy: #policy,
                    handle: |#incoming| {
                        let (#asked, #parts) = match #open {
                            ::core::result::Result::Ok(opened) => opened,
                            ::core::result::Result::Err(answer) => return __twyla::calls::answered(answer),
                        };
                        #(let #locals = match #takes { ::core::result::Result::Ok(argument) => argument, ::core::result::Result::Err(answer) => return __twyla::calls::answered(answer) };)*
                        #serve
                    },
                }
            }
        }
    };
    Expansion { item, body, ..Expansion::default() }
}

impl Policy {
    /// Returns the value for the field `policy` of a registration.
    fn expand(self) -> TokenStream {
        let some = |value: TokenStream| quote!(::core::option::Option::Some(#value));
        let mut fields = TokenStream::new();
        if let Some(count) = self.concurrency {
            let count = some(quote!(#count));
            fields.extend(quote!(concurrency: #count,));
        }
        if let Some(millis) = self.deadline {
            let deadline = some(quote!(::core::time::Duration::from_millis(#millis)));
            fields.extend(quote!(deadline: #deadline,));
        }
        if self.idempotent {
            fields.extend(quote!(idempotent: true,));
        }
        if fields.is_empty() {
            return quote!(::core::default::Default::default());
        }
        quote!(__twyla::calls::Policy { #fields ..::core::default::Default::default() })
    }
}
