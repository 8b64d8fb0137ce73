//! The formats of JSON Schema, each checked by its specification.
//!
//! The runtime checks events with this crate, and the build script uses the same rules to compare schemas. By theme:
//! [`time`], [`net`] (addresses), `names` (host names and e-mail), `labels` and `idn` (their internationalized forms),
//! `uri`, `pointer` and `template`. The reference is `optional/format` of the official test suite.
//!
//! ```
//! use twyla_formats::{Format, holds};
//!
//! assert!(holds(Format::Date, "2024-02-29"));
//! assert!(!holds(Format::Date, "2023-02-29"));
//! ```
#![forbid(unsafe_code)]

#[cfg(feature = "idna")]
mod idn;
mod labels;
mod names;
pub mod net;
mod pointer;
mod template;
pub mod time;
mod uri;

/// A format that the `format` keyword can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `date-time`
    DateTime,
    /// `date`
    Date,
    /// `time`
    Time,
    /// `duration`
    Duration,
    /// `email`
    Email,
    /// `idn-email`
    #[cfg(feature = "idna")]
    IdnEmail,
    /// `hostname` from draft 7 on: labels that begin with `xn--` must be valid in IDNA.
    Hostname,
    /// `hostname` of drafts 4 and 6: RFC 1034, without IDNA.
    PlainHostname,
    /// `idn-hostname`
    #[cfg(feature = "idna")]
    IdnHostname,
    /// `ipv4`
    Ipv4,
    /// `ipv6`
    Ipv6,
    /// `uri`
    Uri,
    /// `uri-reference`
    UriReference,
    /// `iri`
    Iri,
    /// `iri-reference`
    IriReference,
    /// `uuid`
    Uuid,
    /// `uri-template`
    UriTemplate,
    /// `json-pointer`
    JsonPointer,
    /// `relative-json-pointer`
    RelativeJsonPointer,
    /// `regex`
    Regex,
}

impl Format {
    /// Returns the format's name in a schema.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DateTime => "date-time",
            Self::Date => "date",
            Self::Time => "time",
            Self::Duration => "duration",
            Self::Email => "email",
            #[cfg(feature = "idna")]
            Self::IdnEmail => "idn-email",
            Self::Hostname | Self::PlainHostname => "hostname",
            #[cfg(feature = "idna")]
            Self::IdnHostname => "idn-hostname",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Uri => "uri",
            Self::UriReference => "uri-reference",
            Self::Iri => "iri",
            Self::IriReference => "iri-reference",
            Self::Uuid => "uuid",
            Self::UriTemplate => "uri-template",
            Self::JsonPointer => "json-pointer",
            Self::RelativeJsonPointer => "relative-json-pointer",
            Self::Regex => "regex",
        }
    }
}

/// Returns whether a text has the format.
#[must_use]
#[inline]
pub fn holds(format: Format, text: &str) -> bool {
    match format {
        Format::DateTime => time::date_time(text.as_bytes()).is_some(),
        Format::Date => time::date(text.as_bytes()).is_some(),
        Format::Time => time::time(text.as_bytes()).is_some(),
        Format::Duration => time::duration(text.as_bytes()),
        Format::Email => names::email(text),
        #[cfg(feature = "idna")]
        Format::IdnEmail => idn::email(text),
        Format::Hostname => names::hostname(text),
        Format::PlainHostname => names::plain_hostname(text.as_bytes()),
        #[cfg(feature = "idna")]
        Format::IdnHostname => idn::hostname(text),
        Format::Ipv4 => net::ipv4(text.as_bytes()).is_some(),
        Format::Ipv6 => net::ipv6(text).is_some(),
        Format::Uri => uri::uri(text, false),
        Format::UriReference => uri::reference(text, false),
        Format::Iri => uri::uri(text, true),
        Format::IriReference => uri::reference(text, true),
        Format::Uuid => net::uuid(text.as_bytes()).is_some(),
        Format::UriTemplate => template::uri_template(text),
        Format::JsonPointer => pointer::json_pointer(text.as_bytes()),
        Format::RelativeJsonPointer => pointer::relative(text.as_bytes()),
        Format::Regex => jsonschema_regex::is_valid_ecma_regex(text),
    }
}
