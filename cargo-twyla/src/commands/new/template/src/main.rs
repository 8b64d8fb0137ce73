//! The service {{service}}: answers questions.

mod contracts {
    twyla_runtime::include_contracts!();
}

use contracts::Context;
use contracts::{{module}}::{Answered, Asked};
use twyla_runtime::{Bus, Error, Listeners, listener, listeners};

/// Everything that the service listens to.
fn listeners() -> Listeners {
    listeners![answer]
}

/// Answers a question.
#[listener("{{domain}}.asked", group = "{{group}}")]
async fn answer(asked: Asked, context: Context, bus: Bus) -> Result<(), Error> {
    let answer = format!("You asked: {}", asked.question);
    bus.emit(Answered::new(answer), context).await
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    // RabbitMQ where EVENT_BUS_AMQP_HOST is set, else in memory
    let bus = Bus::from_env("EVENT_BUS").await?;
    println!("{{service}} listens; ctrl-C ends it");
    bus.service().listeners(listeners()).run().await
}

#[cfg(test)]
mod tests {
    use twyla_runtime::testing::TestBus;

    use super::*;

    #[tokio::test]
    async fn a_question_is_answered() -> Result<(), Error> {
        let test = TestBus::new();
        test.run(|service| service.listeners(listeners())).await?;
        test.give(Asked::new("What is the time?"), Context::new("test")).await;
        assert_eq!(test.expect_emitted::<Answered>().content.text, "You asked: What is the time?");
        test.expect_nothing_parked();
        Ok(())
    }

    #[tokio::test]
    async fn an_empty_question_is_none() {
        let refused = Bus::in_memory().emit(Asked::new(""), Context::new("test")).await;
        assert!(refused.is_err_and(|error| error.refusal().is_some()));
    }
}
