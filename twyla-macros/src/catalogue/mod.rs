//! The text of every error: a message, a label for the place, and notes that name the contract's line and what to do.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use twyla_contract::text::Visible;
use twyla_contract::{Contracts, Event, NameError};

use std::sync::Arc;

use crate::contracts::{ContractsResult, Missing, NotCompiled};

pub(crate) mod absent;
pub(crate) mod event;
pub(crate) mod handler;
pub(crate) mod listener;
pub(crate) mod rpc;

/// The text of one error.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    message: String,
    label: Option<String>,
    notes: Vec<(&'static str, String)>,
}

/// A placeholder for a type that only the compiler knows.
pub(crate) const THE_TYPE: char = '\u{1}';

impl Text {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: visible(message), label: None, notes: Vec::new() }
    }

    /// Adds a label for the place. Only errors that the compiler reports have labels.
    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(visible(label));
        self
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(("note", visible(note)));
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.notes.push(("help", visible(help)));
        self
    }

    /// Returns an error that the macro reports at a place.
    pub(crate) fn at(&self, span: Span) -> syn::Error {
        syn::Error::new(span, self.plain())
    }

    /// Returns an error that the macro reports at the place of some tokens.
    pub(crate) fn over(&self, tokens: impl ToTokens) -> syn::Error {
        syn::Error::new_spanned(tokens, self.plain())
    }

    fn plain(&self) -> String {
        let mut text = self.message.clone();
        for (i, (kind, note)) in self.notes.iter().enumerate() {
            text += if i == 0 { "\n\n" } else { "\n" };
            text += &format!("{kind}: {note}");
        }
        text
    }

    /// Returns an attribute for a trait: the compiler reports this error for a type that doesn't implement it.
    pub(crate) fn unimplemented(&self) -> TokenStream {
        let message = pattern(&self.message);
        let label = self.label.as_deref().map(pattern).into_iter();
        let notes = self.notes.iter().map(|(_, note)| pattern(note));
        quote!(#[diagnostic::on_unimplemented(message = #message, #(label = #label,)* #(note = #notes),*)])
    }
}

/// Escapes invisible characters, which names from a schema may have; [`THE_TYPE`] stays.
fn visible(text: impl Into<String>) -> String {
    let parts: Vec<String> = text.into().split(THE_TYPE).map(|part| Visible(part).to_string()).collect();
    parts.join(&THE_TYPE.to_string())
}

/// Escapes a text for `#[diagnostic::on_unimplemented]`, in which `{Self}` is the type.
fn pattern(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}").replace(THE_TYPE, "{Self}")
}

/// The errors of one expansion. A stage goes on after a mistake, so that all are reported at once.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<syn::Error>);

