//! Every error's words in one place: a message that says what is wrong, a label for the place, notes that say where the
//! contract says so and what to do.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use twyla_contract::text::Visible;
use twyla_contract::{Contracts, Event, NameError};

use crate::contracts::Missing;

pub(crate) mod event;
pub(crate) mod handler;
pub(crate) mod listener;
pub(crate) mod rpc;

/// The words of one error.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    message: String,
    label: Option<String>,
    notes: Vec<(&'static str, String)>,
}

/// Stands in a text for the type that the compiler finds.
pub(crate) const THE_TYPE: char = '\u{1}';

impl Text {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: visible(message), label: None, notes: Vec::new() }
    }

    /// What is wrong at the place: shown by the compiler's own errors only, the others have no labels.
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

    /// An error that the macro itself reports.
    pub(crate) fn at(&self, span: Span) -> syn::Error {
        syn::Error::new(span, self.plain())
    }

    /// An error that the macro itself reports over all of some tokens.
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

    /// An error that the compiler reports where a type doesn't implement the trait below this attribute.
    pub(crate) fn unimplemented(&self) -> TokenStream {
        let message = pattern(&self.message);
        let label = self.label.as_deref().map(pattern).into_iter();
        let notes = self.notes.iter().map(|(_, note)| pattern(note));
        quote!(#[diagnostic::on_unimplemented(message = #message, #(label = #label,)* #(note = #notes),*)])
    }
}

/// The text with nothing invisible in it but [`THE_TYPE`]: it may have names of a schema's in it.
fn visible(text: impl Into<String>) -> String {
    let parts: Vec<String> = text.into().split(THE_TYPE).map(|part| Visible(part).to_string()).collect();
    parts.join(&THE_TYPE.to_string())
}

/// The text as a format string of the compiler's.
fn pattern(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}").replace(THE_TYPE, "{Self}")
}

/// All errors of one expansion; a stage goes on after one, so that all are told at once.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<syn::Error>);

impl Problems {
    pub(crate) fn add(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    /// The value, or none and a problem more.
    pub(crate) fn ok<T>(&mut self, result: Result<T, syn::Error>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn tokens(&self) -> TokenStream {
        self.0.iter().map(syn::Error::to_compile_error).collect()
    }
}

/// `schemas/events/api/user_input.json:1`
pub(crate) fn schema(event: &Event) -> String {
    format!("{}:{}", event.place.file, event.place.line)
}

pub(crate) fn no_contracts(missing: &Missing) -> Text {
    match missing {
        Missing::NoBuildScript => Text::new("this crate has no `build.rs`, so its schemas are not compiled")
            .help(
                "add a `build.rs` with `fn main() { twyla_build::compile(\"schemas\") }`, and `twyla-build` to Cargo.toml's \
                 `[build-dependencies]`",
            ),
        Missing::NoIndex => Text::new("this crate's `build.rs` compiles no schemas")
            .help("call `twyla_build::compile(\"schemas\")` in the `main` of its `build.rs`"),
        Missing::Unreadable(why) => Text::new(format!("the compiled schemas cannot be read: {why}"))
            .note("`twyla-build` and `twyla-runtime` must be of one version")
            .help("run `cargo clean -p` for this package and build it again"),
    }
}

pub(crate) fn bad_event_name(error: &NameError) -> Text {
    Text::new(format!("{error}"))
        .help("an event is named as its schema's path: `api.user_input` is `events/api/user_input.json`")
}

pub(crate) fn unknown_event(name: &str, all: &Contracts, meant: Option<&Event>) -> Text {
    if all.rpc(name).is_some() {
        return Text::new(format!("`{name}` is an RPC, and no event"))
            .help(format!("an RPC is served by `#[rpc(\"{name}\")]`, and listed in `rpcs![..]`"));
    }
    let meant = meant.map(|event| (event.name.as_str(), schema(event)));
    let known: Vec<&str> = all.events.iter().map(|event| event.name.as_str()).collect();
    undeclared("event", name, &all.root, meant, &known, |domain, event_type| {
        format!("its schema, {}/events/{domain}/{event_type}.json", all.root)
    })
}

/// A contract of that kind that the folder doesn't declare: which is meant, or which there are, and what a new one begins with.
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
        text.note(format!("it declares no {kind}s at all"))
    } else {
        let names: Vec<_> = known.iter().take(8).map(|name| format!("`{name}`")).collect();
        let more =
            if known.len() > names.len() { format!(" and {} more", known.len() - names.len()) } else { String::new() };
        text.note(format!("it declares {}{more}", names.join(", ")))
    };
    match name.split_once('.') {
        Some((before, after)) => text.help(format!("a new {kind} begins with {}", begins(before, after))),
        None => text,
    }
}

pub(crate) fn unknown_key(macro_name: &str, key: &str, known: &[&str]) -> Text {
    let text = Text::new(format!("`#[{macro_name}]` knows no `{key}`"));
    match twyla_contract::similar::nearest(key, known.iter().copied()) {
        Some(meant) => text.help(format!("did you mean `{meant}`?")),
        None => {
            text.help(format!("it takes {}", known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")))
        }
    }
}

pub(crate) fn repeated_key(macro_name: &str, key: &str) -> Text {
    Text::new(format!("{key} is given to `#[{macro_name}]` twice")).help("keep one of the two")
}

/// A type as a person writes it: `State<Db>`, not `State < Db >`.
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
