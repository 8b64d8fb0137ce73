mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::api::UserInput;
use twyla_runtime::{listener, listeners};

struct Oops;

#[listener]
async fn answer(_: UserInput) -> Result<(), Oops> {
    Ok(())
}

fn main() {
    let _ = listeners![answer];
}
