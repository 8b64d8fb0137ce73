//! A service that depends on `twyla-runtime` under the name `bus`.

mod contracts {
    bus::include_contracts!();
}

use bus::testing::{TestBus, broken, sample};
use bus::{Bus, Error, Rpc, event, listener, listeners, rpc, rpcs};

/// A view of an event of the service.
#[event("shop.order", crate = bus)]
#[derive(Clone, Debug, PartialEq)]
struct Order {
    order_id: String,
    quantity: u64,
    note: Option<String>,
}

#[listener("shop.order", group = "orders", ordered_by = content.order_id, crate = bus)]
async fn order(order: Order, context: contracts::Context, bus: Bus) -> Result<(), Error> {
    bus.emit(contracts::bot::Reply::new(format!("{} of {}", order.quantity, order.order_id)), context).await
}

// the type says which event it is
#[listener(group = "typed", crate = bus)]
async fn typed(reply: contracts::bot::Reply) -> Result<(), String> {
    if reply.text.is_empty() { Err("no text".to_owned()) } else { Ok(()) }
}

#[rpc("desk.find", idempotent, crate = bus)]
async fn find(request: contracts::rpc::desk::FindRequest) -> Result<contracts::shared::Note, String> {
    Ok(contracts::shared::Note::new(request.id, "found"))
}

#[tokio::test]
async fn an_event_is_handled_and_another_one_emitted() {
    let test = TestBus::new();
    test.run(|service| service.listeners(listeners![order, typed])).await.unwrap();
    let order = Order { order_id: "A1".to_owned(), quantity: 3, note: None };
    test.give(order, contracts::Context::new("web")).await;
    assert_eq!(test.expect_emitted::<contracts::bot::Reply>().content.text, "3 of A1");
    test.expect_nothing_parked();
}

#[tokio::test]
async fn an_rpc_is_served_and_called() {
    let (test, client) = (TestBus::new(), Rpc::in_memory());
    test.run(|service| service.rpcs(rpcs![find]).rpc(client.clone())).await.unwrap();
    let request = contracts::rpc::desk::FindRequest::new(7);
    let note = client.call::<contracts::rpc::desk::Find>(request, &contracts::Context::new("web")).await.unwrap();
    assert_eq!(note.text, "found");
}

#[test]
fn a_broken_event_is_refused_by_its_view() {
    assert!(sample::<Order>().quantity <= 100_000);
    assert!(!broken::<Order>().is_empty() && !broken::<contracts::bot::Reply>().is_empty());
}
