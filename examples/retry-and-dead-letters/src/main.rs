//! What happens to an event whose handler fails: `cargo run -p retry-and-dead-letters`.
//!
//! 1. `pay-1` is booked at once.
//! 2. `pay-2` fails once, because the ledger can't be reached, and is booked at the second attempt.
//! 3. `pay-3` has a currency that the ledger doesn't know. A retry can't help, so the handler dead-letters it at once.
//!
//! Then an operator looks at the dead letter, opens the currency, and replays it. On RabbitMQ, `cargo twyla dead` does that.

mod contracts {
    twyla_runtime::include_contracts!();
}

use std::sync::{Arc, Mutex, PoisonError};

use contracts::{Context, shop::PaymentReceived};
use tokio::sync::watch;
use twyla_runtime::{Bus, Error, Fail, Listeners, Meta, Sort, State, listener, listeners};

/// The ledger, as far as this example needs one: the currencies that it knows, and how many payments are booked.
#[derive(Clone)]
struct Ledger {
    currencies: Arc<Mutex<Vec<&'static str>>>,
    booked: Arc<watch::Sender<usize>>,
}

impl Ledger {
    fn new(currencies: &[&'static str]) -> Self {
        Self { currencies: Arc::new(Mutex::new(currencies.to_vec())), booked: Arc::default() }
    }

    fn knows(&self, currency: &str) -> bool {
        self.currencies.lock().unwrap_or_else(PoisonError::into_inner).contains(&currency)
    }

    fn open(&self, currency: &'static str) {
        self.currencies.lock().unwrap_or_else(PoisonError::into_inner).push(currency);
    }

    /// Waits until so many payments are booked.
    async fn booked(&self, payments: usize) {
        let _ = self.booked.subscribe().wait_for(|booked| *booked >= payments).await;
    }
}

fn handlers() -> Listeners {
    listeners![book]
}

/// Three attempts, with pauses of 200 ms and 400 ms. An error is retried; `Fail::park` dead-letters at once.
#[listener("shop.payment_received", group = "ledger", retry = "3x 200ms..1s")]
async fn book(payment: PaymentReceived, meta: Meta, State(ledger): State<Ledger>) -> Result<(), Fail> {
    let id = &payment.payment_id;
    if id == "pay-2" && meta.attempt == 1 {
        println!("{id}: attempt 1 fails, the ledger can't be reached");
        return Err(Fail::retry("the ledger can't be reached"));
    }
    if !ledger.knows(&payment.currency) {
        println!("{id}: the ledger has no account in {}, so no retry will help", payment.currency);
        return Err(Fail::park(format!("no account in {}", payment.currency)));
    }
    println!("{id}: booked {} cents at attempt {}", payment.cents, meta.attempt);
    ledger.booked.send_modify(|booked| *booked += 1);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let bus = Bus::in_memory();
    let ledger = Ledger::new(&["EUR"]);
    let running = bus.service().state(ledger.clone()).listeners(handlers()).start().await?;
    let context = Context::new("web");
    for (id, currency) in [("pay-1", "EUR"), ("pay-2", "EUR"), ("pay-3", "SEK")] {
        bus.emit(PaymentReceived::new(1_999, currency, id), &context).await?;
    }
    // `pay-3` is dead-lettered while `pay-2` waits for its second attempt.
    ledger.booked(2).await;

    let (event, group) = ("shop.payment_received", "ledger");
    for letter in bus.dead_letters(event, group, 10).await? {
        println!("dead letter after {} attempt: {}", letter.attempts, letter.error);
    }
    ledger.open("SEK");
    let sorted = bus.sort_dead_letters(event, group, |_| Sort::Replay).await?;
    println!("{} replayed", sorted.replayed);
    ledger.booked(3).await;
    running.stop().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use twyla_runtime::Reason;
    use twyla_runtime::testing::TestBus;

    async fn ledger_in_euros() -> TestBus {
        let test = TestBus::new();
        test.run(|service| service.state(Ledger::new(&["EUR"])).listeners(handlers())).await.unwrap();
        test
    }

    #[tokio::test]
    async fn a_payment_is_booked_when_the_ledger_is_back() {
        let test = ledger_in_euros().await;
        test.give(PaymentReceived::new(1_999, "EUR", "pay-2"), Context::new("web")).await;
        // the pause of 200 ms takes no time here: the bus has its own clock
        test.expect_attempts::<PaymentReceived>("ledger", [Duration::ZERO, Duration::from_millis(200)]);
        test.expect_handled::<PaymentReceived>("ledger");
        test.expect_nothing_parked();
    }

    #[tokio::test]
    async fn a_payment_in_an_unknown_currency_is_dead_lettered_at_once() {
        let test = ledger_in_euros().await;
        test.give(PaymentReceived::new(1_999, "SEK", "pay-3"), Context::new("web")).await;
        let letter = test.expect_parked::<PaymentReceived>("ledger");
        assert_eq!((letter.reason, letter.attempts), (Some(Reason::Handler), 1));
        assert_eq!(letter.error, "no account in SEK");
    }
}
