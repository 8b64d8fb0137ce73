//! Handles one event of a batch listener: joins it to a batch or handles it alone, and leads the batch if it is the first.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Mutex;
use std::task::Poll;

use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};
use tokio::time::sleep_until;

use super::active_listener::ActiveListener;
use super::batch_run::handle;
use super::call::{Attempt, AttemptTimer, Called};
use super::call_outcome::CallOutcome;
use super::catch_panic::caught;
use super::gather::{Answer, BatchMember, Gathering, Joined, LedBatch, MemberOutcome, Membership};
use super::phase::{self, Phase};
use super::start::Wait;
use super::verdict::FailedAttempts;
use crate::progress::DeliveryProgress;
use crate::telemetry::span::ActiveSpan;
use crate::transport::Delivery;

/// Handles an event in a batch, or alone if the event or its batch has failed. Updates `failed`, the failed attempts so far.
/// `None` if the service stops or the delivery is void.
pub(crate) async fn call_in_batch<'a>(
    listening: &'a ActiveListener,
    gathering: &Gathering,
    attempt: Attempt<'_>,
    failed: &mut Option<FailedAttempts>,
    membership: &mut Membership,
) -> Option<Called<'a>> {
    let delivery = attempt.delivery;
    // an event that has ended the process several times is handled alone, so that it doesn't stop the other events of its batch
    // again
    membership.alone |= failed.as_ref().is_some_and(|failed| !failed.in_batch) || listening.is_suspect(delivery);
    loop {
        let attempt = attempt.after(failed.as_ref());
        if let Some(before) = membership.turn.as_mut().and_then(|turn| turn.before.take()) {
            rest(listening.stopping.clone(), &delivery.progress, before).await?;
        }
        let incoming = attempt.incoming(listening, &ActiveSpan::none());
        // the consumer loop polls this: a panic must not end it
        let opened = match caught(|| (gathering.batching.open)(incoming.clone())) {
            Ok(Ok(opened)) => opened,
            refused => {
                let span = attempt.span(listening);
                let clock = AttemptTimer::start(&listening.metrics);
                delivery
                    .progress
                    .attempt_begins(listening.attempt_start(attempt.number, delivery.message_id.as_deref()));
                return Some(Called { outcome: CallOutcome::Ended(refused.map(|it| it.map(drop))), clock, span });
            }
        };
        let (answer, answered) = oneshot::channel();
        let member = BatchMember {
            opened: Mutex::new(Some(opened)),
            incoming,
            failed: failed.clone(),
            ack: delivery.ack.clone(),
            arrived: delivery.arrived,
            progress: delivery.progress.clone(),
            trace: delivery.trace.clone(),
            session: attempt.session.clone(),
            size: delivery.body.len(),
            redeliveries: delivery.redeliveries,
            key: membership.key,
            answer,
        };
        if membership.alone {
            alone(listening, gathering, member).await;
        } else {
            join(listening, gathering, member, delivery, membership).await?;
        }
        let answer = answered.await.ok()?;
        let Answer { outcome, begun, span, turn, failed: so_far } = answer;
        *failed = so_far;
        membership.alone = true;
        membership.turn = membership.turn.take().or(turn);
        if let MemberOutcome::Called(outcome) = outcome {
            return Some(Called { outcome, clock: AttemptTimer::since(&listening.metrics, begun), span });
        }
    }
}

/// Waits for other events, and rests meanwhile. `None` if the service stops.
async fn rest(mut stopping: watch::Receiver<Phase>, progress: &DeliveryProgress, ended: Wait) -> Option<()> {
    tokio::select! {
        // checked first: a service that stops ends the wait too, but the earlier events may then go back to their queue
        biased;
        () = phase::stopping(&mut stopping) => None,
        () = ended.wait(progress) => Some(()),
    }
}

/// Adds the event to a batch, and handles the batch if the event leads it. `None` if the service stops.
async fn join(
    listening: &ActiveListener,
    gathering: &Gathering,
    member: BatchMember,
    delivery: &Delivery,
    membership: &mut Membership,
) -> Option<()> {
    let follows = membership.follows.take();
    let joined = match gathering.join(member, follows.as_ref().map(|follows| follows.batch)) {
        // the batch of the earlier events with the same key has just begun: this event waits until they have ended
        Joined::Closed(member) => {
            if let Some(follows) = follows {
                rest(listening.stopping.clone(), &delivery.progress, follows.ended).await?;
            }
            gathering.join(*member, None)
        }
        joined => joined,
    };
    let lead = match joined {
        Joined::Member(batch) => {
            let _ = membership.joined.set(batch);
            return Some(());
        }
        Joined::Leader(lead) => lead,
        Joined::Closed(_) => return None,
    };
    // a retried event joins a second batch; then the number of the first is not read any more
    let _ = membership.joined.set(lead.number());
    // the consumer loop polls an event's task once: it must not run the handler
    in_next_poll().await;
    lead_batch(listening, gathering, lead, delivery).await;
    Some(())
}

