//! What a service's author does with the kit, and what the kit says where an expectation fails.

mod events;
mod expectations;
mod neighbours;
mod time;

use std::panic::AssertUnwindSafe;

use twyla_kit::contracts::Context;
use twyla_kit::listeners;
use twyla_runtime::testing::TestBus;

async fn service() -> TestBus {
    let test = TestBus::new();
    test.run(|service| service.listeners(listeners())).await.unwrap();
    test
}

fn context() -> Context {
    Context::new("web")
}

/// What a failing expectation tells.
fn told<T>(expectation: impl FnOnce() -> T) -> String {
    let Err(panic) = std::panic::catch_unwind(AssertUnwindSafe(expectation)) else { panic!("it should have failed") };
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(_) => panic!("it should have said why"),
    }
}
