mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::rpc::desk::FindRequest;
use twyla_runtime::{rpc, rpcs};

#[rpc("desk.find")]
async fn find(_: FindRequest) {}

fn main() {
    let _ = rpcs![find];
}
