mod contracts {
    twyla_runtime::include_contracts!();
}
use twyla_runtime::{listener, listeners};

#[listener]
async fn answer(_: String) {}

fn main() {
    let _ = listeners![answer];
}
