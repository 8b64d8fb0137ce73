mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::rpc::desk::{Find, FindRequest};
use twyla_runtime::Rpc;

async fn find(rpc: Rpc) {
    let _ = rpc.call::<Find>(FindRequest::new(1), "terminal").await;
}

fn main() {
    let _ = find;
}
