//! URI references (RFC 3986) as far as schemas need them: resolved against a base, and their parts.

/// The base of a file: its path below the schemas folder as a URI that no other document has. The path of a document
/// is its URI already.
pub(crate) fn of_file(path: &str) -> String {
    if scheme(path).is_some() {
        return path.to_owned();
    }
    format!("twyla:///{}", encoded(path))
}

/// The URI of a document as references find it; none where it isn't absolute, or names a part of a document.
pub(crate) fn of_document(uri: &str) -> Option<String> {
    let (absolute, fragment) = split(uri);
    resolve("", absolute).ok().filter(|uri| fragment.is_empty() && scheme(uri).is_some_and(|scheme| scheme != OWN))
}

/// The scheme of the files below the schemas folder.
const OWN: &str = "twyla";

/// The path below the schemas folder, where a URI names a file of it.
pub(crate) fn file_of(uri: &str) -> Option<String> {
    uri.strip_prefix("twyla:///").and_then(decoded)
}

/// Splits a URI reference at its fragment.
pub(crate) fn split(uri: &str) -> (&str, &str) {
    uri.split_once('#').unwrap_or((uri, ""))
}

/// Why a reference could not be resolved.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unresolved {
    /// It goes further up than the schemas folder.
    Leaves,
    /// It is no URI reference.
    Bad,
}

/// Resolves a reference, without a fragment, against an absolute base.
pub(crate) fn resolve(base: &str, reference: &str) -> Result<String, Unresolved> {
    let reference = encoded(reference);
    if reference.is_empty() {
        return Ok(base.to_owned());
    }
    if let Some(scheme) = scheme(&reference) {
        let rest = &reference[scheme.len() + 1..];
        return Ok(match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
                format!("{scheme}://{authority}{}", without_dots(path).0)
            }
            None => reference,
        });
    }
    let Some(base_scheme) = scheme(base) else { return Err(Unresolved::Bad) };
    let rest = &base[base_scheme.len() + 1..];
    let Some(rest) = rest.strip_prefix("//") else { return Err(Unresolved::Bad) };
    if let Some(network) = reference.strip_prefix("//") {
        return Ok(format!("{base_scheme}://{network}"));
    }
    let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let (path, left) = match reference.strip_prefix('?') {
        Some(query) => (format!("{path}?{query}"), false),
        None if reference.starts_with('/') => without_dots(&reference),
        None => {
            let _ = query;
            let folder = &path[..=path.rfind('/').unwrap_or(0)];
            without_dots(&format!("{folder}{reference}"))
        }
    };
    if left && base_scheme == OWN { Err(Unresolved::Leaves) } else { Ok(format!("{base_scheme}://{authority}{path}")) }
}

fn scheme(uri: &str) -> Option<&str> {
    let (scheme, _) = uri.split_once(':')?;
    let mut chars = scheme.chars();
    let first = chars.next().is_some_and(|c| c.is_ascii_alphabetic());
    (first && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))).then_some(scheme)
}

/// A path without `.` and `..`, and whether it went further up than its root.
fn without_dots(path: &str) -> (String, bool) {
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let mut segments: Vec<&str> = Vec::new();
    let mut left = false;
    let mut parts = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        match part {
            "." | ".." => {
                if part == ".." && segments.pop().is_none() {
                    left = true;
                }
                if last {
                    segments.push("");
                }
            }
            part => segments.push(part),
        }
    }
    let mut out = format!("/{}", segments.join("/"));
    if path.is_empty() {
        out.clear();
    }
    if let Some(query) = query {
        out.push('?');
        out.push_str(query);
    }
    (out, left)
}

/// What may not stand in a URI, percent-encoded; what is encoded already stays as it is.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii()
            && !c.is_ascii_control()
            && !matches!(c, ' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
        {
            out.push(c);
        } else {
            let mut buffer = [0; 4];
            for byte in c.encode_utf8(&mut buffer).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    out
}

/// The text behind percent-encoding; none where it is no UTF-8.
pub(crate) fn decoded(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = bytes.get(i + 1..i + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if bytes[i] == b'%' => {
                out.push(byte);
                i += 3;
            }
            _ => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    String::from_utf8(out).ok()
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
}
