mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::api::UserInput;
use twyla_runtime::{listener, listeners};

#[listener("api.user_input", group = "bots", batch = 500)]
async fn answer(_: Vec<UserInput>) -> usize {
    0
}

fn main() {
    let _ = listeners![answer];
}
