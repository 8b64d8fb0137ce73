//! Expansions, held against the files in `golden/`; `UPDATE=1` writes them again. And what the compiler's own tests of
//! mistakes can't show: a crate without contracts.

use std::path::Path;
use std::{env, fs};

use proc_macro2::{Span, TokenStream};

use crate::catalogue;
use crate::contracts::{
    ContractsResult, Missing, NotCompiled,
    tests::{sample, with_constant},
};
use crate::stage::{self, Attribute};
use crate::{event, list, listener, rpc};

fn golden(name: &str, expansion: TokenStream) {
    let file = syn::parse2(expansion).expect("an expansion is items");
    let text = prettyplease::unparse(&file);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let before = fs::read_to_string(&path).unwrap_or_default();
    let differs = before.lines().zip(text.lines()).position(|(a, b)| a != b);
    assert!(before == text, "golden/{name} differs from line {differs:?} on; UPDATE=1 accepts");
}

fn tokens(text: &str) -> TokenStream {
    text.parse().unwrap()
}

fn expand_event(args: &str, item: &str) -> TokenStream {
    event::expand(tokens(args), tokens(item), sample).whole()
}

fn expand_listener(args: &str, item: &str, contracts: impl FnOnce() -> ContractsResult) -> TokenStream {
    listener::expand(tokens(args), tokens(item), contracts, Some("consumer")).whole()
}

fn expand_rpc(args: &str, item: &str) -> TokenStream {
    rpc::expand(tokens(args), tokens(item), sample).whole()
}

/// What the expansion reports, without what the macro leaves in place.
fn errors(expansion: TokenStream) -> Vec<String> {
    let file: syn::File = syn::parse2(expansion).unwrap();
    let mut errors = Vec::new();
    for item in file.items {
        if let syn::Item::Macro(item) = item
            && item.mac.path.segments.last().is_some_and(|segment| segment.ident == "compile_error")
        {
            errors.push(syn::parse2::<syn::LitStr>(item.mac.tokens).unwrap().value());
        }
    }
    errors
}

#[test]
fn a_listener_named_by_the_attribute() {
    let item = "pub(crate) async fn answer(input: UserInput, State(db): State<Db>, mut meta: Meta) -> Result<(), Error> { Ok(()) }";
    golden("listener_named.rs", expand_listener("\"api.user_input\", group = \"bots\"", item, sample));
}

#[test]
fn a_listener_named_by_its_argument() {
    golden("listener_typed.rs", expand_listener("", "async fn answer(_: UserInput) {}", || unreachable!()));
}

#[test]
fn a_listener_of_batches() {
    let item = "async fn book(inputs: Vec<UserInput>, State(db): State<Db>) -> Result<(), BatchFail> { Ok(()) }";
    golden("listener_batch.rs", expand_listener("\"api.user_input\", batch = 500, within = \"1s\"", item, sample));
    let item = "async fn book(mut inputs: Batch<UserInput>) {}";
    golden("listener_batch_typed.rs", expand_listener("batch = 500", item, || unreachable!()));
}

#[test]
fn settings_of_batches_that_do_not_fit_are_reported_together() {
    let of = |args: &str, item: &str| errors(expand_listener(args, item, || unreachable!()));
    let batch = of("batch = 9, prefetch = 8", "async fn book(_: UserInput) {}");
    assert!(
        batch.len() == 2 && batch[0].contains("never fills") && batch[1].contains("takes one `UserInput`"),
        "{batch:?}"
    );
    let none = of("within = \"1s\"", "async fn book(_: Batch<api::UserInput>) {}");
    assert!(
        none.len() == 2 && none[0].contains("`batch` is missing") && none[1].contains("`api::UserInput`"),
        "{none:?}"
    );
    assert_eq!(of("batch = 9, within = \"1m\"", "async fn book(_: std::vec::Vec<UserInput>) {}"), Vec::<String>::new());
    assert_eq!(of("batch = 0, within = \"1s\"", "async fn book(_: Vec<UserInput>) {}").len(), 1);
    for within in ["0ms", "61s", "1", "soon"] {
        let args = format!("batch = 9, within = \"{within}\"");
        assert_eq!(of(&args, "async fn book(_: Vec<UserInput>) {}").len(), 1, "{within}");
    }
}

