mod contracts {
    twyla_runtime::include_contracts!();
}
use serde::Serialize;
use twyla_runtime::{event, listener, listeners};

#[event("api.user_input")]
#[derive(Debug, Serialize)]
pub struct Greeting {
    emission: String,
}

#[listener]
async fn answer(input: Greeting) {
    println!("{input:?}");
}

fn main() {
    let _ = listeners![answer];
}
