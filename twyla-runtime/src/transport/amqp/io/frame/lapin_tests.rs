//! Checks reading and writing against lapin's own codec.

use amq_protocol::frame::{AMQPContentHeader, AMQPFrame, gen_frame, parse_frame};
use amq_protocol::protocol::AMQPClass;
use amq_protocol::protocol::basic::{self, AMQPMethod};
use lapin::types::{AMQPValue, DecimalValue, FieldTable, ShortString};
use proptest::prelude::*;

use bytes::Bytes;

use super::read::*;
use crate::dead_letter::headers::{Header, NamedHeader};
use crate::telemetry::trace::TraceContext;
use crate::transport::amqp::io::frame::codes::HEAD;
use crate::transport::amqp::io::frame::{Publish, write_ack, write_reject};

fn value(header: &Header) -> AMQPValue {
    match header {
        Header::Text(text) => AMQPValue::LongString(text.as_str().into()),
        Header::Number(number) => AMQPValue::LongLongInt(*number),
        Header::Flag(flag) => AMQPValue::Boolean(*flag),
        Header::Raw(raw) => panic!("{raw:?} is foreign"),
    }
}

/// A value of any type.
fn any_value() -> impl Strategy<Value = AMQPValue> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(AMQPValue::Boolean),
        any::<i8>().prop_map(AMQPValue::ShortShortInt),
        any::<u8>().prop_map(AMQPValue::ShortShortUInt),
        any::<i16>().prop_map(AMQPValue::ShortInt),
        any::<u16>().prop_map(AMQPValue::ShortUInt),
        any::<i32>().prop_map(AMQPValue::LongInt),
        any::<u32>().prop_map(AMQPValue::LongUInt),
        any::<i64>().prop_map(AMQPValue::LongLongInt),
        (-1e9_f32..1e9).prop_map(AMQPValue::Float),
        (-1e99_f64..1e99).prop_map(AMQPValue::Double),
        (0_u8..9, any::<u32>()).prop_map(|(scale, value)| AMQPValue::DecimalValue(DecimalValue { scale, value })),
        ".{0,40}".prop_map(|text| AMQPValue::LongString(text.as_str().into())),
        any::<u64>().prop_map(AMQPValue::Timestamp),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| AMQPValue::ByteArray(bytes.into())),
        Just(AMQPValue::Void),
    ];
    leaf.prop_recursive(3, 12, 4, |value| {
        prop_oneof![
            prop::collection::vec(value.clone(), 0..4).prop_map(|values| AMQPValue::FieldArray(values.into())),
            prop::collection::btree_map("[a-z]{1,5}", value, 0..4).prop_map(|values| {
                let mut table = FieldTable::default();
                for (name, value) in values {
                    table.insert(name.into(), value);
                }
                AMQPValue::FieldTable(table)
            }),
        ]
    })
}

/// Any properties, with headers of every type.
fn any_properties() -> impl Strategy<Value = lapin::BasicProperties> {
    let text = || proptest::option::of(".{0,40}".prop_map(|text| ShortString::try_new(text).unwrap()));
    let texts = prop::collection::vec(text(), 9);
    let headers = proptest::option::of(prop::collection::btree_map("[a-zä-]{1,20}", any_value(), 0..5));
    let numbers = any::<(Option<u8>, Option<u8>, Option<u64>)>();
    (texts, headers, numbers).prop_map(|(texts, headers, (mode, priority, timestamp))| {
        let mut all = lapin::BasicProperties::default();
        let set: [fn(lapin::BasicProperties, ShortString) -> lapin::BasicProperties; 9] = [
            lapin::BasicProperties::with_content_type,
            lapin::BasicProperties::with_content_encoding,
            lapin::BasicProperties::with_correlation_id,
            lapin::BasicProperties::with_reply_to,
            lapin::BasicProperties::with_expiration,
            lapin::BasicProperties::with_type,
            lapin::BasicProperties::with_user_id,
            lapin::BasicProperties::with_app_id,
            lapin::BasicProperties::with_cluster_id,
        ];
        for (text, set) in texts.into_iter().zip(set) {
            all = if let Some(text) = text { set(all, text) } else { all };
        }
        if let Some(headers) = headers.filter(|headers| !headers.is_empty()) {
            let mut table = FieldTable::default();
            for (name, value) in headers {
                table.insert(name.into(), value);
            }
            all = all.with_headers(table);
        }
        all = if let Some(mode) = mode { all.with_delivery_mode(mode) } else { all };
        all = if let Some(priority) = priority { all.with_priority(priority) } else { all };
        if let Some(timestamp) = timestamp { all.with_timestamp(timestamp) } else { all }
    })
}

