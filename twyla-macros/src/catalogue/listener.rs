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

pub(crate) fn bad_rate(written: &str) -> Text {
    Text::new(format!("`rate` cannot be `{written}`"))
        .help("write the maximum number of events in a period, from 1 to 1000000, as in `rate = \"100/s\"`")
        .note("periods are `s`, `m` or `min`, `h` and `d`")
}

const PAUSE_AFTER: &str = "`pause_after = \"20 failures in 1m, for 30s\"`";

pub(crate) fn bad_pause_after(written: &str) -> Text {
    Text::new(format!("`pause_after` cannot be `{written}`"))
        .help(format!("write the failures that cause a pause, and how long it lasts, as in {PAUSE_AFTER}"))
        .note("units are `ms`, `s`, `m`, `h` and `d`; no time is longer than 30 days")
}

pub(crate) fn pause_after_no_failure() -> Text {
    Text::new("a listener cannot pause after 0 failures").help(format!("write 1 failure or more, as in {PAUSE_AFTER}"))
}

pub(crate) fn pause_after_without_pause(written: &str) -> Text {
    Text::new(format!("`{written}` does not say how long the listener pauses"))
        .help(format!("add it with `for`, as in {PAUSE_AFTER}"))
}

pub(crate) fn bad_key(written: &str) -> Text {
    Text::new(format!("events cannot be ordered by `{written}`"))
        .help("write `session`, or a field as in `content.order_id` or `context.user`")
}

pub(crate) fn bad_within(written: &str) -> Text {
    Text::new(format!("`within` cannot be `{written}`"))
        .help("write how long a batch waits for more events, from `\"1ms\"` to `\"1m\"`, as in `within = \"200ms\"`")
}

pub(crate) fn within_without_batch() -> Text {
    Text::new("`within` limits how long a batch waits, but `batch` is missing").help(
        "add the maximum number of events in a batch, as in `batch = 500, within = \"200ms\"`, or leave `within` out",
    )
}

pub(crate) fn within_of_one_event() -> Text {
    Text::new("`within` has no effect on a batch of one event, which never waits")
        .help("let the batch take more events, as in `batch = 500`, or leave `within` out")
}

pub(crate) fn batch_over_the_most(batch: u16, concurrency: u16, most: u32, prefetch: u16) -> Text {
    let text = Text::new(format!("a batch of {batch} events is too large")).note(format!(
        "AMQP limits `prefetch` to {prefetch} events, which must cover all batches that are being handled and the batch that \
         is being collected"
    ));
    match (concurrency, most) {
        (1, most) => text.help(format!("write `batch = {most}` or less")),
        (_, 0) => text.help("lower `concurrency`"),
        (_, most) => text.help(format!("write `batch = {most}` or less, or lower `concurrency = {concurrency}`")),
    }
}

pub(crate) fn batch_over_prefetch(batch: u16, concurrency: u16, events: u32, prefetch: u16) -> Text {
    let text = match concurrency {
        1 => format!("a batch of {batch} events never fills with `prefetch = {prefetch}`"),
        _ => format!("{concurrency} batches of {batch} events never fill at once with `prefetch = {prefetch}`"),
    };
    Text::new(text)
        .note("the broker delivers no more than `prefetch` events until some of them are acked, and a batch is acked as a whole")
        .help(format!(
            "write `prefetch = {events}` or more, or leave `prefetch` out: one batch can then gather while another is handled"
        ))
}

pub(crate) fn not_a_batch(name: &str, written: &str) -> Text {
    Text::new(format!("handler `{name}` has `batch`, but takes one `{written}`"))
        .help(format!(
            "take the events of a batch, `Vec<{written}>`, or `Batch<{written}>` with their contexts and `Meta`"
        ))
        .help("or leave `batch` out, to handle the events one by one")
}

pub(crate) fn batch_without_setting(name: &str, written: &str) -> Text {
    Text::new(format!("handler `{name}` takes a batch, but its attribute has no `batch`"))
        .help(format!("add it, as in `batch = 500, within = \"200ms\"`, or take one event: `{written}`"))
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
