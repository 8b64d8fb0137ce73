//! Events as CloudEvents: each form arrives with all of its parts, survives retry, dead-lettering and replay, and a message that
//! breaks the specification is dead-lettered with its violation.

use std::time::Duration;

use serde_json::{Value, json};
use twyla_runtime::__private::publish_message;
use twyla_runtime::handler::{Policy, Registration};
use twyla_runtime::{Bus, DeadLetter, Error, Fail, Reason, Retry, Sort, TraceContext, Wire, session_id};
use twyla_tests::broker::config;
use twyla_tests::{Call, Here, Ping, Place, Script, both_transports, dead_letters, here, listener, with_rabbitmq};

both_transports!(
    each_form_arrives_with_all_of_its_parts,
    each_form_is_on_the_wire_as_the_specification_has_it,
    survives_retry_dead_lettering_and_replay,
    keeps_the_order_of_a_key,
    a_domain_and_an_event_can_have_forms_of_their_own,
    a_large_context_goes_into_the_body,
    handles_or_dead_letters_events_of_other_senders,
);
with_rabbitmq!(an_event_that_is_too_large_in_its_form_is_refused);

const STRUCTURED: &str = "application/cloudevents+json";
const FORMS: [Wire; 3] = [Wire::Envelope, Wire::CloudEventsBinary, Wire::CloudEventsStructured];
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

async fn each_form_arrives_with_all_of_its_parts(bus: Bus) {
    here!(Mine, "each_form_arrives_with_all_of_its_parts");
    let (script, mut calls) = Script::<Mine>::sending(|call| call);
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    let trace: TraceContext = PARENT.parse().unwrap();
    for form in FORMS {
        let before = chrono::Utc::now();
        let emitting = bus.wire(form).with_session(session_id("s")).with_trace(trace.clone());
        let channel = "ü\"\u{85}😀";
        emitting.emit(Ping::<Mine>::saying(7, "ü\"\u{0}"), Here::new(channel)).await.unwrap();
        let Call { ping, context, meta, .. } = calls.recv().await.unwrap();
        assert_eq!((ping.n, ping.text.as_str(), context.channel.as_str()), (7, "ü\"\u{0}", channel), "{form:?}");
        assert_eq!((meta.event, meta.version, meta.session_id), (Mine::EVENT, 1, session_id("s")), "{form:?}");
        assert!(meta.timestamp.timestamp_micros() >= before.timestamp_micros(), "{form:?}");
        assert!(meta.message_id.is_some_and(|id| uuid::Uuid::parse_str(&id).is_ok()), "{form:?}");
        assert_eq!(meta.trace.map(|trace| trace.trace_id()), Some(trace.trace_id()), "{form:?}");
    }
    running.stop().await;
}

/// Emits one event in this form, and returns it as a dead letter.
async fn parked<P: Place>(bus: &Bus, form: Wire, context: Here) -> DeadLetter {
    let script = Script::<P>::new(|_| async { Err(Fail::park("as it came").into()) });
    let running = bus.service().state(script).listeners([listener::<P>("one")]).start().await.unwrap();
    bus.wire(form).emit(Ping::<P>::new(7), context).await.unwrap();
    let letter = dead_letters(bus, P::EVENT, "one", 1).await.remove(0);
    running.stop().await;
    bus.sort_dead_letters(P::EVENT, "one", |_| Sort::Drop).await.unwrap();
    letter
}

