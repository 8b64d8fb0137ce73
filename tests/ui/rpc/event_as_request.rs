mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::api::UserInput;
use contracts::shared::Note;
use twyla_runtime::{rpc, rpcs};

#[rpc("desk.find")]
async fn find(_: UserInput) -> Result<Note, String> {
    Err(String::new())
}

fn main() {
    let _ = rpcs![find];
}
