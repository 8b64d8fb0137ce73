//! From the paths of a list to its listeners.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

/// ```text
/// {
///     const LISTENER_0: Entry = { use unlisted::Function; { use answer as Function; .. } };
///     const LISTENER_1: Entry = ..;
///     const _: () = LISTENER_1.distinct(&[LISTENER_0]);
///     Listeners::collect(&[LISTENER_0, LISTENER_1])
/// }
/// ```
/// The inner import takes whatever the path names: of a mere function that is no type, and the outer one stands in.
pub(super) fn expand(paths: &[Path]) -> TokenStream {
    let names: Vec<_> =
        paths.iter().enumerate().map(|(i, path)| format_ident!("LISTENER_{i}", span = path.span())).collect();
    let entries = paths.iter().zip(&names).map(|(path, name)| {
        let written = crate::catalogue::display(path);
        let import = quote_spanned!(path.span()=> use #path as Function;);
        let entry =
            quote_spanned!(path.span()=> <Function as ::twyla_runtime::__private::Listed>::ENTRY.named(#written));
        quote! {
            const #name: ::twyla_runtime::__private::Entry = {
                #[allow(unused_imports)]
                use ::twyla_runtime::__private::unlisted::Function;
                {
                    #[allow(unused_imports)]
                    #import
                    #entry
                }
            };
        }
    });
    let checks = paths.iter().enumerate().skip(1).map(|(i, path)| {
        let (before, name) = (&names[..i], &names[i]);
        let check = quote_spanned!(path.span()=> #name.distinct(&[#(#before),*]));
        quote!(const _: () = #check;)
    });
    quote! {{
        #(#entries)*
        #(#checks)*
        ::twyla_runtime::Listeners::collect(&[#(#names),*])
    }}
}

pub(super) fn stand_in(error: &syn::Error) -> TokenStream {
    let error = error.to_compile_error();
    quote!({
        #error
        ::twyla_runtime::Listeners::default()
    })
}
