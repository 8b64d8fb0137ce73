//! Expectations about emitted, handled and dead-lettered events, and their failure messages.

use twyla_kit::contracts::api::UserInput;
use twyla_kit::contracts::bot::Reply;
use twyla_runtime::testing::{Outcome, TestBus};
use twyla_runtime::{Reason, listeners, session_id};

use crate::{context, failure_of, service};

#[tokio::test]
async fn a_reply_is_expected_once_with_context_and_meta() {
    let test = service().await;
    test.give(UserInput::new("hello"), context()).await;
    let reply = test.expect_emitted::<Reply>();
    assert_eq!(reply.content.text, "you said hello");
    assert_eq!((reply.context.channel.as_str(), reply.meta.event), ("web", "bot.reply"));
    assert_eq!(test.expect_handled::<UserInput>("bot").handler, "twyla_kit::answer");
    test.expect_nothing_emitted();
    test.expect_nothing_parked();
    assert_eq!(test.emitted::<Reply>().len(), 1);
    assert!(failure_of(|| test.expect_emitted::<Reply>()).starts_with("no other bot.reply was emitted\n"));
}

#[tokio::test]
async fn follow_up_events_are_handled_too_and_share_one_session() {
    let test = service().await;
    test.bus().with_session(session_id("s-1")).emit(UserInput::new("echo!"), context()).await.unwrap();
    test.settle().await;
    let (first, second) = (test.expect_emitted::<UserInput>(), test.expect_emitted::<Reply>());
    assert_eq!((first.meta.session_id, second.meta.session_id), (session_id("s-1"), session_id("s-1")));
    assert_eq!(test.expect_emitted::<Reply>().content.text, "echo!");
}

#[tokio::test]
async fn an_event_that_fails_each_attempt_is_dead_lettered_with_its_reason() {
    let test = service().await;
    test.give(UserInput::new("never"), context()).await;
    let letter = test.expect_parked::<UserInput>("bot");
    assert_eq!((letter.reason, letter.attempts, letter.error.as_str()), (Some(Reason::Handler), 5, "no database"));
    test.expect_nothing_parked();
    test.give(UserInput::new("park it"), context()).await;
    assert_eq!(test.expect_parked::<UserInput>("bot").attempts, 1);
    test.give(UserInput::new("panic"), context()).await;
    let outcomes: Vec<_> = test.attempts::<UserInput>("bot").into_iter().map(|it| it.outcome).rev().take(2).collect();
    assert_eq!(outcomes, [Outcome::Handled, Outcome::Failed("the handler panicked: out of cheese".to_owned())]);
}

#[tokio::test]
async fn events_of_other_senders_are_delivered_unchanged() {
    let test = service().await;
    test.give_json::<UserInput>(&serde_json::json!({ "emission": "" }), &context()).await;
    let letter = test.expect_parked::<UserInput>("bot");
    assert_eq!((letter.reason, letter.violations[0].pointer.as_str()), (Some(Reason::Contract), "/content/emission"));
    test.give_bytes("api.user_input", "nonsense").await;
    while let letter = test.expect_parked::<UserInput>("bot")
        && letter.reason != Some(Reason::Envelope)
    {}
    assert!(failure_of(|| drop(test.give_bytes("nonsense", ""))).contains("is not an event name"));
}

/// One group only, because the order of several is undefined.
async fn bot_and_echo() -> TestBus {
    let test = TestBus::new();
    let some = twyla_kit::listeners().into_iter().filter(|it| ["bot", "echo"].contains(&it.group));
    test.run(|service| service.listeners(some)).await.unwrap();
    test
}

#[tokio::test]
async fn a_failure_reports_what_happened_instead() {
    let test = bot_and_echo().await;
    test.give(UserInput::new("silence"), context()).await;
    test.give(UserInput::new("echo!"), context()).await;
    test.expect_emitted::<Reply>();
    insta::assert_snapshot!("nothing_emitted", failure_of(|| test.expect_nothing_emitted()));

    let test = bot_and_echo().await;
    test.give(UserInput::new("never"), context()).await;
    insta::assert_snapshot!("emitted", failure_of(|| test.expect_emitted::<Reply>()));
    let parked = failure_of(|| test.expect_nothing_parked());
    assert!(
        parked.starts_with(
            "api.user_input was dead-lettered in the group `bot`, after 5 attempts, handler: no database\n"
        )
    );
    let handled = failure_of(|| test.expect_handled::<UserInput>("bot"));
    assert!(handled.starts_with("no api.user_input was handled in the group `bot`\n"), "{handled}");
    test.expect_parked::<UserInput>("bot");
    assert!(
        failure_of(|| test.expect_parked::<UserInput>("bot"))
            .starts_with("no api.user_input was dead-lettered in the group")
    );
}

#[tokio::test]
async fn an_expectation_on_a_busy_bus_panics() {
    let test = service().await;
    test.bus().emit(UserInput::new("hello"), context()).await.unwrap();
    let message = failure_of(|| test.expect_nothing_emitted());
    assert!(
        message.starts_with("the bus is not idle: 3 deliveries are in progress; call `.settle().await`"),
        "{message}"
    );
    test.settle().await;
    test.expect_emitted::<UserInput>();
    test.expect_emitted::<Reply>();
}

#[tokio::test]
async fn a_handler_that_does_not_end_is_named() {
    let test = TestBus::new().patience(std::time::Duration::from_millis(50));
    test.run(|service| service.listeners(twyla_kit::listeners())).await.unwrap();
    test.bus().emit(UserInput::new("hang"), context()).await.unwrap();
    let error = tokio::spawn(async move { test.settle().await }).await.unwrap_err();
    let message = *error.into_panic().downcast::<String>().unwrap();
    assert!(
        message.contains("these handlers have not ended:\n  `twyla_kit::answer`, at api.user_input since 0 s\n"),
        "{message}"
    );
    assert!(message.starts_with("at tests"), "{message}");
}

#[tokio::test]
async fn a_content_that_breaks_its_contract_is_refused() {
    let test = service().await;
    let message = failure_of(|| drop(test.give(UserInput::new(""), context())));
    assert!(message.starts_with("api.user_input was not sent: its content breaks the contract"), "{message}");
    assert!(test.run(|service| service.listeners(listeners![])).await.is_ok());
}
