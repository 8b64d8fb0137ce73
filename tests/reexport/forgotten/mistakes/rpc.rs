use bus::{rpc, rpcs};
use platform_contracts::rpc::desk::FindRequest;
use platform_contracts::shared::Note;

#[rpc("desk.find", contracts = platform_contracts)]
async fn find(request: FindRequest) -> Result<Note, String> {
    Ok(Note::new(request.id, "found"))
}

fn main() {
    let _ = rpcs![find];
}
