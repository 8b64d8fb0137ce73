//! The properties of a message as its sender wrote them, byte for byte, without the headers.

use bytes::{BufMut, Bytes, BytesMut};

/// The number of properties (AMQP 0-9-1, class `basic`).
pub(crate) const COUNT: usize = 14;

/// A property, by its index in a content header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Property {
    ContentType = 0,
    Headers = 2,
    DeliveryMode = 3,
    Expiration = 7,
    MessageId = 8,
    Timestamp = 9,
    UserId = 11,
    AppId = 12,
}

/// The properties of a delivered message, without its headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SenderProperties {
    /// The end of each property in `list`; an absent property has the same end as the previous property.
    ends: [u16; COUNT],
    list: Bytes,
}

impl SenderProperties {
    /// Joins the encoded values of all properties, strings with their length byte; absent properties are empty.
    pub(crate) fn of(values: [&[u8]; COUNT]) -> Self {
        let mut list = BytesMut::with_capacity(values.iter().map(|value| value.len()).sum());
        let ends = values.map(|value| {
            list.put_slice(value);
            u16::try_from(list.len()).unwrap_or(u16::MAX)
        });
        Self { ends, list: list.freeze() }
    }

    /// Returns the encoded value of each property; empty if it is absent.
    pub(crate) fn values(&self) -> [&[u8]; COUNT] {
        let mut from = 0;
        self.ends.map(|end| {
            let end = usize::from(end);
            let value = self.list.get(from..end).unwrap_or_default();
            from = end;
            value
        })
    }

    /// Returns the encoded value of one property; empty if it is absent.
    pub(crate) fn get(&self, property: Property) -> &[u8] {
        self.values()[property as usize]
    }

    /// Returns the text of a string property, if it is present.
    pub(crate) fn text(&self, property: Property) -> Option<&[u8]> {
        self.get(property).get(1..)
    }

    /// Returns a copy with another encoded value; an empty one removes the property.
    pub(crate) fn with(&self, property: Property, value: &[u8]) -> Self {
        let mut values = self.values();
        values[property as usize] = value;
        Self::of(values)
    }

    /// Returns a copy with another text, cut at 255 bytes.
    pub(crate) fn with_text(&self, property: Property, text: &[u8]) -> Self {
        let text = &text[..text.len().min(255)];
        let mut value = vec![u8::try_from(text.len()).unwrap_or(u8::MAX)];
        value.extend_from_slice(text);
        self.with(property, &value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_property_is_replaced_and_the_others_stay() {
        let mut values = [&[][..]; COUNT];
        values[0] = b"\x04text";
        values[3] = &[1];
        values[13] = b"\x01c";
        let original = SenderProperties::of(values);
        assert_eq!(original.values(), values);
        let changed = original.with_text(Property::Expiration, b"60000").with(Property::DeliveryMode, &[]);
        assert_eq!(changed.text(Property::Expiration), Some(&b"60000"[..]));
        assert_eq!(changed.text(Property::DeliveryMode), None);
        values[3] = &[];
        assert_eq!(changed.with(Property::Expiration, &[]).values(), values);
    }
}
