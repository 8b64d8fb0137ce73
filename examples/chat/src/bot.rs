//! The bot: listens to user input, answers with an event of its own, and shows both.

use tokio::sync::mpsc::UnboundedSender;
use twyla_runtime::rpc::CallError;
use twyla_runtime::{Bus, Fail, Listeners, Rpc, State, listener, listeners};

use crate::contracts::Context;
use crate::contracts::api::UserInput;
use crate::contracts::bot::{Reply, ReplyMood};
use crate::contracts::rpc::navitaire_api::{GetBooking, GetBookingRequest};
use crate::contracts::shared::{Booking, Suggestion};

/// Receives each reply when it is shown, so that the demo knows when to continue.
pub type Shown = UnboundedSender<String>;

/// The bot's listeners.
pub fn listeners() -> Listeners {
    listeners![answer, show]
}

/// Answers a user input; if it is a booking's code, with the booking from the booking service.
#[listener("api.user_input", group = "bot")]
async fn answer(input: UserInput, context: Context, bus: Bus, rpc: Rpc) -> Result<(), Fail> {
    let who = context.user.as_deref().unwrap_or("guest");
    println!("{who} ({}): {}", context.channel, input.emission);
    let answer = match booking_code(&input.emission) {
        Some(code) => booking(&rpc, code, &context).await?,
        None => reply_to(&input.emission),
    };
    bus.emit(answer, context).await?;
    Ok(())
}

/// The text about a booking. An error of the service's contract is an answer; any other error of the call retries the
/// event.
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

/// The booking code in a line, if it looks like one: six letters and digits, of both kinds.
fn booking_code(line: &str) -> Option<String> {
    let code = line.trim();
    let mixed = code.bytes().any(|byte| byte.is_ascii_digit()) && code.bytes().any(|byte| byte.is_ascii_alphabetic());
    (code.len() == 6 && mixed && code.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        .then(|| code.to_ascii_uppercase())
}

/// Shows a reply of the bot.
#[listener("bot.reply", group = "screen")]
async fn show(reply: Reply, context: Context, shown: State<Shown>) {
    println!("bot ({}): {}", context.channel, reply.text);
    for suggestion in reply.suggestions.iter().flatten() {
        println!("      [{}]", suggestion.label);
    }
    // there is no receiver if the bot runs as a service
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
    Reply { mood: Some(mood), ..Reply::new(text) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use booking::Bookings;
    use proptest::prelude::*;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
    use twyla_runtime::testing::{TestBus, any, broken};

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    /// Runs the bot, with or without the booking service, and returns what it shows.
    async fn bot(with_bookings: bool) -> (TestBus, UnboundedReceiver<String>) {
        let (test, rpc) = (TestBus::new(), Rpc::in_memory());
        if with_bookings {
            let bookings = |service: twyla_runtime::Service| service.state(Bookings::demo()).rpcs(booking::rpcs());
            test.run(|service| bookings(service).rpc(rpc.clone())).await.unwrap();
        }
        let (shown, replies) = unbounded_channel();
        test.run(|service| service.state::<Shown>(shown).rpc(rpc).listeners(listeners())).await.unwrap();
        (test, replies)
    }

    #[tokio::test]
    async fn an_input_is_answered_and_shown() {
        let (test, mut shown) = bot(true).await;
        test.give(UserInput::new("Hello"), Context::new("web")).await;
        let reply = test.expect_emitted::<Reply>();
        assert_eq!((reply.content.mood(), reply.context.channel.as_str()), (ReplyMood::Cheerful, "web"));
        assert_eq!(reply.content.suggestions.unwrap()[0].label, "Book");
        test.expect_handled::<Reply>("screen");
        assert_eq!(shown.recv().await.unwrap(), "Hello! What can I do for you?");
        test.expect_nothing_emitted();
        test.expect_nothing_parked();
    }

    #[tokio::test]
    async fn a_booking_without_a_service_is_retried_and_dead_lettered() {
        let (test, _shown) = bot(false).await;
        test.give(UserInput::new("A1324B"), Context::new("web")).await;
        test.expect_attempts::<UserInput>("bot", [0, 100, 300, 700, 1500].map(Duration::from_millis));
        test.expect_parked::<UserInput>("bot");
        test.expect_nothing_emitted();
    }

    #[test]
    fn every_input_is_answered_once() {
        let (runtime, mut runner) = (runtime(), proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(64)));
        let (test, _shown) = runtime.block_on(bot(true));
        let said = |input: UserInput| {
            runtime.block_on(test.give(input, Context::new("web")));
            test.expect_emitted::<Reply>();
            test.expect_nothing_emitted();
            Ok(())
        };
        runner.run(&any::<UserInput>(), said).unwrap();
    }

    #[tokio::test]
    async fn an_invalid_input_never_reaches_the_bot() {
        let (test, _shown) = bot(true).await;
        for broken in broken::<UserInput>() {
            test.give_json::<UserInput>(&broken.content, &Context::new("web")).await;
            assert_eq!(test.expect_parked::<UserInput>("bot").violations[0].keyword, broken.keyword);
        }
        test.expect_nothing_emitted();
    }
}
