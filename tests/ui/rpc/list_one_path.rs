mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::rpc::{desk, shop};
use contracts::shared::Note;
use twyla_runtime::{rpc, rpcs};

#[rpc("desk.find")]
async fn find(_: desk::FindRequest) -> Result<Note, String> {
    Err(String::new())
}

#[rpc("shop.find")]
async fn find_in_shop(_: shop::FindRequest) -> Result<shop::FindResponse, String> {
    Err(String::new())
}

fn main() {
    let _ = rpcs![find, find_in_shop];
}
