//! Generates the checks of types with replaced parts: they use the rules of the generated type.

use proc_macro2::TokenStream;
use quote::quote;

use crate::codegen::type_names::{ident, path};
use crate::model::{Body, Model, Others, Shape, Type, TypeId};

/// Returns the impl of `Validate`. It decodes and encodes through the type `plain`, and checks only that serde can write
/// the replaced parts.
pub(crate) fn validate(model: &Model, type_: &Type, plain: TypeId) -> TokenStream {
    let (name, plain) = (ident(&type_.name), path(&model.types[plain], type_.module.as_deref()));
    let body: TokenStream = match &type_.body {
        Body::Struct { fields, others } => {
            let fields = fields.iter().filter(|field| field.constant.is_none()).map(|field| {
                let (name, wire) = (ident(&field.name), &field.wire);
                if let Some(inner) = field.nullable() {
                    let checks = checks(model, &inner.shape);
                    return (!checks.is_empty()).then(|| {
                        quote! {
                            if let __twyla::Nullable::Value(value) = &self.#name { let at = &at.key(#wire); #checks }
                        }
                    });
                }
                let checks = checks(model, &field.held.shape);
                let checked = match (checks.is_empty(), field.may_be_absent()) {
                    (true, _) => TokenStream::new(),
                    (false, true) => quote! {
                        if let ::std::option::Option::Some(value) = &self.#name { let at = &at.key(#wire); #checks }
                    },
                    (false, false) => quote!({ let (value, at) = (&self.#name, &at.key(#wire)); #checks }),
                };
                Some(checked)
            });
            let fields: TokenStream = fields.flatten().collect();
            let others = if let Others::Kept { name, held, .. } = others {
                let (name, checks) = (ident(name), checks(model, &held.shape));
                (!checks.is_empty()).then(|| quote!(for (key, value) in &self.#name { let at = &at.key(key); #checks }))
            } else {
                None
            };
            quote!(#fields #others)
        }
        Body::Map(held) => {
            let checks = checks(model, &held.shape);
            quote!(let value = &self.0; #checks)
        }
        Body::Union { variants, .. } => {
            let arms = variants.iter().filter_map(|variant| {
                let (name, checks) = (ident(&variant.name), checks(model, &variant.held.as_ref()?.shape));
                (!checks.is_empty()).then(|| quote!(Self::#name(value) => { #checks }))
            });
            let arms: Vec<TokenStream> = arms.collect();
            let rest = (arms.len() < variants.len()).then(|| quote!(_ => {}));
            quote!(match self { #(#arms)* #rest })
        }
        Body::Enum { .. } => TokenStream::new(),
    };
    quote! {
        impl __twyla::Validate for #name {
            const SENSITIVE: &'static [&'static str] = <#plain as __twyla::Validate>::SENSITIVE;
            fn validate(&self, at: &__twyla::Path<'_>, out: &mut __twyla::Violations) {
                #body
            }
            fn decode_content(
                text: &[u8],
                large_numbers: __twyla::LargeNumbers,
            ) -> ::std::result::Result<Self, __twyla::Refusal> {
                __twyla::decode_through::<#plain, Self>(text, large_numbers)
            }
            fn encode_content(&self, out: &mut ::std::vec::Vec<u8>) -> ::std::result::Result<(), __twyla::Refusal> {
                __twyla::encode_through::<#plain, Self>(self, out)
            }
        }
    }
}

/// Returns the checks of `value`, a reference, at `at`.
fn checks(model: &Model, shape: &Shape) -> TokenStream {
    let (inner, around): (_, fn(TokenStream) -> TokenStream) = match shape {
        Shape::Named(id) if model.types[*id].plain.is_some() => {
            return quote!(__twyla::Validate::validate(value, at, out););
        }
        shape if shape.is_replaced() => return quote!(__twyla::serializable(value, at, out);),
        Shape::Array(item) => (
            item,
            |checks| quote!(for (index, value) in value.iter().enumerate() { let at = &at.index(index); #checks }),
        ),
        Shape::Map(item) => (item, |checks| quote!(for (key, value) in value { let at = &at.key(key); #checks })),
        Shape::Nullable(inner) => {
            (inner, |checks| quote!(if let ::std::option::Option::Some(value) = value { #checks }))
        }
        _ => return TokenStream::new(),
    };
    let checks = checks(model, &inner.shape);
    if checks.is_empty() { checks } else { around(checks) }
}
