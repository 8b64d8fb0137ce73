//! Expands the paths of a list to the entries of the handlers that they name.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

use super::kind::ListKind;

/// ```text
/// {
///     const LISTENER_0: Entry = { use unlisted::Function; { use answer as Function; .. } };
///     const LISTENER_1: Entry = ..;
///     const _: () = LISTENER_1.distinct(&[LISTENER_0]);
///     Listeners::collect(&[LISTENER_0, LISTENER_1])
/// }
/// ```
/// The inner import brings the handler's type of the same name into scope. A plain function has no such type, so the
/// outer import is used.
pub(super) fn expand(paths: &[Path], kind: &ListKind) -> TokenStream {
    let ListKind { constant, module, function, collection } = kind;
    let named = |(i, path): (usize, &Path)| format_ident!("{constant}_{i}", span = path.span());
    let names: Vec<_> = paths.iter().enumerate().map(named).collect();
    let entries = paths.iter().zip(&names).map(|(path, name)| {
        let written = crate::catalogue::display(path);
        let import = quote_spanned!(path.span()=> use #path as Function;);
        let entry = quote_spanned!(path.span()=> <Function as #module::Listed>::ENTRY.named(#written));
        quote! {
            const #name: #module::Entry = {
                #[allow(unused_imports)]
                use #function;
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
        #collection::collect(&[#(#names),*])
    }}
}

pub(super) fn stand_in(error: &syn::Error, kind: &ListKind) -> TokenStream {
    let (error, collection) = (error.to_compile_error(), &kind.collection);
    quote!({
        #error
        #collection::default()
    })
}
