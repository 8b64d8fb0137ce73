//! The URIs of schemas: of the folder's files, and of references resolved against them.

use std::borrow::Cow;

use fluent_uri::resolve::{ResolveError, Resolver};
use fluent_uri::{Uri, UriRef};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The scheme of the files below the schemas folder.
const OWN: &str = "twyla";

/// Returns the URI of a file: `twyla:///` and its path below the schemas folder. The path of a document is its URI already.
pub(crate) fn of_file(path: &str) -> String {
    if has_scheme(path) { path.to_owned() } else { format!("{OWN}:///{}", encoded(path)) }
}

/// Returns the path below the schemas folder that a file's URI means; `None` for any other URI.
pub(crate) fn file_of(uri: &str) -> Option<String> {
    uri.strip_prefix("twyla:///").and_then(decoded)
}

/// Returns the URI of a document in the form to which references resolve; `None` if it isn't absolute, or has a
/// fragment.
pub(crate) fn of_document(uri: &str) -> Option<String> {
    let (absolute, fragment) = split(uri);
    let uri = resolve("", absolute).ok().filter(|_| fragment.is_empty())?;
    Uri::parse(uri.as_str()).ok().filter(|uri| uri.scheme().as_str() != OWN)?;
    Some(uri)
}

/// Splits a URI reference at its fragment.
pub(crate) fn split(uri: &str) -> (&str, &str) {
    uri.split_once('#').unwrap_or((uri, ""))
}

/// Why a reference can't be resolved.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unresolved {
    /// The reference leads out of the schemas folder.
    Leaves,
    /// The text isn't a URI reference, or can't be resolved against its base.
    Bad,
}

/// Resolves a reference without a fragment against an absolute base (RFC 3986, section 5).
pub(crate) fn resolve(base: &str, reference: &str) -> Result<String, Unresolved> {
    if reference.is_empty() {
        return Ok(base.to_owned());
    }
    let encoded = encoded(reference);
    let reference = UriRef::parse(encoded.as_str()).map_err(|_| Unresolved::Bad)?;
    // an absolute reference needs no base
    let base = if reference.has_scheme() { &encoded } else { base };
    let base = Uri::parse(base).map_err(|_| Unresolved::Bad)?;
    if !reference.has_scheme() && !base.has_authority() {
        return Err(Unresolved::Bad);
    }
    let is_own = base.scheme().as_str() == OWN;
    let resolved = Resolver::with_base(base).allow_path_underflow(!is_own).resolve(&reference);
    resolved.map(Uri::into_string).map_err(|error| match error {
        ResolveError::PathUnderflow => Unresolved::Leaves,
        _ => Unresolved::Bad,
    })
}

/// Returns whether a text begins with a URI's scheme.
fn has_scheme(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, _)| fluent_uri::component::Scheme::new(scheme).is_some())
}

/// Percent-encodes the characters that a URI can't contain. What is percent-encoded already is kept.
fn encoded(text: &str) -> String {
    let literal_end = text.find("//[").map_or(0, |at| {
        let authority = at + "//".len();
        text[authority..].find(['/', '?', '#']).map_or(text.len(), |end| authority + end)
    });
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let is_kept = match c {
            '%' => text.get(at + 1..at + 3).is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit())),
            // the brackets around an IPv6 address
            '[' | ']' => at < literal_end,
            ' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' => false,
            c => c.is_ascii() && !c.is_ascii_control(),
        };
        if is_kept {
            out.push(c);
        } else {
            out.extend(utf8_percent_encode(c.encode_utf8(&mut [0; 4]), NON_ALPHANUMERIC));
        }
    }
    out
}

/// Decodes a percent-encoded text; `None` if the result isn't valid UTF-8.
pub(crate) fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_as_the_rfc_says() {
        let base = "http://a/b/c/d;p?q";
        for (reference, whole) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"),
            ("?y", "http://a/b/c/d;p?y"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../../g", "http://a/g"),
            ("../../../g", "http://a/g"),
            ("", base),
            ("urn:x:y", "urn:x:y"),
            ("https://x/y/../z", "https://x/z"),
        ] {
            assert_eq!(resolve(base, reference).as_deref(), Ok(whole), "{reference}");
        }
    }

    #[test]
    fn sees_what_leaves_the_folder() {
        let base = of_file("events/api/ü x.json");
        assert_eq!(base, "twyla:///events/api/%C3%BC%20x.json");
        assert_eq!(file_of(&base).as_deref(), Some("events/api/ü x.json"));
        assert_eq!(resolve(&base, "../../shared/a.json").as_deref(), Ok("twyla:///shared/a.json"));
        assert_eq!(resolve(&base, "../../../a.json"), Err(Unresolved::Leaves));
        assert_eq!(resolve("urn:x", "a.json"), Err(Unresolved::Bad));
    }

    #[test]
    fn keeps_the_query_out_of_the_authority() {
        assert_eq!(resolve("http://a?x/y", "g").as_deref(), Ok("http://a/g"));
        assert_eq!(resolve("http://a/b?x/../y", "g").as_deref(), Ok("http://a/g"));
    }

    #[test]
    fn encodes_what_a_uri_cannot_contain() {
        let base = of_file("shared/50% [a].json");
        assert_eq!(base, "twyla:///shared/50%25%20%5Ba%5D.json");
        assert_eq!(file_of(&base).as_deref(), Some("shared/50% [a].json"));
        assert_eq!(resolve("http://a/", "100%/b c").as_deref(), Ok("http://a/100%25/b%20c"));
        assert_eq!(resolve("http://[::1]/", "a%20b").as_deref(), Ok("http://[::1]/a%20b"));
        assert_eq!(resolve("http://[::1]/", "a[1].json").as_deref(), Ok("http://[::1]/a%5B1%5D.json"));
    }

    #[test]
    fn rejects_what_is_not_a_uri() {
        assert_eq!(resolve("http://a/", "http://a:port/"), Err(Unresolved::Bad));
        assert_eq!(of_document("money.json"), None);
        assert_eq!(of_document("https://x/a#b"), None);
        assert_eq!(of_document("https://x/b/../a#").as_deref(), Some("https://x/a"));
    }
}
