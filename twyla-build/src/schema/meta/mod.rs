//! The meta-schemas of the drafts: built in, and loaded when a schema refers to one.

use serde_json::Value;

use crate::schema::draft::plain;
use crate::schema::load::{File, FileRole, Node};

/// The meta-schemas by their URIs, as json-schema.org serves them.
const ALL: [(&str, &str); 19] = [
    ("http://json-schema.org/draft-04/schema", include_str!("4.json")),
    ("http://json-schema.org/draft-06/schema", include_str!("6.json")),
    ("http://json-schema.org/draft-07/schema", include_str!("7.json")),
    ("https://json-schema.org/draft/2019-09/schema", include_str!("2019-09/schema.json")),
    ("https://json-schema.org/draft/2019-09/meta/applicator", include_str!("2019-09/applicator.json")),
    ("https://json-schema.org/draft/2019-09/meta/content", include_str!("2019-09/content.json")),
    ("https://json-schema.org/draft/2019-09/meta/core", include_str!("2019-09/core.json")),
    ("https://json-schema.org/draft/2019-09/meta/format", include_str!("2019-09/format.json")),
    ("https://json-schema.org/draft/2019-09/meta/meta-data", include_str!("2019-09/meta-data.json")),
    ("https://json-schema.org/draft/2019-09/meta/validation", include_str!("2019-09/validation.json")),
    ("https://json-schema.org/draft/2020-12/schema", include_str!("2020-12/schema.json")),
    ("https://json-schema.org/draft/2020-12/meta/core", include_str!("2020-12/core.json")),
    ("https://json-schema.org/draft/2020-12/meta/applicator", include_str!("2020-12/applicator.json")),
    ("https://json-schema.org/draft/2020-12/meta/unevaluated", include_str!("2020-12/unevaluated.json")),
    ("https://json-schema.org/draft/2020-12/meta/validation", include_str!("2020-12/validation.json")),
    ("https://json-schema.org/draft/2020-12/meta/meta-data", include_str!("2020-12/meta-data.json")),
    ("https://json-schema.org/draft/2020-12/meta/format-annotation", include_str!("2020-12/format-annotation.json")),
    ("https://json-schema.org/draft/2020-12/meta/format-assertion", include_str!("2020-12/format-assertion.json")),
    ("https://json-schema.org/draft/2020-12/meta/content", include_str!("2020-12/content.json")),
];

/// Returns the meta-schema that a URI means, as a file whose path is the meta-schema's own URI.
pub(crate) fn document(uri: &str) -> Option<File> {
    let (uri, text) = ALL.iter().find(|(known, _)| plain(known) == plain(uri))?;
    let value: Value = serde_json::from_str(text).ok()?;
    Some(File {
        path: (*uri).to_owned(),
        shown: (*uri).to_owned(),
        role: FileRole::MetaSchema,
        root: Node::from(&value),
        unread: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_each_under_its_own_uri() {
        for (uri, text) in ALL {
            let value: Value = serde_json::from_str(text).unwrap();
            let id = value.get("$id").or_else(|| value.get("id")).unwrap();
            assert_eq!(plain(id.as_str().unwrap()), plain(uri));
            assert!(document(uri).is_some());
        }
    }
}
