//! Guarantees of a call that hold both over HTTP and in memory.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, mpsc};
use twyla_rpc_tests::contracts::rpc::desk::{
    List, ListRequest, ListResponse, Look, LookError, LookErrorReason, LookRequest, Put,
};
use twyla_rpc_tests::contracts::shared::Note;
use twyla_rpc_tests::desk::{self, Failure};
use twyla_rpc_tests::{Call, Context, Link, Script, context};
use twyla_runtime::rpc::{CallError, CallMeta, Serve, Side};
use twyla_runtime::{Bus, Fail, Rpc, State, TraceContext, rpc, rpcs, session_id};

twyla_rpc_tests::both_links!(
    answers_with_what_is_asked_for,
    carries_context_session_key_and_trace,
    holds_requests_to_their_contract_before_they_are_sent,
    refuses_too_large_requests,
    keeps_answers_that_break_their_contract,
    answers_with_typed_errors,
    reports_faults_only,
    survives_a_panic,
    stops_when_the_caller_has_given_up,
    stops_when_it_takes_too_long,
    refuses_calls_beyond_its_concurrency,
    retries_idempotent_calls,
    retries_no_call_that_is_not_idempotent,
    holds_an_rpc_to_bounds_of_its_own,
    finishes_running_calls_and_refuses_new_ones,
    lets_running_handlers_end_when_dropped,
    accepts_unlimited_deadlines,
    sends_nothing_past_its_deadline,
    carries_much,
);

async fn answers_with_what_is_asked_for(link: Link) {
    let (running, rpc) = link.start(Script::echo(), |serve| serve).await;
    let note = rpc.call::<Look>(LookRequest::new(7), context()).await.unwrap();
    assert_eq!(note, Note::new(7, "looked"));
    let put = rpc.call::<Put>(Note::new(3, "grüße 😀"), &context()).await.unwrap();
    assert_eq!(put.count, 3);
    let list = rpc.call::<List>(ListRequest { first: Some(2) }, context()).await.unwrap();
    assert_eq!(list.0.len(), 2);
    running.stop().await;
}

async fn carries_context_session_key_and_trace(link: Link) {
    let (sender, mut calls) = mpsc::unbounded_channel();
    let script = Script::new(move |call| {
        let _ = sender.send(call);
        async { Ok(Note::new(1, "")) }
    });
    let (running, rpc) = link.start(script, |serve| serve).await;
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let trace = parent.parse::<TraceContext>().unwrap().with_state("vendor=1");
    let given = Context { user: Some("Zoë 😀".to_owned()), ..context() };
    let of_session = rpc.with_session(session_id("a session of python's: é")).with_trace(trace.clone());
    of_session.call::<Look>(LookRequest::new(1), &given).idempotency_key("order 1%").await.unwrap();
    let call = calls.recv().await.unwrap();
    assert_eq!(call.context, Some(given));
    assert_eq!(call.meta.session_id, session_id("a session of python's: é"));
    assert_eq!(call.meta.idempotency_key.as_deref(), Some("order 1%"));
    assert_eq!((call.meta.trace, call.meta.attempt, call.meta.method), (Some(trace), 1, "desk.look"));

    // without them, each call gets a new session and a new key
    let mut seen = Vec::new();
    for _ in 0..2 {
        rpc.call::<Look>(LookRequest::new(1), context()).await.unwrap();
        let meta = calls.recv().await.unwrap().meta;
        seen.extend([meta.session_id.to_string(), meta.idempotency_key.unwrap().to_string()]);
        assert_eq!(meta.trace, None);
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 4);
    running.stop().await;
}

async fn refuses_too_large_requests(link: Link) {
    let (running, rpc) = link.start(Script::echo(), |serve| serve.max_request(100)).await;
    assert_eq!(rpc.call::<Put>(Note::new(1, "x".repeat(50)), context()).await.unwrap().count, 1);
    let error = rpc.call::<Put>(Note::new(1, "x".repeat(200)), context()).await.unwrap_err();
    assert!(matches!(&error, CallError::Fault { status: 413, maybe_begun: false, .. }), "{error}");
    assert!(error.to_string().contains("more than the allowed 100 bytes"), "{error}");
    running.stop().await;
}