/// Waits until the batch ends and a permit is free, and handles the batch.
async fn lead_batch(listening: &ActiveListener, gathering: &Gathering, mut lead: LedBatch<'_>, delivery: &Delivery) {
    let progress = &delivery.progress;
    let mut start = lead.start();
    if let Some(start) = &mut start {
        unless_full(&mut lead, start.wait(progress)).await;
    }
    let mut permit = unless_full(&mut lead, listening.permit(progress)).await;
    if !lead.is_full() {
        // The handler could run now, so the batch's time counts from here. Events that came while the handler was busy are in
        // this batch already. If the handler is busy again when the time is over, events that come until it is free join too.
        progress.release(permit, listening.places.as_ref());
        wait_for_events(listening, gathering, &mut lead, delivery).await;
        permit = unless_full(&mut lead, listening.permit(progress)).await;
    }
    let members = lead.close().await;
    drop(start);
    let (permit, answers) = handle(listening, gathering, members, progress, permit, false).await;
    answered(listening, progress, permit, answers);
}

/// Waits until the batch is full or its time is over.
async fn wait_for_events(
    listening: &ActiveListener,
    gathering: &Gathering,
    lead: &mut LedBatch<'_>,
    delivery: &Delivery,
) {
    let mut stopping = listening.stopping.clone();
    tokio::select! {
        biased;
        () = lead.full() => {}
        () = delivery.progress.pause(gathering.batching.within) => {}
        () = phase::stopping(&mut stopping) => {}
        // the broker delivers the events again, and they wait for the end of this batch
        () = delivery.ack.voided() => {}
        // the broker would take the deliveries back soon
        () = sleep_until(delivery.arrived + listening.consumer_timeout / 2) => {}
    }
}

/// Waits for `until`; meanwhile, the event that fills the batch rests like the others.
async fn unless_full<T>(lead: &mut LedBatch<'_>, until: impl Future<Output = T>) -> T {
    let mut until = pin!(until);
    tokio::select! {
        biased;
        out = &mut until => return out,
        () = lead.full() => {}
    }
    until.await
}

/// Handles one event alone once a permit is free. It goes back to its queue if the service stops first.
async fn alone(listening: &ActiveListener, gathering: &Gathering, member: BatchMember) {
    // the consumer loop polls an event's task once: it must not run the handler
    in_next_poll().await;
    let progress = member.progress.clone();
    let permit = listening.permit(&progress).await;
    let is_running = *listening.stopping.borrow() == Phase::Running;
    let (permit, answers) = match is_running {
        true => handle(listening, gathering, vec![member], &progress, permit, true).await,
        false => (permit, Vec::new()),
    };
    answered(listening, &progress, permit, answers);
}

/// Releases the permit and answers the tasks of the events.
fn answered(
    listening: &ActiveListener,
    progress: &DeliveryProgress,
    permit: Option<OwnedSemaphorePermit>,
    answers: Vec<(BatchMember, Answer)>,
) {
    progress.release(permit, listening.places.as_ref());
    for (member, answer) in answers {
        member.progress.wake();
        // an error means that the event's task was stopped
        let _ = member.answer.send(answer);
    }
}

/// Resolves when it is polled again, which happens after the tasks that are ready now.
async fn in_next_poll() {
    let mut polled = false;
    poll_fn(|context| match std::mem::replace(&mut polled, true) {
        true => Poll::Ready(()),
        false => {
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::start::Signal;

    #[tokio::test]
    async fn an_event_does_not_go_on_while_the_service_stops() {
        let (phase, stopping) = watch::channel(Phase::Running);
        let resting = async |ended| rest(stopping.clone(), &DeliveryProgress::default(), ended).await;
        let (end, ended) = Signal::new();
        drop(end);
        assert_eq!(resting(ended).await, Some(()));
        phase.send_replace(Phase::Draining);
        // several times, since the wait could choose either
        for _ in 0..64 {
            let (end, ended) = Signal::new();
            drop(end);
            assert_eq!(resting(ended).await, None);
        }
    }
}
