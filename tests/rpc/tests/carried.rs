//! Calls and events made by a handler belong to the session and trace of what it handles, and end with its call.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use twyla_rpc_tests::contracts::desk::Noted;
use twyla_rpc_tests::contracts::rpc::desk::{List, ListRequest, ListResponse, Look, LookRequest};
use twyla_rpc_tests::contracts::shared::Note;
use twyla_rpc_tests::desk::Failure;
use twyla_rpc_tests::{Call, Context, Link, Script, config, context};
use twyla_runtime::rpc::Serve;
use twyla_runtime::{Bus, Rpc, Running, TraceContext, listener, listeners, rpc, rpcs, session_id};

twyla_rpc_tests::both_links!(
    a_call_in_a_call_is_of_its_session_and_trace,
    a_call_in_a_call_has_no_more_time_than_it,
    a_call_in_a_call_is_over_with_it,
    events_and_calls_of_a_call_share_its_session_and_trace,
);

/// Calls another service; for more than one note, it emits an event and leaves the call to the listener.
#[rpc("desk.list")]
async fn list(request: ListRequest, rpc: Rpc, bus: Bus) -> Result<ListResponse, Failure> {
    if request.first.is_some() {
        bus.emit(Noted::new(2), context()).await?;
        return Ok(ListResponse(Vec::new()));
    }
    Ok(ListResponse(vec![rpc.call::<Look>(LookRequest::new(1), context()).await?]))
}

#[listener("desk.noted", group = "between")]
async fn noted(noted: Noted, context: Context, rpc: Rpc) -> Result<(), Failure> {
    rpc.call::<Look>(LookRequest::new(noted.id), context).await?;
    Ok(())
}

/// A scripted service, a service between it and the caller, and the caller.
async fn started(link: Link, script: Script) -> (Running, Running, Rpc) {
    let (behind, rpc) = link.start(script, |serve| serve).await;
    let service = Bus::in_memory().service().rpcs(rpcs![list]).listeners(listeners![noted]).rpc(rpc.clone());
    match link {
        Link::Memory(_) => {
            let between = service.serve(Serve::mounted()).start().await.unwrap();
            (behind, between, rpc)
        }
        Link::Http => {
            let between = service.serve(Serve::on("127.0.0.1:0")).start().await.unwrap();
            let rpc = Rpc::new(config(&between)).unwrap();
            (behind, between, rpc)
        }
    }
}

/// A script that reports each call, and answers it.
fn telling() -> (Script, mpsc::UnboundedReceiver<Call>) {
    let (sender, calls) = mpsc::unbounded_channel();
    let script = Script::new(move |call: Call| {
        let note = Note::new(call.id, "");
        let _ = sender.send(call);
        async { Ok(note) }
    });
    (script, calls)
}

fn trace() -> TraceContext {
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse::<TraceContext>().unwrap();
    trace.with_state("vendor=1")
}

async fn a_call_in_a_call_is_of_its_session_and_trace(link: Link) {
    let (script, mut calls) = telling();
    let (behind, between, rpc) = started(link, script).await;
    let rpc = rpc.with_session(session_id("s-1")).with_trace(trace());
    assert_eq!(rpc.call::<List>(ListRequest::default(), context()).await.unwrap().0.len(), 1);
    let meta = calls.recv().await.unwrap().meta;
    assert_eq!((meta.session_id, meta.trace), (session_id("s-1"), Some(trace())));
    between.stop().await;
    behind.stop().await;
}

async fn a_call_in_a_call_has_no_more_time_than_it(link: Link) {
    let (script, mut calls) = telling();
    let (behind, between, rpc) = started(link, script).await;
    let begun = Instant::now();
    // its own deadline would be ten seconds
    rpc.call::<List>(ListRequest::default(), context()).within(Duration::from_secs(5)).await.unwrap();
    let deadline = calls.recv().await.unwrap().meta.deadline;
    // a service's clock starts when the call arrives: the transfer takes at most the whole duration
    assert!(deadline <= Instant::now() + Duration::from_secs(5), "{:?}", deadline - begun);
    between.stop().await;
    behind.stop().await;
}

async fn a_call_in_a_call_is_over_with_it(link: Link) {
    let (begun, mut begins) = mpsc::unbounded_channel();
    let (sender, mut ended) = mpsc::unbounded_channel::<()>();
    let script = Script::new(move |_| {
        // sent when the handler is dropped
        let (begun, gone) = (begun.clone(), sender.clone());
        async move {
            let _gone = Dropped(gone);
            let _ = begun.send(());
            std::future::pending().await
        }
    });
    let (behind, between, rpc) = started(link, script).await;
    let calling = tokio::spawn(async move { rpc.call::<List>(ListRequest::default(), context()).await });
    begins.recv().await.unwrap();
    calling.abort();
    ended.recv().await.unwrap();
    between.stop().await;
    behind.stop().await;
}

struct Dropped(mpsc::UnboundedSender<()>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

async fn events_and_calls_of_a_call_share_its_session_and_trace(link: Link) {
    let (script, mut calls) = telling();
    let (behind, between, rpc) = started(link, script).await;
    let rpc = rpc.with_session(session_id("s-2")).with_trace(trace());
    assert!(rpc.call::<List>(ListRequest { first: Some(2) }, context()).await.unwrap().0.is_empty());
    let Call { id, meta, context, .. } = calls.recv().await.unwrap();
    assert_eq!((id, meta.session_id, meta.trace), (2, session_id("s-2"), Some(trace())));
    assert_eq!(context, Some(Context::new("test")));
    between.stop().await;
    behind.stop().await;
}
