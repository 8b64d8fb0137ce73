//! Formats refused events: as a line each, one in detail, or as JSON.

use serde_json::{Value, json};
use twyla_runtime::sql::Refused;

use crate::support::text::{lines, one_line, table, time};

/// Returns the header line of the list.
pub(super) fn head() -> String {
    format!("{:>8}  {:<36}  {:<20}  {:>10}  {:<28}  {}", "ID", "MESSAGE ID", "REFUSED", "BYTES", "EVENT", "WHY")
}

/// Returns the line of a refused event in the list.
pub(super) fn line(refused: &Refused) -> String {
    let Refused { id, event, message_id, bytes, refused_at, why, .. } = refused;
    let why: String = one_line(why).chars().take(100).collect();
    let (message_id, event, at) = (one_line(message_id), one_line(event), time(*refused_at));
    format!("{id:>8}  {message_id:<36}  {at:<20}  {bytes:>10}  {event:<28}  {why}")
}

/// Formats a refused event in detail, with its body if that is given.
pub(super) fn whole(refused: &Refused, body: Option<&[u8]>) -> String {
    let mut text = table([
        ("id", refused.id.to_string()),
        ("message id", refused.message_id.clone()),
        ("event", refused.event.clone()),
        ("bytes", refused.bytes.to_string()),
        ("put", time(refused.put_at)),
        ("refused", time(refused.refused_at)),
        ("why", refused.why.clone()),
    ]);
    if let Some(body) = body {
        let body = match serde_json::from_slice::<Value>(body) {
            Ok(body) => format!("{body:#}"),
            Err(_) => String::from_utf8_lossy(body).into_owned(),
        };
        text = text + "\n" + &lines(&body);
    }
    text.trim_end().to_owned()
}

/// Formats a refused event as JSON.
pub(super) fn json(refused: &Refused, body: Option<&[u8]>) -> Value {
    let mut value = json!({
        "id": refused.id,
        "message_id": refused.message_id,
        "event": refused.event,
        "bytes": refused.bytes,
        "put_at": refused.put_at.to_rfc3339(),
        "refused_at": refused.refused_at.to_rfc3339(),
        "why": refused.why,
    });
    if let (Some(body), Some(object)) = (body, value.as_object_mut()) {
        object.insert("body".to_owned(), String::from_utf8_lossy(body).into());
    }
    value
}
