//! Whole events of each shape.

use serde_json::{Value, json};

use super::deck::Root;
use super::fields::Properties;
use super::maker::{Draft, Maker};

impl Maker<'_> {
    /// An event of a shape.
    pub(super) fn event(&mut self, root: Root, index: usize) -> Value {
        let mut event = match root {
            Root::Object => self.plain(),
            Root::Closed => {
                let mut event = self.plain();
                event["additionalProperties"] = false.into();
                event
            }
            Root::Extended => {
                let own = self.plain();
                json!({ "type": "object", "allOf": [{ "$ref": "../../shared/audit.json" }, own] })
            }
            Root::Tagged => {
                let keyword = *self.random.pick(&["oneOf", "anyOf"]);
                json!({ "type": "object", keyword: self.tagged("action", &["opened", "closed", "reopened"]) })
            }
            Root::TaggedByWords => {
                let words = [&["assigned", "unassigned"][..], &["labeled", "unlabeled"], &["deleted"]];
                let branches = words.map(|words| {
                    let mut properties = self.ordinary_properties(4);
                    properties.all.insert("action".to_owned(), json!({ "type": "string", "enum": words }));
                    properties.required.push("action".into());
                    properties.object()
                });
                json!({ "oneOf": branches })
            }
            Root::RequiredMember => self.required_members(),
            Root::MemberType => {
                let with = |maker: &mut Self, schema: Value| {
                    let mut properties = maker.ordinary_properties(2);
                    properties.all.insert("reading".to_owned(), schema);
                    properties.required.push("reading".into());
                    properties.object()
                };
                let text = with(self, json!({ "type": "string" }));
                let number = with(self, json!({ "type": "number" }));
                json!({ "oneOf": [text, number, with(self, json!({ "type": "array", "items": { "type": "number" } }))] })
            }
            Root::Beside => self.beside(),
            Root::Alike => {
                let mut branches = Vec::new();
                for members in [["sender", "repository"], ["sender", "organization"]] {
                    let all = json!({ "sender": { "type": "string" }, "repository": { "type": "string" }, "organization": { "type": "string" }, "size": { "type": "integer" } });
                    branches.push(json!({ "type": "object", "properties": all, "required": members }));
                }
                json!({ "anyOf": branches })
            }
            Root::Condition => {
                // draft 4 has no `if`
                self.draft = Draft::Draft7;
                let mut event = self.plain();
                event["properties"]["method"] = json!({ "type": "string", "enum": ["card", "invoice"] });
                event["if"] = json!({ "properties": { "method": { "const": "card" } }, "required": ["method"] });
                event["then"] =
                    json!({ "properties": { "card_number": { "type": "string" } }, "required": ["card_number"] });
                event["else"] = json!({ "properties": { "invoice_number": { "type": "integer" } } });
                event
            }
            Root::Row => {
                let count = 12 + self.random.below(14);
                let mut properties = self.ordinary_properties(count);
                properties.required = properties.all.keys().map(|name| name.clone().into()).collect();
                properties.object()
            }
        };
        event["$schema"] = self.draft.uri().into();
        event["title"] = format!("Event{index}").into();
        event["description"] = "What has happened.".into();
        if !self.definitions.is_empty() {
            event[self.draft.definitions()] = std::mem::take(&mut self.definitions).into();
        }
        event
    }

    fn plain(&mut self) -> Value {
        let count = 10 + self.random.below(15);
        self.properties(count).object()
    }

    /// An action with what all its branches have, and in each branch one member of its own: what was asked for.
    fn beside(&mut self) -> Value {
        let (review, sender) = (self.ordinary_properties(6).object(), self.ordinary_properties(4).object());
        let (review, sender) = (self.define("review", review), self.define("sender", sender));
        let branch = |maker: &mut Self, own: &str| {
            let mut properties = Properties { all: serde_json::Map::new(), required: Vec::new() };
            for (name, schema) in [
                ("action", maker.constant("requested")),
                ("number", json!({ "type": "integer" })),
                ("review", review.clone()),
                ("sender", sender.clone()),
                (
                    own,
                    json!({ "type": "object", "properties": { "name": { "type": "string" }, "id": { "type": "integer" } }, "required": ["id"] }),
                ),
            ] {
                properties.all.insert(name.to_owned(), schema);
                properties.required.push(name.into());
            }
            properties.object()
        };
        let branches = [branch(self, "requested_reviewer"), branch(self, "requested_team")];
        json!({ "type": "object", "oneOf": branches })
    }
}
