mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::rpc::desk::FindRequest;
use contracts::shared::Note;
use twyla_runtime::{rpc, rpcs};

#[rpc("shop.order")]
async fn find(_: FindRequest) -> Result<Note, String> {
    Err(String::new())
}

fn main() {
    let _ = rpcs![find];
}
