//! A service in a process of its own, for the shutdown tests: reports its progress on standard output.
//!
//! usage: drain-child memory|drain|deadline DEADLINE_MS. Each event waits for a line on standard input.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tracing::field::{Field, Visit};
use twyla_runtime::{Bus, Error};
use twyla_tests::{Call, Here, Ping, Place, Script, broker, here, listener};

here!(Memory, "signal_memory");
here!(Drain, "signal_drain");
here!(Deadline, "signal_deadline");

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let (what, deadline) = (arguments.next().unwrap_or_default(), arguments.next().unwrap_or_default());
    let deadline = Duration::from_millis(deadline.parse().expect("the deadline in milliseconds"));
    tracing::subscriber::set_global_default(Draining).expect("it is the only one");
    match what.as_str() {
        "memory" => serve::<Memory>(Bus::in_memory(), deadline).await,
        "drain" => serve::<Drain>(Bus::connect(broker::config()).await?, deadline).await,
        "deadline" => serve::<Deadline>(Bus::connect(broker::config()).await?, deadline).await,
        other => panic!("{other}?"),
    }
}

async fn serve<P: Place>(bus: Bus, deadline: Duration) -> Result<(), Error> {
    let (sender, lines) = mpsc::unbounded_channel();
    // On its own thread, because a read from standard input can't be cancelled.
    std::thread::spawn(move || std::io::stdin().lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let lines = Arc::new(Mutex::new(lines));
    let script = Script::<P>::new(move |call: Call<P>| {
        let lines = lines.clone();
        async move {
            println!("begin {}", call.ping.n);
            lines.lock().await.recv().await;
            // Events that a handler emits during shutdown are still sent.
            call.bus.emit(Ping::<P>::new(100 + call.ping.n), Here::new("child")).await?;
            println!("end {}", call.ping.n);
            Ok(())
        }
    });
    if P::DOMAIN == "signal_memory" {
        // An in-memory bus has no other emitter: this declares the queue and emits three events.
        bus.service().state(script.clone()).listeners([listener::<P>("one")]).start().await?.stop().await;
        for n in 1..=3 {
            bus.emit(Ping::<P>::new(n), Here::new("child")).await?;
        }
    }
    let service = bus.service().state(script).listeners([listener::<P>("one")]).prefetch(1);
    service.drain_deadline(deadline).run().await?;
    println!("drained");
    Ok(())
}

/// Prints a line when the service logs that it drains.
struct Draining;

impl tracing::Subscriber for Draining {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("twyla_runtime")
    }

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut Message);
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

struct Message;

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" && format!("{value:?}") == "draining" {
            println!("draining");
        }
    }
}
