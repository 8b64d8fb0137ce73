//! Finds out whether the crate certainly lacks an item that an expansion refers to: the runtime under the expected
//! name, or `crate::contracts`. The error is at the user's token. The expansion continues as far as possible, so that
//! the compiler reports no further errors.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use proc_macro2::Span;
use syn::Path;
use syn::ext::IdentExt;

use crate::catalogue::{Text, absent as text};
use crate::invocation::Invocation;
use crate::runtime::{Place, Runtime};
use crate::source::Source;

/// The crate that expansions name, unless the user names another one.
const RUNTIME: &str = "twyla_runtime";

/// The libraries that have the items that generated code uses.
const LIBRARIES: [&str; 2] = [RUNTIME, "twyla_codec"];

/// The runtime under another name than the expected one.
pub(crate) struct Renamed {
    pub(crate) text: Text,
    /// The runtime's actual path, if it can be found.
    pub(crate) path: Option<String>,
}

/// Finds the path of one of the libraries: from the path of the macro in the user's file (`called` is the macro's name), or
/// from the dependencies.
fn find(libraries: &[&str], called: &str, at: Span) -> Place {
    let invocation = Invocation::current();
    let source = source_of(at);
    let is_dependency = |path: &&str| {
        let first = path.split("::").next();
        invocation.dependencies().any(|name| Some(name) == first)
    };
    let path = |path: Option<&str>| path.filter(is_dependency).map(str::to_owned);
    let own = path(source.as_ref().and_then(|it| it.called(called)));
    let library = libraries.iter().find_map(|library| invocation.name_of(library)).map(str::to_owned);
    match (own, library) {
        (Some(own), Some(library)) if own == library => Place::Dependency(library),
        (Some(own), _) => Place::Macros(own),
        (None, Some(library)) => Place::Dependency(library),
        (None, None) => path(source.as_ref().and_then(|it| it.imported(called))).map_or(Place::Unknown, Place::Macros),
    }
}

/// Returns the error, and the runtime's actual path, for an attribute without `crate =`. `None` unless the crate
/// certainly lacks `twyla_runtime`.
pub(crate) fn runtime(attribute: &str, at: Span) -> Option<Renamed> {
    if !lacks_crate(RUNTIME) {
        return None;
    }
    let place = find(&[RUNTIME], attribute, at);
    Some(Renamed { text: text::runtime(attribute, &place), path: place.path() })
}

/// Returns the error, and the runtime's actual path, for generated code that expects it at `path`. `None` unless the
/// crate certainly lacks it.
pub(crate) fn generated(path: &str, at: Span) -> Option<Renamed> {
    let name = path.split("::").next().unwrap_or_default();
    if name == "crate" || !lacks_crate(name) {
        return None;
    }
    let place = find(&LIBRARIES, "include_contracts", at);
    Some(Renamed { text: text::generated(name, &place), path: place.path() })
}

/// The result of the search for an attribute's contracts.
pub(crate) enum Resolution {
    /// The path may lead to contracts: the compiler decides.
    Maybe,
    Absent(Text),
    /// Another attribute reports that the crate has no contracts.
    Reported,
}

/// Looks for the contracts of an attribute: at its own path, or in `crate::contracts`. Reports as absent
/// only what the root of the crate certainly lacks; the compiler decides about everything else.
pub(crate) fn contracts(path: Option<&Path>, runtime: &Runtime) -> Resolution {
    static REPORTED: AtomicBool = AtomicBool::new(false);
    let invocation = Invocation::current();
    let Some((file, root)) = invocation.root().and_then(|file| Some((file, Source::read(file)?))) else {
        return Resolution::Maybe;
    };
    let Some(path) = path else {
        if !root.lacks("contracts") {
            return Resolution::Maybe;
        }
        // a crate without contracts is one mistake, so only one attribute reports it
        if REPORTED.swap(true, Ordering::Relaxed) {
            return Resolution::Reported;
        }
        let meant = invocation.dependencies().find(|name| name.contains("contracts"));
        return Resolution::Absent(text::contracts(
            &file.display().to_string(),
            meant,
            &runtime.text("include_contracts"),
        ));
    };
    let mut names = path.segments.iter().map(|it| it.ident.unraw().to_string());
    match (names.next().as_deref(), names.next()) {
        (Some("crate"), Some(name)) if root.lacks(&name) => Resolution::Absent(text::no_item(&name)),
        _ => Resolution::Maybe,
    }
}

/// Returns whether this crate certainly has neither a dependency nor an `extern crate` of a name.
fn lacks_crate(name: &str) -> bool {
    let invocation = Invocation::current();
    let declares_none = || invocation.root().and_then(Source::read).is_some_and(|root| root.lacks_crate(name));
    invocation.lacks(name) && declares_none()
}

/// Returns the source file of a span.
fn source_of(at: Span) -> Option<Arc<Source>> {
    // unit tests run outside the compiler
    let file: PathBuf = if proc_macro::is_available() { at.unwrap().local_file()? } else { return None };
    Source::read(&file)
}
