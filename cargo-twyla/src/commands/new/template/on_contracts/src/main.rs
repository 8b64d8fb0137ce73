//! The service {{service}}, on the contracts of the crate `{{contracts}}`.

// the attributes look for contracts in `crate::contracts`
#[allow(unused_imports, reason = "the first listener uses them")]
use {{contracts-module}} as contracts;

use twyla_runtime::{Bus, Error, Listeners, listeners};

/// Everything that the service listens to. A listener is a function such as
///
/// ```text
/// #[listener("domain.event_type", group = "{{group}}")]
/// async fn answer(event: contracts::domain::EventType, context: contracts::Context, bus: Bus) -> Result<(), Error> {
///     Ok(())
/// }
/// ```
fn listeners() -> Listeners {
    listeners![]
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
    use twyla_runtime::testing::{TestBus, sample_context};

    use super::*;

    #[tokio::test]
    async fn the_service_starts() -> Result<(), Error> {
        let _: contracts::Context = sample_context();
        let test = TestBus::new();
        test.run(|service| service.listeners(listeners())).await?;
        Ok(())
    }
}
