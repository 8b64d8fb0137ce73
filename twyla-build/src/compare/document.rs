//! A document of a contract in canonical form. Contracts with equal documents share them.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::Value;

use crate::decimal::Decimal;
use crate::schema::load::{self, At, Json, Member, Members, Node, quoted};

/// A document in canonical form.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) node: Node,
    /// The document in one line, as the form of a bundle contains it.
    text: String,
    is_deep: bool,
    value: OnceLock<Arc<Value>>,
}

impl Document {
    pub(super) fn new(node: Node) -> Self {
        let (line, is_deep) = (node.text(), deeper_than(&node, DEEPEST));
        let text = if is_deep { quoted(&line) } else { line };
        Self { node, text, is_deep, value: OnceLock::new() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Returns whether the document is nested too deep to be written as JSON within a bundle. If so, it is written as a
    /// string.
    pub(super) fn is_deep(&self) -> bool {
        self.is_deep
    }

    /// Returns the document as JSON.
    pub(super) fn value(&self) -> Arc<Value> {
        self.value.get_or_init(|| Arc::new(self.node.value())).clone()
    }
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || self.is_deep == other.is_deep && self.text == other.text
    }
}

impl Hash for Document {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

/// The maximum nesting depth of a document that a bundle contains as JSON.
const DEEPEST: usize = load::MAX_NESTING - 2;

fn deeper_than(node: &Node, limit: usize) -> bool {
    match &node.json {
        Json::Array(items) => limit == 0 || items.iter().any(|item| deeper_than(item, limit - 1)),
        Json::Object(members) => limit == 0 || members.iter().any(|member| deeper_than(&member.value, limit - 1)),
        _ => false,
    }
}

/// Documents of forms that are read as written. Documents with equal names and equal texts are made once. Documents
/// with different names aren't shared, even if their texts are equal: within one contract, the address of a schema
/// identifies it.
#[derive(Debug, Default)]
pub(crate) struct WrittenDocuments(Mutex<DocumentsByText>);

/// The documents by name and text.
type DocumentsByText = HashMap<(String, String), Arc<Document>>;

impl WrittenDocuments {
    /// Returns the canonical form of a document.
    pub(super) fn exact(&self, name: &str, node: &Node) -> Arc<Document> {
        let written = (name.to_owned(), node.text());
        if let Some(known) = self.all().get(&written) {
            return known.clone();
        }
        let document = Arc::new(Document::new(exact(node)));
        self.all().entry(written).or_insert(document).clone()
    }

    fn all(&self) -> MutexGuard<'_, DocumentsByText> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of a node that isn't in a file.
pub(super) const NOWHERE: At = At { line: 1, column: 1 };

/// A number that every JSON parser reads as the greatest `f64`, and that is greater than the number of any `f64`.
pub(super) const BEYOND_ALL: &str = "1.7976931348623158e308";

/// Returns a value in canonical form: each number in its only notation, and members sorted. A number beyond the range
/// of `f64` becomes one that is still beyond all values, but that every JSON parser accepts.
pub(super) fn exact(node: &Node) -> Node {
    let json = match &node.json {
        Json::Number(text) => {
            let nearest = text.parse::<f64>().ok().filter(|value| value.is_infinite());
            let number = match nearest {
                Some(far) if far < 0.0 => Decimal::parse(BEYOND_ALL).map(|number| -&number),
                Some(_) => Decimal::parse(BEYOND_ALL),
                None => Decimal::parse(text),
            };
            Json::Number(number.map_or_else(|| text.clone(), |number| number.to_string()))
        }
        Json::Array(items) => Json::Array(items.iter().map(exact).collect()),
        Json::Object(members) => {
            let member =
                |member: &Member| Member { key: member.key.clone(), key_at: NOWHERE, value: exact(&member.value) };
            object(members.iter().map(member).collect())
        }
        json => json.clone(),
    };
    Node { at: NOWHERE, json }
}

pub(super) fn object(mut members: Vec<Member>) -> Json {
    members.sort_by(|a, b| a.key.cmp(&b.key));
    Json::Object(Members::new(members))
}
