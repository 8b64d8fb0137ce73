mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::Context;
use twyla_runtime::{Bus, Error, event};

#[event("api.user_input")]
#[derive(Debug)]
pub struct Greeting {
    language: Option<String>,
}

pub async fn greet(bus: Bus, context: Context) -> Result<(), Error> {
    bus.emit(Greeting { language: None }, context).await
}

fn main() {}
