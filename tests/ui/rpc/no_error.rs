mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::rpc::desk::FindRequest;
use contracts::shared::Note;
use twyla_runtime::{rpc, rpcs};

struct Gone;

#[rpc("desk.find")]
async fn find(_: FindRequest) -> Result<Note, Gone> {
    Err(Gone)
}

fn main() {
    let _ = rpcs![find];
}
