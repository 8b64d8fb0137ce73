//! Checks the attribute and the item: returns a handler, or all mistakes.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{GenericArgument, Ident, ItemFn, LitStr, PathArguments, ReturnType, Type};
use twyla_contract::{Rpc, RpcName, similar};

use super::args::Args;
use super::model::{Handler, NamedRpc};
use crate::catalogue::rpc::RPC;
use crate::catalogue::{self, Problems, rpc as text};
use crate::contracts::ContractsResult;
use crate::function::{self, Rejected};

pub(super) fn check(
    args: Args,
    item: TokenStream,
    contracts: impl FnOnce() -> ContractsResult,
) -> Result<(ItemFn, Handler), Rejected> {
    let Args { name: written, policy, runtime, mut problems } = args;
    let function = match function::parse(&item, &RPC) {
        Ok(function) => function,
        Err(error) => {
            problems.add(error);
            return Err(Rejected { problems, runtime, item, stands_for: None });
        }
    };
    let name = function.sig.ident.clone();
    function::qualifiers(&function.sig, &RPC, &mut problems);
    let inputs = function::inputs(&function.sig.inputs, &name, &RPC, &mut problems);
    let output = match &function.sig.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some((**ty).clone()),
    };
    let argument = inputs.first().map(catalogue::display);
    let later = inputs.get(1..).unwrap_or_default();
    let rpc = match &written {
        Some(written) => {
            let shape = Shape { handler: &name, argument: argument.as_deref(), later, output: output.as_ref() };
            // a method whose only argument is `self` has no first argument here
            named(written, contracts, &shape, &mut problems)
        }
        // an attribute that can't be parsed is already reported
        None if problems.is_empty() => {
            problems.add(text::no_name().at(Span::call_site()));
            None
        }
        None => None,
    };
    let mut inputs = inputs.into_iter();
    match (rpc, inputs.next(), output, problems.is_empty()) {
        (Some(rpc), Some(request), Some(output), true) => {
            let vis = function.vis.clone();
            let arguments = inputs.collect();
            let handler = Handler { runtime, vis, name, rpc, request, arguments, output, policy };
            Ok((function, handler))
        }
        // within an `impl`, no type can be declared
        _ if function.sig.receiver().is_some() => Err(Rejected { problems, runtime, item, stands_for: None }),
        _ => {
            let item = without_open_body(item, &function);
            Err(Rejected { problems, runtime, item, stands_for: Some((function.vis, name)) })
        }
    }
}

/// Returns the item, but without its body if it has no return type: each value that the body returns would be an error.
pub(super) fn without_open_body(item: TokenStream, function: &ItemFn) -> TokenStream {
    let ItemFn { attrs, vis, sig, .. } = function;
    if matches!(sig.output, ReturnType::Type(..)) {
        return item;
    }
    quote!(#(#attrs)* #[allow(unused_variables)] #vis #sig { ::core::unreachable!() })
}

/// The parts of the function that are checked against the RPC.
struct Shape<'a> {
    handler: &'a Ident,
    /// The type of the first argument, as it is written.
    argument: Option<&'a str>,
    /// The types of the other arguments.
    later: &'a [Type],
    /// The return type, if there is one.
    output: Option<&'a Type>,
}

/// Returns the RPC that the attribute names.
fn named(
    written: &LitStr,
    contracts: impl FnOnce() -> ContractsResult,
    shape: &Shape<'_>,
    problems: &mut Problems,
) -> Option<NamedRpc> {
    let value = written.value();
    let name = RpcName::parse(&value).map_err(|error| text::bad_name(&value, &error).at(written.span()));
    let name = problems.ok(name)?;
    let contracts = problems.contracts(contracts(), written.span())?;
    let Some(rpc) = contracts.rpc(&value) else {
        let names = contracts.rpcs.iter().map(|rpc| rpc.name.as_str());
        let meant = similar::nearest(&value, names).and_then(|meant| contracts.rpc(meant));
        problems.add(text::unknown(&value, &contracts, meant).at(written.span()));
        return None;
    };
    let handler = shape.handler.to_string();
    if shape.argument.is_none() {
        problems.add(text::no_arguments(&handler, rpc).at(shape.handler.span()));
    }
    let request = rpc.request.rust_name();
    if shape.argument.is_some_and(|first| text::last(first) != request)
        && let Some(late) = shape.later.iter().find(|ty| text::last(&catalogue::display(ty)) == request)
    {
        problems.add(text::late_request(&handler, rpc).over(late));
    }
    if shape.output.is_none() {
        problems.add(text::no_output(&handler, rpc).at(shape.handler.span()));
    }
    Some(NamedRpc {
        name,
        rust_name: rpc.rust_name().to_owned(),
        other_request: text::other_request(&handler, rpc, &contracts, shape.argument.unwrap_or_default()),
        other_answer: text::other_answer(&handler, rpc, shape.output.and_then(|output| error(output, rpc)).as_deref()),
    })
}

/// Returns the error type of a `Result` whose first type looks like the RPC's response: the error type may be the mistake.
fn error(output: &Type, rpc: &Rpc) -> Option<String> {
    let Type::Path(path) = output else { return None };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else { return None };
    let [GenericArgument::Type(response), GenericArgument::Type(error)] = arguments.args.iter().collect::<Vec<_>>()[..]
    else {
        return None;
    };
    (text::last(&catalogue::display(response)) == rpc.response.rust_name()).then(|| catalogue::display(error))
}
