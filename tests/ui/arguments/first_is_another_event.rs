mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::bot::Reply;
use twyla_runtime::{listener, listeners};

#[listener("api.user_input")]
async fn answer(_: Reply) {}

fn main() {
    let _ = listeners![answer];
}
