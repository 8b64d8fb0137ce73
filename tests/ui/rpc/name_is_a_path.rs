mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::rpc::desk::FindRequest;
use contracts::shared::Note;
use twyla_runtime::{rpc, rpcs};

mod names {
    pub const FIND: &str = "desk.find";
}

#[rpc(names::FIND)]
async fn find(_: FindRequest) -> Result<Note, String> {
    Err(names::FIND.to_owned())
}

fn main() {
    let _ = rpcs![find];
}
