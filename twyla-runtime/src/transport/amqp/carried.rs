//! What a message keeps of its sender's properties in a dead queue or a retry queue, and has again when it is replayed.
//!
//! Nearly all of it stays as it is. Four things can't, and stand in headers of ours meanwhile: an expiration would delete the
//! message there, a delivery mode that isn't persistent may lose it, a user id that isn't ours is refused by the broker, and
//! the header `CC` would have the broker give copies to other queues.

use crate::park::{CC, DELIVERY_MODE, EXPIRATION, Header, Named, USER_ID};
use crate::transport::original::{Original, Property};
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
            (EXPIRATION, Header::Text(text)) => original.with_text(Property::Expiration, text.as_bytes()),
            (DELIVERY_MODE, Header::Number(mode)) => match u8::try_from(*mode) {
                Ok(0) => original.with(Property::DeliveryMode, &[]),
                Ok(mode) => original.with(Property::DeliveryMode, &[mode]),
                Err(_) => return true,
            },
            (USER_ID, Header::Text(text)) if text == user => original.with_text(Property::UserId, text.as_bytes()),
            _ => return true,
        };
        false
    });
    original
}
