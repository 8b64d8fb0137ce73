//! The bot: listens to what people say, answers with an event of its own, and shows both.

use tokio::sync::mpsc::UnboundedSender;
use twyla_runtime::rpc::CallError;
use twyla_runtime::{Bus, Fail, Listeners, Rpc, State, listener, listeners};

use crate::contracts::Context;
use crate::contracts::api::UserInput;
use crate::contracts::bot::{Reply, ReplyMood};
use crate::contracts::rpc::navitaire_api::{GetBooking, GetBookingRequest};
use crate::contracts::shared::{Booking, Suggestion};

/// Gets each reply as it is shown, so that the demo knows when to go on.
pub type Shown = UnboundedSender<String>;

/// The bot's listeners.
pub fn listeners() -> Listeners {
    listeners![answer, show]
}

/// Answers what a person has said: a booking's code with the booking, for which the booking service is called.
#[listener("api.user_input", group = "bot")]
async fn answer(input: UserInput, context: Context, bus: Bus, rpc: Rpc) -> Result<(), Fail> {
    let who = context.user.as_deref().unwrap_or("somebody");
    println!("{who} ({}): {}", context.channel, input.emission);
    let answer = match booking_code(&input.emission) {
        Some(code) => booking(&rpc, code, &context).await?,
        None => reply_to(&input.emission),
    };
    bus.emit(answer, context).await?;
    Ok(())
}

/// What is said of a booking. What the service says for itself is an answer; what stands in the way of asking it is tried
/// again, as this event is.
async fn booking(rpc: &Rpc, code: String, context: &Context) -> Result<Reply, Fail> {
    match rpc.call::<GetBooking>(GetBookingRequest::new(code), context).await {
        Ok(booking) => Ok(reply(ReplyMood::Cheerful, itinerary(&booking))),
        Err(CallError::Domain(error)) => Ok(reply(ReplyMood::Sorry, format!("I am sorry, {}.", error.message))),
        Err(error) => Err(error.into()),
    }
}

fn itinerary(booking: &Booking) -> String {
    let flights = booking.flights.iter().map(|flight| {
        let departs = flight.departs.format("%d %B, %H:%M");
        format!("{} from {} to {} on {departs}", flight.number, flight.from, flight.to)
    });
    format!("{} fly {}.", booking.passengers.join(" and "), flights.collect::<Vec<_>>().join(", then "))
}

/// The code that a line is, if it looks like one: six letters and digits, of both kinds.
fn booking_code(line: &str) -> Option<String> {
    let code = line.trim();
    let mixed = code.bytes().any(|byte| byte.is_ascii_digit()) && code.bytes().any(|byte| byte.is_ascii_alphabetic());
    (code.len() == 6 && mixed && code.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        .then(|| code.to_ascii_uppercase())
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
