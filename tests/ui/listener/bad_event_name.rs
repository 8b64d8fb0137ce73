mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::api::UserInput;
use twyla_runtime::{listener, listeners};

#[listener("user_input")]
async fn answer(_: UserInput) {}

fn main() {
    let _ = listeners![answer];
}
