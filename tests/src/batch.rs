//! A scripted batch listener of the test event.

use std::any::TypeId;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use twyla_runtime::handler::{
    Arrives, BatchIncoming, BatchOf, BatchOutcome, BatchParts, Batching, Need, Policy, Registration, alone,
    attempt_batch,
};
use twyla_runtime::{Batch, BatchFail};

use crate::{Ping, Place, listener};

type Outcome = Result<(), BatchFail>;

/// The script of a test's batch listeners, given to the service as state.
pub struct BatchScript<P: Place>(Arc<Play<P>>);

type Play<P> = dyn Fn(Batch<Ping<P>>, &BatchParts) -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Send + Sync;

impl<P: Place> Clone for BatchScript<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<P: Place> BatchScript<P> {
    pub fn new<F: Future<Output = Outcome> + Send + 'static>(
        script: impl Fn(Batch<Ping<P>>) -> F + Send + Sync + 'static,
    ) -> Self {
        Self::with_parts(move |batch, _| script(batch))
    }

    /// A script that takes further arguments out of the parts.
    pub fn with_parts<F: Future<Output = Outcome> + Send + 'static>(
        script: impl Fn(Batch<Ping<P>>, &BatchParts) -> F + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move |batch, parts| Box::pin(script(batch, parts))))
    }

    /// Sends the numbers of each batch, and answers with what `answer` says of them.
    pub fn numbers(
        answer: impl Fn(&[u32]) -> Outcome + Send + Sync + 'static,
    ) -> (Self, mpsc::UnboundedReceiver<Vec<u32>>) {
        let (sender, batches) = mpsc::unbounded_channel();
        let script = Self::new(move |batch| {
            let numbers: Vec<u32> = batch.iter().map(|event| event.content.n).collect();
            let answer = answer(&numbers);
            // A test may have heard enough.
            let _ = sender.send(numbers);
            async { answer }
        });
        (script, batches)
    }
}

/// A listener with batches of `size` that runs the service's [`BatchScript`]. A batch waits for more events for ever, unless
/// `policy` says otherwise.
pub fn batches<P: Place>(size: u16, policy: Policy) -> Registration {
    let day = Duration::from_secs(86_400);
    let within = policy.batch.map_or(day, |batching| batching.within);
    let batching = Batching { size, within, open: <Ping<P> as Arrives<true>>::open_in_batch, handle: handle::<P> };
    let Registration { event, domain, event_type, group, handler, record, .. } = listener::<P>("one");
    Registration {
        event,
        domain,
        event_type,
        group,
        handler,
        record,
        policy: Policy { batch: Some(batching), ..policy },
        needs: vec![Need { id: TypeId::of::<BatchScript<P>>(), name: "BatchScript", by: ".state(..)" }],
        handle: |incoming| {
            let batching = Batching {
                size: 1,
                within: Duration::ZERO,
                open: <Ping<P> as Arrives<true>>::open_in_batch,
                handle: handle::<P>,
            };
            alone(incoming, &batching)
        },
    }
}

/// A policy in which a batch waits for more events for 20 ms.
pub fn soon() -> Policy {
    within(Duration::from_millis(20))
}

/// A policy in which a batch waits for more events for this time.
pub fn within(within: Duration) -> Policy {
    fn never<T>(_: T) -> ! {
        unreachable!("only its time is read")
    }
    let batching = Batching { size: 1, within, open: |it| never(it), handle: |it| never(it) };
    Policy { batch: Some(batching), ..Policy::default() }
}

fn handle<P: Place>(incoming: BatchIncoming) -> twyla_runtime::handler::BatchFuture {
    let (opened, parts) = BatchParts::split(incoming);
    let len = opened.len();
    let script = match <twyla_runtime::State<BatchScript<P>> as twyla_runtime::handler::BatchArgument>::take(&parts) {
        Ok(script) => script.0,
        Err(failure) => return twyla_runtime::handler::failed_batch(failure),
    };
    let batch = <Batch<Ping<P>> as BatchOf<Ping<P>>>::collect(opened, &parts);
    attempt_batch(len, (script.0)(batch, &parts), <Outcome as BatchOutcome>::outcome)
}
