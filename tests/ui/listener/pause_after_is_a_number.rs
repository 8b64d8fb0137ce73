mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::api::UserInput;
use twyla_runtime::{listener, listeners};

#[listener("api.user_input", group = "bots", pause_after = 20)]
async fn answer(_: UserInput) {}

fn main() {
    let _ = listeners![answer];
}
