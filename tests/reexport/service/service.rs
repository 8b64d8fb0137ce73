//! A service whose runtime is `kit::twyla`: with contracts of its own, and with those of a crate that has the runtime from there too.

mod contracts {
    kit::twyla::include_contracts!();
}

use kit::twyla::testing::{TestBus, broken, sample};
use kit::twyla::{Bus, Error, Rpc, event, listener, listeners, rpc, rpcs};

/// A view of an event of the platform.
#[event("shop.order", contracts = platform_contracts, crate = kit::twyla)]
#[derive(Clone, Debug, PartialEq)]
struct Order {
    order_id: String,
    quantity: u64,
    note: Option<String>,
}

#[listener("shop.order", group = "orders", ordered_by = content.order_id, contracts = platform_contracts, crate = kit::twyla)]
async fn order(order: Order, context: platform_contracts::Context, bus: Bus) -> Result<(), Error> {
    bus.emit(platform_contracts::bot::Reply::new(format!("{} of {}", order.quantity, order.order_id)), context).await
}

// the type says which event it is
#[listener(group = "typed", crate = kit::twyla)]
async fn typed(reply: platform_contracts::bot::Reply) -> Result<(), String> {
    if reply.text.is_empty() { Err("no text".to_owned()) } else { Ok(()) }
}

#[rpc("desk.find", idempotent, contracts = platform_contracts, crate = kit::twyla)]
async fn find(request: platform_contracts::rpc::desk::FindRequest) -> Result<platform_contracts::shared::Note, String> {
    Ok(platform_contracts::shared::Note::new(request.id, "found"))
}

/// An event of the service itself.
#[event("api.user_input", listen, crate = kit::twyla)]
struct Own {
    emission: String,
}

#[listener("api.user_input", group = "own", crate = kit::twyla)]
async fn own(input: Own, context: contracts::Context, bus: Bus) -> Result<(), Error> {
    bus.emit(contracts::bot::Reply::new(input.emission), context).await
}

#[tokio::test]
async fn an_event_is_handled_and_another_one_emitted() {
    let test = TestBus::new();
    test.run(|service| service.listeners(listeners![order, typed])).await.unwrap();
    let order = Order { order_id: "A1".to_owned(), quantity: 3, note: None };
    test.give(order, platform_contracts::Context::new("web")).await;
    assert_eq!(test.expect_emitted::<platform_contracts::bot::Reply>().content.text, "3 of A1");
    test.expect_nothing_parked();
}

#[tokio::test]
async fn an_rpc_is_served_and_called() {
    let (test, client) = (TestBus::new(), Rpc::in_memory());
    test.run(|service| service.rpcs(rpcs![find]).rpc(client.clone())).await.unwrap();
    let request = platform_contracts::rpc::desk::FindRequest::new(7);
    let note = client
        .call::<platform_contracts::rpc::desk::Find>(request, &platform_contracts::Context::new("web"))
        .await
        .unwrap();
    assert_eq!(note.text, "found");
}

#[test]
fn a_broken_event_is_refused_by_its_view() {
    assert!(sample::<Order>().quantity <= 100_000);
    assert!(!broken::<Order>().is_empty() && !broken::<platform_contracts::bot::Reply>().is_empty());
}

#[tokio::test]
async fn an_event_of_its_own_contracts_is_handled() {
    let test = TestBus::new();
    test.run(|service| service.listeners(listeners![own])).await.unwrap();
    test.give(contracts::api::UserInput::new("hello"), contracts::Context::new("web")).await;
    assert_eq!(test.expect_emitted::<contracts::bot::Reply>().content.text, "hello");
}
