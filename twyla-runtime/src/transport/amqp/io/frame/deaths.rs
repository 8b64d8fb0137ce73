//! Parses the header `x-death`, in which the broker records the queues that it dead-lettered a message from.

use chrono::DateTime;

use crate::dead_letter::headers::Header;
use crate::dead_letter::letter::Death;
use crate::transport::field::{FieldValue, Reader};

/// The maximum number of `x-death` entries that are read.
const MOST: usize = 32;

/// Parses the header, the latest entry first; invalid entries are skipped.
pub(crate) fn deaths(header: &Header) -> Vec<Death> {
    let Header::Raw(raw) = header else { return Vec::new() };
    let entries = FieldValue(raw).items(b'A').unwrap_or_default();
    entries.into_iter().take(MOST).filter_map(FieldValue::death).collect()
}

impl<'a> FieldValue<'a> {
    /// Returns the values of an array; `None` if it isn't an array or is malformed.
    fn items(self, kind: u8) -> Option<Vec<Self>> {
        let mut inside = self.inside(kind)?;
        let mut items = Vec::new();
        while !inside.0.is_empty() {
            items.push(inside.value()?);
        }
        Some(items)
    }

    fn inside(self, kind: u8) -> Option<Reader<'a>> {
        let (first, rest) = self.0.split_first()?;
        if *first == kind { Reader(rest).long().map(Reader) } else { None }
    }

    fn text(self) -> Option<String> {
        match self.known()? {
            Header::Text(text) => Some(text),
            _ => None,
        }
    }

    fn death(self) -> Option<Death> {
        let mut inside = self.inside(b'F')?;
        let mut death = Death::default();
        while !inside.0.is_empty() {
            let (name, value) = (inside.short()?, inside.value()?);
            match name {
                b"queue" => death.queue = value.text().unwrap_or_default(),
                b"reason" => death.reason = value.text().unwrap_or_default(),
                b"exchange" => death.exchange = value.text().unwrap_or_default(),
                b"count" => {
                    if let Some(Header::Number(count)) = value.known() {
                        death.count = u64::try_from(count).unwrap_or_default();
                    }
                }
                b"routing-keys" => {
                    let keys = value.items(b'A').unwrap_or_default();
                    death.routing_keys = keys.into_iter().take(MOST).filter_map(FieldValue::text).collect();
                }
                b"time" => {
                    let seconds = value.0.get(1..).and_then(|seconds| seconds.try_into().ok()).map(i64::from_be_bytes);
                    death.at = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
                }
                b"original-expiration" => death.expiration = value.text(),
                _ => {}
            }
        }
        Some(death)
    }
}

#[cfg(test)]
mod tests {
    use amq_protocol::frame::AMQPContentHeader;
    use amq_protocol::frame::{AMQPFrame, gen_frame};
    use lapin::types::{AMQPValue, FieldTable};
    use proptest::prelude::*;

    use super::*;
    use crate::transport::amqp::io::frame::{HEAD, content_header};

    fn read(value: AMQPValue) -> Vec<Death> {
        let mut table = FieldTable::default();
        table.insert("x-death".into(), value);
        let properties = lapin::BasicProperties::default().with_headers(table);
        let frame = AMQPFrame::Header(1, AMQPContentHeader { class_id: 60, body_size: 0, properties });
        let bytes = gen_frame(&frame)(Vec::new().into()).unwrap().write;
        let (_, properties) = content_header(&bytes[HEAD..bytes.len() - 1]).unwrap();
        deaths(&properties.headers[0].1)
    }

    #[test]
    fn parses_the_broker_s_header() {
        let mut death = FieldTable::default();
        let text = |text: &str| AMQPValue::LongString(text.into());
        death.insert("count".into(), AMQPValue::LongLongInt(3));
        death.insert("reason".into(), text("delivery_limit"));
        death.insert("queue".into(), text("shop.order.mail"));
        death.insert("time".into(), AMQPValue::Timestamp(1_700_000_000));
        death.insert("exchange".into(), text("shop"));
        death.insert("routing-keys".into(), AMQPValue::FieldArray(vec![text("order"), text("more")].into()));
        death.insert("original-expiration".into(), text("60000"));
        death.insert("of a later broker".into(), AMQPValue::Double(0.5));
        let death = AMQPValue::FieldTable(death);
        let expected = Death {
            queue: "shop.order.mail".to_owned(),
            reason: "delivery_limit".to_owned(),
            count: 3,
            exchange: "shop".to_owned(),
            routing_keys: vec!["order".to_owned(), "more".to_owned()],
            at: DateTime::from_timestamp(1_700_000_000, 0),
            expiration: Some("60000".to_owned()),
        };
        assert_eq!(
            read(AMQPValue::FieldArray(vec![death.clone(), AMQPValue::Void, death.clone()].into())),
            [expected.clone(), expected,]
        );
        assert_eq!(read(death), []);
        assert_eq!(read(AMQPValue::Void), []);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for kind in [&b"A"[..], b"F", b"A\0\0\0\x20F", b""] {
                deaths(&Header::Raw([kind, &bytes].concat().into()));
            }
        }
    }
}
