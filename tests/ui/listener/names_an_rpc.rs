mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::api::UserInput;
use twyla_runtime::{listener, listeners};

#[listener("desk.find")]
async fn answer(_: UserInput) {}

fn main() {
    let _ = listeners![answer];
}
