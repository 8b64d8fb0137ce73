//! What an expansion refers to and the crate certainly lacks: the runtime under the expected name, or `crate::contracts`. It is
//! reported at the user's token, and the expansion goes on with what there is, so that nothing else is reported.

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

/// The libraries that have what generated code needs.
const LIBRARIES: [&str; 2] = [RUNTIME, "twyla_codec"];

/// The runtime under another name than the expected one.
pub(crate) struct Renamed {
    pub(crate) text: Text,
    /// Its path, if it can be found.
    pub(crate) path: Option<String>,
}

/// Finds the runtime, or another library that has what is needed, for a macro of it that the user calls.
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

/// Returns the runtime's name for an attribute that doesn't name it; `None` if it is as expected.
pub(crate) fn runtime(attribute: &str, at: Span) -> Option<Renamed> {
    if !lacks_crate(RUNTIME) {
        return None;
    }
    let place = find(&[RUNTIME], attribute, at);
    Some(Renamed { text: text::runtime(attribute, &place), path: place.path() })
}

/// Returns the runtime's name for generated code that names it `path`; `None` if it is as expected.
pub(crate) fn generated(path: &str, at: Span) -> Option<Renamed> {
    let name = path.split("::").next().unwrap_or_default();
    if name == "crate" || !lacks_crate(name) {
        return None;
    }
    let place = find(&LIBRARIES, "include_contracts", at);
    Some(Renamed { text: text::generated(name, &place), path: place.path() })
}

/// Whether an attribute finds its contracts.
pub(crate) enum Resolution {
    /// The path may lead to them: the compiler decides.
    Maybe,
    Absent(Text),
    /// Another attribute reports that the crate has none.
    Reported,
}

/// Looks for the contracts of an attribute: at its own path, or in `crate::contracts`. Only the root of the crate is known well
/// enough to say that something is absent.
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
        // that the crate has no contracts is one mistake
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

/// Returns whether `::name` is certainly no crate here.
fn lacks_crate(name: &str) -> bool {
    let invocation = Invocation::current();
    let declares_none = || invocation.root().and_then(Source::read).is_some_and(|root| root.lacks_crate(name));
    invocation.lacks(name) && declares_none()
}

/// Returns the file of some tokens.
fn source_of(at: Span) -> Option<Arc<Source>> {
    // unit tests run outside the compiler
    let file: PathBuf = if proc_macro::is_available() { at.unwrap().local_file()? } else { return None };
    Source::read(&file)
}