async fn holds_requests_to_their_contract_before_they_are_sent(link: Link) {
    let (running, rpc) = link.start(Script::new(|_| async { unreachable!("nothing is sent") }), |serve| serve).await;
    let request = LookRequest { tag: Some("NO".to_owned()), ..LookRequest::new(1001) };
    let error = rpc.call::<Look>(request, context()).await.unwrap_err();
    assert!(!error.maybe_begun());
    let CallError::Request { by: Side::Ours, errors, .. } = error else { panic!("{error}") };
    let found: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), error.keyword.as_str())).collect();
    assert_eq!(found, [("/id", "maximum"), ("/tag", "pattern")]);

    let error = rpc.call::<Look>(LookRequest::new(1), Context::new("")).await.unwrap_err();
    assert!(
        matches!(error, CallError::Request { by: Side::Ours, .. }) && error.to_string().contains("/channel"),
        "{error}"
    );
    let long = Context::new("x".repeat(7000));
    let error = rpc.call::<Look>(LookRequest::new(1), long).await.unwrap_err();
    assert!(error.to_string().contains("at most 6144 fit in a header"), "{error}");
    running.stop().await;
}

async fn keeps_answers_that_break_their_contract(link: Link) {
    let script = Script::new(|call| async move {
        match call.id {
            1 => Ok(Note::new(1, "secret".repeat(1_000_000))),
            _ => Err(LookError { by: Some(String::new()), ..LookError::new(LookErrorReason::Locked) }.into()),
        }
    });
    let (running, rpc) = link.start(script, |serve| serve).await;
    for id in [1, 2] {
        let error = rpc.call::<Look>(LookRequest::new(id), context()).await.unwrap_err();
        assert!(matches!(error, CallError::Response { by: Side::Theirs, .. }), "{error}");
        assert!(!error.to_string().contains("secret"));
    }
    running.stop().await;
}

async fn answers_with_typed_errors(link: Link) {
    let script = Script::new(|call| async move {
        let not_found = LookError::new(LookErrorReason::NotFound);
        match call.id {
            1 => Err(not_found.into()),
            // the error is found anywhere in the source chain
            2 => Err(Fail::park(not_found).into()),
            _ => Err(not_found.to_string().into()),
        }
    });
    let (running, rpc) = link.start(script, |serve| serve).await;
    for id in [1, 2] {
        let error = rpc.call::<Look>(LookRequest::new(id), context()).await.unwrap_err();
        assert_eq!(error.domain().map(|error| error.reason), Some(LookErrorReason::NotFound), "{error}");
    }
    // an error with the same text isn't the contract's error
    let error = rpc.call::<Look>(LookRequest::new(3), context()).await.unwrap_err();
    assert!(matches!(error, CallError::Fault { status: 500, .. }), "{error}");
    // nor is it for an RPC without an error contract
    let error = rpc.call::<Put>(Note::new(1, ""), context()).await.unwrap_err();
    assert!(matches!(error, CallError::Fault { status: 500, .. }), "{error}");
    running.stop().await;
}

async fn reports_faults_only(link: Link) {
    let script = Script::new(|call| async move {
        match call.id {
            1 => Err("the password is hunter2".into()),
            _ => Err(Fail::retry_after(Duration::from_secs(7), "hunter2 is busy").into()),
        }
    });
    let (running, rpc) = link.start(script, |serve| serve).await;
    let error = rpc.call::<Put>(Note::new(1, ""), context()).await.unwrap_err();
    assert!(matches!(error, CallError::Fault { status: 500, retry_after: None, .. }), "{error}");
    assert!(!error.to_string().contains("hunter2"));
    let call = rpc.call::<Put>(Note::new(2, ""), context()).within(Duration::from_secs(2));
    let error = call.await.unwrap_err();
    let after = Some(Duration::from_secs(7));
    assert!(matches!(&error, CallError::Fault { status: 503, retry_after, .. } if *retry_after == after), "{error}");
    running.stop().await;
}

async fn survives_a_panic(link: Link) {
    let script = Script::new(|call| async move {
        assert_ne!(call.id, 1, "one is too many");
        Ok(Note::new(call.id, ""))
    });
    let (running, rpc) = link.start(script, |serve| serve).await;
    let error = rpc.call::<Look>(LookRequest::new(1), context()).await.unwrap_err();
    assert!(matches!(error, CallError::Fault { status: 500, .. }), "{error}");
    assert_eq!(rpc.call::<Look>(LookRequest::new(2), context()).await.unwrap().id, 2);
    running.stop().await;
}

