//! Generates the type of each RPC, and aliases for bodies whose type belongs to another schema.

use proc_macro2::TokenStream;
use quote::quote;

use crate::codegen::compiled::Compiled;
use crate::codegen::type_names::{self, ident};
use crate::codegen::types::{self, docs_of};
use crate::compare::ContractKind;
use crate::markdown::text;
use crate::model::{MessageType, Method, Model, Type};

/// Returns the type of an RPC, in the module of its service.
pub(crate) fn method(model: &Model, method: &Method, compiled: &Compiled) -> TokenStream {
    let module = Some(method.module.as_str());
    let type_ = |carried: &MessageType| type_names::path(&model.types[carried.type_], module);
    let aliases = method.carries().filter_map(|(way, carried)| {
        let (alias, ty) = (ident(carried.alias.as_deref()?), type_(carried));
        let docs = docs_of([format!("The {} of `{}`.", way.name(), method.name), types::schema(&carried.place)]);
        Some(quote!(#docs pub type #alias = #ty;))
    });
    let aliases: TokenStream = aliases.collect();
    let error = method.error.as_ref().map(|error| format!(", or with the error [`{}`]", name(model, error)));
    let signature = format!(
        "The RPC `{}`: takes a [`{}`], answers with a [`{}`]{}.",
        method.name,
        name(model, &method.request),
        name(model, &method.response),
        error.unwrap_or_default(),
    );
    let docs = docs_of([text(&method.docs), signature]);
    let rust = ident(&method.type_);
    let (whole, service, of_it) = (method.name.as_str(), method.name.service(), method.name.method());
    let key: TokenStream = format!("{:#018x}", method.name.key()).parse().unwrap_or_default();
    let context = type_names::path(&model.types[model.context], module);
    let idempotent = method.idempotent;
    let carries = method.carries().map(|(way, carried)| {
        let (begins, form) = compiled.record(way.into(), whole);
        let (way, ty, schema) = (ident(way.name()), type_(carried), schema(carried));
        quote!(#way #ty = #schema carried #begins #form)
    });
    let digest = |kind| compiled.digest(kind, whole);
    let done = |verb| {
        let (request, response) = (digest(ContractKind::Request), digest(ContractKind::Response));
        let (error, context) = (digest(ContractKind::Error), compiled.digest(ContractKind::Context, "context"));
        Compiled::action(&[verb, whole, request, response, error, context])
    };
    let (calls, serves) = (done("calls"), done("serves"));
    quote! {
        #aliases
        #docs
        #[derive(Clone, Copy, Debug)]
        pub enum #rust {}
        __twyla::rpc_contract!(#rust, #whole, #service, #of_it, #key, idempotent #idempotent, #context, #calls, #serves, #(#carries),*);
    }
}

/// Returns the impl of `Error` for the type of an RPC's error.
pub(crate) fn error(type_: &Type) -> TokenStream {
    let name = ident(&type_.name);
    quote!(__twyla::rpc_error!(#name);)
}

/// Returns the service of a module of RPCs.
pub(crate) fn service<'a>(model: &'a Model, module: &'a str) -> &'a str {
    let found = model.rpcs.iter().find(|method| method.module == module);
    found.map_or(module, |method| method.name.service())
}

/// Returns the name of a type in the RPC's module.
fn name<'a>(model: &'a Model, carried: &'a MessageType) -> &'a str {
    carried.alias.as_deref().unwrap_or(&model.types[carried.type_].name)
}

fn schema(carried: &MessageType) -> String {
    format!("{}:{}", carried.place.file, carried.place.line)
}
