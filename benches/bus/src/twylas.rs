//! The works with Twyla: emit and listen, as in a service.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::Notify;
use twyla_runtime::{Bus, Config, State, listener, listeners};

use crate::contracts::api::UserInput;
use crate::workload::{Result, content, context};

/// The number of emits awaited together.
const WINDOW: usize = 1000;

/// A bus over the broker that `TWYLA_TEST_AMQP_*` names.
pub(crate) async fn connect() -> Result<Bus> {
    let config = Config::from_env("TWYLA_TEST")?.ok_or("TWYLA_TEST_AMQP_HOST is not set")?;
    Ok(Bus::connect(config).await?)
}

/// Emits many at once.
pub(crate) async fn emit_many(bus: Bus, count: u32) -> Result {
    let emits = stream::iter(0..count).map(|_| bus.emit(content(), context()));
    Ok(emits.buffer_unordered(WINDOW).try_for_each(|()| async { Ok(()) }).await?)
}

/// Emits one after another, each confirmed before the next.
pub(crate) async fn emit_one_by_one(bus: Bus, count: u32) -> Result {
    for _ in 0..count {
        bus.emit(content(), context()).await?;
    }
    Ok(())
}

/// Emits at a steady rate; returns the time until each confirm.
pub(crate) async fn latencies(bus: Bus, count: u32, every: Duration) -> Result<Vec<Duration>> {
    let mut ticks = tokio::time::interval(every);
    let mut latencies = Vec::with_capacity(count as usize);
    for _ in 0..count {
        ticks.tick().await;
        let begun = Instant::now();
        bus.emit(content(), context()).await?;
        latencies.push(begun.elapsed());
    }
    Ok(latencies)
}

/// Waits until this many events are handled.
#[derive(Clone)]
struct Left(Arc<(AtomicU32, Notify)>);

#[listener("api.user_input", group = "bench")]
async fn handle(input: UserInput, State(left): State<Left>) {
    std::hint::black_box(input);
    if left.0.0.fetch_sub(1, Ordering::Relaxed) == 1 {
        left.0.1.notify_one();
    }
}

/// Handles `count` events in a service.
pub(crate) async fn listen(bus: Bus, count: u32, prefetch: u16) -> Result {
    let left = Left(Arc::new((count.into(), Notify::new())));
    let service = bus.service().state(left.clone()).prefetch(prefetch).listeners(listeners![handle]);
    let running = service.start().await?;
    left.0.1.notified().await;
    running.stop().await;
    Ok(())
}

/// Emits `count` events and handles them.
pub(crate) async fn through(bus: Bus, count: u32) -> Result {
    let left = Left(Arc::new((count.into(), Notify::new())));
    let running = bus.service().state(left.clone()).prefetch(1000).listeners(listeners![handle]).start().await?;
    emit_many(bus, count).await?;
    left.0.1.notified().await;
    running.stop().await;
    Ok(())
}
