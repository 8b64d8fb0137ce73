//! The session that an event or a call belongs to: a UUID on the wire, read from any text.

use std::sync::Arc;

use uuid::Uuid;

/// The namespace of sessions whose ids aren't UUIDs: the UUIDv5 of the URL `urn:twyla:session`.
const NAMESPACE: Uuid = Uuid::from_u128(0x79e0_c62c_6505_5947_92c8_196c_03b1_baf3);

/// The maximum length of `Session::text` in bytes. It is kept for the log.
const SHOWN: usize = 128;

/// Returns the UUID of a session that other programs identify by a text.
///
/// Whitespace around the text is ignored. A UUID as text becomes that UUID. Any other text becomes a UUIDv5 (RFC 9562, section
/// 5.5) in Twyla's own namespace, `uuid5(uuid5(NAMESPACE_URL, "urn:twyla:session"), text)`, so that the same text is the same
/// session in every service. The text in a received event or call is converted in the same way.
///
/// ```
/// use twyla_runtime::{Uuid, session_id};
///
/// assert_eq!(session_id("5F0C7D9E-3B1A-4C55-9D3E-2A6F1C0B7E42").to_string(), "5f0c7d9e-3b1a-4c55-9d3e-2a6f1c0b7e42");
/// assert_eq!(session_id("basket 17"), session_id("basket 17"));
/// assert_ne!(session_id("basket 17"), session_id("basket 18"));
/// ```
#[must_use]
pub fn session_id(text: &str) -> Uuid {
    let text = text.trim();
    Uuid::parse_str(text).unwrap_or_else(|_| Uuid::new_v5(&NAMESPACE, text.as_bytes()))
}

/// The session of an event or a call, received or new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) id: Uuid,
    /// The beginning of the text from which the id was derived, if that isn't a UUID.
    pub(crate) text: Option<Arc<str>>,
}

impl Session {
    /// Creates a new session.
    pub(crate) fn new() -> Self {
        Uuid::new_v4().into()
    }

    /// Returns the session that a text identifies; `None` if the text is blank.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        Some(Uuid::parse_str(text).map_or_else(
            |_| {
                let shown = text[..text.floor_char_boundary(SHOWN)].into();
                Self { id: session_id(text), text: Some(shown) }
            },
            Self::from,
        ))
    }
}

impl From<Uuid> for Session {
    fn from(id: Uuid) -> Self {
        Self { id, text: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_a_uuid_is_that_uuid() {
        let id = Uuid::from_u128(0x5f0c_7d9e_3b1a_4c55_9d3e_2a6f_1c0b_7e42);
        for text in [
            "5f0c7d9e-3b1a-4c55-9d3e-2a6f1c0b7e42",
            " 5F0C7D9E-3B1A-4C55-9D3E-2A6F1C0B7E42 ",
            "5f0c7d9e3b1a4c559d3e2a6f1c0b7e42",
            "{5f0c7d9e-3b1a-4c55-9d3e-2a6f1c0b7e42}",
            "urn:uuid:5f0c7d9e-3b1a-4c55-9d3e-2a6f1c0b7e42",
        ] {
            assert_eq!(Session::read(text), Some(id.into()), "{text}");
        }
    }

    #[test]
    fn another_text_is_a_uuid_of_its_own() {
        assert_eq!(NAMESPACE, Uuid::new_v5(&Uuid::NAMESPACE_URL, b"urn:twyla:session"));
        // the result of Python's `uuid.uuid5`
        let id = "5231905b-f4f9-534b-85fa-74789248887c".parse().unwrap();
        assert_eq!(session_id("a session of python's"), id);
        assert_eq!(
            Session::read("a session of python's"),
            Some(Session { id, text: Some("a session of python's".into()) })
        );
        let long = "é".repeat(1000);
        let read = Session::read(&long).unwrap();
        assert_eq!((read.id, read.text.as_deref()), (session_id(&long), Some(&*"é".repeat(64))));
        assert_ne!(read.id, session_id(&"é".repeat(64)));
    }

    #[test]
    fn a_blank_text_is_not_a_session() {
        assert_eq!((Session::read(""), Session::read(" \t")), (None, None));
    }
}