async fn each_form_is_on_the_wire_as_the_specification_has_it(bus: Bus) {
    here!(Mine, "each_form_is_on_the_wire_as_the_specification_has_it");
    let body = |letter: &DeadLetter| serde_json::from_slice::<Value>(&letter.body).unwrap();
    let binary = parked::<Mine>(&bus, Wire::CloudEventsBinary, Here::new("web")).await;
    assert_eq!(body(&binary), json!({ "n": 7, "text": "hello" }));
    let structured = parked::<Mine>(&bus, Wire::CloudEventsStructured, Here::new("web")).await;
    let mut event = body(&structured);
    let [session, time, source] = ["twylasession", "time", "source"].map(|name| event[name].take());
    assert!(session.as_str().is_some_and(|session| uuid::Uuid::parse_str(session).is_ok()), "{session}");
    assert!(time.as_str().is_some_and(|time| chrono::DateTime::parse_from_rfc3339(time).is_ok()), "{time}");
    assert!(source.as_str().is_some_and(|source| !source.is_empty()), "{source}");
    let expected = json!({
        "specversion": "1.0", "type": Mine::EVENT, "id": structured.message_id, "datacontenttype": "application/json",
        "twylacontext": "{\"channel\":\"web\"}", "data": { "n": 7, "text": "hello" },
        "twylasession": null, "time": null, "source": null,
    });
    assert_eq!(event, expected);
    let envelope = parked::<Mine>(&bus, Wire::Envelope, Here::new("web")).await;
    assert_eq!(body(&envelope)["event_name"], Mine::EVENT);
}

fn retried<P: Place>(pause: Duration) -> Registration {
    let retry = Some(Retry { attempts: 2, first: pause, max: pause });
    Registration { policy: Policy { retry, ..Policy::default() }, ..listener::<P>("one") }
}

async fn survives_retry_dead_lettering_and_replay(bus: Bus) {
    here!(Mine, "survives_retry_dead_lettering_and_replay");
    for (n, form) in (0..).zip(FORMS) {
        let (sender, mut calls) = tokio::sync::mpsc::unbounded_channel();
        let script = Script::<Mine>::new(move |call: Call<Mine>| {
            let _ = sender.send((call.ping.n, call.meta.attempt, call.meta.session_id, call.context));
            async { Err("not yet".into()) }
        });
        // longer than the pauses that a listener makes itself: the event goes through a retry queue
        let listeners = [retried::<Mine>(Duration::from_millis(1001))];
        let running = bus.service().state(script).listeners(listeners).start().await.unwrap();
        let session = session_id("s");
        bus.wire(form).with_session(session).emit(Ping::<Mine>::new(n), Here::new("web")).await.unwrap();
        for attempt in [1, 2] {
            assert_eq!(calls.recv().await.unwrap(), (n, attempt, session, Here::new("web")), "{form:?}");
        }
        let letter = dead_letters(&bus, Mine::EVENT, "one", 1).await.remove(0);
        assert_eq!((letter.reason, letter.attempts), (Some(Reason::Handler), 2), "{form:?}");
        running.stop().await;

        let sorted = bus.sort_dead_letters(Mine::EVENT, "one", |_| Sort::Replay).await.unwrap();
        assert_eq!(sorted.replayed, 1, "{form:?}");
        let (script, mut calls) = Script::<Mine>::sending(|call| (call.ping.n, call.context, call.meta));
        let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
        let (again, context, meta) = calls.recv().await.unwrap();
        assert_eq!((again, context, meta.session_id), (n, Here::new("web"), session), "{form:?}");
        assert_eq!((meta.message_id, meta.attempt), (letter.message_id, 1), "{form:?}");
        running.stop().await;
    }
}

async fn keeps_the_order_of_a_key(bus: Bus) {
    here!(Mine, "keeps_the_order_of_a_key");
    let (script, mut calls) = Script::<Mine>::numbers();
    let policy =
        Policy { key: Some(|keyed| (keyed.content.starts_with(b"{\"n\":")).then_some(1)), ..Policy::default() };
    let ordered = Registration { policy, ..listener::<Mine>("one") };
    let running = bus.service().state(script).listeners([ordered]).start().await.unwrap();
    for n in 0..30 {
        bus.wire(FORMS[n as usize % 3]).emit(Ping::<Mine>::new(n), Here::new("web")).await.unwrap();
    }
    for n in 0..30 {
        assert_eq!(calls.recv().await, Some(n));
    }
    running.stop().await;
}

