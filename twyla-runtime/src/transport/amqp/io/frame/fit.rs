//! Shortens headers to fit into one frame: a content header can't span frames, and a broker closes the connection on a frame
//! above the negotiated size.

use std::borrow::Cow;

use crate::dead_letter::headers::{ALL_SENSITIVE, Header, NamedHeader, SENSITIVE, VIOLATIONS};
use crate::dead_letter::letter::DeadViolation;
use crate::truncate::ellipsized;
use crate::wire::{attribute, has_attributes};

/// Twyla's texts up to this many bytes are cut only after all foreign headers are removed.
const SHORT: usize = 256;

/// Returns headers that fit into `room` bytes: Twyla's texts are cut, the longest first; if that isn't enough, the largest foreign
/// headers are removed. The attributes of a CloudEvent are never removed, so its headers may still be larger: then the message can't be
/// published.
pub(crate) fn fit(headers: &[NamedHeader], room: usize) -> Cow<'_, [NamedHeader]> {
    if size(headers) <= room {
        return Cow::Borrowed(headers);
    }
    let is_event = has_attributes(headers);
    let stays = |named: &NamedHeader| is_ours(named) || is_event && attribute(&named.0).is_some();
    let mut kept = headers.to_vec();
    while size_with(&kept, SHORT) > room
        && let Some((at, _)) =
            kept.iter().enumerate().filter(|(_, named)| !stays(named)).max_by_key(|(_, named)| size_of(named, 0))
    {
        let (name, _) = kept.remove(at);
        tracing::debug!(name = &*name, "a header was left out: the headers are larger than a frame");
    }
    // beside attributes, the room may be too small for texts that can't be cut, such as a routing key
    let (mut most, mut too_much) = (if is_event { SHORT } else { 0 }, room + 1);
    while too_much.saturating_sub(most) > 1 {
        let middle = most.midpoint(too_much);
        if size_with(&kept, middle) <= room { most = middle } else { too_much = middle }
    }
    for named in kept.iter_mut().filter(|named| is_ours(named)) {
        cut(named, most);
    }
    Cow::Owned(kept)
}

/// Returns the encoded size of the headers.
pub(crate) fn size(headers: &[NamedHeader]) -> usize {
    size_with(headers, usize::MAX)
}

/// Returns whether Twyla set the header; a raw value with Twyla's prefix comes from a sender.
fn is_ours((name, value): &NamedHeader) -> bool {
    name.starts_with("x-twyla-") && !matches!(value, Header::Raw(_))
}

/// Returns the encoded size of the headers if each of Twyla's texts is cut to `most` bytes.
fn size_with(headers: &[NamedHeader], most: usize) -> usize {
    headers.iter().map(|named| size_of(named, most)).sum()
}

fn size_of(named: &NamedHeader, most: usize) -> usize {
    let (name, value) = named;
    let value = match value {
        Header::Text(text) if is_ours(named) => 4 + text.len().min(most),
        Header::Text(text) => 4 + text.len(),
        Header::Number(_) => 8,
        Header::Flag(_) => 1,
        // the type letter is counted below
        Header::Raw(raw) => raw.len().saturating_sub(1),
    };
    // a short string and the type letter
    1 + name.len().min(255) + 1 + value
}

/// Cuts one of Twyla's texts, so that it can still be parsed.
fn cut((name, value): &mut NamedHeader, most: usize) {
    let Header::Text(text) = value else { return };
    if text.len() <= most {
        return;
    }
    *text = match &**name {
        VIOLATIONS => {
            let mut violations: Vec<DeadViolation> = serde_json::from_str(text).unwrap_or_default();
            loop {
                let fewer = serde_json::to_string(&violations).unwrap_or_default();
                if fewer.len() <= most || violations.pop().is_none() {
                    break fewer;
                }
            }
        }
        // a list of pointers can't be cut without revealing sensitive values, so it is replaced
        SENSITIVE => ALL_SENSITIVE.to_owned(),
        _ => ellipsized(text, most.saturating_sub("…".len())),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &'static str, text: impl Into<String>) -> NamedHeader {
        (name.into(), Header::Text(text.into()))
    }

    #[test]
    fn cuts_the_longest_texts_first() {
        let headers =
            [text("x-twyla-error", "e".repeat(5000)), text("x-twyla-event", "shop.order"), text("k", "v".repeat(500))];
        let room = size(&headers);
        assert!(matches!(fit(&headers, room), Cow::Borrowed(_)));
        let fitting = fit(&headers, 1000);
        let Header::Text(error) = &fitting[0].1 else { panic!("no text") };
        assert!(error.ends_with("e…") && error.len() > 400, "{error}");
        assert_eq!(fitting[1..], headers[1..]);
    }

    #[test]
    fn removes_the_largest_foreign_headers_if_needed() {
        let headers = [text("small", "s"), text("x-twyla-error", "e".repeat(200)), text("large", "l".repeat(5000))];
        assert_eq!(fit(&headers, 1000)[..], headers[..2]);
    }

    #[test]
    fn never_removes_the_attributes_of_a_cloud_event() {
        let context = text("ce-twylacontext", "c".repeat(2000));
        let headers =
            [text("ce-id", "1"), context.clone(), text("x-twyla-error", "e".repeat(2000)), text("k", "v".repeat(500))];
        let fitting = fit(&headers, 2400);
        assert!(size(&fitting) <= 2400 && fitting.len() == 3 && fitting[..2] == headers[..2], "{fitting:?}");
        // nor cuts names
        let key = text("x-twyla-routing-key", "k".repeat(255));
        let too_large = [headers[0].clone(), context.clone(), key];
        assert_eq!(fit(&too_large, 2100)[..], too_large);
        // in an envelope, it is any header
        assert_eq!(fit(&[context, text("k", "v")], 100)[..], [text("k", "v")]);
    }

    #[test]
    fn cut_texts_can_still_be_parsed() {
        let violation = |n: usize| DeadViolation {
            pointer: format!("/content/{n}"),
            keyword: "type".to_owned(),
            message: "m".repeat(300),
        };
        let violations: Vec<_> = (0..10).map(violation).collect();
        let headers = [
            text(VIOLATIONS, serde_json::to_string(&violations).unwrap()),
            text(SENSITIVE, format!("[{}]", vec![r#""/content/secret""#; 100].join(","))),
        ];
        let fitting = fit(&headers, 1200);
        let [(_, Header::Text(fewer)), (_, Header::Text(sensitive))] = &fitting[..] else { panic!("{fitting:?}") };
        let fewer: Vec<DeadViolation> = serde_json::from_str(fewer).unwrap();
        assert!(!fewer.is_empty() && fewer[..] == violations[..fewer.len()], "{fewer:?}");
        assert_eq!(sensitive, r#"[""]"#);
    }
}
