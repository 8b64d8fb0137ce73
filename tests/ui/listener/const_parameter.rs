mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::api::UserInput;
use twyla_runtime::{listener, listeners};

#[listener]
async fn answer<const N: usize>(_: UserInput) {}

fn main() {
    let _ = listeners![answer];
}
