mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::api::UserInput;
use twyla_runtime::{listener, listeners};

#[listener]
async fn answer(_: UserInput) {}

async fn shout(_: UserInput) {}

fn main() {
    let _ = listeners![answer, shout];
}
