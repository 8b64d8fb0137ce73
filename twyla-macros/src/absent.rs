//! What an expansion refers to and the crate certainly doesn't have: the runtime under the expected name, or contracts. It is reported
//! at the user's token, and the expansion goes on with what there is, so that nothing else is reported.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::Path;

use crate::catalogue::{Text, absent as text};
use crate::invocation::Invocation;
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

/// Returns the runtime's name for an attribute that doesn't name it; `None` if it is as expected.
pub(crate) fn runtime(attribute: &str, at: Span) -> Option<Renamed> {
    if !lacks_crate(RUNTIME) {
        return None;
    }
    let path = path_before(attribute, at).or_else(|| Invocation::current().name_of(RUNTIME).map(str::to_owned));
    Some(Renamed { text: text::runtime(attribute, path.as_deref()), path })
}

/// Returns the runtime's name for generated code that names it `path`; `None` if it is as expected.
pub(crate) fn generated(path: &str, at: Span) -> Option<Renamed> {
    let name = path.split("::").next().unwrap_or_default();
    if name == "crate" || !lacks_crate(name) {
        return None;
    }
    let invocation = Invocation::current();
    let path = path_before("include_contracts", at)
        .or_else(|| LIBRARIES.iter().find_map(|library| invocation.name_of(library)).map(str::to_owned));
    Some(Renamed { text: text::generated(name, path.as_deref()), path })
}

/// Returns the error of an item whose contracts are at a path that leads nowhere; `None` if it may lead somewhere. That the crate
/// has no contracts at all is one mistake, and the first attribute reports it: the others have the error `Some(None)`.
pub(crate) fn contracts(path: Option<&Path>, item: &TokenStream, at: Span) -> Option<Option<Text>> {
    static REPORTED: AtomicBool = AtomicBool::new(false);
    let invocation = Invocation::current();
    let root = || invocation.root().and_then(Source::read);
    let Some(path) = path else {
        if !root()?.lacks("contracts") {
            return None;
        }
        let root = invocation.root().map(|path| path.display().to_string()).unwrap_or_default();
        let meant = invocation.dependencies().find(|name| name.contains("contracts"));
        return Some((!REPORTED.swap(true, Ordering::Relaxed)).then(|| text::contracts(&root, meant)));
    };
    let mut names = path.segments.iter().map(|it| it.ident.to_string());
    let (first, second) = (names.next()?, names.next());
    match (&*first, second) {
        ("crate", Some(name)) => root()?.lacks(&name).then(|| Some(text::no_item(&name))),
        ("crate" | "self" | "super" | "std" | "core" | "alloc", _) => None,
        (name, _) => {
            let is_absent = lacks_crate(name) && source_of(at)?.lacks_beside(name, &name_of(item)?);
            is_absent.then(|| Some(text::no_crate(name, invocation.dependencies())))
        }
    }
}

/// Returns whether `::name` is certainly no crate here.
fn lacks_crate(name: &str) -> bool {
    let invocation = Invocation::current();
    let declares_none = || invocation.root().and_then(Source::read).is_some_and(|root| root.lacks_crate(name));
    invocation.lacks(name) && declares_none()
}

/// Returns the path in front of a macro that the user's file calls or imports: `kit::twyla` of `kit::twyla::listener`.
fn path_before(name: &str, at: Span) -> Option<String> {
    let source = source_of(at)?;
    let path = source.before(name)?;
    let first = path.split("::").next().unwrap_or_default();
    Invocation::current().dependencies().any(|dependency| dependency == first).then(|| path.to_owned())
}

/// Returns the file of some tokens.
fn source_of(at: Span) -> Option<Arc<Source>> {
    // unit tests run outside the compiler
    let file: PathBuf = if proc_macro::is_available() { at.unwrap().local_file()? } else { return None };
    Source::read(&file)
}

/// Returns the name of a function or struct.
fn name_of(item: &TokenStream) -> Option<String> {
    let mut words = item.clone().into_iter().skip_while(
        |token| !matches!(token, TokenTree::Ident(word) if word == "fn" || word == "struct" || word == "enum"),
    );
    words.nth(1).map(|name| name.to_string())
}
