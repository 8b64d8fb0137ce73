mod contracts {
    twyla_runtime::include_contracts!();
}
use twyla_runtime::{listener, listeners};

#[listener("api.user_input")]
async fn answer() {}

fn main() {
    let _ = listeners![answer];
}
