//! Handwritten messages from other senders, on both transports: each is handled or dead-lettered as it should be, and
//! so is the next valid one.

use twyla_runtime::__private::publish_raw;
use twyla_runtime::{Bus, Error, Reason, session_id};
use twyla_tests::broker::config;
use twyla_tests::{Here, Ping, Place, Script, both_transports, dead_letters, here, listener, with_rabbitmq};

both_transports!(handles_or_dead_letters_every_message, survives_huge_bodies, refuses_too_large_events);
with_rabbitmq!(a_message_too_large_for_the_broker_fails_at_once_and_alone);

const GOOD: &str = r#"{"event_name":"EVENT","content":{"n":1,"text":"hi"},"context":{"channel":"web"},
    "meta":{"version":1,"timestamp":"2020-02-03T04:05:06.000789","session_id":"s"}}"#;

const SESSION: &str = "5f0c7d9e-3b1a-4c55-9d3e-2a6f1c0b7e42";

enum Want {
    /// Handled, with the session derived from this text.
    Handled(&'static str),
    /// Handled, with a new session.
    HandledInNewSession,
    /// Dead-lettered for this reason, with a violation at this pointer.
    Parked(Reason, &'static str),
}
use Want::{Handled, HandledInNewSession, Parked};

fn messages() -> Vec<(&'static str, Vec<u8>, Want)> {
    let good = |from: &str, to: &str| {
        assert!(GOOD.contains(from), "{from}");
        GOOD.replace(from, to).into_bytes()
    };
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
    let meta = r#"{"version":1,"timestamp":"2020-02-03T04:05:06.000789","session_id":"s"}"#;
    let envelope = |pointer| Parked(Reason::Envelope, pointer);
    let contract = |pointer| Parked(Reason::Contract, pointer);
    let mut messages = vec![
        ("naive timestamp", good("hi", "hi"), Handled("s")),
        ("RFC 3339", good("06.000789", "06.000789+01:00"), Handled("s")),
        ("no fraction", good("06.000789", "06"), Handled("s")),
        ("no meta", good(&format!(",\n    \"meta\":{meta}"), ""), HandledInNewSession),
        ("meta is null", good(meta, "null"), HandledInNewSession),
        ("empty meta", good(meta, "{}"), HandledInNewSession),
        ("no session", good(r#","session_id":"s""#, ""), HandledInNewSession),
        ("text as version", good(r#""version":1"#, r#""version":"1.0""#), Handled("s")),
        ("version unheard of", good(r#""version":1"#, r#""version":{"major":2}"#), Handled("s")),
        ("version is null", good(r#""version":1"#, r#""version":null"#), Handled("s")),
        ("number as session", good(r#":"s""#, ":17"), Handled("17")),
        ("blank session", good(r#":"s""#, r#":" ""#), HandledInNewSession),
        ("UUID as session", good(r#":"s""#, &format!(":\"{SESSION}\"")), Handled(SESSION)),
        ("no event name", good(r#""event_name":"EVENT","#, ""), Handled("s")),
        ("extra fields", good(r#""content":{"#, r#""x":{"y":[]},"content":{"more":[1,{}],"#), Handled("s")),
        (
            "10,000 arrays, unknown",
            good(r#""content":{"#, &format!(r#""x":{deep},"content":{{"more":{deep},"#)),
            Handled("s"),
        ),
        ("surrounded by space", good(GOOD, &format!(" \n{GOOD}\t ")), Handled("s")),
        ("empty", Vec::new(), envelope("")),
        ("no JSON", b"hello".to_vec(), envelope("")),
        ("truncated", GOOD.as_bytes()[..GOOD.len() - 2].to_vec(), envelope("")),
        ("truncated in a string", GOOD.as_bytes()[..50].to_vec(), envelope("")),
        ("more behind it", good("}}", "}}}"), envelope("")),
        ("two messages", format!("{GOOD}{GOOD}").into_bytes(), envelope("")),
        ("byte order mark", [b"\xef\xbb\xbf", GOOD.as_bytes()].concat(), envelope("")),
        ("invalid UTF-8", good("hi", "hi").iter().map(|&b| if b == b'w' { 0xff } else { b }).collect(), envelope("")),
        ("half a surrogate", good("hi", "\\ud800"), contract("/content")),
        ("UTF-16", GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect(), envelope("")),
        ("an array", format!("[{GOOD}]").into_bytes(), envelope("")),
        ("null", b"null".to_vec(), envelope("")),
        ("10,000 arrays", deep.clone().into_bytes(), envelope("")),
        ("10,000 open arrays", vec![b'['; 10_000], envelope("")),
        ("no content", good(r#""content":{"n":1,"text":"hi"},"#, ""), envelope("/content")),
        ("no context", good(r#""context":{"channel":"web"},"#, ""), envelope("/context")),
        ("content twice", good(r#""content":"#, r#""content":{},"content":"#), envelope("")),
        ("another event", good("EVENT", "other.event"), envelope("/event_name")),
        ("event name is a number", good(r#""EVENT""#, "1"), envelope("/event_name")),
        ("meta is a text", good(meta, r#""x""#), envelope("/meta")),
        ("bad timestamp", good("2020-02-03T", "yesterday "), envelope("/meta/timestamp")),
        ("thirtieth of February", good("02-03T", "02-30T"), envelope("/meta/timestamp")),
        ("wrong type", good(r#""n":1"#, r#""n":"1""#), contract("/content")),
        ("number too large", good(r#""n":1"#, r#""n":1e999"#), contract("/content")),
        ("missing field", good(r#""n":1,"#, ""), contract("/content")),
        ("broken rule", good(r#""hi""#, r#""""#), contract("/content/text")),
        ("broken rule in the context", good("web", ""), contract("/context/channel")),
        ("content is null", good(r#"{"n":1,"text":"hi"}"#, "null"), contract("/content")),
        ("content is 10,000 arrays", good(r#"{"n":1,"text":"hi"}"#, &deep), contract("/content")),
        ("content is 10,000 objects", good(r#"{"n":1,"text":"hi"}"#, &objects), contract("/content")),
        ("context is a number", good(r#"{"channel":"web"}"#, "3"), contract("/context")),
    ];
    messages.push(("good at last", GOOD.as_bytes().to_vec(), Handled("s")));
    messages
}

async fn handles_or_dead_letters_every_message(bus: Bus) {
    const EVENT: &str = "handles_or_dead_letters_every_message.ping";
    here!(Mine, "handles_or_dead_letters_every_message");
    let (script, mut calls) =
        Script::<Mine>::sending(|call| (call.meta.session_id, call.meta.timestamp, call.ping.text, call.meta.attempt));
    let service = bus.service().state(script).listeners([listener::<Mine>("one")]).prefetch(1);
    let running = service.start().await.unwrap();
    let messages = messages();
    for (_, body, _) in &messages {
        let body = match std::str::from_utf8(body) {
            Ok(text) => text.replace("EVENT", EVENT).into_bytes(),
            Err(_) => body.clone(),
        };
        publish_raw(&bus, "handles_or_dead_letters_every_message", "ping", body).await.unwrap();
    }

    let mut parked = Vec::new();
    for (name, _, want) in &messages {
        let want = match want {
            Handled(session) => Some(*session),
            HandledInNewSession => None,
            Parked(reason, pointer) => {
                parked.push((*name, *reason, *pointer));
                continue;
            }
        };
        let (session, timestamp, text, attempt) = calls.recv().await.unwrap();
        assert_eq!((text.as_str(), attempt), ("hi", 1), "{name}");
        match want {
            Some(want) => assert_eq!(session, session_id(want), "{name}"),
            None => assert_eq!(session.get_version_num(), 4, "{name}: {session}"),
        }
        if *name == "naive timestamp" {
            assert_eq!(timestamp.to_rfc3339(), "2020-02-03T04:05:06.000789+00:00");
        }
    }
    let letters = dead_letters(&bus, EVENT, "one", parked.len()).await;
    for ((name, reason, pointer), letter) in parked.iter().zip(&letters) {
        assert_eq!((letter.reason, letter.attempts), (Some(*reason), 0), "{name}: {letter:?}");
        let pointers: Vec<_> = letter.violations.iter().map(|v| v.pointer.as_str()).collect();
        assert_eq!(pointers, [*pointer], "{name}: {:?}", letter.violations);
        assert!(!letter.error.is_empty(), "{name}");
    }
    let truncated = parked.iter().position(|(name, ..)| *name == "invalid UTF-8").unwrap();
    assert!(std::str::from_utf8(&letters[truncated].body).is_err(), "the bytes were touched");
    running.stop().await;
    assert!(calls.recv().await.is_none(), "something was handled that should not have been");
}

async fn survives_huge_bodies(bus: Bus) {
    here!(Mine, "survives_huge_bodies");
    let (script, mut calls) = Script::<Mine>::sending(|call| call.ping.text.len());
    let service = bus.service().state(script).listeners([listener::<Mine>("one")]).prefetch(1);
    let running = service.start().await.unwrap();
    let good = GOOD.replace("EVENT", "survives_huge_bodies.ping");
    let bodies = [
        good.replace("hi", &"x".repeat(20_000_000)),
        good.replace("hi", &"x".repeat(25_000_001)),
        "x".repeat(20_000_000),
        good.clone(),
    ];
    for body in bodies {
        publish_raw(&bus, "survives_huge_bodies", "ping", body).await.unwrap();
    }
    assert_eq!([calls.recv().await, calls.recv().await], [Some(20_000_000), Some(2)]);
    let letters = dead_letters(&bus, "survives_huge_bodies.ping", "one", 2).await;
    assert_eq!(letters[0].violations[0].pointer, "/content/text");
    assert_eq!((letters[1].reason, letters[1].body.len()), (Some(Reason::Envelope), 20_000_000));
    running.stop().await;
}

/// The default, 32 MiB.
const MOST: usize = 32 << 20;

async fn refuses_too_large_events(bus: Bus) {
    here!(Mine, "refuses_too_large_events");
    let (script, mut calls) = Script::<Mine>::sending(|call| call.ping.text);
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();

    // The text is short enough, but the context is too long.
    let emit = bus.emit(Ping::<Mine>::new(1), Here::new(&"x".repeat(MOST)));
    let error = emit.await.unwrap_err();
    let Error::TooLarge { bytes, most, .. } = error else { panic!("{error}") };
    assert!(bytes > MOST && most == MOST, "{error}");

    let good = GOOD.replace("EVENT", Mine::EVENT);
    publish_raw(&bus, Mine::DOMAIN, "ping", format!("{good}{}", " ".repeat(MOST))).await.unwrap();
    let letters = dead_letters(&bus, Mine::EVENT, "one", 1).await;
    assert_eq!((letters[0].reason, letters[0].body.len()), (Some(Reason::Size), good.len() + MOST));
    publish_raw(&bus, Mine::DOMAIN, "ping", format!("{good}{}", " ".repeat(MOST - good.len()))).await.unwrap();
    assert_eq!(calls.recv().await.as_deref(), Some("hi"));
    running.stop().await;
}

async fn a_message_too_large_for_the_broker_fails_at_once_and_alone() {
    here!(Mine, "a_message_too_large_for_the_broker_fails_at_once_and_alone");
    let bus = Bus::connect(config().max_event(usize::MAX)).await.unwrap();
    let (script, mut calls) = Script::<Mine>::numbers();
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).prefetch(1).start().await.unwrap();
    let emit = |n| bus.emit(Ping::<Mine>::new(n), Here::new("web"));
    // The limit of RabbitMQ 3; that of RabbitMQ 4 is lower.
    let large = publish_raw(&bus, Mine::DOMAIN, "ping", vec![b' '; (128 << 20) + 1]);
    let (before, large, behind) = tokio::join!(emit(1), large, emit(3));
    before.unwrap();
    behind.unwrap();
    let error = large.unwrap_err();
    let Error::TooLarge { bytes, most, broker: true, .. } = error else { panic!("{error}") };
    assert!(bytes == (128 << 20) + 1 && most < bytes, "{error}");
    emit(4).await.unwrap();
    let mut arrived = Vec::new();
    while arrived.last() != Some(&4) {
        arrived.push(calls.recv().await.unwrap());
    }
    arrived.sort_unstable();
    assert_eq!(arrived, [1, 3, 4], "one was sent twice");
    running.stop().await;
    bus.close().await;
}
