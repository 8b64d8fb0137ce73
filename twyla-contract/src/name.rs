//! Names of events, RPCs, domains, services and groups, parsed into types that are always valid.

use std::fmt;

/// The maximum length of an event name in bytes: with a group and `.dead` appended, a queue's name stays below the 255 bytes
/// of an AMQP 0-9-1 short string.
pub const MAX_EVENT_NAME: usize = 180;
/// The maximum length of an RPC name in bytes.
pub const MAX_RPC_NAME: usize = 180;
/// The maximum length of a group name in bytes.
pub const MAX_GROUP: usize = 64;

/// The name of an event: a domain, a dot, and an event type, which may have further dots.
///
/// The domain names the exchange and the event type is the routing key. Both consist of words of ASCII letters, digits, `_`
/// and `-`; a domain is one word and begins with a letter.
///
/// ```
/// let name = twyla_contract::EventName::parse("api.user_input").unwrap();
/// assert_eq!((name.domain(), name.event_type()), ("api", "user_input"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventName {
    text: String,
    dot: usize,
}

impl EventName {
    /// Parses `domain.event_type`; the first dot splits it.
    ///
    /// # Errors
    /// [`NameError`] says which part is wrong and why.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let dot =
            text.find('.').ok_or_else(|| NameError::new(text, "has no dot: an event is named `domain.event_type`"))?;
        if text.len() > MAX_EVENT_NAME {
            return Err(NameError::new(
                text,
                "is longer than 180 bytes, so the names of its queues would exceed AMQP's limit",
            ));
        }
        domain(&text[..dot])?;
        event_type(&text[dot + 1..])?;
        Ok(Self { text: text.to_owned(), dot })
    }

    /// Returns the part before the first dot: the name of the exchange.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.text[..self.dot]
    }

    /// Returns the part after the first dot: the routing key.
    #[must_use]
    pub fn event_type(&self) -> &str {
        &self.text[self.dot + 1..]
    }

    /// Returns the 64-bit FNV-1a hash of the name, for types that carry it as a number.
    #[must_use]
    pub fn key(&self) -> u64 {
        key(&self.text)
    }

    /// Returns the whole name, `domain.event_type`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The name of an RPC: a service, a dot, and a method, which may have further dots.
///
/// Both consist of words of ASCII letters, digits, `_` and `-`, as they are part of a URL's path and of an environment
/// variable's name; a service is one word and begins with a letter.
///
/// ```
/// let name = twyla_contract::RpcName::parse("navitaire-api.get_booking").unwrap();
/// assert_eq!((name.service(), name.method()), ("navitaire-api", "get_booking"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RpcName {
    text: String,
    dot: usize,
}

impl RpcName {
    /// Parses `service.method`; the first dot splits it.
    ///
    /// # Errors
    /// [`NameError`] says which part is wrong and why.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let dot = text.find('.').ok_or_else(|| NameError::new(text, "has no dot: an RPC is named `service.method`"))?;
        if text.len() > MAX_RPC_NAME {
            return Err(NameError::new(text, "is longer than 180 bytes"));
        }
        service(&text[..dot])?;
        method(&text[dot + 1..])?;
        Ok(Self { text: text.to_owned(), dot })
    }

    /// Returns the part before the first dot: the service that serves the RPC.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.text[..self.dot]
    }

    /// Returns the part after the first dot: the last segment of its URL's path.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.text[self.dot + 1..]
    }

    /// Returns the 64-bit FNV-1a hash of the name, for types that carry it as a number.
    #[must_use]
    pub fn key(&self) -> u64 {
        key(&self.text)
    }

    /// Returns the whole name, `service.method`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for RpcName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The name of a group of listeners; the members of a group share its queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Group(String);

impl Group {
    /// Parses a group's name: 1 to 64 ASCII letters, digits, `_` and `-`, beginning with a letter or digit.
    ///
    /// # Errors
    /// [`NameError`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.len() > MAX_GROUP {
            return Err(NameError::new(text, "is longer than 64 bytes"));
        }
        word(text, text)?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Checks `text` against the rules of a domain's name: one word that begins with a letter.
