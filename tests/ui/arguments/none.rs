mod contracts {
    twyla_runtime::include_contracts!();
}
use twyla_runtime::{listener, listeners};

#[listener]
async fn answer() {}

fn main() {
    let _ = listeners![answer];
}
