//! From schema files to `#[listener]`: generated types, every argument, and invalid events dead-lettered with JSON
//! Pointers into the message.

use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use twyla_runtime::__private::{publish_message, publish_raw};
use twyla_runtime::{Ack, Bus, Error, Meta, Reason, Sort, State, Uuid, listener, listeners};
use twyla_tests::{both_transports, dead_letters};

mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::Context;
use contracts::typed::{Ping, Pong};

both_transports!(typed);

type Seen = Arc<UnboundedSender<String>>;

#[listener("typed.ping", group = "one")]
async fn answer(ping: Ping, context: Context, meta: Meta, bus: Bus, State(seen): State<Seen>) -> Result<(), Error> {
    let _ = seen.send(format!("ping {} {} in {} of {}", ping.n, ping.text, context.channel, meta.session_id));
    bus.emit(Pong { sum: ping.n + 1 }, context).await
}

#[listener(group = "two")]
async fn hear(pong: Pong, meta: Meta, ack: Ack, seen: State<Seen>) {
    ack.ack();
    let _ = seen.send(format!("pong {} of {}", pong.sum, meta.session_id));
}

async fn typed(bus: Bus) {
    let (sender, mut seen) = unbounded_channel::<String>();
    let service = bus.service().state(Arc::new(sender)).listeners(listeners![answer, hear]).prefetch(1);
    let running = service.start().await.unwrap();

    let context = Context { channel: "web".to_owned() };
    let tags = Some(vec!["a".to_owned(), "a".to_owned()]);
    let bad = Ping { n: 1001, text: String::new(), secret: Some("hidden".to_owned()), tags };
    assert!(!format!("{bad:?}").contains("hidden"), "{bad:?}");
    let error = bus.emit(bad, &context).await.unwrap_err();
    let broken: Vec<_> = error.refusal().unwrap().violations.iter().map(|v| (&*v.pointer, v.keyword)).collect();
    assert_eq!(broken, [("/n", "maximum"), ("/text", "minLength"), ("/secret", "maxLength"), ("/tags", "uniqueItems")]);
    assert_eq!(
        error.to_string(),
        "typed.ping was not sent: its content breaks the contract in tests/schemas/events/typed/ping.json:1: \
         /n: 1001 is more than 1000; /text: \"\" has 0 characters, and at least 1 is needed; \
         /secret: the value breaks `maxLength`; it is sensitive, so it is not shown; /tags: item 1 equals an earlier item"
    );
    // the refused event is neither handled nor dead-lettered below

    for body in [
        r#"{"content":{"n":1,"text":""},"context":{"channel":"web"}}"#,
        r#"{"content":{"n":1001,"text":"12345678901","tags":["a","B"]},"context":{"channel":"web"}}"#,
        r#"{"content":{"n":1,"text":"a"},"context":{"channel":""}}"#,
        r#"{"content":{"text":"a"},"context":{"channel":"web"}}"#,
        r#"{"content":{"n":"1","text":"a"},"context":{"channel":"web"}}"#,
        r#"{"content":{"n":1,"text":"a","secret":"hidden"},"context":{"channel":"web"}}"#,
    ] {
        publish_raw(&bus, "typed", "ping", body).await.unwrap();
    }
    let session = Uuid::new_v4();
    let good = Ping { tags: Some(vec!["a".to_owned()]), ..Ping::new(7, "hello") };
    bus.with_session(session).emit(good, &context).await.unwrap();
    assert_eq!(seen.recv().await.unwrap(), format!("ping 7 hello in web of {session}"));
    assert_eq!(seen.recv().await.unwrap(), format!("pong 8 of {session}"));

    let letters = dead_letters(&bus, "typed.ping", "one", 6).await;
    let found: Vec<_> = letters
        .iter()
        .map(|letter| {
            assert_eq!((letter.reason, letter.attempts), (Some(Reason::Contract), 0), "{letter:?}");
            letter.violations.iter().map(|v| format!("{} {}", v.pointer, v.keyword)).collect::<Vec<_>>().join(", ")
        })
        .collect();
    assert_eq!(
        found,
        [
            "/content/text minLength",
            "/content/n maximum, /content/text maxLength, /content/tags/1 pattern",
            "/context/channel minLength",
            "/content required",
            "/content/n type",
            "/content/secret maxLength",
        ]
    );
    let hidden = letters.last().unwrap();
    assert_eq!(hidden.sensitive, ["/content/secret"]);
    assert!(hidden.shown().contains(r#""secret": "[sensitive]""#), "{}", hidden.shown());
    assert!(!format!("{} {:?}", hidden.error, hidden.violations).contains("hidden"), "{hidden:?}");
    bus.sort_dead_letters("typed.ping", "one", |_| Sort::Drop).await.unwrap();

    // a message in another form than its content type and its headers say has the values elsewhere
    let event = r#"{"specversion":"1.0","type":"typed.ping","source":"/","id":"1","data":{"secret":"hidden"}}"#;
    let envelope = r#"{"content":{"secret":"hidden"},"context":{}}"#;
    let none: &[(&str, &str)] = &[];
    for (content_type, headers, body) in [
        ("application/json", none, event),
        ("", none, event),
        ("application/cloudevents+json", none, envelope),
        ("application/json", &[("ce-id", "1")], envelope),
    ] {
        publish_message(&bus, "typed", "ping", content_type, headers, body).await.unwrap();
        let letter = dead_letters(&bus, "typed.ping", "one", 1).await.remove(0);
        assert_eq!(letter.reason, Some(Reason::Envelope), "{letter:?}");
        assert!(!format!("{} {letter:?}", letter.shown()).contains("hidden"), "{letter:?}");
        bus.sort_dead_letters("typed.ping", "one", |_| Sort::Drop).await.unwrap();
    }
    running.stop().await;
    assert!(seen.recv().await.is_none());
}
