//! The test kit as a service's author uses it, and its messages when an expectation fails.

mod batches;
mod events;
mod expectations;
mod limits;
mod neighbours;
mod time;

use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::sync::Once;

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

thread_local! {
    /// The file in which this thread panicked last.
    static PANICKED: RefCell<String> = const { RefCell::new(String::new()) };
}

/// The message of a failing expectation, which must panic at the line of the expectation.
fn failure_of<T>(expectation: impl FnOnce() -> T) -> String {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let file = panic.location().map(|it| it.file().to_owned()).unwrap_or_default();
            PANICKED.with_borrow_mut(|last| *last = file);
            before(panic);
        }));
    });
    let Err(panic) = std::panic::catch_unwind(AssertUnwindSafe(expectation)) else { panic!("it should have failed") };
    let file = PANICKED.take();
    assert!(file.contains("kit/tests/"), "it fails in {file}, and not where it is expected");
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(_) => panic!("the panic has no text"),
    }
}