/// Sends `stopped` when dropped.
struct StopSignal(mpsc::UnboundedSender<&'static str>);

impl Drop for StopSignal {
    fn drop(&mut self) {
        let _ = self.0.send("stopped");
    }
}

/// A handler that waits forever, and reports when it begins and when it is stopped.
fn forever() -> (Script, mpsc::UnboundedReceiver<&'static str>) {
    let (sender, events) = mpsc::unbounded_channel();
    let script = Script::new(move |_| {
        let sender = sender.clone();
        async move {
            let _ = sender.send("begun");
            let _signal = StopSignal(sender);
            std::future::pending().await
        }
    });
    (script, events)
}

/// A handler that reports when it begins, and answers once the gate opens.
fn gated() -> (Script, Arc<Notify>, Arc<Notify>) {
    let (go, begun) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (gate, begins) = (go.clone(), begun.clone());
    let script = Script::new(move |call| {
        let (gate, begins) = (gate.clone(), begins.clone());
        async move {
            begins.notify_one();
            gate.notified().await;
            Ok(Note::new(call.id, "ended well"))
        }
    });
    (script, go, begun)
}

async fn stops_when_the_caller_has_given_up(link: Link) {
    let (script, mut events) = forever();
    let (running, rpc) = link.start(script, |serve| serve).await;
    let call = rpc.call::<Look>(LookRequest::new(1), context());
    let calling = tokio::spawn(async move { call.await });
    assert_eq!(events.recv().await, Some("begun"));
    calling.abort();
    assert_eq!(events.recv().await, Some("stopped"));
    running.stop().await;
}

async fn stops_when_it_takes_too_long(link: Link) {
    let (script, mut events) = forever();
    let (running, rpc) = link.start(script, |serve| serve.deadline(Duration::from_millis(300))).await;
    // the caller's own deadline, which it sends to the service
    let call = rpc.call::<Look>(LookRequest::new(1), context()).within(Duration::from_millis(100));
    let error = call.await.unwrap_err();
    assert!(matches!(error, CallError::Deadline { maybe_begun: true, .. }), "{error}");
    assert_eq!((events.recv().await, events.recv().await), (Some("begun"), Some("stopped")));
    // and the service's
    let error = rpc.call::<Look>(LookRequest::new(1), context()).await.unwrap_err();
    assert!(matches!(error, CallError::Deadline { maybe_begun: true, .. }), "{error}");
    assert_eq!((events.recv().await, events.recv().await), (Some("begun"), Some("stopped")));
    running.stop().await;
}

async fn refuses_calls_beyond_its_concurrency(link: Link) {
    let (script, go, begun) = gated();
    let (running, rpc) = link.start(script, |serve| serve.concurrency(1)).await;
    let first = rpc.call::<Put>(Note::new(1, ""), context());
    let first = tokio::spawn(async move { first.await });
    begun.notified().await;
    // refused at once with a `Retry-After` that exceeds this call's deadline
    let call = rpc.call::<Put>(Note::new(2, ""), context()).within(Duration::from_millis(900));
    let error = call.await.unwrap_err();
    let after = Some(Duration::from_secs(1));
    assert!(matches!(&error, CallError::Fault { status: 503, retry_after, .. } if *retry_after == after), "{error}");
    assert!(!error.maybe_begun());
    // this one has the time: the refused call was never begun, so it is retried whatever its contract says
    let second = rpc.call::<Put>(Note::new(3, ""), context());
    let second = tokio::spawn(async move { second.await });
    go.notify_one();
    assert_eq!(first.await.unwrap().unwrap().count, 1);
    begun.notified().await;
    go.notify_one();
    assert_eq!(second.await.unwrap().unwrap().count, 3);
    running.stop().await;
}

/// A handler that fails as busy the first `times` calls, in a way that may have had an effect.
fn busy(times: u32) -> (Script, Arc<AtomicU32>) {
    let calls = Arc::new(AtomicU32::new(0));
    let first_key = Mutex::new(None);
    let script = Script::new({
        let calls = calls.clone();
        move |call| {
            let call_number = calls.fetch_add(1, Ordering::SeqCst) + 1;
            assert_eq!(call.meta.attempt, call_number, "the attempts are counted");
            let (key, mut first) = (call.meta.idempotency_key, first_key.lock().unwrap());
            match call_number {
                1 => *first = key,
                _ => assert_eq!(*first, key, "the key stays the same"),
            }
            async move {
                match call_number > times {
                    true => Ok(Note::new(u64::from(call_number), "")),
                    false => Err(Fail::retry_after(Duration::ZERO, "busy").into()),
                }
            }
        }
    });
    (script, calls)
}

async fn retries_idempotent_calls(link: Link) {
    // idempotent by schema, by attribute, and by an idempotency key
    let (script, calls) = busy(2);
    let (running, rpc) = link.start(script, |serve| serve).await;
    assert_eq!(rpc.call::<Look>(LookRequest::new(1), context()).await.unwrap().id, 3);
    calls.store(0, Ordering::SeqCst);
    assert!(rpc.call::<List>(ListRequest { first: Some(1) }, context()).await.is_ok());
    calls.store(0, Ordering::SeqCst);
    let put = rpc.call::<Put>(Note::new(1, ""), context()).idempotency_key("put 1");
    assert_eq!(put.await.unwrap().count, 3);
    assert_eq!(calls.load(Ordering::SeqCst), 3);
    running.stop().await;
}

async fn holds_an_rpc_to_bounds_of_its_own(link: Link) {
    let (sender, mut calls) = mpsc::unbounded_channel();
    let go = Arc::new(Semaphore::new(0));
    let script = Script::new({
        let go = go.clone();
        move |call| {
            let go = go.clone();
            let note = Note::new(call.id, "");
            let _ = sender.send(call);
            async move {
                go.acquire().await?.forget();
                Ok(note)
            }
        }
    });
    let (running, rpc) = link.start(script, |serve| serve).await;
    let mut under_way = Vec::new();
    for id in 1..=2 {
        let call = rpc.call::<Put>(Note::new(id, ""), context()).within(Duration::from_secs(20));
        under_way.push(tokio::spawn(async move { call.await }));
        let deadline = calls.recv().await.unwrap().meta.deadline;
        // five seconds, however long the caller would wait
        assert!(deadline <= tokio::time::Instant::now() + Duration::from_secs(5));
    }
    // two calls are the limit of this RPC; other RPCs are still accepted
    let third = rpc.call::<Put>(Note::new(3, ""), context()).within(Duration::from_millis(900)).await.unwrap_err();
    assert!(matches!(third, CallError::Fault { status: 503, .. }), "{third}");
    let other = rpc.call::<List>(ListRequest::default(), context());
    let other = tokio::spawn(async move { other.await });
    assert_eq!(calls.recv().await.unwrap().text, "listed");
    go.add_permits(3);
    for call in under_way {
        call.await.unwrap().unwrap();
    }
    other.await.unwrap().unwrap();
    running.stop().await;
}

/// A service that no longer declares its RPC idempotent.
#[tokio::test]
async fn forgets_that_a_call_may_be_repeated() {
    #[rpc("desk.list")]
    async fn list(
        request: ListRequest,
        script: State<Script>,
        meta: CallMeta,
        bus: Bus,
    ) -> Result<ListResponse, Failure> {
        let id = request.first.unwrap_or_default();
        let call = Call { id, text: String::new(), context: None, meta, bus };
        script.0.answer(call).await.map(|_| ListResponse(Vec::new()))
    }
    let rpc = Rpc::in_memory();
    let (running, _) = Link::Memory(rpc.clone()).start(Script::echo(), |serve| serve).await;
    rpc.call::<List>(ListRequest::default(), context()).await.unwrap();
    running.stop().await;

    let calls = Arc::new(AtomicU32::new(0));
    let script = Script::new({
        let calls = calls.clone();
        move |call| {
            let answer = match calls.fetch_add(1, Ordering::SeqCst) {
                0 => Ok(Note::new(call.id, "")),
                _ => Err(Fail::retry_after(Duration::ZERO, "busy").into()),
            };
            async { answer }
        }
    });
    let running = Bus::in_memory().service().state(script).rpcs(rpcs![list]).rpc(rpc.clone()).start().await.unwrap();
    rpc.call::<List>(ListRequest::default(), context()).await.unwrap();
    rpc.call::<List>(ListRequest::default(), context()).await.unwrap_err();
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    running.stop().await;
}

async fn retries_no_call_that_is_not_idempotent(link: Link) {
    let (script, calls) = busy(9);
    let (running, rpc) = link.start(script, |serve| serve).await;
    let error = rpc.call::<Put>(Note::new(1, ""), context()).await.unwrap_err();
    assert!(matches!(error, CallError::Fault { status: 503, .. }), "{error}");
    assert_eq!(calls.swap(0, Ordering::SeqCst), 1);
    // and an idempotent call is tried at most three times
    let error = rpc.call::<Look>(LookRequest::new(1), context()).await.unwrap_err();
    assert!(matches!(error, CallError::Fault { status: 503, .. }), "{error}");
    assert_eq!(calls.swap(0, Ordering::SeqCst), 3);
    running.stop().await;
}

async fn finishes_running_calls_and_refuses_new_ones(link: Link) {
    let (script, go, begun) = gated();
    // running calls are counted even if their number is unlimited
    let (running, rpc) = link.start(script, |serve| serve.concurrency(usize::MAX)).await;
    let first = rpc.call::<Look>(LookRequest::new(5), context());
    let first = tokio::spawn(async move { first.await });
    begun.notified().await;
    let mut stopping = Box::pin(running.stop());
    // polled once, `stop` has begun
    tokio::select! {
        biased;
        () = &mut stopping => panic!("it stops before what is under way has ended"),
        () = tokio::task::yield_now() => {}
    }
    let late = rpc.call::<Put>(Note::new(6, ""), context()).within(Duration::from_millis(300));
    let error = tokio::select! {
        () = &mut stopping => panic!("it stops before what is under way has ended"),
        late = async { late.await } => late.unwrap_err(),
    };
    assert!(!error.maybe_begun(), "{error}");
    go.notify_one();
    stopping.await;
    assert_eq!(first.await.unwrap().unwrap(), Note::new(5, "ended well"));
    let gone = rpc.call::<Put>(Note::new(6, ""), context()).within(Duration::from_secs(1)).await.unwrap_err();
    assert!(matches!(gone, CallError::Unreachable { maybe_begun: false, .. }), "{gone}");
}

async fn lets_running_handlers_end_when_dropped(link: Link) {
    let (script, go, begun) = gated();
    let (running, rpc) = link.start(script, |serve| serve).await;
    let first = rpc.call::<Look>(LookRequest::new(5), context());
    let first = tokio::spawn(async move { first.await });
    begun.notified().await;
    drop(running);
    let late = rpc.call::<Put>(Note::new(6, ""), context()).await.unwrap_err();
    assert!(!late.maybe_begun(), "{late}");
    go.notify_one();
    assert_eq!(first.await.unwrap().unwrap(), Note::new(5, "ended well"));
}

async fn accepts_unlimited_deadlines(link: Link) {
    let bounds =
        |serve: Serve| serve.deadline(Duration::MAX).read_deadline(Duration::MAX).write_deadline(Duration::MAX);
    let (running, rpc) = link.start(Script::echo(), bounds).await;
    let note = rpc.call::<Look>(LookRequest::new(7), context()).within(Duration::MAX).await.unwrap();
    assert_eq!(note.id, 7);
    running.stop().await;
    let bus = Bus::in_memory();
    let service = bus.service().state(Script::echo()).rpcs(desk::rpcs()).serve(Serve::on("127.0.0.1:0"));
    service.drain_deadline(Duration::MAX).start().await.unwrap().stop().await;
}

async fn sends_nothing_past_its_deadline(link: Link) {
    let (script, calls) = busy(0);
    let (running, rpc) = link.start(script, |serve| serve).await;
    let error = rpc.call::<Look>(LookRequest::new(7), context()).within(Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, CallError::Deadline { maybe_begun: false, .. }), "{error}");
    rpc.call::<Look>(LookRequest::new(7), context()).await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    running.stop().await;
}

async fn carries_much(link: Link) {
    let (running, rpc) = link.start(Script::echo(), |serve| serve.max_request(8 << 20)).await;
    let text = "0123456789é\"\\".repeat(100_000);
    let script = Script::new(|call| async move { Ok(Note::new(u64::try_from(call.text.len()).unwrap(), call.text)) });
    let put = rpc.call::<Put>(Note::new(9, text.clone()), context()).await.unwrap();
    assert_eq!(put.count, 9);
    running.stop().await;
    let (running, rpc) = link.start(script, |serve| serve).await;
    let list = rpc.call::<List>(ListRequest { first: Some(3) }, context()).await.unwrap();
    assert_eq!(list.0.len(), 3);
    running.stop().await;
}
