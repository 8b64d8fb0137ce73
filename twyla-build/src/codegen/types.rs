//! Generates the structs, the enums of words and the unions, with the contracts' docs.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens as _, quote};
use twyla_contract::Location;

use crate::codegen::type_names::{TypeWriter, ident};
use crate::codegen::union;
use crate::markdown::{code, plain, text};
use crate::model::{Body, Field, Model, Others, Shape, Traits, Type, ValueType, checked};

/// The maximum number of fields in a struct that derives `PartialEq`, `Ord`, `Hash` and `Debug`. Beyond it, one macro implements
/// them: each derive costs the compiler about as much for a field as writing the field does.
const MOST_DERIVED: usize = 7;

/// Returns the definition of a type, with its derives, `Eq` and `PartialOrd`.
pub(crate) fn definition(model: &Model, type_: &Type) -> TokenStream {
    let (own, comparison) = (body(model, type_), comparison(type_));
    quote!(#own #comparison)
}

fn body(model: &Model, type_: &Type) -> TokenStream {
    let (docs, name) = (type_docs(type_), ident(&type_.name));
    let writer = TypeWriter { model, module: type_.module.as_deref() };
    match &type_.body {
        Body::Struct { fields, others } => {
            let shown = struct_shown(type_, fields, others);
            let stored = fields.iter().filter(|field| field.constant.is_none());
            let fields = stored.map(|field| {
                let is_null = field.required && matches!(field.held.shape, Shape::Nullable(_));
                let null = is_null.then(|| "`None` is `null`.".to_owned());
                let paragraphs = [text(&field.docs.said)].into_iter().chain(field.docs.notes.clone());
                let docs = docs_of(paragraphs.chain(null).chain([schema(&field.place)]));
                let (name, ty, attributes) =
                    (ident(&field.name), writer.field(field), member_attributes(type_, &field.name));
                quote!(#docs #attributes pub #name: #ty)
            });
            let others = writer.others(others).map(|(name, ty)| {
                let attributes = member_attributes(type_, &name.to_string());
                quote! {
                    /// The members that no other field is for.
                    #attributes
                    pub #name: #ty
                }
            });
            let fields = fields.chain(others);
            let derives = derives(type_, shown.is_none());
            quote!(#docs #derives pub struct #name { #(#fields,)* } #shown)
        }
        Body::Map(held) => {
            let ty = writer.shape(held);
            let shown = shown(type_.is_hidden(), type_, &quote!(f.debug_tuple(NAME).field(&__twyla::Hidden)));
            let derives = derives(type_, shown.is_none());
            quote! {
                #docs
                #derives
                pub struct #name(
                    /// The members.
                    pub #ty
                );
                #shown
            }
        }
        Body::Enum { words, variants } => {
            let variants = variants.iter().zip(words).map(|(variant, word)| {
                let said = type_.word_docs.get(word).map(|said| text(said)).unwrap_or_default();
                let (docs, attributes) = (docs_of([said, code(word)]), member_attributes(type_, variant));
                let variant = ident(variant);
                quote!(#docs #attributes #variant)
            });
            let derives = derives(type_, true);
            quote!(#docs #derives pub enum #name { #(#variants,)* })
        }
        Body::Union { by, variants } => {
            let (froms, list) = (union::froms(&writer, type_), union::list(&writer, type_));
            let variants = variants.iter().map(|variant| {
                let docs = docs_of(union::variant_docs(by, variant));
                let attributes = member_attributes(type_, &variant.name);
                let name = ident(&variant.name);
                let ty = variant.held.as_ref().map(|held| writer.boxed(held, variant.boxed));
                let held = ty.map(|ty| quote!((#ty)));
                quote!(#docs #attributes #name #held)
            });
            let shown = shown(type_.is_hidden(), type_, &quote!(f.debug_tuple(NAME).field(&__twyla::Hidden)));
            let derives = derives(type_, shown.is_none());
            quote!(#docs #derives pub enum #name { #(#variants,)* } #froms #list #shown)
        }
    }
}

/// Returns whether the `Debug` of a struct hides sensitive values.
fn hides(type_: &Type) -> bool {
    let Body::Struct { fields, others } = &type_.body else { return false };
    struct_shown(type_, fields, others).is_some()
}

/// Returns an impl of `Debug` that hides sensitive values; `None` if the type has none.
fn struct_shown(type_: &Type, fields: &[Field], others: &Others) -> Option<TokenStream> {
    let all = type_.is_hidden();
    let stored = fields.iter().filter(|field| field.constant.is_none());
    let hidden: Vec<_> = stored.map(|field| (&field.name, all || field.hidden)).collect();
    let others = if let Others::Kept { name, hidden, .. } = others { Some((name, all || *hidden)) } else { None };
    let hidden: Vec<_> = hidden.into_iter().chain(others).collect();
    let fields = hidden.iter().map(|(name, hidden)| {
        let field = ident(name);
        if *hidden { quote!(.field(#name, &__twyla::Hidden)) } else { quote!(.field(#name, &self.#field)) }
    });
    shown(hidden.iter().any(|(_, hidden)| *hidden), type_, &quote!(f.debug_struct(NAME) #(#fields)*))
}

fn shown(hides: bool, type_: &Type, written: &TokenStream) -> Option<TokenStream> {
    let (rust, name) = (ident(&type_.name), &type_.name);
    hides.then(|| {
        quote! {
            impl ::std::fmt::Debug for #rust {
                fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                    const NAME: &str = #name;
                    #written.finish()
                }
            }
        }
    })
}

/// Returns the derives of a type, and the attributes that the build script adds. `debug` is false if an impl hides sensitive values.
fn derives(type_: &Type, debug: bool) -> TokenStream {
    let has = |one| type_.traits.has(one);
    let derives = [
        ("Clone", true),
        ("Copy", has(Traits::COPY)),
        ("Debug", debug && !is_compared(type_)),
        ("Default", has(Traits::DEFAULT)),
        ("PartialEq", !is_compared(type_)),
        ("Ord", has(Traits::ORD) && !is_compared(type_)),
        ("Hash", has(Traits::HASH) && !is_compared(type_)),
    ];
    let own = derives.into_iter().filter(|(_, holds)| *holds).map(|(name, _)| ident(name).into_token_stream());
    let derives = own.chain(type_.custom.derives.iter().map(|path| checked(path)));
    // the attribute of a derive must follow the derive
    let attributes = type_.custom.attributes.iter().map(|text| checked(text));
    quote!(#[derive(#(#derives),*)] #(#attributes)*)
}

/// Returns impls of `Eq`, and of `PartialOrd` for a type with `Ord`: they compile faster than derives. A type without `Ord`
/// has no `PartialOrd`, which would seldom be of use.
fn comparison(type_: &Type) -> Option<TokenStream> {
    let name = ident(&type_.name);
    if is_compared(type_) {
        let names: Vec<Ident> = stored(type_).into_iter().map(ident).collect();
        let (count, debug) = (Literal::usize_unsuffixed(names.len()), (!hides(type_)).then(|| quote!(debug)));
        Some(quote!(__twyla::compared!(#debug #name #count { #(#names),* });))
    } else if type_.traits.has(Traits::ORD) {
        Some(quote!(__twyla::ordered!(#name);))
    } else {
        type_.traits.has(Traits::EQ).then(|| quote!(impl ::std::cmp::Eq for #name {}))
    }
}

/// Returns whether a macro implements the comparison, the hash and the debug output of a struct.
fn is_compared(type_: &Type) -> bool {
    let has_all = type_.traits.has(Traits::ORD) && type_.traits.has(Traits::HASH);
    has_all && stored(type_).len() > MOST_DERIVED
}

/// Returns the names of the fields of a struct; none for other types.
fn stored(type_: &Type) -> Vec<&str> {
    let Body::Struct { fields, others } = &type_.body else { return Vec::new() };
    let declared = fields.iter().filter(|field| field.constant.is_none()).map(|field| field.name.as_str());
    let others = if let Others::Kept { name, .. } = others { Some(name.as_str()) } else { None };
    declared.chain(others).collect()
}

/// Returns the attributes that the build script adds to a field or variant.
fn member_attributes(type_: &Type, name: &str) -> TokenStream {
    type_.custom.members.get(name).into_iter().flatten().map(|text| checked(text)).collect()
}

fn type_docs(type_: &Type) -> Docs {
    let within: Vec<&ValueType> = match &type_.body {
        Body::Map(_) | Body::Union { .. } => type_.body.holds(),
        Body::Struct { .. } | Body::Enum { .. } => Vec::new(),
    };
    let within = within.into_iter().flat_map(|held| &held.trees);
    let trees = type_.trees.iter().chain(within).flat_map(|tree| &tree.reasons).map(|reason| {
        let place = format!("{}:{}", reason.place.file, reason.place.line);
        format!("Also checked when read and written: {} ({}).", reason.why, plain(&place))
    });
    let constants = match &type_.body {
        Body::Struct { fields, .. } => fields.as_slice(),
        _ => &[],
    };
    let constants = constants.iter().filter_map(|field| {
        let word = serde_json::Value::from(field.constant.as_deref()?).to_string();
        Some([format!("Its {} is {}.", code(&field.wire), crate::model::shown(&word)), text(&field.docs.said)])
    });
    let paragraphs = std::iter::once(text(&type_.docs)).chain(constants.flatten()).chain([schema(&type_.place)]);
    docs_of(paragraphs.chain(trees))
}

/// Returns the place of a schema as Markdown.
pub(crate) fn schema(place: &Location) -> String {
    plain(&format!("Schema: {}:{}", place.file, place.line))
}

pub(crate) struct Docs(Vec<String>);

impl quote::ToTokens for Docs {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let lines = &self.0;
        tokens.extend(quote!(#(#[doc = #lines])*));
    }
}

/// Returns docs of these paragraphs. They are Markdown: untrusted text must be escaped by [`crate::markdown`].
pub(crate) fn docs_of(paragraphs: impl IntoIterator<Item = String>) -> Docs {
    let paragraphs: Vec<String> = paragraphs.into_iter().filter(|it| !it.is_empty()).collect();
    Docs(paragraphs.join("\n\n").split('\n').map(|line| format!(" {line}")).collect())
}
