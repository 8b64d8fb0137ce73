mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::api::UserInput;
use twyla_runtime::{Ack, Batch, listener, listeners};

#[listener("api.user_input", group = "bots", batch = 500)]
async fn answer(_: Batch<UserInput>, _: Ack) {}

fn main() {
    let _ = listeners![answer];
}
