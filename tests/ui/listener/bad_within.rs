mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::api::UserInput;
use twyla_runtime::{listener, listeners};

#[listener("api.user_input", group = "bots", batch = 500, within = "2h")]
async fn answer(_: Vec<UserInput>) {}

fn main() {
    let _ = listeners![answer];
}
