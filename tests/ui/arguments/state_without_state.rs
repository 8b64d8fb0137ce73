mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::api::UserInput;
use twyla_runtime::{listener, listeners};

struct Database;

#[listener]
async fn answer(_: UserInput, _: Database) {}

fn main() {
    let _ = listeners![answer];
}