async fn a_domain_and_an_event_can_have_forms_of_their_own(bus: Bus) {
    here!(Mine, "a_domain_and_an_event_can_have_forms_of_their_own");
    let script = Script::<Mine>::new(|_| async { Err(Fail::park("as it came").into()) });
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    let of_domain = bus.wire_for(Mine::DOMAIN, Wire::CloudEventsStructured);
    let of_event = of_domain.wire_for(Mine::EVENT, Wire::CloudEventsBinary);
    for bus in [&of_domain, &of_event, &of_event.wire(Wire::Envelope)] {
        bus.emit(Ping::<Mine>::new(7), Here::new("web")).await.unwrap();
    }
    let letters = dead_letters(&bus, Mine::EVENT, "one", 3).await;
    let mut first_members: Vec<_> = letters.iter().map(|letter| letter.body[..8].to_vec()).collect();
    first_members.sort_unstable();
    assert_eq!(first_members, [&b"{\"event_"[..], b"{\"n\":7,\"", b"{\"specve"]);
    running.stop().await;
}

async fn a_large_context_goes_into_the_body(bus: Bus) {
    here!(Mine, "a_large_context_goes_into_the_body");
    let context = Here::new(&"é".repeat(100_000));
    let letter = parked::<Mine>(&bus, Wire::CloudEventsBinary, context.clone()).await;
    let event: Value = serde_json::from_slice(&letter.body).unwrap();
    assert_eq!(serde_json::from_str::<Here>(event["twylacontext"].as_str().unwrap()).unwrap(), context);
}

/// What becomes of a message.
enum Outcome {
    Handled,
    /// Dead-lettered for this reason, with a violation at this pointer whose text has this part.
    Parked(Reason, &'static str, &'static str),
}
use Outcome::{Handled, Parked};

/// The content type, the headers and the body of a message, and what becomes of it.
type Message = (&'static str, &'static [(&'static str, &'static str)], String, Outcome);

