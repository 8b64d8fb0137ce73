mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::Context;
use twyla_runtime::{Bus, Error, event, listener, listeners};

#[event("api.user_input")]
#[derive(Debug)]
pub struct Greeting<T>
where
    T: Clone,
{
    emission: T,
}

#[listener]
async fn answer(input: Greeting<String>, context: Context, bus: Bus) -> Result<(), Error> {
    println!("{input:?}");
    bus.emit(input, context).await
}

fn main() {
    let _ = listeners![answer];
}
