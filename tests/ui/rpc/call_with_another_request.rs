mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::Context;
use contracts::rpc::desk::Find;
use contracts::shared::Note;
use twyla_runtime::Rpc;

async fn find(rpc: Rpc, context: Context) {
    let _ = rpc.call::<Find>(Note::new(1, ""), context).await;
}

fn main() {
    let _ = find;
}