/// Returns messages of other senders.
fn messages() -> Vec<Message> {
    const BINARY: [(&str, &str); 6] = [
        ("ce-specversion", "1.0"),
        ("ce-type", EVENT),
        ("ce-source", "/till"),
        ("ce-id", "1"),
        ("ce-twylacontext", r#"{"channel":"web"}"#),
        ("ce-comexample", "x"),
    ];
    const CAPITALS: [(&str, &str); 5] = [BINARY[0], BINARY[1], BINARY[2], BINARY[3], ("ce-Subject", "x")];
    const OTHER: [(&str, &str); 4] = [BINARY[0], ("ce-type", "shop.other"), BINARY[2], BINARY[3]];
    const BAD_CONTEXT: [(&str, &str); 5] =
        [BINARY[0], BINARY[1], BINARY[2], BINARY[3], ("ce-twylacontext", r#"{"channel":""}"#)];
    let structured = |changes: Value| {
        let mut event = json!({
            "specversion": "1.0", "type": EVENT, "source": "/till", "id": "1",
            "twylacontext": "{\"channel\":\"web\"}", "data": { "n": 1, "text": "hi" },
        });
        for (name, value) in changes.as_object().unwrap() {
            event[name] = value.clone();
        }
        event.to_string()
    };
    let data = || r#"{"n":1,"text":"hi"}"#.to_owned();
    let broken = |pointer, text| Parked(Reason::Envelope, pointer, text);
    vec![
        ("application/json", &BINARY, data(), Handled),
        ("application/vnd.shop+json; charset=utf-8", &BINARY, data(), Handled),
        ("", &BINARY, data(), Handled),
        (STRUCTURED, &[], structured(json!({})), Handled),
        ("Application/CloudEvents+JSON; charset=UTF-8", &CAPITALS, structured(json!({ "time": null })), Handled),
        ("text/plain", &BINARY, data(), broken("/datacontenttype", "expected JSON data, found \"text/plain\"")),
        ("application/json", &BINARY[1..], data(), broken("/specversion", "missing")),
        ("application/json", &BINARY[..3], data(), broken("/id", "missing")),
        ("application/json", &CAPITALS, data(), broken("", "found \"Subject\"")),
        ("application/json", &OTHER, data(), broken("/type", "found \"shop.other\"")),
        ("application/json", &BINARY, "hi".to_owned(), Parked(Reason::Contract, "/data", "")),
        ("application/json", &BINARY, r#"{"n":1,"text":""}"#.to_owned(), Parked(Reason::Contract, "/data/text", "")),
        ("application/json", &BINARY[..4], data(), Parked(Reason::Contract, "/twylacontext", "")),
        ("application/json", &BAD_CONTEXT, data(), Parked(Reason::Contract, "/twylacontext/channel", "")),
        (STRUCTURED, &[], structured(json!({ "specversion": "0.3" })), broken("/specversion", "found \"0.3\"")),
        (STRUCTURED, &[], structured(json!({ "type": "shop.other" })), broken("/type", "found \"shop.other\"")),
        (STRUCTURED, &[], structured(json!({ "source": "" })), broken("/source", "empty")),
        (STRUCTURED, &[], structured(json!({ "id": 1 })), broken("/id", "expected a string")),
        (STRUCTURED, &[], structured(json!({ "time": "soon" })), broken("/time", "RFC 3339")),
        (STRUCTURED, &[], structured(json!({ "data_base64": "AQ==" })), broken("/data_base64", "binary data")),
        (STRUCTURED, &[], structured(json!({ "Data": 1 })), broken("", "found \"Data\"")),
        (STRUCTURED, &[], structured(json!({ "twylacontext": {} })), broken("/twylacontext", "expected a string")),
        (STRUCTURED, &[], structured(json!({ "data": null })), Parked(Reason::Contract, "/data", "")),
        (STRUCTURED, &[], structured(json!({ "twylacontext": "{" })), Parked(Reason::Contract, "/twylacontext", "")),
        (STRUCTURED, &[], "{".to_owned(), broken("", "ends too early")),
        ("application/cloudevents-batch+json", &[], "[]".to_owned(), broken("", "found a batch")),
        ("application/cloudevents+avro", &[], structured(json!({})), broken("", "application/cloudevents+avro")),
    ]
}

const EVENT: &str = "handles_or_dead_letters_events_of_other_senders.ping";

async fn handles_or_dead_letters_events_of_other_senders(bus: Bus) {
    here!(Mine, "handles_or_dead_letters_events_of_other_senders");
    let (script, mut calls) = Script::<Mine>::sending(|call| (call.ping.n, call.context));
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    for (content_type, headers, body, expected) in messages() {
        let what = format!("{content_type} {headers:?} {body}");
        publish_message(&bus, Mine::DOMAIN, "ping", content_type, headers, body).await.unwrap();
        match expected {
            Handled => assert_eq!(calls.recv().await, Some((1, Here::new("web"))), "{what}"),
            Parked(reason, pointer, text) => {
                let letter = dead_letters(&bus, Mine::EVENT, "one", 1).await.remove(0);
                let violation = letter.violations.first().unwrap_or_else(|| panic!("{what}: {letter:?}"));
                assert_eq!((letter.reason, violation.pointer.as_str()), (Some(reason), pointer), "{what}: {letter:?}");
                assert!(violation.message.contains(text), "{what}: {letter:?}");
                let is_named = letter.error.starts_with("the message is not a CloudEvent of the event: ");
                assert_eq!(is_named, reason == Reason::Envelope, "{what}: {letter:?}");
                bus.sort_dead_letters(Mine::EVENT, "one", |_| Sort::Drop).await.unwrap();
            }
        }
    }
    running.stop().await;
}

async fn an_event_that_is_too_large_in_its_form_is_refused() {
    here!(Mine, "an_event_that_is_too_large_in_its_form_is_refused");
    // the envelope has this size or less, and the event has more, because its context is escaped once more
    let bus = Bus::connect(config().max_event(3000)).await.unwrap();
    let context = || Here::new(&"\"".repeat(1000));
    bus.emit(Ping::<Mine>::new(1), context()).await.unwrap();
    let refused = bus.wire(Wire::CloudEventsStructured).emit(Ping::<Mine>::new(1), context()).await;
    assert!(matches!(refused, Err(Error::TooLarge { most: 3000, broker: false, .. })), "{refused:?}");
    bus.close().await;
}
