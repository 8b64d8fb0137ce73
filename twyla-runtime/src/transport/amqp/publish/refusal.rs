//! Permanent refusals: the broker closes the channel with a reply code and a reply text.

use crate::transport::amqp::error::{ACCESS_REFUSED, NOT_FOUND, PRECONDITION_FAILED};

/// AMQP 0-9-1, `content-too-large`.
const CONTENT_TOO_LARGE: u16 = 311;

/// The messages that the broker refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Only this message.
    Message,
    /// Every message with a body of more than this many bytes.
    LargerThan(usize),
}

impl Refusal {
    /// Interprets the end of a channel that a message of `bytes` caused; `None` if a retry may succeed.
    pub(crate) fn read(code: Option<u16>, words: &str, bytes: usize) -> Option<Self> {
        match code? {
            ACCESS_REFUSED | PRECONDITION_FAILED | CONTENT_TOO_LARGE => {
                Some(size_limit(code, words).filter(|most| bytes > *most).map_or(Self::Message, Self::LargerThan))
            }
            _ => None,
        }
    }
}

/// Returns the broker's `max_message_size` in bytes, if the channel was closed for a larger message.
pub(crate) fn size_limit(code: Option<u16>, words: &str) -> Option<usize> {
    if code != Some(PRECONDITION_FAILED) || !words.contains("message size") {
        return None;
    }
    // "message size 20971520 is larger than configured max size 16777216", or without "configured"
    let (_, most) = words.rsplit_once("max size ")?;
    most.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Returns the reply text, with advice.
pub(crate) fn advice(code: Option<u16>, words: &str) -> String {
    match code {
        Some(ACCESS_REFUSED) => format!("{words}: the user needs the permission `write` on it"),
        _ => words.to_owned(),
    }
}

/// Returns whether the exchange doesn't exist.
pub(crate) fn is_gone(code: Option<u16>) -> bool {
    code == Some(NOT_FOUND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_size_limit_from_each_form_of_the_reply_text() {
        for (words, most) in [
            (
                "PRECONDITION_FAILED - message size 20971520 is larger than configured max size 16777216",
                Some(16_777_216),
            ),
            ("PRECONDITION_FAILED - message size 536870913 is larger than max size 536870912", Some(536_870_912)),
            ("PRECONDITION_FAILED - message size 5 is larger than configured max size 4, sorry", Some(4)),
            ("PRECONDITION_FAILED - message size 5 is larger than configured max size many", None),
            ("PRECONDITION_FAILED - invalid expiration 'soon': no_integer", None),
        ] {
            assert_eq!(size_limit(Some(406), words), most, "{words}");
        }
        assert_eq!(size_limit(Some(403), "message size 5, max size 4"), None);
        assert_eq!(size_limit(None, "message size 5, max size 4"), None);
    }

    #[test]
    fn distinguishes_permanent_refusals_from_temporary_ones() {
        let size = "PRECONDITION_FAILED - message size 9 is larger than configured max size 8";
        for (code, words, refusal) in [
            (Some(406), size, Some(Refusal::LargerThan(8))),
            (Some(406), "PRECONDITION_FAILED - invalid expiration 'soon'", Some(Refusal::Message)),
            (Some(403), "ACCESS_REFUSED - access to exchange 'x' in vhost '/' refused", Some(Refusal::Message)),
            (Some(404), "NOT_FOUND - no exchange 'x' in vhost '/'", None),
            (None, "RabbitMQ has closed the connection", None),
        ] {
            assert_eq!(Refusal::read(code, words, 9), refusal, "{words}");
        }
        // the text contradicts the message, which isn't larger than 8 bytes
        assert_eq!(Refusal::read(Some(406), size, 8), Some(Refusal::Message));
    }
}