///
/// # Errors
/// [`NameError`] says what is wrong.
pub fn domain(text: &str) -> Result<(), NameError> {
    word(text, text)?;
    if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(NameError::new(text, "doesn't begin with a letter, as a domain's name must"));
    }
    Ok(())
}

/// Checks `text` against the rules of a service's name: one word that begins with a letter.
///
/// # Errors
/// [`NameError`] says what is wrong.
pub fn service(text: &str) -> Result<(), NameError> {
    word(text, text)?;
    if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(NameError::new(text, "doesn't begin with a letter, as a service's name must"));
    }
    Ok(())
}

/// Checks `text` against the rules of a method's name: words with single dots between them.
///
/// # Errors
/// [`NameError`] says what is wrong.
pub fn method(text: &str) -> Result<(), NameError> {
    event_type(text)
}

/// Checks `text` against the rules of an event type: words with single dots between them.
///
/// # Errors
/// [`NameError`] says what is wrong.
pub fn event_type(text: &str) -> Result<(), NameError> {
    text.split('.').try_for_each(|part| word(part, text))
}

/// Returns the 64-bit FNV-1a hash of a text.
#[must_use]
pub fn key(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn word(part: &str, whole: &str) -> Result<(), NameError> {
    let Some(first) = part.chars().next() else {
        return Err(NameError::new(
            whole,
            if whole.is_empty() { "is empty" } else { "has an empty part before or after a dot" },
        ));
    };
    if let Some(bad) = part.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))) {
        return Err(NameError { name: whole.to_owned(), why: Reason::Char(bad) });
    }
    if !first.is_ascii_alphanumeric() {
        return Err(NameError::new(whole, "has a part that begins with neither a letter nor a digit"));
    }
    Ok(())
}

/// A name that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameError {
    /// The invalid name.
    pub name: String,
    why: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    Text(&'static str),
    Char(char),
}

impl NameError {
    fn new(name: &str, why: &'static str) -> Self {
        Self { name: name.to_owned(), why: Reason::Text(why) }
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.why {
            Reason::Text(why) => write!(f, "`{}` {why}", self.name),
            Reason::Char(c) => {
                write!(f, "`{}` contains {c:?}; names consist of ASCII letters, digits, `_` and `-`", self.name)
            }
        }
    }
}

impl std::error::Error for NameError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_the_first_dot() {
        let name = EventName::parse("api.user.created").unwrap();
        assert_eq!((name.domain(), name.event_type()), ("api", "user.created"));
        assert_eq!(EventName::parse("navitaire-api.2fa_sent").unwrap().event_type(), "2fa_sent");
    }

    #[test]
    fn an_rpc_is_of_a_service() {
        let name = RpcName::parse("navitaire-api.booking.get").unwrap();
        assert_eq!((name.service(), name.method()), ("navitaire-api", "booking.get"));
        for (name, why) in [
            ("get_booking", "no dot: an RPC is named"),
            ("2api.get", "with a letter, as a service's"),
            ("api.get booking", "' '"),
            ("api.", "is empty"),
            ("api.a/b", "'/'"),
        ] {
            let text = RpcName::parse(name).unwrap_err().to_string();
            assert!(text.contains(why), "{name}: {text}");
        }
        assert!(RpcName::parse(&format!("api.{}", "x".repeat(177))).is_err());
    }

    #[test]
    fn says_why_a_name_is_bad() {
        for (name, why) in [
            ("user_input", "no dot"),
            (".user_input", "is empty"),
            ("api.", "is empty"),
            ("api.a..b", "empty part"),
            ("api.user input", "' '"),
            ("api.*", "'*'"),
            ("ä.b", "'ä'"),
            ("1api.b", "with a letter"),
            ("api._x", "neither a letter nor a digit"),
        ] {
            let text = EventName::parse(name).unwrap_err().to_string();
            assert!(text.contains(why), "{name}: {text}");
        }
        assert!(EventName::parse(&format!("api.{}", "x".repeat(177))).is_err());
        assert!(Group::parse("").is_err() && Group::parse("a.b").is_err() && Group::parse("chat-bot_2").is_ok());
    }
}
