//! What a message keeps of its sender's properties in a dead queue or a retry queue, and has again when it is replayed.
//!
//! Nearly all of it stays as it is. Four things can't, and stand in headers of ours meanwhile: an expiration would delete the
//! message there, a delivery mode that isn't persistent may lose it, a user id that isn't ours is refused by the broker, and
//! the header `CC` would have the broker give copies to other queues.

use crate::dead_letter::letter::{CC, DELIVERY_MODE, EXPIRATION, Header, Named, USER_ID};
use crate::transport::sender_properties::{Original, Property};
use crate::transport::{Address, Outgoing};

/// The broker's own name for further routing keys.
const BROKERS_CC: &str = "CC";
/// Delivery mode 2: it is to be on disk.
const PERSISTENT: u8 = 2;

/// The message as it is published by this user.
pub(crate) fn prepared(mut message: Outgoing, user: &str) -> Outgoing {
    let Some(original) = message.original.take() else { return message };
    for (name, _) in message.headers.iter_mut().filter(|(name, _)| name == BROKERS_CC) {
        *name = CC.into();
    }
    let headers = &mut message.headers;
    message.original = Some(match message.to {
        Address::Event { .. } => original,
        Address::Dead(_) | Address::Retry(..) => Box::new(put_aside(*original, headers, user)),
        Address::Back(_) => Box::new(restored(*original, headers, user)),
    });
    message
}

fn put_aside(mut original: Original, headers: &mut Vec<Named>, user: &str) -> Original {
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

fn restored(mut original: Original, headers: &mut Vec<Named>, user: &str) -> Original {
    headers.retain(|(name, value)| {
        original = match (&**name, value) {
            // A sender may have written that header itself, and the broker refuses what is no time.
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

    fn message(to: Address, headers: Vec<Named>, original: &Original) -> Outgoing {
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

    fn back() -> Address {
        Address::Back("q".into())
    }

    fn text(text: &str) -> Header {
        Header::Text(text.to_owned())
    }

    #[test]
    fn gives_back_what_a_sender_wrote_and_nothing_that_the_broker_would_refuse() {
        let original = Original::of([&[]; COUNT]);
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
    fn a_message_without_a_delivery_mode_has_none_again() {
        let original = Original::of([&[]; COUNT]).with_text(Property::UserId, b"me");
        let mut headers = vec![("CC".into(), Header::Raw(Bytes::from_static(b"V")))];
        let aside = put_aside(original.clone(), &mut headers, "me");
        assert_eq!((aside.get(Property::DeliveryMode), aside.text(Property::UserId)), (&[2][..], Some(&b"me"[..])));
        assert_eq!(headers[1], (DELIVERY_MODE.into(), Header::Number(0)));
        let sent = prepared(message(back(), headers, &aside), "me");
        assert_eq!(*sent.original.unwrap(), original);
        assert_eq!(sent.headers, [(CC.into(), Header::Raw(Bytes::from_static(b"V")))]);
    }
}
