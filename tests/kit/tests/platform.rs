//! A service with contracts of its own and those of a platform's crate: both have an `api.user_input` and a `bot.reply`, and
//! only the platform has a `shop.order` and RPCs.

use twyla_kit::contracts;
use twyla_runtime::event::Event;
use twyla_runtime::testing::{TestBus, broken, sample, sample_context};
use twyla_runtime::{Bus, Error, Listeners, Rpcs, event, listener, listeners, rpc, rpcs};
use twyla_ui_contracts as platform;

/// A view of the platform's event; its `order_id` is `order-id` on the wire.
#[event("shop.order", contracts = platform)]
#[derive(Clone, Debug, PartialEq)]
struct Order {
    order_id: String,
    quantity: u64,
    note: Option<String>,
}

/// The service's own event of the same name as one of the platform.
#[event("api.user_input", listen)]
struct Own {
    emission: String,
}

#[event("api.user_input", listen, contracts = twyla_ui_contracts)]
struct Theirs {
    emission: String,
}

#[listener("shop.order", group = "orders", contracts = twyla_ui_contracts, ordered_by = content.order_id)]
async fn order(order: Order, context: platform::Context, bus: Bus) -> Result<(), Error> {
    bus.emit(platform::bot::Reply::new(format!("{} of {}", order.quantity, order.order_id)), context).await
}

#[listener("api.user_input", group = "own")]
async fn own(input: Own, context: contracts::Context, bus: Bus) -> Result<(), Error> {
    bus.emit(contracts::bot::Reply::new(input.emission), context).await
}

// the type says which event it is
#[listener(group = "theirs")]
async fn theirs(input: Theirs) {
    drop(input.emission);
}

#[rpc("desk.find", contracts = platform)]
async fn find(request: platform::rpc::desk::FindRequest) -> Result<platform::shared::Note, String> {
    Ok(platform::shared::Note::new(request.id, "found"))
}

fn handlers() -> (Listeners, Rpcs) {
    (listeners![order, own, theirs], rpcs![find])
}

#[test]
fn each_handler_has_the_event_of_its_contracts() {
    let (listeners, rpcs) = handlers();
    assert_eq!((listeners.len(), rpcs.len()), (3, 1));
    assert_eq!(Order::SCHEMA, "tests/ui/schemas/events/shop/order.json:1");
    assert_eq!(Theirs::SCHEMA, "tests/ui/schemas/events/api/user_input.json:1");
    assert_eq!(Own::SCHEMA, "schemas/events/api/user_input.json:1");
}

#[tokio::test]
async fn events_of_both_crates_are_handled_and_emitted() {
    let test = TestBus::new();
    test.run(|service| service.listeners(handlers().0)).await.unwrap();
    let order = Order { order_id: "A1".to_owned(), quantity: 3, note: None };
    test.give(order, platform::Context::new("web")).await;
    assert_eq!(test.expect_emitted::<platform::bot::Reply>().content.text, "3 of A1");
    let context = contracts::Context::new("web");
    test.give(contracts::api::UserInput::new("hello"), context).await;
    assert_eq!(test.expect_emitted::<contracts::bot::Reply>().content.text, "hello");
    test.expect_nothing_parked();
}

#[test]
fn samples_and_broken_values_are_made_of_a_crates_contracts() {
    let order = sample::<Order>();
    assert!(order.quantity <= 100_000, "{order:?}");
    let _: platform::Context = sample_context();
    assert!(!broken::<Order>().is_empty());
    assert!(!broken::<platform::api::UserInput>().is_empty());
}
