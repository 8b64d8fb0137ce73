mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::rpc::desk::FindRequest;
use contracts::shared::Note;
use twyla_runtime::{rpc, rpcs};

struct Db;

#[rpc("desk.find")]
async fn find(_: FindRequest, _: Db) -> Result<Note, String> {
    Err(String::new())
}

fn main() {
    let _ = rpcs![find];
}
