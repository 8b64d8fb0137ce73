mod contracts {
    twyla_runtime::include_contracts!();
}
use twyla_runtime::{event, listener, listeners};

#[event("api.user_input", lisen)]
#[derive(Debug)]
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
