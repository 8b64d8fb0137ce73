//! The errors of `#[listener]`, apart from those that every handler function can have.

use twyla_contract::{Contracts, Event, Group, NameError};

use super::handler::HandlerKind;
use super::{THE_TYPE, Text, schema};

const SIGNATURE: &str = "a handler is an `async fn` that takes its event and then any of `Context`, `Meta`, `State<T>`, `Bus`, `Rpc`, `Ack`";

pub(crate) const LISTENER: HandlerKind = HandlerKind {
    attribute: "listener",
    signature: SIGNATURE,
    one: "a listener handles one event",
    outlives: "delivery",
};

pub(crate) fn bad_group(error: &NameError) -> Text {
    let kept = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '-' };
    let tidy: String = error.name.chars().map(kept).take(64).collect();
    let text =
        Text::new(format!("the group's name {error}")).note("the names of the group's queues contain the group's name");
    match Group::parse(&tidy) {
        Ok(tidy) => text.help(format!("write `group = \"{tidy}\"`")),
        Err(_) => text,
    }
}

pub(crate) fn bad_default_group(error: &NameError) -> Text {
    Text::new(format!("the crate's name {error}, so it cannot be the name of the group"))
        .help("give `#[listener]` a `group = \"..\"`")
}

pub(crate) fn no_default_group() -> Text {
    Text::new("the listener needs a group, because the crate has no name to use for it")
        .help("give `#[listener]` a `group = \"..\"`")
}

pub(crate) fn bad_retry(written: &str) -> Text {
    Text::new(format!("`{written}` is not a retry policy"))
        .help("write the number of attempts and the pauses, for example `\"5x 1s..1m\"`: 5 attempts, with pauses that double from 1s to 1m")
        .note("`\"3x\"` has the default pauses, `\"3x 10s\"` the same pause each time, and `\"never\"` is one attempt")
        .note("units are `ms`, `s`, `m`, `h` and `d`; no pause is longer than 30 days")
}

pub(crate) fn bad_key(written: &str) -> Text {
    Text::new(format!("events cannot be ordered by `{written}`"))
        .help("write `session`, or a field as in `content.order_id` or `context.user`")
}

pub(crate) fn no_arguments(name: &str, event: Option<&Event>, contracts: &str) -> Text {
    let text = Text::new(format!("handler `{name}` takes no event"));
    match event {
        Some(event) => text.help(format!(
            "take the content of `{}` as its first argument: `{}: {contracts}::{}`",
            event.name,
            twyla_contract::rust::field_name(event.name.event_type()),
            event.rust_path
        )),
        None => text.help(SIGNATURE),
    }
}

pub(crate) fn contracts_without_a_name() -> Text {
    Text::new("`contracts` needs the name of an event")
        .help("name the event, `#[listener(\"api.user_input\", contracts = ..)]`, or remove `contracts`: then the argument's type determines the event")
}

/// Returns the error for a first argument that isn't the event that the attribute names.
pub(crate) fn other_event(name: &str, event: &Event, all: &Contracts, written: &str) -> Text {
    let text =
        Text::new(format!("handler `{name}` listens to `{}`, but its first argument is `{THE_TYPE}`", event.name))
            .label(format!("not the content of `{}`", event.name))
            .note(format!("`{}` is declared in {}", event.name, schema(event)));
    let last = written.rsplit("::").next().unwrap_or(written).trim();
    let mut others = all.events.iter().filter(|other| other.rust_name() == last && other.name != event.name);
    match (others.next(), others.next()) {
        (Some(other), None) => text.help(format!(
            "take `contracts::{}`, or name the argument's event: `#[listener(\"{}\")]`",
            event.rust_path, other.name
        )),
        _ => {
            text.help(format!("take `contracts::{}`, or a struct with `#[event(\"{}\")]`", event.rust_path, event.name))
        }
    }
}
