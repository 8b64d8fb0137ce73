mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::rpc::desk::FindRequest;
use contracts::shared::Note;
use twyla_runtime::{rpc};

struct Desk;

impl Desk {
    #[rpc("desk.find")]
    async fn find(&self, _: FindRequest) -> Result<Note, String> {
        Err(String::new())
    }
}

fn main() {}
