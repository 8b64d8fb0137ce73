mod contracts {
    twyla_runtime::include_contracts!();
}
use std::rc::Rc;
use contracts::api::UserInput;
use twyla_runtime::{listener, listeners};

#[listener]
async fn answer(input: UserInput) {
    let kept = Rc::new(input);
    tokio::task::yield_now().await;
    drop(kept);
}

fn main() {
    let _ = listeners![answer];
}
