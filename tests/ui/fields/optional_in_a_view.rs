mod contracts {
    twyla_runtime::include_contracts!();
}
use twyla_runtime::{event, listener, listeners};

#[event("api.user_input")]
#[derive(Debug)]
pub struct Greeting {
    attempt: u8,
}

#[listener]
async fn answer(input: Greeting) {
    println!("{input:?}");
}

fn main() {
    let _ = listeners![answer];
}
