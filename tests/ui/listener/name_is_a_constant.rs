mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::api::UserInput;
use twyla_runtime::{listener, listeners};

const NAME: &str = "api.user_input";

#[listener(NAME, group = "bots")]
async fn answer(_: UserInput) {}

fn main() {
    let _ = listeners![answer];
    println!("{NAME}");
}
