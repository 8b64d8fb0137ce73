//! Calls an RPC of another service, and handles each way in which a call can end: `cargo run -p rpc-client`.
//!
//! The service is a stub in this program. With `--features http` and `SHOP_PAYMENTS_URL=http://payments:8080`, the same call goes
//! over HTTP to a real one.

mod contracts {
    twyla_runtime::include_contracts!();
}

use std::time::Duration;

use contracts::Context;
use contracts::rpc::payments::{Charge, ChargeError, ChargeErrorReason, ChargeRequest, ChargeResponse};
use twyla_runtime::rpc::CallError;
use twyla_runtime::{Bus, Rpc, Rpcs, rpc, rpcs};

/// Charges an order, and returns what to show to the customer.
///
/// A charge must not be repeated blindly: the idempotency key lets the service recognize a retry of the same order.
async fn charge(rpc: &Rpc, order: &str, cents: u64) -> String {
    let request = ChargeRequest::new(cents, order);
    let call = rpc.call::<Charge>(request, &Context::new("web")).within(Duration::from_secs(2)).idempotency_key(order);
    match call.await {
        Ok(ChargeResponse { receipt }) => format!("{order}: paid, receipt {receipt}"),
        // the contract's own error: typed, and known at compile time
        Err(CallError::Domain(ChargeError { reason: ChargeErrorReason::Declined })) => {
            format!("{order}: the card was declined, ask for another one")
        }
        Err(CallError::Domain(ChargeError { reason: ChargeErrorReason::Expired })) => {
            format!("{order}: the card has expired")
        }
        // nothing was charged, for certain: the customer can try again
        Err(error) if !error.maybe_begun() => format!("{order}: payment is not available now ({error})"),
        // it may have been charged: don't ask for the money twice
        Err(error) => format!("{order}: payment is being checked ({error})"),
    }
}

fn stub() -> Rpcs {
    rpcs![answer]
}

/// The other service, as the tests and this program need it: declines odd amounts.
#[rpc("payments.charge")]
async fn answer(request: ChargeRequest) -> Result<ChargeResponse, ChargeError> {
    match request.cents {
        0 => std::future::pending().await,
        cents if cents % 2 == 1 => Err(ChargeError::new(ChargeErrorReason::Declined)),
        _ => Ok(ChargeResponse::new(format!("R-{}", request.order_id))),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rpc = Rpc::from_env("SHOP")?;
    let bus = Bus::in_memory();
    let mut service = bus.service();
    if rpc.is_in_memory() {
        service = service.rpcs(stub()).rpc(rpc.clone());
    }
    let running = service.start().await?;
    for (order, cents) in [("o-1", 2_000), ("o-2", 1_999), ("o-3", 0)] {
        println!("{}", charge(&rpc, order, cents).await);
    }
    running.stop().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answers of the stub for each amount.
    async fn charged(cents: u64) -> String {
        let (rpc, bus) = (Rpc::in_memory(), Bus::in_memory());
        let running = bus.service().rpcs(stub()).rpc(rpc.clone()).start().await.unwrap();
        let answer = charge(&rpc, "o-1", cents).await;
        running.stop().await;
        answer
    }

    #[tokio::test]
    async fn a_charge_has_a_receipt() {
        assert_eq!(charged(2_000).await, "o-1: paid, receipt R-o-1");
    }

    #[tokio::test]
    async fn a_declined_card_is_a_typed_error() {
        assert_eq!(charged(1_999).await, "o-1: the card was declined, ask for another one");
    }

    #[tokio::test(start_paused = true)]
    async fn a_charge_without_an_answer_is_not_repeated_by_hand() {
        assert!(charged(0).await.starts_with("o-1: payment is being checked ("));
    }

    #[tokio::test]
    async fn without_a_service_nothing_was_charged() {
        assert!(charge(&Rpc::in_memory(), "o-1", 2_000).await.starts_with("o-1: payment is not available now ("));
    }
}
