mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::{Context, api::UserInput};
use twyla_runtime::{listener, listeners};

#[listener("api.user_input", group = "bots", batch = 500)]
async fn answer(_: Vec<UserInput>, _: Context) {}

fn main() {
    let _ = listeners![answer];
}
