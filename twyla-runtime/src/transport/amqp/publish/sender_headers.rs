//! Preserves the sender's properties while a message is in a dead queue or a retry queue, and restores them on replay.
//!
//! Nearly all properties stay unchanged. Four are stored in Twyla's headers meanwhile: an expiration would delete the message, a
//! transient delivery mode could lose it, the broker refuses a foreign user id, and the header `CC` would send copies to other
//! queues.

use crate::dead_letter::headers::{CC, DELIVERY_MODE, EXPIRATION, Header, NamedHeader, USER_ID};
use crate::transport::sender_properties::{Property, SenderProperties};
use crate::transport::{Outgoing, PublishTarget};

/// RabbitMQ's header for additional routing keys.
const BROKERS_CC: &str = "CC";
/// Delivery mode 2: written to disk.
const PERSISTENT: u8 = 2;

/// Prepares the properties of a message for publishing by `user`.
pub(crate) fn prepared(mut message: Outgoing, user: &str) -> Outgoing {
    let Some(original) = message.original.take() else { return message };
    for (name, _) in message.headers.iter_mut().filter(|(name, _)| name == BROKERS_CC) {
        *name = CC.into();
    }
    let headers = &mut message.headers;
    message.original = Some(match message.to {
        PublishTarget::Event { .. } => original,
        PublishTarget::Dead(_) | PublishTarget::Retry(..) => Box::new(kept(*original, headers, user)),
        PublishTarget::Back(_) => Box::new(restored(*original, headers, user)),
    });
    message
}

fn kept(mut original: SenderProperties, headers: &mut Vec<NamedHeader>, user: &str) -> SenderProperties {
    let text = |text: &[u8]| Header::Text(String::from_utf8_lossy(text).into_owned());
    if let Some(expiration) = original.text(Property::Expiration) {
        headers.push((EXPIRATION.into(), text(expiration)));
        original = original.with(Property::Expiration, &[]);
    }
    let mode = original.get(Property::DeliveryMode).first().copied();
    if mode != Some(PERSISTENT) {
        headers.push((DELIVERY_MODE.into(), Header::Number(mode.unwrap_or_default().into())));
        original = original.with(Property::DeliveryMode, &[PERSISTENT]);
    }
    if let Some(other) = original.text(Property::UserId)
        && other != user.as_bytes()
    {
        headers.push((USER_ID.into(), text(other)));
        original = original.with(Property::UserId, &[]);
    }
    original
}

fn restored(mut original: SenderProperties, headers: &mut Vec<NamedHeader>, user: &str) -> SenderProperties {
    headers.retain(|(name, value)| {
        original = match (&**name, value) {
            // a sender may set this header too, and the broker refuses an invalid expiration
            (EXPIRATION, Header::Text(text)) if text.parse::<u32>().is_ok() => {
                original.with_text(Property::Expiration, text.as_bytes())
            }
            (DELIVERY_MODE, Header::Number(mode)) => match u8::try_from(*mode) {
                Ok(0) => original.with(Property::DeliveryMode, &[]),
                Ok(mode @ 1..=2) => original.with(Property::DeliveryMode, &[mode]),
                _ => return true,
            },
            (USER_ID, Header::Text(text)) if text == user => original.with_text(Property::UserId, text.as_bytes()),
            _ => return true,
        };
        false
    });
    original
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::transport::sender_properties::COUNT;

    fn message(to: PublishTarget, headers: Vec<NamedHeader>, original: &SenderProperties) -> Outgoing {
        Outgoing {
            to,
            body: Bytes::new(),
            message_id: Arc::from("id"),
            timestamp: chrono::Utc::now(),
            app_id: Arc::from("test"),
            headers,
            trace: None,
            original: Some(Box::new(original.clone())),
        }
    }

    fn back() -> PublishTarget {
        PublishTarget::Back("q".into())
    }

    fn text(text: &str) -> Header {
        Header::Text(text.to_owned())
    }

    #[test]
    fn restores_stored_properties_except_those_that_the_broker_would_refuse() {
        let original = SenderProperties::of([&[]; COUNT]);
        let headers = vec![
            (EXPIRATION.into(), text("60000")),
            (DELIVERY_MODE.into(), Header::Number(1)),
            (USER_ID.into(), text("me")),
            ("k".into(), text("v")),
        ];
        let sent = prepared(message(back(), headers, &original), "me");
        assert_eq!(sent.headers, [("k".into(), text("v"))]);
        let has = sent.original.unwrap();
        assert_eq!(has.text(Property::Expiration), Some(&b"60000"[..]));
        assert_eq!((has.get(Property::DeliveryMode), has.text(Property::UserId)), (&[1][..], Some(&b"me"[..])));
        for (name, value) in [
            (EXPIRATION, text("soon")),
            (EXPIRATION, text("4294967296")),
            (EXPIRATION, Header::Number(1)),
            (DELIVERY_MODE, Header::Number(3)),
            (DELIVERY_MODE, text("2")),
            (USER_ID, text("another")),
        ] {
            let headers = vec![(name.into(), value)];
            let sent = prepared(message(back(), headers.clone(), &original), "me");
            assert_eq!((sent.headers, *sent.original.unwrap()), (headers, original.clone()));
        }
    }

    #[test]
    fn a_message_without_a_delivery_mode_is_restored_without_one() {
        let original = SenderProperties::of([&[]; COUNT]).with_text(Property::UserId, b"me");
        let mut headers = vec![("CC".into(), Header::Raw(Bytes::from_static(b"V")))];
        let aside = kept(original.clone(), &mut headers, "me");
        assert_eq!((aside.get(Property::DeliveryMode), aside.text(Property::UserId)), (&[2][..], Some(&b"me"[..])));
        assert_eq!(headers[1], (DELIVERY_MODE.into(), Header::Number(0)));
        let sent = prepared(message(back(), headers, &aside), "me");
        assert_eq!(*sent.original.unwrap(), original);
        assert_eq!(sent.headers, [(CC.into(), Header::Raw(Bytes::from_static(b"V")))]);
    }
}
