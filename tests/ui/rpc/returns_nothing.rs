mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::rpc::desk::FindRequest;
use contracts::shared::Note;
use twyla_runtime::{rpc, rpcs};

#[rpc("desk.find")]
async fn find(request: FindRequest) {
    let text = u8::try_from(request.id)?.to_string();
    Ok(Note::new(request.id, text))
}

fn main() {
    let _ = rpcs![find];
}
