//! The errors of `#[rpc]`, apart from those that every handler function can have.

use twyla_contract::{Contracts, NameError, Rpc, RpcBody};

use super::handler::HandlerKind;
use super::{THE_TYPE, Text};

pub(crate) const RPC: HandlerKind = HandlerKind {
    attribute: "rpc",
    signature: "a handler is an `async fn` that takes its request and then any of `Context`, `CallMeta`, `State<T>`, `Bus`, `Rpc`",
    one: "a handler serves one RPC",
    outlives: "connection",
};

pub(crate) fn no_name() -> Text {
    Text::new("`#[rpc]` names no RPC").help("write the name: `#[rpc(\"service.method\")]`")
}

pub(crate) fn bad_name(written: &str, error: &NameError) -> Text {
    if let Some((name, "request" | "response" | "error")) = written.split_once('/') {
        return Text::new(format!("`{written}` is one schema of an RPC, not its name")).help(format!("write `{name}`"));
    }
    Text::new(format!("{error}")).help(
        "an RPC is named after the folder of its schemas: `navitaire-api.get_booking` for `rpc/navitaire-api/get_booking`",
    )
}

pub(crate) fn unknown(name: &str, all: &Contracts, meant: Option<&Rpc>) -> Text {
    if all.event(name).is_some() {
        return Text::new(format!("`{name}` is an event, not an RPC"))
            .help(format!("to listen to the event, put `#[listener(\"{name}\")]` on the handler, and list the handler in `listeners![..]`"));
    }
    if all.left_out.iter().any(|left_out| left_out == name) {
        return super::left_out("RPC", name, &all.root);
    }
    let meant = meant.map(|rpc| (rpc.name.as_str(), schema(&rpc.request)));
    let known: Vec<&str> = all.rpcs.iter().map(|rpc| rpc.name.as_str()).collect();
    super::undeclared("RPC", name, &all.root, meant, &known, |service, method| {
        format!("its schemas, {}/rpc/{service}/{method}/request.json and response.json", all.root)
    })
}

pub(crate) fn bad_deadline(written: &str) -> Text {
    Text::new(format!("`{written}` is not a deadline")).help(
        "write a duration above zero in quotes, for example `deadline = \"2s\"`; units are `ms`, `s`, `m` and `h`",
    )
}

pub(crate) fn no_arguments(name: &str, rpc: &Rpc) -> Text {
    Text::new(format!("handler `{name}` takes no request")).help(format!(
        "take the request of `{}` as its first argument: `request: contracts::{}`",
        rpc.name, rpc.request.rust_path
    ))
}

pub(crate) fn late_request(name: &str, rpc: &Rpc) -> Text {
    Text::new(format!("handler `{name}` takes the request of `{}` after another argument", rpc.name))
        .help("put the request first, and the other arguments after it")
}

pub(crate) fn no_output(name: &str, rpc: &Rpc) -> Text {
    Text::new(format!("handler `{name}` returns no response"))
        .help(format!("write `-> Result<contracts::{}, E>`", rpc.response.rust_path))
        .note(ERRORS)
}

/// Returns the last segment of a type's path, as it is written.
pub(crate) fn last(written: &str) -> &str {
    written.rsplit("::").next().unwrap_or(written).trim()
}

/// Returns the error for a first argument that isn't the RPC's request.
pub(crate) fn other_request(name: &str, rpc: &Rpc, all: &Contracts, written: &str) -> Text {
    let request = &rpc.request;
    let text = Text::new(format!("handler `{name}` serves `{}`, but its first argument is `{THE_TYPE}`", rpc.name))
        .label(format!("not the request of `{}`", rpc.name))
        .note(format!("the request of `{}` is declared in {}", rpc.name, schema(request)));
    let last = last(written);
    let mut others = all.rpcs.iter().filter(|other| other.request.rust_name() == last && other.name != rpc.name);
    match (others.next(), others.next()) {
        (Some(other), None) => text.help(format!(
            "take `contracts::{}`, or name the argument's RPC: `#[rpc(\"{}\")]`",
            request.rust_path, other.name
        )),
        _ => text.help(format!("take `contracts::{}`", request.rust_path)),
    }
}

const ERRORS: &str = "`E` is the RPC's own error (`error.json`), or any error type, `String`, or `Box<dyn Error + Send + Sync>`; \
                      an error other than the RPC's own is logged, and the caller gets `CallError::Fault`";

/// Returns the error for a return type that isn't a response of the RPC. `error` is the error type as it is written.
pub(crate) fn other_answer(name: &str, rpc: &Rpc, error: Option<&str>) -> Text {
    let response = &rpc.response;
    let text = Text::new(format!("handler `{name}` serves `{}`, but it returns `{THE_TYPE}`", rpc.name))
        .label(format!("not a response of `{}`", rpc.name))
        .note(format!("the response of `{}` is declared in {}", rpc.name, schema(response)))
        .help(format!("return `Result<contracts::{}, E>`", response.rust_path));
    let own = rpc.error.as_ref().map(|error| format!("`contracts::{}`, or ", error.rust_path)).unwrap_or_default();
    let here = error.map(|written| format!("; here it is `{written}`")).unwrap_or_default();
    text.note(format!("`E` is {own}any error type, `String`, or `Box<dyn Error + Send + Sync>`{here}"))
}

/// Returns the place of a schema: `schemas/rpc/navitaire-api/get_booking/request.json:1`.
fn schema(body: &RpcBody) -> String {
    format!("{}:{}", body.place.file, body.place.line)
}
