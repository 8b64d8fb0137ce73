mod contracts {
    twyla_runtime::include_contracts!();
}
use twyla_runtime::{event, listener, listeners};

#[derive(Debug)]
pub struct Words(String);

#[event("api.user_input")]
#[derive(Debug)]
pub struct Greeting {
    emission: Words,
}

#[listener]
async fn answer(input: Greeting) {
    println!("{input:?}");
}

fn main() {
    let _ = listeners![answer];
}
