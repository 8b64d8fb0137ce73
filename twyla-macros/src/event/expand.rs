//! Expands a bound struct.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{GenericParam, Generics, ItemStruct, Type, TypeParam};

use super::check::Rejected;
use super::model::{Absence, BoundEvent, Check, Direction, Event, Field};
use crate::catalogue::Text;
use crate::expansion::Expansion;
use crate::runtime::Runtime;

/// ```text
/// struct Greeting { .. }                          // the struct as it was
/// const _: () = {
///     const EMISSION_FITS: bool = ..;              // asked of the compiler: does the field's type fit its property?
///     trait EmissionOfUserInput { .. }             // carries the error for a type that doesn't
///     trait ReadEmissionOfUserInput { .. }         // and for one that can't be read, where the struct is listened to
///     struct GreetingRead { .. }                   // the fields as serde reads and writes them
///     struct GreetingWritten<'a> { .. }
///     impl Event for Greeting { .. }
///     impl Listen for Greeting where for<'a> String: ReadEmissionOfUserInput { .. }
///     impl Emit for Greeting where for<'a> String: WriteEmissionOfUserInput { .. }
/// };
/// ```
pub(super) fn expand(item: &ItemStruct, event: &Event) -> Expansion {
    let Event { name, contract, direction, fields, lacks, declared, neither } = event;
    let runtime = &contract.runtime;
    // a struct that can't be emitted can be listened to, and the other way round
    let only = direction.or(lacks.as_ref().map(|_| Direction::Listen));
    let reads = only != Some(Direction::Emit);
    let writes = only != Some(Direction::Listen);
    let questions: TokenStream = fields.iter().map(|field| questions(field, contract, reads, writes)).collect();
    let needs = |read| fields.iter().flat_map(|field| needs(field, contract, read)).collect::<Vec<_>>();
    let (read, written) = (needs(true), needs(false));
    let here = match only {
        Some(Direction::Listen) => assertions(&read),
        Some(Direction::Emit) => assertions(&written),
        None => either_way(name, fields, neither),
    };
    let identity = identity(name, contract);
    let listen = if reads {
        let bounds = if only.is_none() { where_clause(&read) } else { TokenStream::new() };
        listen(name, contract, fields, &bounds)
    } else {
        refused_use(name, contract, declared.as_ref(), true)
    };
    let emit = if writes {
        let bounds = if only.is_none() { where_clause(&written) } else { TokenStream::new() };
        emit(name, contract, fields, &bounds)
    } else {
        refused_use(name, contract, declared.as_ref().or(lacks.as_ref()), false)
    };
    let body = quote! {
        use #runtime::__private as __twyla;
        #[allow(unused_imports)]
        use __twyla::Otherwise as _;

        #questions
        #here
        #identity
        #listen
        #emit
    };
    Expansion { item: item.to_token_stream(), body, ..Expansion::default() }
}

/// Returns the name of the constant with the compiler's answer: `EMISSION_FITS`.
fn answer(field: &Field, what: &str) -> Ident {
    format_ident!("{}_{what}", field.name.unraw().to_string().to_uppercase())
}

/// Returns the name of the generated trait that carries an error's text: `ReadEmissionOfUserInput`.
fn words_name(prefix: &str, check: &Check, contract: &BoundEvent) -> Ident {
    format_ident!("{prefix}{}Of{}", check.word, contract.rust_name)
}

