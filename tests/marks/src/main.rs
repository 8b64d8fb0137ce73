//! A service that emits in each possible way.

use std::time::Duration;

use contracts::{Context, marks, rpc::marks as calls};
use twyla_marks::contracts;
use twyla_marks::{live, send};
use twyla_runtime::{Bus, Error, Rpc, event, listener, listeners, rpc, rpcs};

/// A struct of its own, bound to a contract.
#[event("marks.bound")]
struct Bound {
    n: i64,
}

/// Registered.
#[listener("marks.heard", group = "ears")]
async fn hear(heard: marks::Heard, context: Context, bus: Bus) -> Result<(), Error> {
    bus.emit(marks::Handled::new(heard.n), context).await
}

/// Not registered.
#[allow(dead_code, reason = "the test checks that unused items leave no record")]
#[listener("marks.unheard", group = "ears")]
async fn unheard(_: marks::Unheard) {}

/// Registered.
#[rpc("marks.answered")]
async fn answer(request: calls::AnsweredRequest) -> Result<calls::AnsweredResponse, Error> {
    Ok(calls::AnsweredResponse { n: Some(request.n) })
}

/// Not registered.
#[allow(dead_code, reason = "the test checks that unused items leave no record")]
#[rpc("marks.unanswered")]
async fn unanswered(_: calls::UnansweredRequest) -> Result<calls::UnansweredResponse, Error> {
    Ok(calls::UnansweredResponse::new())
}

/// Never called.
#[allow(dead_code, reason = "the test checks that unused items leave no record")]
async fn unasked(rpc: &Rpc) {
    let _ = rpc.call::<calls::Unasked>(calls::UnaskedRequest::new(1), &Context::new()).await;
}

/// Never called.
#[allow(dead_code, reason = "the test checks that unused items leave no record")]
async fn dead(bus: &Bus) -> Result<(), Error> {
    bus.emit(marks::DeadFunction::new(1), Context::new()).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let bus = Bus::in_memory();
    let rpc = Rpc::in_memory();
    let running = bus.service().listeners(listeners![hear]).rpcs(rpcs![answer]).rpc(rpc.clone()).start().await?;
    // no service answers: what counts is that it is called
    let _ = rpc.call::<calls::Asked>(calls::AskedRequest::new(1), &Context::new()).await;
    bus.emit(marks::Direct::new(1), Context::new()).await?;
    let context = Context::new();
    bus.emit(marks::Within::new(1), &context).within(Duration::from_secs(1)).await?;
    bus.emit(Bound { n: 1 }, Context::new()).await?;
    send(&bus, marks::Generic::new(1)).await?;
    let outer: Box<dyn Fn(&Bus) -> twyla_runtime::Emitting> = Box::new(|bus| send(bus, marks::Outer::new(1)));
    outer(&bus).await?;
    live(&bus).await?;
    println!("{}", marks::Never::new(1).n);
    running.stop().await;
    Ok(())
}
