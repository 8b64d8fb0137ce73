mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::Context;
use twyla_runtime::{Bus, Error, event};

#[event("api.user_input", listen)]
#[derive(Debug)]
pub struct Greeting {
    emission: String,
}

pub async fn greet(bus: Bus, context: Context) -> Result<(), Error> {
    bus.emit(Greeting { emission: String::new() }, context).await
}

fn main() {}