fn table(headers: &[(String, Header)]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, header) in headers {
        table.insert(name.as_str().into(), value(header));
    }
    table
}

fn frames(mut bytes: &[u8]) -> Vec<AMQPFrame> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let (rest, frame) = parse_frame(bytes).unwrap();
        frames.push(frame);
        bytes = rest;
    }
    frames
}

fn payload(frame: &AMQPFrame) -> Vec<u8> {
    let bytes = gen_frame(frame)(Vec::new().into()).unwrap().write;
    bytes[HEAD..bytes.len() - 1].to_vec()
}

fn method(method: AMQPMethod) -> Vec<u8> {
    payload(&AMQPFrame::Method(1, AMQPClass::Basic(method)))
}

fn headers() -> impl Strategy<Value = Vec<(String, Header)>> {
    let value = prop_oneof![
        ".{0,40}".prop_map(Header::Text),
        any::<i64>().prop_map(Header::Number),
        any::<bool>().prop_map(Header::Flag),
    ];
    prop::collection::btree_map("[a-zä-]{1,20}", value, 0..5).prop_map(|headers| headers.into_iter().collect())
}

proptest! {
    #[test]
    fn lapin_reads_a_publish(
        exchange in ".{0,30}", key in ".{0,30}", mandatory in any::<bool>(), id in ".{0,60}",
        timestamp in any::<u64>(), headers in headers(), part in prop::collection::vec(any::<u8>(), 0..300),
        parts in 0_usize..60, frame_max in 4096_usize..9000,
    ) {
        let body = part.repeat(parts);
        let named: Vec<NamedHeader> = headers.iter().map(|(name, value)| (name.clone().into(), value.clone())).collect();
        let publish = Publish {
            exchange: &exchange, routing_key: &key, mandatory, message_id: &id, timestamp, app_id: "chat",
            headers: &named, trace: None, original: None, body: &body,
        };
        let mut out = Vec::new();
        publish.write(7, frame_max, &mut out);
        let mut frames = frames(&out).into_iter();
        let Some(AMQPFrame::Method(7, AMQPClass::Basic(AMQPMethod::Publish(method)))) = frames.next() else {
            panic!("no publish")
        };
        prop_assert_eq!((method.exchange.as_str(), method.routing_key.as_str()), (&*exchange, &*key));
        prop_assert_eq!((method.mandatory, method.immediate), (mandatory, false));
        let Some(AMQPFrame::Header(7, header)) = frames.next() else { panic!("no header") };
        prop_assert_eq!(header.body_size, body.len() as u64);
        let properties = header.properties;
        prop_assert_eq!(properties.content_type().as_ref().unwrap().as_str(), "application/json");
        prop_assert_eq!(properties.delivery_mode(), &Some(2));
        prop_assert_eq!(properties.message_id().as_ref().unwrap().as_str(), &*id);
        prop_assert_eq!(properties.timestamp(), &Some(timestamp));
        prop_assert_eq!(properties.app_id().as_ref().unwrap().as_str(), "chat");
        prop_assert_eq!(properties.headers().clone().unwrap_or_default(), table(&headers));
        let mut joined = Vec::new();
        for frame in frames {
            let AMQPFrame::Body(7, part) = frame else { panic!("no body") };
            prop_assert!(part.len() + HEAD < frame_max);
            joined.extend(part);
        }
        prop_assert_eq!(joined, body);
    }

    /// 4096 is the smallest frame size that both sides must accept (`frame-min-size`).
    #[test]
    fn no_frame_is_larger_than_agreed_whatever_the_headers_are(
        frame_max in prop_oneof![4096_usize..4200, 4096_usize..40_000], id in ".{0,300}", app in ".{0,300}",
        key in ".{0,300}", ours in prop::collection::vec(0_usize..9000, 4),
        others in prop::collection::vec((1_usize..300, 0_usize..9000), 0..5), state in 0_usize..512,
        cc in proptest::option::of(0_usize..9000), properties in proptest::option::of(any_properties()),
    ) {
        let text = |size: usize| Header::Text("ä".repeat(size / 2));
        let violation = r#"{"pointer":"/content/a","keyword":"type","message":"is not text"}"#;
        let violations = format!("[{}]", vec![violation; ours[1] / violation.len()].join(","));
        let sensitive = format!("[{}]", vec![r#""/content/x""#; ours[3] / 13 + 1].join(","));
        let mut named: Vec<NamedHeader> = vec![
            ("x-twyla-reason".into(), Header::Text("handler".to_owned())),
            ("x-twyla-error".into(), text(ours[0])),
            ("x-twyla-violations".into(), Header::Text(violations)),
            ("x-twyla-event".into(), text(254)),
            ("x-twyla-group".into(), text(254)),
            ("x-twyla-exchange".into(), text(254)),
            ("x-twyla-routing-key".into(), text(254)),
            ("x-twyla-attempts".into(), Header::Number(5)),
            ("x-twyla-first-error".into(), text(ours[2])),
            ("x-twyla-parked-at".into(), Header::Text("2025-06-27T04:53:20.000005+00:00".to_owned())),
            ("x-twyla-sensitive".into(), Header::Text(sensitive)),
        ];
        named.extend(others.iter().enumerate().map(|(n, (name, size))| {
            (format!("{n}{}", "k".repeat(*name)).into(), text(*size))
        }));
        named.extend(cc.map(|size| {
            let raw = [&b"x"[..], &u32::try_from(size).unwrap().to_be_bytes(), &vec![0; size]].concat();
            ("x-twyla-cc".into(), Header::Raw(raw.into()))
        }));
        let original = properties.map(|properties| {
            let header = AMQPContentHeader { class_id: 60, body_size: 0, properties };
            content_header(&payload(&AMQPFrame::Header(1, header))).unwrap().1.original
        });
        let trace = TraceContext::new([1; 16], [2; 8], true).unwrap().with_state(&"s".repeat(state));
        let publish = Publish {
            exchange: &key, routing_key: &key, mandatory: true, message_id: &id, timestamp: 1, app_id: &app,
            headers: &named, trace: Some(&trace), original: original.as_ref(), body: &[b' '; 5000],
        };
        let mut out = Vec::new();
        publish.write(7, frame_max, &mut out);
        let mut at = &out[..];
        while let Some(&[_, _, _, a, b, c, d]) = at.first_chunk::<HEAD>() {
            let whole = u32::from_be_bytes([a, b, c, d]) as usize + HEAD + 1;
            prop_assert!(whole <= frame_max, "{whole} of {frame_max}");
            at = &at[whole..];
        }
        let Some(AMQPFrame::Header(_, header)) = frames(&out).into_iter().nth(1) else { panic!("no header") };
        let (_, read) = content_header(&payload(&AMQPFrame::Header(7, header))).unwrap();
        prop_assert_eq!(read.trace, Some(trace));
        let found = |name: &str| read.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        for (name, value) in &named {
            // A short string has 255 bytes.
            let name = &name[..name.len().min(255)];
            match (found(name), value) {
                (Some(Header::Text(cut)), Header::Text(whole)) if name.starts_with("x-twyla-") => match name {
                    "x-twyla-error" | "x-twyla-first-error" => {
                        prop_assert!(cut == whole || whole.starts_with(cut.strip_suffix('…').unwrap()));
                    }
                    "x-twyla-violations" => {
                        let cut: Vec<crate::dead_letter::letter::DeadViolation> = serde_json::from_str(cut).unwrap();
                        prop_assert!(cut.len() <= ours[1] / violation.len());
                    }
                    "x-twyla-sensitive" => prop_assert!(cut == whole || cut == r#"[""]"#),
                    // Headers about the message's origin are never cut.
                    _ => prop_assert_eq!(cut, whole),
                },
                (Some(Header::Raw(found)), Header::Text(whole)) => {
                    prop_assert_eq!(found.get(5..), Some(whole.as_bytes()));
                }
                (Some(found), value) => prop_assert_eq!(found, value),
                (None, _) => {
                    prop_assert!(!name.starts_with("x-twyla-") || name == "x-twyla-cc", "{name} is gone");
                }
            }
        }
    }

    #[test]
    fn a_delivery_is_read_as_it_was_written(
        tag in any::<u64>(), redelivered in any::<bool>(), exchange in ".{0,30}", key in ".{0,30}", id in ".{0,60}",
        ours in headers(), size in any::<u64>(), properties in any_properties(),
    ) {
        let deliver = method(AMQPMethod::Deliver(basic::Deliver {
            consumer_tag: "me".into(), delivery_tag: tag, redelivered, exchange: exchange.as_str().into(),
            routing_key: key.as_str().into(),
        }));
        let expected = IncomingMethod::Deliver {
            tag, redelivered, exchange: exchange.as_bytes(), routing_key: key.as_bytes(),
        };
        prop_assert_eq!(IncomingMethod::read(&deliver), Some(expected));
        let got = method(AMQPMethod::GetOk(basic::GetOk {
            delivery_tag: tag, redelivered, exchange: exchange.as_str().into(), routing_key: key.as_str().into(),
            message_count: 3,
        }));
        let expected = IncomingMethod::Deliver {
            tag, redelivered, exchange: exchange.as_bytes(), routing_key: key.as_bytes(),
        };
        prop_assert_eq!(IncomingMethod::read(&got), Some(expected));
        let ours: Vec<_> = ours.into_iter().map(|(name, value)| (format!("x-twyla-{name}"), value)).collect();
        let mut table = table(&ours);
        for (name, value) in &properties.headers().clone().unwrap_or_default() {
            table.insert(name.clone(), value.clone());
        }
        let properties = properties.with_headers(table).with_message_id(id.as_str().into());
        let header = AMQPContentHeader { class_id: 60, body_size: size, properties };
        let (read_size, read) = content_header(&payload(&AMQPFrame::Header(1, header))).unwrap();
        prop_assert_eq!(read_size, size);
        prop_assert_eq!(read.trace, None);
        for header in ours {
            prop_assert!(read.headers.contains(&header), "{header:?}");
        }
        prop_assert_eq!(read.message_id, Some(id).filter(|id| !id.trim().is_empty()));
    }

    #[test]
    fn a_forwarded_message_keeps_its_properties(properties in any_properties(), id in proptest::option::of(".{0,60}")) {
        let came = match &id {
            Some(id) => properties.clone().with_message_id(id.as_str().into()),
            None => properties.clone(),
        };
        let header = AMQPContentHeader { class_id: 60, body_size: 2, properties: came };
        let (_, read) = content_header(&payload(&AMQPFrame::Header(1, header))).unwrap();
        let named: Vec<NamedHeader> = read.headers.into_iter().map(|(name, value)| (name.into(), value)).collect();
        let publish = Publish {
            exchange: "", routing_key: "q", mandatory: true, message_id: "new", timestamp: 1, app_id: "us",
            headers: &named, trace: None, original: Some(&read.original), body: b"{}",
        };
        let mut out = Vec::new();
        publish.write(7, 131_072, &mut out);
        let Some(AMQPFrame::Header(7, header)) = frames(&out).into_iter().nth(1) else { panic!("no header") };
        let id = id.unwrap_or_else(|| "new".to_owned());
        prop_assert_eq!(publish.written_id(), id.as_bytes());
        prop_assert_eq!(header.properties, properties.with_message_id(id.as_str().into()));
    }

    #[test]
    fn acks_rejects_and_confirms_round_trip(tag in any::<u64>(), bit in any::<bool>()) {
        let mut out = Vec::new();
        write_ack(3, tag, bit, &mut out);
        write_reject(3, tag, bit, &mut out);
        let ack = basic::Ack { delivery_tag: tag, multiple: bit };
        let reject = basic::Reject { delivery_tag: tag, requeue: bit };
        prop_assert_eq!(frames(&out), [
            AMQPFrame::Method(3, AMQPClass::Basic(AMQPMethod::Ack(ack.clone()))),
            AMQPFrame::Method(3, AMQPClass::Basic(AMQPMethod::Reject(reject))),
        ]);
        let read = method(AMQPMethod::Ack(ack));
        prop_assert_eq!(IncomingMethod::read(&read), Some(IncomingMethod::Confirm { tag, multiple: bit, ack: true }));
        let returned = method(AMQPMethod::Return(basic::Return {
            reply_code: 312, reply_text: "NO_ROUTE".into(), exchange: "e".into(), routing_key: "k".into(),
        }));
        prop_assert_eq!(IncomingMethod::read(&returned), Some(IncomingMethod::Return { exchange: b"e", routing_key: b"k" }));
        let nack = method(AMQPMethod::Nack(basic::Nack { delivery_tag: tag, multiple: bit, requeue: false }));
        prop_assert_eq!(IncomingMethod::read(&nack), Some(IncomingMethod::Confirm { tag, multiple: bit, ack: false }));
    }

    #[test]
    fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = (IncomingMethod::read(&bytes), content_header(&bytes));
        for method in [50, 60, 71, 72, 80, 120] {
            let _ = IncomingMethod::read(&[&[0, 60, 0, method], &*bytes].concat());
        }
    }
}

#[test]
fn ignores_malformed_properties() {
    let header = |properties: &[u8]| {
        content_header(&[&[0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9][..], properties].concat()).unwrap().1
    };
    // a message id that is not valid UTF-8 is not read, but is passed on
    let read = header(b"\x00\x80\x02a\xff");
    assert_eq!((read.message_id.as_deref(), read.written_id()), (None, &b"a\xff"[..]));
    // a header name that is not valid UTF-8, beside a valid header
    let read = header(b"\x20\x80\x00\x00\x00\x08\x02\xff\xfeV\x01kt\x01\x02id");
    assert_eq!(read.headers, [("k".to_owned(), Header::Raw(Bytes::from_static(b"t\x01")))]);
    assert_eq!(read.message_id.as_deref(), Some("id"));
    // a malformed table
    assert_eq!(header(b"\x20\x80\x00\x00\x00\x03\x01k?\x02id").message_id.as_deref(), Some("id"));
}

#[test]
fn a_message_carries_its_trace_context() {
    let named = [("k".into(), Header::Flag(true))];
    let plain = TraceContext::new([1; 16], [2; 8], true).unwrap();
    for sent in [plain.clone(), plain.with_state("a=1")] {
        let publish = Publish { headers: &named, trace: Some(&sent), ..Publish::short(b"") };
        let mut out = Vec::new();
        publish.write(1, 4096, &mut out);
        let Some(AMQPFrame::Header(_, header)) = frames(&out).into_iter().nth(1) else { panic!("no header") };
        let (_, read) = content_header(&payload(&AMQPFrame::Header(1, header))).unwrap();
        assert_eq!(read.headers, [("k".to_owned(), Header::Raw(Bytes::from_static(b"t\x01")))]);
        assert_eq!(read.trace, Some(sent));
    }
}

#[test]
fn the_attributes_of_a_cloud_event_are_written_whole_or_do_not_fit() {
    let text = |name: &'static str, size| -> NamedHeader { (name.into(), Header::Text("c".repeat(size))) };
    for (attribute, foreign, fits) in [(3000, 3000, true), (3000, 0, true), (5000, 0, false)] {
        let named = [text("cloudEvents:id", 1), text("cloudEvents:twylacontext", attribute), text("comment", foreign)];
        let publish = Publish { headers: &named, ..Publish::short(b"") };
        assert_eq!(publish.fits(4096), fits, "{attribute} {foreign}");
        let mut out = Vec::new();
        publish.write(1, 4096, &mut out);
        let Some(AMQPFrame::Header(_, header)) = frames(&out).into_iter().nth(1) else { panic!("no header") };
        let (_, read) = content_header(&payload(&AMQPFrame::Header(1, header))).unwrap();
        let names: Vec<_> = read.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names[..2], ["cloudEvents:id", "cloudEvents:twylacontext"]);
    }
    // other headers are removed
    let named = [text("comment", 5000)];
    assert!(Publish { headers: &named, ..Publish::short(b"") }.fits(4096));
}
