mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::rpc::desk::{FindRequest, StoreResponse};
use twyla_runtime::{rpc, rpcs};

#[rpc("desk.find")]
async fn find(_: FindRequest) -> Result<StoreResponse, String> {
    Err(String::new())
}

fn main() {
    let _ = rpcs![find];
}
