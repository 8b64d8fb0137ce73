//! The docs of a field whose schema narrows another one: the narrower rules, in the schema's words.

use twyla_contract::text::shortened;

use super::reader::SchemaReader;
use super::shape::{Tree, ValueType};
use crate::markdown::code;
use crate::schema::load::{Json, Node};
use crate::schema::schemas::Loc;

/// The maximum number of rules that the docs list. Of more rules, they list the first ones.
const MOST_RULES: usize = 8;

/// The maximum number of characters of a value in the docs.
const MOST_OF_VALUE: usize = 60;

/// The end of the reasons of trees with narrowing rules.
pub(super) const NARROWS: &str = "that narrows a `$ref`";

impl SchemaReader<'_> {
    /// Returns the paragraph about rules that narrow the type of a value, if there are any.
    pub(super) fn narrower_rules(&self, held: &ValueType) -> Option<String> {
        let narrows = |tree: &&Tree| tree.reasons.iter().any(|reason| reason.why.ends_with(NARROWS));
        let mut rules = Vec::new();
        for tree in held.trees.iter().filter(narrows) {
            let in_force = |keyword: &&str| tree.keywords.is_empty() || tree.keywords.contains(*keyword);
            for keyword in self.rules_of(&tree.loc).filter(in_force) {
                self.describe(&tree.loc, keyword, &mut rules);
            }
        }
        // the docs don't depend on the order of the schemas' members
        rules.sort();
        let more = if rules.len() > MOST_RULES { ", and more" } else { "" };
        rules.truncate(MOST_RULES);
        (!rules.is_empty()).then(|| format!("Narrower here: {}{more}.", rules.join(", ")))
    }

    fn describe(&self, loc: &Loc, keyword: &str, rules: &mut Vec<String>) {
        let Some(node) = self.get(loc, keyword) else { return };
        match keyword {
            "required" => {
                let names = node.items().iter().filter_map(Node::str);
                rules.extend(names.map(|name| format!("{} is required", code(name))));
            }
            "properties" => {
                for member in node.members() {
                    let at = loc.step(keyword).step(&member.key);
                    let mut of_member = Vec::new();
                    for keyword in self.rules_of(&at).filter(|keyword| *keyword != "type") {
                        self.describe(&at, keyword, &mut of_member);
                    }
                    rules.extend(of_member.into_iter().map(|rule| format!("{}: {rule}", code(&member.key))));
                }
            }
            "type" => {}
            _ if is_plain(node) => {
                rules.push(format!("`{keyword}` {}", code(&shortened(&node.text(), MOST_OF_VALUE))));
            }
            _ => rules.push(format!("`{keyword}`")),
        }
    }
}

/// Returns whether a keyword's value is simple enough to quote: a scalar, or an array of scalars.
fn is_plain(node: &Node) -> bool {
    match &node.json {
        Json::Object(_) => false,
        Json::Array(items) => items.iter().all(|item| !matches!(item.json, Json::Object(_) | Json::Array(_))),
        _ => true,
    }
}
