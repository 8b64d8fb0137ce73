mod contracts {
    twyla_runtime::include_contracts!();
}
use twyla_runtime::{event, listener, listeners};

#[event("api.user_input")]
#[derive(Debug)]
pub struct Greeting<'a> {
    emission: &'a str,
}

#[listener]
async fn answer(input: Greeting<'static>) {
    println!("{input:?} {}", input.emission);
}

fn main() {
    let _ = listeners![answer];
}
