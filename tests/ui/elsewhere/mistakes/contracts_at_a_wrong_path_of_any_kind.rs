use contracts::{Context, rpc::desk};
use twyla_runtime::{Bus, Error, event, listener, listeners, rpc, rpcs};

#[event("api.user_input", listen, contracts = contract)]
struct Greeting {
    emission: String,
}

#[listener]
async fn greet(greeting: Greeting, _: Context, _: Bus) -> Result<(), Error> {
    drop(greeting.emission);
    Ok(())
}

#[rpc("desk.find", contracts = crate::contracts)]
async fn find(request: desk::FindRequest) -> Result<contracts::shared::Note, String> {
    Err(request.id.to_string())
}

fn main() {
    let _ = listeners![greet];
    let _ = rpcs![find];
}
