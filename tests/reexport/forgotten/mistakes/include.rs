mod contracts {
    bus::include_contracts!();
}

use bus::{Bus, Error, listener, listeners};
use contracts::{Context, api::UserInput, bot::Reply};

#[listener("api.user_input", crate = bus)]
async fn answer(input: UserInput, context: Context, bus: Bus) -> Result<(), Error> {
    bus.emit(Reply::new(input.emission), context).await
}

fn main() {
    let _ = listeners![answer];
}
