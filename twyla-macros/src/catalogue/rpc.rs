//! What is wrong with a handler of an RPC beyond what is wrong with any handler function.

use twyla_contract::{Contracts, NameError, Rpc, RpcBody};

use super::handler::Kind;
use super::{THE_TYPE, Text};

pub(crate) const RPC: Kind = Kind {
    attribute: "rpc",
    signature: "a handler is an `async fn` that takes its request and then any of `Context`, `CallMeta`, `State<T>`, `Bus`, `Rpc`",
    one: "a handler is one function for one RPC",
    outlives: "connection",
};

pub(crate) fn no_name() -> Text {
    Text::new("`#[rpc]` names no RPC").help("name it: `#[rpc(\"service.method\")]`")
}

pub(crate) fn bad_name(error: &NameError) -> Text {
    Text::new(format!("{error}"))
        .help("an RPC is named as its schemas' folder: `navitaire-api.get_booking` is `rpc/navitaire-api/get_booking`")
}

pub(crate) fn unknown(name: &str, root: &str, meant: Option<&Rpc>, known: &[Rpc]) -> Text {
    let text = Text::new(format!("`{root}` declares no RPC `{name}`"));
    let text = match meant {
        Some(rpc) => text.help(format!("did you mean `{}`, declared in {}?", rpc.name, schema(&rpc.request))),
        None if known.is_empty() => text.note("it declares no RPCs at all"),
        None => {
            let names: Vec<_> = known.iter().take(8).map(|rpc| format!("`{}`", rpc.name)).collect();
            let more = if known.len() > names.len() {
                format!(" and {} more", known.len() - names.len())
            } else {
                String::new()
            };
            text.note(format!("it declares {}{more}", names.join(", ")))
        }
    };
    match name.split_once('.') {
        Some((service, method)) if meant.is_none() => text.help(format!(
            "a new RPC begins with its schemas, {root}/rpc/{service}/{method}/request.json and response.json"
        )),
        _ => text,
    }
}

pub(crate) fn bad_deadline(written: &str) -> Text {
    Text::new(format!("`{written}` is no deadline"))
        .help("write a duration, as in `deadline = \"2s\"`: `ms`, `s`, `m`, `h`")
}

pub(crate) fn no_arguments(name: &str, rpc: &Rpc) -> Text {
    Text::new(format!("handler `{name}` takes no request")).help(format!(
        "take the request of `{}` as its first argument: `request: contracts::{}`",
        rpc.name, rpc.request.rust_path
    ))
}

pub(crate) fn late_request(name: &str, rpc: &Rpc) -> Text {
    Text::new(format!("handler `{name}` takes the request of `{}` after another argument", rpc.name))
        .help("take it first: what else a handler takes comes after its request")
}

pub(crate) fn no_output(name: &str, rpc: &Rpc) -> Text {
    Text::new(format!("handler `{name}` answers nothing"))
        .help(format!("write `-> Result<contracts::{}, E>`", rpc.response.rust_path))
        .note(ERRORS)
}

/// The last segment of a type's path, as it is written.
pub(crate) fn last(written: &str) -> &str {
    written.rsplit("::").next().unwrap_or(written).trim()
}

/// The first argument is no request, or another RPC's.
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

const ERRORS: &str = "`E` is the RPC's own error (`error.json`), or any error type, `String`, or `Box<dyn Error + Send + Sync>`: \
                      what isn't the RPC's own is a fault of the service to the caller, and in its log";

/// What the handler returns is no answer of the RPC; with the error type as it is written.
pub(crate) fn other_answer(name: &str, rpc: &Rpc, error: Option<&str>) -> Text {
    let response = &rpc.response;
    let text = Text::new(format!("handler `{name}` serves `{}`, but it returns `{THE_TYPE}`", rpc.name))
        .label(format!("no answer of `{}`", rpc.name))
        .note(format!("the response of `{}` is declared in {}", rpc.name, schema(response)))
        .help(format!("return `Result<contracts::{}, E>`", response.rust_path));
    let own = rpc.error.as_ref().map(|error| format!("`contracts::{}`, or ", error.rust_path)).unwrap_or_default();
    let here = error.map(|written| format!("; here it is `{written}`")).unwrap_or_default();
    text.note(format!("`E` is {own}any error type, `String`, or `Box<dyn Error + Send + Sync>`{here}"))
}

/// `schemas/rpc/navitaire-api/get_booking/request.json:1`
fn schema(body: &RpcBody) -> String {
    format!("{}:{}", body.place.file, body.place.line)
}