impl Problems {
    pub(crate) fn add(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    /// Returns the value, or adds the error.
    pub(crate) fn ok<T>(&mut self, result: Result<T, syn::Error>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    /// Returns the contracts, or adds the error that the crate has none, unless that is reported already.
    pub(crate) fn contracts(&mut self, found: ContractsResult, span: Span) -> Option<Arc<Contracts>> {
        found.map_err(|missing| self.0.extend(no_contracts(&missing).map(|text| text.at(span)))).ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn tokens(&self) -> TokenStream {
        self.0.iter().map(syn::Error::to_compile_error).collect()
    }
}

/// Returns the place of an event's schema: `schemas/events/api/user_input.json:1`.
pub(crate) fn schema(event: &Event) -> String {
    format!("{}:{}", event.place.file, event.place.line)
}

/// Returns the error of an attribute without contracts; `None` if it is reported already.
fn no_contracts(missing: &Missing) -> Option<Text> {
    Some(match missing {
        Missing::Unreadable(why) => not_compiled(&NotCompiled::Unreadable(why.clone())),
        Missing::Reported => return None,
    })
}

/// Returns the error of `include_contracts!()` without contracts.
pub(crate) fn not_compiled(why: &NotCompiled) -> Text {
    match why {
        NotCompiled::NoBuildScript => Text::new("this crate has no `build.rs`, so its schemas are not compiled")
            .help(
                "add a `build.rs` with `fn main() { twyla_build::compile(\"schemas\") }`, and `twyla-build` to Cargo.toml's \
                 `[build-dependencies]`",
            ),
        NotCompiled::NoIndex => Text::new("this crate's `build.rs` compiles no schemas")
            .help("call `twyla_build::compile(\"schemas\")` in the `main` of its `build.rs`"),
        NotCompiled::Unreadable(why) => Text::new(format!("the compiled schemas cannot be read: {why}"))
            .note("`twyla-build` and `twyla-runtime` must have the same version")
            .help("run `cargo clean -p` for this package and build it again"),
    }
}

pub(crate) fn bad_event_name(error: &NameError) -> Text {
    Text::new(format!("{error}"))
        .help("an event's name is the path of its schema: `api.user_input` is `events/api/user_input.json`")
}

pub(crate) fn unknown_event(name: &str, all: &Contracts, meant: Option<&Event>) -> Text {
    if all.rpc(name).is_some() {
        return Text::new(format!("`{name}` is an RPC, not an event"))
            .help(format!("an RPC is served by `#[rpc(\"{name}\")]`, and listed in `rpcs![..]`"));
    }
    if all.left_out.iter().any(|left_out| left_out == name) {
        return left_out("event", name, &all.root);
    }
    let meant = meant.map(|event| (event.name.as_str(), schema(event)));
    let known: Vec<&str> = all.events.iter().map(|event| event.name.as_str()).collect();
    undeclared("event", name, &all.root, meant, &known, |domain, event_type| {
        format!("its schema, {}/events/{domain}/{event_type}.json", all.root)
    })
}

/// Returns the error for a contract that the build leaves out.
fn left_out(kind: &str, name: &str, root: &str) -> Text {
    Text::new(format!("the {kind} `{name}` of `{root}` is not compiled: `build.rs` leaves it out"))
        .help(format!("add it to `.only([.., \"{name}\"])` in `build.rs`, or enable the feature of its domain"))
}

/// Returns the error for a contract that the folder doesn't declare: suggests a similar name, or lists what is declared and
/// how to add one.
fn undeclared(
    kind: &str,
    name: &str,
    root: &str,
    meant: Option<(&str, String)>,
    known: &[&str],
    begins: impl FnOnce(&str, &str) -> String,
) -> Text {
    let text = Text::new(format!("`{root}` declares no {kind} `{name}`"));
    if let Some((name, place)) = meant {
        return text.help(format!("did you mean `{name}`, declared in {place}?"));
    }
    let text = if known.is_empty() {
        text.note(format!("`{root}` declares no {kind}s"))
    } else {
        let names: Vec<_> = known.iter().take(8).map(|name| format!("`{name}`")).collect();
        let more =
            if known.len() > names.len() { format!(" and {} more", known.len() - names.len()) } else { String::new() };
        text.note(format!("the declared {kind}s are {}{more}", names.join(", ")))
    };
    match name.split_once('.') {
        Some((before, after)) => text.help(format!("to add the {kind}, write {}", begins(before, after))),
        None => text,
    }
}

pub(crate) fn unknown_key(macro_name: &str, key: &str, known: &[&str]) -> Text {
    let text = Text::new(format!("`#[{macro_name}]` has no key `{key}`"));
    match twyla_contract::similar::nearest(key, known.iter().copied()) {
        Some(meant) => text.help(format!("did you mean `{meant}`?")),
        None => text.help(format!(
            "the keys are {}",
            known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
        )),
    }
}

/// Returns the error for a contract's name that isn't a literal.
pub(crate) fn no_literal(macro_name: &str, name: &str, written: &str) -> Text {
    Text::new(format!("{name} must be a literal, not `{written}`"))
        .note("the macro reads the name before the compiler knows the value of a constant")
        .help(format!("write `#[{macro_name}(\"..\")]`"))
}

/// Returns the error for a macro that takes no arguments.
pub(crate) fn takes_nothing(macro_name: &str) -> Text {
    Text::new(format!("`{macro_name}` takes no arguments")).help(format!("write `{macro_name}()`"))
}

pub(crate) fn repeated_key(macro_name: &str, key: &str) -> Text {
    Text::new(format!("{key} is given to `#[{macro_name}]` twice")).help("keep one of the two")
}

/// Returns a type as people write it: `State<Db>`, not `State < Db >`.
pub(crate) fn display(tokens: impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (spaced, tight) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" < ", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ,", ","),
        ("& ", "&"),
        (" ( ", "("),
        (" )", ")"),
    ] {
        text = text.replace(spaced, tight);
    }
    text
}
