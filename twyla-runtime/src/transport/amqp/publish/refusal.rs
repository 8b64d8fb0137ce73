//! How a broker refuses a message for good: it closes the channel, with a code and words.

use crate::transport::amqp::error::{ACCESS_REFUSED, NOT_FOUND, PRECONDITION_FAILED};

/// AMQP 0-9-1, `content-too-large`.
const CONTENT_TOO_LARGE: u16 = 311;

/// What a broker doesn't take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// This message, as its words say.
    Message,
    /// Any message with a body of more bytes than these.
    LargerThan(usize),
}

impl Refusal {
    /// Reads the code and words of a channel's end that one message of `bytes` has caused; `None` if the message may pass
    /// when it is sent again.
    pub(crate) fn read(code: Option<u16>, words: &str, bytes: usize) -> Option<Self> {
        match code? {
            ACCESS_REFUSED | PRECONDITION_FAILED | CONTENT_TOO_LARGE => {
                Some(size_limit(code, words).filter(|most| bytes > *most).map_or(Self::Message, Self::LargerThan))
            }
            _ => None,
        }
    }
}

/// The most bytes that a body may have, if the broker has closed a channel for a larger one (`max_message_size`).
pub(crate) fn size_limit(code: Option<u16>, words: &str) -> Option<usize> {
    if code != Some(PRECONDITION_FAILED) || !words.contains("message size") {
        return None;
    }
    // "message size 20971520 is larger than configured max size 16777216", or without "configured"
    let (_, most) = words.rsplit_once("max size ")?;
    most.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The words of a channel's end, with what to do about it.
pub(crate) fn advice(code: Option<u16>, words: &str) -> String {
    match code {
        Some(ACCESS_REFUSED) => format!("{words}: the user needs the permission `write` on it"),
        _ => words.to_owned(),
    }
}

/// Whether an exchange was gone.
pub(crate) fn is_gone(code: Option<u16>) -> bool {
    code == Some(NOT_FOUND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_limit_of_a_size_whichever_way_it_is_said() {
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
    fn tells_what_is_refused_for_good_from_what_may_pass_later() {
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
        // What it says can't be.
        assert_eq!(Refusal::read(Some(406), size, 8), Some(Refusal::Message));
    }
}
