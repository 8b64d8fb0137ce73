mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::api::UserInput;
use twyla_runtime::{listener, listeners};

#[listener("api.user_input", group = "bots", batch = 500, concurrency = 4, prefetch = 1000)]
async fn answer(_: Vec<UserInput>) {}

fn main() {
    let _ = listeners![answer];
}
