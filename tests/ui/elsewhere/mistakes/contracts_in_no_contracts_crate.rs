use contracts::{Context, api::UserInput, rpc::desk};
use twyla_runtime::{Bus, Error, event, listener, listeners, rpc, rpcs};

#[event("bot.reply", contracts = tokio)]
struct Answer {
    text: String,
}

#[listener("api.user_input", contracts = tokio::sync)]
async fn answer(input: UserInput, context: Context, bus: Bus) -> Result<(), Error> {
    bus.emit(Answer { text: input.emission }, context).await
}

#[rpc("desk.find", contracts = tokio)]
async fn find(request: desk::FindRequest) -> Result<contracts::shared::Note, String> {
    Err(request.id.to_string())
}

fn main() {
    let _ = listeners![answer];
    let _ = rpcs![find];
}
