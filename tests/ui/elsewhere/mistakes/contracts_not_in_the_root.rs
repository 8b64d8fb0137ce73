use contracts::{Context, api::UserInput, rpc::desk};
use twyla_runtime::{Bus, Error, event, listener, listeners, rpc, rpcs};

#[event("api.user_input", listen, contracts = crate::contract)]
struct Greeting {
    emission: String,
}

#[listener]
async fn greet(greeting: Greeting, _: Context, _: Bus) -> Result<(), Error> {
    drop(greeting.emission);
    Ok(())
}

#[listener("api.user_input", group = "other", contracts = crate::platform::contracts)]
async fn answer(_: UserInput) {}

#[rpc("desk.find", contracts = crate::contracts)]
async fn find(request: desk::FindRequest) -> Result<contracts::shared::Note, String> {
    Err(request.id.to_string())
}

fn main() {
    let _ = listeners![greet, answer];
    let _ = rpcs![find];
}