#[test]
fn a_listener_that_is_none() {
    golden("listener_refused.rs", expand_listener("", "fn answer(_: UserInput) {}", sample));
}

#[test]
fn a_list() {
    let list = list::listeners(tokens("[::twyla_runtime] answer, more::shout,"));
    golden("listeners.rs", quote::quote!(fn list() { #list }));
    let list = list::rpcs(tokens("[::twyla_runtime] get_booking, more::cancel"));
    golden("rpcs.rs", quote::quote!(fn list() { #list }));
}

#[test]
fn a_handler_of_an_rpc() {
    let item = "pub(crate) async fn get_booking(request: GetBookingRequest, context: Context, State(db): State<Db>) -> Result<Booking, Error> { Err(Error) }";
    let args = "\"navitaire-api.get_booking\", idempotent, concurrency = 10, deadline = \"2s\"";
    golden("rpc.rs", expand_rpc(args, item));
}

#[test]
fn a_handler_that_is_none() {
    golden("rpc_refused.rs", expand_rpc("\"navitaire-api.get_bookin\"", "async fn get_booking() {}"));
}

#[test]
fn an_event_for_both_ways() {
    let item = "#[derive(Debug)] pub struct Greeting { pub emission: String, #[serde(default)] attempt: Option<u8> }";
    golden("event_both.rs", expand_event("\"api.user_input\"", item));
}

#[test]
fn an_event_for_listening() {
    let item = "struct Order { #[serde(rename = \"order-id\")] id: String, r#type: Option<String>, \
                #[event(unchecked)] #[serde(default = \"none\", with = \"tags\")] tags: Tags }";
    golden("event_listen.rs", expand_event("\"shop.order\"", item));
}

#[test]
fn an_event_for_emitting() {
    golden(
        "event_emit.rs",
        expand_event("\"bot.reply\", emit, contracts = crate::api", "struct Answer { text: String }"),
    );
}

#[test]
fn an_event_with_a_constant() {
    let item = "struct Signed { kind: String }";
    golden("event_constant.rs", event::expand(tokens("\"shop.signed\""), tokens(item), with_constant).whole());
}

#[test]
fn an_event_that_is_none() {
    golden("event_refused.rs", expand_event("\"api.user_input\"", "struct Greeting { emision: String }"));
}

#[test]
fn attributes_with_contracts_in_another_crate() {
    let first = |attribute, args: &str, item: &str| stage::first(attribute, tokens(args), tokens(item));
    let event = first(Attribute::Event, "\"bot.reply\", contracts = platform", "struct Answer { text: String }");
    let listener = "async fn answer(_: UserInput) {}";
    let listener = first(Attribute::Listener, "\"api.user_input\", contracts = platform", listener);
    let rpc = "async fn find(_: FindRequest) -> Result<Note, Error> { Err(Error) }";
    let rpc = first(Attribute::Rpc, "\"desk.find\", contracts = platform", rpc);
    golden("elsewhere.rs", quote::quote!(#event #listener #rpc));
    // without a name that an event can have, or within an `impl`, the second stage writes everything
    for (attribute, args, item) in [
        (Attribute::Event, "\"reply\", contracts = platform", "struct Answer { text: String }"),
        (Attribute::Listener, "\"a.b\", contracts = platform", "async fn answer(&self, _: UserInput) {}"),
        (Attribute::Rpc, "\"a.b\", contracts = platform", "async fn find(&self, _: FindRequest) {}"),
    ] {
        let first = first(attribute, args, item).to_string();
        assert!(first.starts_with("platform :: __twyla_contracts !") && first.ends_with('}'), "{first}");
    }
}

#[test]
fn each_attribute_reports_contracts_that_cannot_be_read() {
    let missing = || Err(Missing::Unreadable("line 1".to_owned()));
    let item = "struct Greeting { emission: String }";
    let event = errors(event::expand(tokens("\"api.user_input\""), tokens(item), missing).whole());
    let listener = errors(expand_listener("\"api.user_input\"", "async fn answer(_: UserInput) {}", missing));
    assert_eq!(event.len(), 1, "{event:?}");
    assert_eq!(event, listener);
    let item = "async fn get_booking(_: GetBookingRequest) -> Result<Booking, Error> { todo!() }";
    assert_eq!(event, errors(rpc::expand(tokens("\"navitaire-api.get_booking\""), tokens(item), missing).whole()));
    assert!(event[0].contains("cannot be read: line 1") && event[0].contains("the same version"), "{event:?}");
}

#[test]
fn a_listener_of_its_arguments_event_needs_no_contracts() {
    let listener = expand_listener("", "async fn answer(_: UserInput) {}", || unreachable!("nothing is looked up"));
    assert_eq!(errors(listener), Vec::<String>::new());
}

#[test]
fn contracts_that_are_not_compiled_are_reported_once_with_a_remedy() {
    for (why, message) in [(NotCompiled::NoBuildScript, "no `build.rs`"), (NotCompiled::NoIndex, "compiles no schemas")]
    {
        let text = catalogue::not_compiled(&why).at(Span::call_site()).to_string();
        assert!(text.contains(message) && text.contains("twyla_build::compile(\"schemas\")"), "{text}");
    }
    // `include_contracts!()` has reported it: the attributes add no error
    for input in [
        r#"! listener { "api.user_input", group = "a" } { async fn answer(_: UserInput) {} }"#,
        r#"! rpc { "desk.find" } { async fn find(_: FindRequest) -> Result<Note, String> { todo!() } }"#,
        r#"! event { "api.user_input" } { struct Greeting { emission: String } }"#,
    ] {
        assert_eq!(errors(stage::second(tokens(input))), Vec::<String>::new(), "{input}");
    }
}

#[test]
fn a_listener_without_a_name_looks_nothing_up_in_contracts() {
    let listener = expand_listener("group = \"a\", contracts = platform", "async fn answer(_: UserInput) {}", sample);
    let errors = errors(listener);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("needs the name of an event") && errors[0].contains("remove `contracts`"), "{errors:?}");
}

#[test]
fn says_that_a_contract_is_left_out_of_the_build() {
    let contracts = || {
        let mut contracts = (*sample()?).clone();
        contracts.left_out = vec!["bot.typing".to_owned(), "desk.find".to_owned()];
        Ok(std::sync::Arc::new(contracts))
    };
    let event = errors(expand_listener("\"bot.typing\"", "async fn answer(_: Typing) {}", contracts));
    assert_eq!(event.len(), 1, "{event:?}");
    assert!(event[0].contains("the event `bot.typing` of `schemas` is not compiled"), "{event:?}");
    assert!(event[0].contains(".only([.., \"bot.typing\"])"), "{event:?}");
    let item = tokens("async fn find(_: FindRequest) -> Result<Note, Error> { todo!() }");
    let rpc = errors(rpc::expand(tokens("\"desk.find\""), item, contracts).whole());
    assert!(rpc[0].contains("the RPC `desk.find` of `schemas` is not compiled"), "{rpc:?}");
}

#[test]
fn reports_all_problems_at_once() {
    let listener = expand_listener("\"api.imput\", grup = 1", "fn answer<T>(_: &UserInput, _: impl Copy) {}", sample);
    assert_eq!(errors(listener).len(), 6);
    let rpc = expand_rpc(
        "\"navitaire-api.get_booking\", idempotnt, deadline = \"soon\"",
        "fn get_booking<T>(&self, _: &T) {}",
    );
    assert_eq!(errors(rpc).len(), 7);
    let item = "#[derive(serde::Serialize)] struct Greeting { emision: String, #[serde(flatten)] rest: Rest }";
    assert_eq!(errors(expand_event("\"api.user_input\", both", item)).len(), 3);
}

#[test]
fn the_crates_name_is_the_group_if_it_can_be() {
    let item = "async fn answer(_: UserInput) {}";
    let of = |package| errors(listener::expand(TokenStream::new(), tokens(item), sample, package).whole());
    assert_eq!(of(Some("chat-bot")), Vec::<String>::new());
    assert!(of(Some("_bot")).concat().contains("give `#[listener]` a `group"));
    assert!(of(None).concat().contains("give `#[listener]` a `group"));
}

#[test]
fn a_text_shows_nothing_that_is_invisible() {
    let text =
        crate::catalogue::Text::new(format!("`a\u{202e}` is no {}", crate::catalogue::THE_TYPE)).note("b\u{2067}");
    let pattern = text.unimplemented().to_string();
    assert!(pattern.contains(r"`a\\u{{202e}}` is no {Self}") && pattern.contains(r"b\\u{{2067}}"), "{pattern}");
}
