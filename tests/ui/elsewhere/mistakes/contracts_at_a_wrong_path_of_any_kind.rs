use ::contracts;
use contracts::{Context, api::UserInput, bot, rpc::desk};
use twyla_runtime::{Bus, Error, event, listener, listeners, rpc, rpcs};

#[event("api.user_input", listen, contracts = platfrom)]
pub struct Greeting {
    emission: String,
}

#[event("bot.reply", contracts = contracts::v2)]
struct Answer {
    text: String,
}

#[event("bot.reply", contracts = self::handlers::contracts)]
struct Borrowed<'a, T: Default> {
    text: &'a str,
    rest: T,
}

#[listener("api.user_input")]
async fn answer(input: UserInput, context: Context, bus: Bus) -> Result<(), Error> {
    bus.emit(bot::Reply::new(input.emission), context).await
}

#[listener("api.user_input", group = "greet")]
async fn greet(greeting: Greeting, context: Context, bus: Bus) -> Result<(), Error> {
    bus.emit(Borrowed { text: "", rest: 0 }, &context).await?;
    bus.emit(Answer { text: greeting.emission }, context).await
}

#[listener(group = "again")]
async fn greet_again(greeting: Greeting, context: Context) {
    drop((greeting.emission, context));
}

#[listener("api.user_input", group = "greet", contracts = platfrom)]
async fn greet_elsewhere(_: Greeting) {}

mod handlers {
    use super::*;

    #[rpc("desk.find", contracts = super::platfrom)]
    pub(crate) async fn find(request: desk::FindRequest) -> Result<contracts::shared::Note, String> {
        Err(request.id.to_string())
    }

    #[rpc("desk.find", contracts = platfrom)]
    pub(crate) async fn find_nothing(request: desk::FindRequest) {
        request.id.to_string()
    }

    pub(crate) fn within() -> twyla_runtime::Listeners {
        #[listener("api.user_input", contracts = platfrom::contracts)]
        async fn answer_within(_: UserInput) {}

        listeners![answer_within]
    }
}

fn main() {
    let _ = listeners![answer, greet, greet_again, greet_elsewhere];
    let _ = rpcs![handlers::find, handlers::find_nothing];
    let _ = handlers::within();
}
