mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::api::UserInput;
use contracts::{Context, bot, rpc::desk};
use twyla_runtime::{Bus, Error, event, listener, listeners, rpc, rpcs};

#[event("api.user_input")]
pub struct Greeting {
    emission: String,
}

#[listener("api.user_input")]
async fn answer(input: UserInput, context: Context, bus: Bus) -> Result<(), Error> {
    bus.emit(bot::Reply::new(input.emission), context).await
}

#[listener]
async fn greet(greeting: Greeting) {
    drop(greeting.emission);
}

#[rpc("desk.find")]
async fn find(request: desk::FindRequest) -> Result<contracts::shared::Note, String> {
    Err(request.id.to_string())
}

fn main() {
    let _ = listeners![answer, greet];
    let _ = rpcs![find];
}
