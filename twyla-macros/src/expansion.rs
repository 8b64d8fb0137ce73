//! The result of an attribute, in the parts that the two stages of an attribute write.

use proc_macro2::TokenStream;
use quote::quote;

/// What an attribute expands to.
#[derive(Default)]
pub(crate) struct Expansion {
    pub(crate) errors: TokenStream,
    /// The user's item, and the type that stands for a function.
    pub(crate) item: TokenStream,
    /// The implementations for the item, or for the stand-in of a refused item.
    pub(crate) body: TokenStream,
}

impl Expansion {
    /// Returns all parts, for an attribute that is expanded in one stage.
    pub(crate) fn whole(self) -> TokenStream {
        let Self { errors, item, body } = self;
        let body = (!body.is_empty()).then(|| constant(&body));
        quote!(#errors #item #body)
    }

    /// Returns the item, and a block with the second stage, which is a macro call, and the stand-in for the case that
    /// the call leads nowhere. The names of `imports` are known in the block, where the second stage may import others
    /// in their place.
    pub(crate) fn first(self, imports: &TokenStream, second: &TokenStream) -> TokenStream {
        let Self { item, body, .. } = self;
        let block = constant(&quote! {
            #imports
            {
                #second
                #body
            }
        });
        quote!(#item #block)
    }

    /// Returns the parts that the first stage could not know, after `import` if they replace the stand-in of the first stage.
    pub(crate) fn second(self, import: &TokenStream) -> TokenStream {
        let Self { errors, body, .. } = self;
        let body = (!body.is_empty()).then(|| quote!(#import { #body }));
        quote!(#errors #body)
    }
}

fn constant(body: &TokenStream) -> TokenStream {
    quote! {
        #[allow(unused_lifetimes)]
        const _: () = { #body };
    }
}
