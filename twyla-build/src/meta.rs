//! The meta-schemas of the drafts: documents that are there without being given, loaded where something refers to them.

use std::sync::{Arc, LazyLock};

use referencing::meta;
use serde_json::Value;

use crate::draft::plain;
use crate::load::{At, File, Json, Member, Members, Node, Role};

type Document = &'static LazyLock<Arc<Value>>;

const ALL: [(&str, Document); 19] = [
    ("http://json-schema.org/draft-04/schema", &meta::DRAFT4),
    ("http://json-schema.org/draft-06/schema", &meta::DRAFT6),
    ("http://json-schema.org/draft-07/schema", &meta::DRAFT7),
    ("https://json-schema.org/draft/2019-09/schema", &meta::DRAFT201909),
    ("https://json-schema.org/draft/2019-09/meta/applicator", &meta::DRAFT201909_APPLICATOR),
    ("https://json-schema.org/draft/2019-09/meta/content", &meta::DRAFT201909_CONTENT),
    ("https://json-schema.org/draft/2019-09/meta/core", &meta::DRAFT201909_CORE),
    ("https://json-schema.org/draft/2019-09/meta/format", &meta::DRAFT201909_FORMAT),
    ("https://json-schema.org/draft/2019-09/meta/meta-data", &meta::DRAFT201909_META_DATA),
    ("https://json-schema.org/draft/2019-09/meta/validation", &meta::DRAFT201909_VALIDATION),
    ("https://json-schema.org/draft/2020-12/schema", &meta::DRAFT202012),
    ("https://json-schema.org/draft/2020-12/meta/core", &meta::DRAFT202012_CORE),
    ("https://json-schema.org/draft/2020-12/meta/applicator", &meta::DRAFT202012_APPLICATOR),
    ("https://json-schema.org/draft/2020-12/meta/unevaluated", &meta::DRAFT202012_UNEVALUATED),
    ("https://json-schema.org/draft/2020-12/meta/validation", &meta::DRAFT202012_VALIDATION),
    ("https://json-schema.org/draft/2020-12/meta/meta-data", &meta::DRAFT202012_META_DATA),
    ("https://json-schema.org/draft/2020-12/meta/format-annotation", &meta::DRAFT202012_FORMAT_ANNOTATION),
    ("https://json-schema.org/draft/2020-12/meta/format-assertion", &meta::DRAFT202012_FORMAT_ASSERTION),
    ("https://json-schema.org/draft/2020-12/meta/content", &meta::DRAFT202012_CONTENT),
];

/// The meta-schema of that URI, under the URI that it gives itself.
pub(crate) fn document(uri: &str) -> Option<File> {
    let (uri, value) = ALL.iter().find(|(known, _)| plain(known) == plain(uri))?;
    Some(File { path: (*uri).to_owned(), shown: (*uri).to_owned(), role: Role::MetaSchema, root: node(value) })
}

/// A value that stands in no file.
fn node(value: &Value) -> Node {
    let at = At { line: 1, column: 1 };
    let json = match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Number(number) => Json::Number(number.to_string()),
        Value::String(text) => Json::String(text.clone()),
        Value::Array(items) => Json::Array(items.iter().map(node).collect()),
        Value::Object(members) => {
            let members =
                members.iter().map(|(key, value)| Member { key: key.clone(), key_at: at, value: node(value) });
            Json::Object(Members::new(members.collect()))
        }
    };
    Node { at, json }
}