/// Returns the checks of one field that the compiler evaluates, with the error for each check that fails.
fn questions(field: &Field, contract: &BoundEvent, reads: bool, writes: bool) -> TokenStream {
    let (ty, fits) = (&field.ty, answer(field, "FITS"));
    let Some(check) = &field.check else {
        return quote!(const #fits: bool = true;);
    };
    let kind = &check.kind;
    let there = quote!(__twyla::kind::#kind);
    let or_absent = quote!(__twyla::kind::Optional<#there>);
    let written = if check.absent_when_written { &or_absent } else { &there };
    let ask = |kind: &TokenStream, direction: TokenStream| quote!(__twyla::DoesFit::<#ty, #kind, #direction>::HOLDS);
    let (either, wrong) = (ask(written, quote!(__twyla::Either)), words_name("", check, contract));
    let either_words = check.wrong.unimplemented();
    let matches = quote_spanned!(ty.span()=> <#ty as #wrong>::MATCHES);
    let mut tokens = quote! {
        const #fits: bool = #either;
        #either_words
        pub trait #wrong {
            const MATCHES: () = ();
        }
        #[diagnostic::do_not_recommend]
        impl<T: __twyla::Fits<#written, __twyla::Either>> #wrong for T {}
        const _: () = #matches;
    };
    if reads {
        let (holds, holds_absence) = (answer(field, "HOLDS_ALL"), answer(field, "HOLDS_NONE"));
        let narrow = ask(&there, quote!(__twyla::Reading));
        tokens.extend(quote!(const #holds: bool = !#fits || #narrow;));
        tokens.extend(words(&words_name("Read", check, contract), &check.narrow, &quote!(#holds)));
        if check.absent_when_read {
            let absent = ask(&or_absent, quote!(__twyla::Reading));
            tokens.extend(quote!(const #holds_absence: bool = !#fits || !#holds || #absent;));
            tokens.extend(words(&words_name("ReadNo", check, contract), &check.absence, &quote!(#holds_absence)));
        }
    }
    if writes {
        let (always, writes) = (answer(field, "IS_WRITTEN"), ask(written, quote!(__twyla::Writing)));
        tokens.extend(quote!(const #always: bool = !#fits || #writes;));
        tokens.extend(words(&words_name("Write", check, contract), &check.unwritable, &quote!(#always)));
    }
    tokens
}

/// Returns a trait that every type implements if the condition holds, and no type otherwise.
fn words(name: &Ident, words: &Text, condition: &TokenStream) -> TokenStream {
    let words = words.unimplemented();
    quote! {
        #words
        pub trait #name {
            const MATCHES: () = ();
        }
        #[diagnostic::do_not_recommend]
        impl<T> #name for T where for<'a> __twyla::Verdict<{ #condition }>: __twyla::Holds {}
    }
}

/// A type and the trait that it needs for a direction: `String`, `ReadEmissionOfUserInput`.
struct Needs<'a> {
    ty: &'a Type,
    words: Ident,
}

/// Returns the bounds that one field needs for a direction.
fn needs<'a>(field: &'a Field, contract: &BoundEvent, read: bool) -> Vec<Needs<'a>> {
    let Some(check) = &field.check else { return Vec::new() };
    let prefixes: &[&str] = match read {
        true if check.absent_when_read => &["Read", "ReadNo"],
        true => &["Read"],
        false => &["Write"],
    };
    prefixes.iter().map(|prefix| Needs { ty: &field.ty, words: words_name(prefix, check, contract) }).collect()
}

/// Returns assertions that report, at the struct's declaration, each field that doesn't fit the declared direction.
fn assertions(needs: &[Needs<'_>]) -> TokenStream {
    let answers = needs.iter().map(|Needs { ty, words }| quote_spanned!(ty.span()=> <#ty as #words>::MATCHES));
    quote!(#(const _: () = #answers;)*)
}

/// Returns the bounds of an impl. They report a field that doesn't fit the direction at each use. Without the lifetime,
/// the compiler would report it at the impl.
fn where_clause(needs: &[Needs<'_>]) -> TokenStream {
    let bounds = needs.iter().map(|Needs { ty, words }| {
        let mut words = words.clone();
        words.set_span(ty.span());
        quote!(for<'a> #ty: #words)
    });
    quote!(where #(#bounds),*)
}

/// Returns an assertion that reports a struct whose fields each fit a direction, but don't all fit the same direction.
fn either_way(name: &Ident, fields: &[Field], neither: &Text) -> TokenStream {
    let checked: Vec<_> = fields.iter().filter(|field| field.check.is_some()).collect();
    if checked.len() < 2 {
        return TokenStream::new();
    }
    let fits = checked.iter().map(|field| answer(field, "FITS"));
    let read = checked.iter().map(|field| {
        let (all, none) = (answer(field, "HOLDS_ALL"), answer(field, "HOLDS_NONE"));
        if field.check.as_ref().is_some_and(|check| check.absent_when_read) {
            quote!(#all && #none)
        } else {
            quote!(#all)
        }
    });
    let written = checked.iter().map(|field| answer(field, "IS_WRITTEN"));
    let condition = quote!(!(#(#fits)&&*) || (#(#read)&&*) || (#(#written)&&*));
    let either = format_ident!("{}EitherWay", name.unraw());
    let words = words(&either, neither, &condition);
    let asked = quote_spanned!(name.span()=> <#name as #either>::MATCHES);
    quote! {
        #words
        const _: () = #asked;
    }
}

fn identity(name: &Ident, contract: &BoundEvent) -> TokenStream {
    let BoundEvent { runtime, content, context, .. } = contract;
    let names = names(contract);
    quote! {
        #[automatically_derived]
        impl #runtime::event::Event for #name {
            #names
            const SCHEMAS: #runtime::record::Schemas = <#content as #runtime::event::Event>::SCHEMAS;
            const EMITS: &'static #runtime::record::ContractRecord = <#content as #runtime::event::Event>::EMITS;
            type Context = #context;
        }
    }
}

/// Returns the names of an event, for the implementation of `Event`.
fn names(contract: &BoundEvent) -> TokenStream {
    let BoundEvent { runtime, event, domain, event_type, key, schema, .. } = contract;
    quote! {
        const NAME: &'static str = #event;
        const DOMAIN: &'static str = #domain;
        const EVENT_TYPE: &'static str = #event_type;
        const SCHEMA: &'static str = #schema;
        type Key = #runtime::event::EventKey<#key>;
    }
}

fn listen(name: &Ident, contract: &BoundEvent, fields: &[Field], bounds: &TokenStream) -> TokenStream {
    let read = format_ident!("{}Read", name.unraw());
    let BoundEvent { content, runtime, .. } = contract;
    let serde = runtime.text("__private::serde");
    let members = fields.iter().map(|Field { name, ty, wire, absence, check, serde, .. }| {
        let default = match absence {
            Absence::Plain => None,
            _ => Some(default_name(name)),
        };
        let default = default.into_iter();
        let entries = serde.iter().filter(|entry| !entry.to_string().starts_with("serialize_with"));
        let ty = read_type(ty, check.is_some(), name);
        quote!(#[serde(rename = #wire #(, default = #default)* #(, #entries)*)] #name: #ty)
    });
    let defaults = fields.iter().filter_map(|Field { name, ty, absence, check, .. }| {
        let value = match absence {
            Absence::Plain => return None,
            Absence::Default(span) => quote_spanned!(*span=> <#ty as ::core::default::Default>::default()),
            Absence::Function(path) => quote!(#path()),
        };
        let function = format_ident!("{}", default_name(name));
        let held_ty = read_type(ty, check.is_some(), name);
        let value = if check.is_some() { quote!(__twyla::ReadField(#value)) } else { value };
        Some(quote!(fn #function() -> #held_ty { #value }))
    });
    let takes =
        fields.iter().map(
            |Field { name, check, .. }| {
                if check.is_some() { quote!(#name: read.#name.0) } else { quote!(#name: read.#name) }
            },
        );
    let unused = fields.is_empty().then(|| quote!(let _ = read;));
    quote! {
        #[derive(__twyla::serde::Deserialize)]
        #[serde(crate = #serde)]
        struct #read { #(#members),* }
        #(#defaults)*

        #[automatically_derived]
        impl #runtime::event::Listen for #name #bounds {
            fn decode(content: &[u8]) -> ::core::result::Result<Self, __twyla::Refusal> {
                let read = __twyla::decode_as::<#content, #read>(content)?;
                #unused
                ::core::result::Result::Ok(Self { #(#takes),* })
            }
        }
    }
}

fn emit(name: &Ident, contract: &BoundEvent, fields: &[Field], bounds: &TokenStream) -> TokenStream {
    let written = format_ident!("{}Written", name.unraw());
    let BoundEvent { content, runtime, .. } = contract;
    let (serde, is_absent) = (runtime.text("__private::serde"), runtime.text("__private::is_absent"));
    let lifetime = (!fields.is_empty()).then(|| quote!(<'a>));
    let members = fields.iter().map(|Field { name, ty, wire, check, serde, optional, .. }| {
        let entries: Vec<_> = serde.iter().filter(|entry| !entry.to_string().starts_with("deserialize_with")).collect();
        let skip = (*optional && entries.is_empty()).then(|| quote!(, skip_serializing_if = #is_absent));
        let ty = if check.is_some() {
            let fits = answer_of(name);
            quote!(__twyla::WrittenField<'a, #ty, { #fits }>)
        } else {
            quote!(&'a #ty)
        };
        quote!(#[serde(rename = #wire #skip #(, #entries)*)] #name: #ty)
    });
    let shows = fields.iter().map(|Field { name, check, .. }| {
        if check.is_some() { quote!(#name: __twyla::WrittenField(&self.#name)) } else { quote!(#name: &self.#name) }
    });
    quote! {
        #[derive(__twyla::serde::Serialize)]
        #[serde(crate = #serde)]
        struct #written #lifetime { #(#members),* }

        #[automatically_derived]
        impl #runtime::event::Emit for #name #bounds {
            fn encode(&self, out: &mut ::std::vec::Vec<u8>) -> ::core::result::Result<(), __twyla::Refusal> {
                __twyla::encode_as::<#content, #written>(&#written { #(#shows),* }, out)
            }
        }
    }
}

fn answer_of(name: &Ident) -> Ident {
    format_ident!("{}_FITS", name.unraw().to_string().to_uppercase())
}

fn default_name(name: &Ident) -> String {
    format!("default_{}", name.unraw())
}

/// Returns the type of a field for reading; the type of a trusted field is unchanged.
fn read_type(ty: &syn::Type, checked: bool, name: &Ident) -> TokenStream {
    let fits = answer_of(name);
    if checked { quote!(__twyla::ReadField<#ty, { #fits }>) } else { quote!(#ty) }
}

/// Returns an implementation of the direction that isn't declared, with the error for its use.
fn refused_use(name: &Ident, contract: &BoundEvent, words_: Option<&Text>, listen: bool) -> TokenStream {
    let Some(text) = words_ else { return TokenStream::new() };
    let words_name = format_ident!("{}{}", if listen { "Read" } else { "Write" }, contract.rust_name);
    let trait_ = words(&words_name, text, &quote!(false));
    let bound = quote_spanned!(name.span()=> where for<'a> __twyla::Nothing: #words_name);
    let (runtime, none) = (&contract.runtime, TokenStream::new());
    let body = use_body(&none, &quote!(#name #bound), runtime, &quote!(#runtime::event), listen);
    quote!(#trait_ #body)
}

fn use_body(
    generics: &TokenStream,
    ty: &TokenStream,
    runtime: &Runtime,
    traits: &TokenStream,
    listen: bool,
) -> TokenStream {
    if listen {
        quote! {
            #[automatically_derived]
            impl #generics #traits::Listen for #ty {
                fn decode(_: &[u8]) -> ::core::result::Result<Self, #runtime::__private::Refusal> {
                    ::core::unreachable!()
                }
            }
        }
    } else {
        quote! {
            #[automatically_derived]
            impl #generics #traits::Emit for #ty {
                fn encode(
                    &self,
                    _: &mut ::std::vec::Vec<u8>,
                ) -> ::core::result::Result<(), #runtime::__private::Refusal> {
                    ::core::unreachable!()
                }
            }
        }
    }
}

/// Returns the generic parameters of a stand-in's impl, and the struct's type with its `where` clause. A generic struct
/// is refused, so the impl covers all of its types. An event owns its data, so each lifetime becomes `'static`.
fn for_all(name: &Ident, generics: &Generics) -> (TokenStream, TokenStream) {
    if generics.params.is_empty() {
        return (TokenStream::new(), name.to_token_stream());
    }
    let parameters = generics.params.iter().filter_map(|parameter| match parameter {
        GenericParam::Lifetime(_) => None,
        GenericParam::Type(TypeParam { ident, bounds, .. }) => {
            Some(quote!(#ident: ::core::marker::Send + 'static + #bounds))
        }
        GenericParam::Const(parameter) => {
            let (name, ty) = (&parameter.ident, &parameter.ty);
            Some(quote!(const #name: #ty))
        }
    });
    let arguments = generics.params.iter().map(|parameter| match parameter {
        GenericParam::Lifetime(_) => quote!('static),
        GenericParam::Type(parameter) => parameter.ident.to_token_stream(),
        GenericParam::Const(parameter) => parameter.ident.to_token_stream(),
    });
    let conditions = &generics.where_clause;
    (quote!(<#(#parameters),*>), quote!(#name<#(#arguments),*> #conditions))
}

/// Returns the item, its errors, and a stand-in of the same name, so that its uses don't add errors.
pub(super) fn refused(refused: &Rejected) -> Expansion {
    let Rejected { problems, item, stands_for } = refused;
    let stand_in = stands_for.as_deref().map(|(name, generics, contract)| {
        stand_in(name, generics, contract, &contract.context.to_token_stream(), &contract.runtime.stand_in())
    });
    Expansion { errors: problems.tokens(), item: item.clone(), body: stand_in.unwrap_or_default() }
}

/// Returns the implementations of a stand-in. `traits`: the path of the traits that it implements.
pub(super) fn stand_in(
    name: &Ident,
    generics: &Generics,
    contract: &BoundEvent,
    context: &TokenStream,
    traits: &TokenStream,
) -> TokenStream {
    let (impl_generics, ty) = for_all(name, generics);
    let (runtime, names) = (&contract.runtime, names(contract));
    let [listen, emit] = [true, false].map(|listen| use_body(&impl_generics, &ty, runtime, traits, listen));
    quote! {
        #[automatically_derived]
        impl #impl_generics #traits::Event for #ty {
            #names
            const SCHEMAS: #runtime::record::Schemas = #runtime::record::Schemas::NONE;
            const EMITS: &'static #runtime::record::ContractRecord = &#runtime::record::ContractRecord::none("");
            type Context = #context;
        }
        #listen
        #emit
    }
}
