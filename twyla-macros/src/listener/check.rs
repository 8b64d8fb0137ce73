//! Checks the attribute and the item: returns a listener, or all mistakes.

use proc_macro2::TokenStream;
use syn::{GenericArgument, Ident, ItemFn, LitStr, PathArguments, ReturnType, Type};
use twyla_contract::{EventName, Group, similar};

use super::args::Args;
use super::model::{BatchArgument, Listener, NamedEvent};
use crate::catalogue::listener::LISTENER;
use crate::catalogue::{self, Problems, listener as text};
use crate::contracts::ContractsResult;
use crate::function::{self, Rejected};

pub(super) fn check(
    args: Args,
    item: TokenStream,
    contracts: impl FnOnce() -> ContractsResult,
    package: Option<&str>,
) -> Result<(ItemFn, Listener), Rejected> {
    let Args { event, group, policy, runtime, mut problems } = args;
    let function = match function::parse(&item, &LISTENER) {
        Ok(function) => function,
        Err(error) => {
            problems.add(error);
            return Err(Rejected { problems, runtime, item, stands_for: None });
        }
    };
    let name = function.sig.ident.clone();
    let group = group_of(group.as_ref(), package, &name, &mut problems);
    function::qualifiers(&function.sig, &LISTENER, &mut problems);
    policy.check(&mut problems);
    let mut inputs = function::inputs(&function.sig.inputs, &name, &LISTENER, &mut problems);
    let batch = inputs.first_mut().and_then(|first| batch(first, policy.is_batch, &name, &mut problems));
    let written = inputs.first().map(catalogue::display).unwrap_or_default();
    let event = event.map(|event| named(&event, contracts, &name, &written, inputs.is_empty(), &mut problems));
    if function.sig.inputs.is_empty() && !matches!(event, Some(None)) {
        // if the attribute names an event, `named` has reported the missing argument
        if event.is_none() {
            problems.add(text::no_arguments(&name.to_string(), None, "contracts").at(name.span()));
        }
    }
    let output = match &function.sig.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some((**ty).clone()),
    };
    let mut inputs = inputs.into_iter();
    match (group, inputs.next(), problems.is_empty()) {
        (Some(group), Some(content), true) => {
            let vis = function.vis.clone();
            let event = event.flatten();
            let arguments = inputs.collect();
            let listener = Listener { runtime, vis, name, event, group, content, batch, arguments, output, policy };
            Ok((function, listener))
        }
        // within an `impl`, no type can be declared
        _ if function.sig.receiver().is_some() => Err(Rejected { problems, runtime, item, stands_for: None }),
        _ => Err(Rejected { problems, runtime, item, stands_for: Some((function.vis, name)) }),
    }
}

/// Takes the event's type out of the first argument of a batch listener. Reports a batch without the setting, and the reverse.
fn batch(first: &mut Type, is_batch: bool, name: &Ident, problems: &mut Problems) -> Option<BatchArgument> {
    let name = name.to_string();
    let Some((collection, content)) = collection(first) else {
        // a reference has its own error
        if is_batch && !matches!(first, Type::Reference(_)) {
            problems.add(text::not_a_batch(&name, &catalogue::display(&first)).over(&first));
        }
        return None;
    };
    if !is_batch {
        problems.add(text::batch_without_setting(&name, &catalogue::display(&content)).over(&first));
    }
    let whole = std::mem::replace(first, content);
    Some(if collection == "Vec" { BatchArgument::Contents } else { BatchArgument::Events(Box::new(whole)) })
}

/// Returns the name and the argument of a type `Vec<T>` or `Batch<T>`.
fn collection(ty: &Type) -> Option<(Ident, Type)> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Vec" || last.ident == "Batch")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let mut arguments = arguments.args.iter();
    match (arguments.next(), arguments.next()) {
        (Some(GenericArgument::Type(content)), None) => Some((last.ident.clone(), content.clone())),
        _ => None,
    }
}

fn group_of(written: Option<&LitStr>, package: Option<&str>, name: &Ident, problems: &mut Problems) -> Option<Group> {
    let group = match (written, package) {
        (Some(written), _) => {
            Group::parse(&written.value()).map_err(|error| text::bad_group(&error).at(written.span()))
        }
        (None, Some(package)) => Group::parse(package).map_err(|error| text::bad_default_group(&error).at(name.span())),
        (None, None) => Err(text::no_default_group().at(name.span())),
    };
    problems.ok(group)
}

/// Returns the event that the attribute names, or `None` if the name can't be used.
fn named(
    written: &LitStr,
    contracts: impl FnOnce() -> ContractsResult,
    handler: &Ident,
    argument: &str,
    takes_nothing: bool,
    problems: &mut Problems,
) -> Option<NamedEvent> {
    let value = written.value();
    let name = EventName::parse(&value).map_err(|error| catalogue::bad_event_name(&error).at(written.span()));
    let name = problems.ok(name)?;
    let contracts = problems.contracts(contracts(), written.span())?;
    let find = || {
        let event = contracts.event(&value).ok_or_else(|| {
            let names = contracts.events.iter().map(|event| event.name.as_str());
            let meant = similar::nearest(&value, names).and_then(|meant| contracts.event(meant));
            catalogue::unknown_event(&value, &contracts, meant).at(written.span())
        })?;
        if takes_nothing {
            return Err(text::no_arguments(&handler.to_string(), Some(event), "contracts").at(handler.span()));
        }
        let mismatch = text::other_event(&handler.to_string(), event, &contracts, argument);
        Ok(NamedEvent { name, rust_name: event.rust_name().to_owned(), mismatch })
    };
    let found = find();
    problems.ok(found)
}
