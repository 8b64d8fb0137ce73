mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::shared::Note;
use twyla_runtime::{rpc, rpcs};

#[rpc("desk.find")]
async fn find() -> Result<Note, String> {
    Err(String::new())
}

fn main() {
    let _ = rpcs![find];
}
