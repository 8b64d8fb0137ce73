mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::bot::Reply;
use twyla_runtime::{Bus, Error};

pub async fn greet(bus: Bus) -> Result<(), Error> {
    bus.emit(Reply::new("hello"), "room 1").await
}

fn main() {}
