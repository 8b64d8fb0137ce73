//! The bot: listens to what people say, answers with an event of its own, and shows both.

use tokio::sync::mpsc::UnboundedSender;
use twyla_runtime::{Bus, Error, Listeners, State, listener, listeners};

use crate::contracts::Context;
use crate::contracts::api::UserInput;
use crate::contracts::bot::{Reply, ReplyMood};
use crate::contracts::shared::Suggestion;

/// Gets each reply as it is shown, so that the demo knows when to go on.
pub type Shown = UnboundedSender<String>;

/// The bot's listeners.
pub fn listeners() -> Listeners {
    listeners![answer, show]
}

/// Answers what a person has said.
#[listener("api.user_input", group = "bot")]
async fn answer(input: UserInput, context: Context, bus: Bus) -> Result<(), Error> {
    let who = context.user.as_deref().unwrap_or("somebody");
    println!("{who} ({}): {}", context.channel, input.emission);
    bus.emit(reply_to(&input.emission), context).await
}

/// Shows what the bot has answered.
#[listener("bot.reply", group = "screen")]
async fn show(reply: Reply, context: Context, shown: State<Shown>) {
    println!("bot ({}): {}", context.channel, reply.text);
    for suggestion in reply.suggestions.iter().flatten() {
        println!("      [{}]", suggestion.label);
    }
    // nobody waits for it where the bot runs as a service
    let _ = shown.0.send(reply.text);
}

fn reply_to(emission: &str) -> Reply {
    let said = emission.trim().to_lowercase();
    let starts = |words: &[&str]| words.iter().any(|word| said.starts_with(word));
    if starts(&["hello", "hi", "good "]) {
        let book = Suggestion::new("I want to book a flight", "Book");
        Reply { suggestions: Some(vec![book]), ..reply(ReplyMood::Cheerful, "Hello! What can I do for you?") }
    } else if starts(&["bye", "thank"]) {
        reply(ReplyMood::Cheerful, "You are welcome.")
    } else if said.ends_with('?') {
        let ask = Suggestion::new("Let me talk to a person", "Ask a person");
        Reply { suggestions: Some(vec![ask]), ..reply(ReplyMood::Sorry, format!("I don't know: {emission}")) }
    } else {
        reply(ReplyMood::Neutral, format!("You said: {emission}"))
    }
}

fn reply(mood: ReplyMood, text: impl Into<String>) -> Reply {
    Reply { mood, ..Reply::new(text) }
}
