mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::Context;
use contracts::rpc::desk::FindRequest;
use twyla_runtime::Rpc;

async fn find(rpc: Rpc, context: Context) {
    let _ = rpc.call::<FindRequest>(FindRequest::new(1), context).await;
}

fn main() {
    let _ = find;
}
