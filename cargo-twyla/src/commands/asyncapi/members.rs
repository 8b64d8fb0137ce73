//! Builds the JSON of a document: objects and texts.

use crate::support::json::Json;

pub(super) fn text(text: &str) -> Json {
    Json::String(text.to_owned())
}

pub(super) fn object<'a>(members: impl IntoIterator<Item = (&'a str, Json)>) -> Json {
    Json::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
