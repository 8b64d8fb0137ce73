mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::Context;
use twyla_runtime::{Bus, Error};

pub async fn greet(bus: Bus, context: Context) -> Result<(), Error> {
    bus.emit("hello", context).await
}

fn main() {}
