use ::contracts::{Context, api::UserInput, bot, rpc::desk};
use ::platfrom as contracts;
use twyla_runtime::{Bus, Error, event, listener, listeners, rpc, rpcs};

#[event("api.user_input", listen)]
struct Greeting {
    emission: String,
}

#[event("bot.reply")]
struct Answer {
    text: String,
}

#[listener("api.user_input")]
async fn answer(input: UserInput, context: Context, bus: Bus) -> Result<(), Error> {
    bus.emit(bot::Reply::new(input.emission), context).await
}

#[listener(group = "greet")]
async fn greet(greeting: Greeting, context: Context, bus: Bus) -> Result<(), Error> {
    bus.emit(Answer { text: greeting.emission }, context).await
}

#[rpc("desk.find")]
async fn find(request: desk::FindRequest) -> Result<::contracts::shared::Note, String> {
    Err(request.id.to_string())
}

fn main() {
    let _ = listeners![answer, greet];
    let _ = rpcs![find];
}
