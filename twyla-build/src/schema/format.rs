//! Formats: which formats each draft has, and their names in the runtime.

use twyla_formats::Format;

use crate::schema::draft::Draft::{self, Draft4, Draft6, Draft7, Draft201909};

/// The formats of all drafts: each with its variant of the runtime's `Format`, and the first draft that has it.
const FORMATS: [(&str, &str, Draft); 19] = [
    ("date-time", "DateTime", Draft4),
    ("date", "Date", Draft4),
    ("time", "Time", Draft4),
    ("duration", "Duration", Draft201909),
    ("email", "Email", Draft4),
    ("idn-email", "IdnEmail", Draft4),
    ("hostname", "Hostname", Draft4),
    ("idn-hostname", "IdnHostname", Draft7),
    ("ipv4", "Ipv4", Draft4),
    ("ipv6", "Ipv6", Draft4),
    ("uri", "Uri", Draft4),
    ("uri-reference", "UriReference", Draft6),
    ("iri", "Iri", Draft7),
    ("iri-reference", "IriReference", Draft7),
    ("uuid", "Uuid", Draft201909),
    ("uri-template", "UriTemplate", Draft6),
    ("json-pointer", "JsonPointer", Draft6),
    ("relative-json-pointer", "RelativeJsonPointer", Draft7),
    ("regex", "Regex", Draft4),
];

/// Returns the names of the formats of all drafts.
pub(crate) fn names() -> impl Iterator<Item = &'static str> + Clone {
    FORMATS.into_iter().map(|(name, ..)| name)
}

/// Returns the variant of the runtime's `Format` for a format of this draft; `None` for any other format, which is an
/// annotation.
pub(crate) fn variant(draft: Draft, name: &str) -> Option<&'static str> {
    let (_, variant, since) = FORMATS.into_iter().find(|(known, ..)| *known == name)?;
    match variant {
        // from draft 7 on, a label may be in any script
        "Hostname" if draft < Draft7 => Some("PlainHostname"),
        _ => (since <= draft).then_some(variant),
    }
}

/// Returns whether a text has the format of this variant; `None` if this build can't check the format.
pub(crate) fn holds(variant: &str, text: &str) -> Option<bool> {
    macro_rules! format {
        ($($(#[$cfg:meta])* $name:ident)*) => {
            match variant {
                $($(#[$cfg])* stringify!($name) => Format::$name,)*
                _ => return None,
            }
        };
    }
    let format = format! {
        DateTime Date Time Duration Email Hostname PlainHostname Ipv4 Ipv6 Uri UriReference Iri IriReference Uuid
        UriTemplate JsonPointer RelativeJsonPointer Regex
        #[cfg(feature = "idna")] IdnEmail
        #[cfg(feature = "idna")] IdnHostname
    };
    Some(twyla_formats::holds(format, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_the_crate_knows() {
        for draft in [Draft4, Draft6, Draft7, Draft201909, Draft::Draft202012] {
            let known = match draft {
                Draft4 => jsonschema::Draft::Draft4,
                Draft6 => jsonschema::Draft::Draft6,
                Draft7 => jsonschema::Draft::Draft7,
                Draft201909 => jsonschema::Draft::Draft201909,
                Draft::Draft202012 => jsonschema::Draft::Draft202012,
            };
            for name in names().chain(["color", "byte", "Date"]) {
                let known = jsonschema::options().is_known_format(known, name);
                assert_eq!(variant(draft, name).is_some(), known, "{name} in {}", draft.name());
            }
        }
    }
}
