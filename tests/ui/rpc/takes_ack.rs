mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::rpc::desk::FindRequest;
use contracts::shared::Note;
use twyla_runtime::{Ack, rpc, rpcs};

#[rpc("desk.find")]
async fn find(_: FindRequest, _: Ack) -> Result<Note, String> {
    Err(String::new())
}

fn main() {
    let _ = rpcs![find];
}
