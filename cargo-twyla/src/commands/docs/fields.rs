//! The fields of a contract as rows: full name, type, description and rules.

use serde_json::Value;
use twyla_contract::text::shortened;
use twyla_sample::view::{Part, Subschema, View};

use crate::commands::sample::Order;
use crate::support::contracts::Contracts;

/// A row of the table: a field, or the head of an alternative.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// The path of the row's parent: `flights[].`
    pub(super) within: String,
    pub(super) name: String,
    /// The depth, from 0.
    pub(super) depth: usize,
    /// Whether the row is the head of an alternative, and not a field.
    pub(super) is_choice: bool,
    pub(super) types: String,
    pub(super) required: bool,
    pub(super) sensitive: bool,
    pub(super) deprecated: bool,
    pub(super) description: String,
    /// The rules, with values in backticks.
    pub(super) rules: Vec<String>,
    /// The place of the schema: `schemas/events/api/user_input.json:8`.
    pub(super) place: String,
}

/// The maximum number of rows of a contract.
const MOST: usize = 400;
const DEEPEST: usize = 12;
/// The maximum length of a shown value, in characters.
const SHOWN: usize = 80;

/// Returns the rows of a contract. If rows are left out, the last row says so.
pub(super) fn rows(contracts: &Contracts, order: &Order, root: Subschema<'_>) -> Vec<Row> {
    let mut walk = Walk { contracts, order, rows: Vec::new(), way: Vec::new() };
    let view = root.view();
    let own = walk.row("", "", 0, &view);
    // the contract itself is a row only if it is more than an object with fields
    if !own.rules.is_empty() || own.types != "object" || own.sensitive {
        walk.rows.push(Row { name: "(the whole)".to_owned(), required: true, description: String::new(), ..own });
    }
    walk.below(&view, "", 0);
    walk.rows
}

struct Walk<'a> {
    contracts: &'a Contracts,
    order: &'a Order,
    rows: Vec<Row>,
    /// The addresses of the schemas around the current value, to detect recursion.
    way: Vec<usize>,
}

impl Walk<'_> {
    /// Adds the rows of a value's members.
    fn below(&mut self, view: &View<'_>, within: &str, depth: usize) {
        let own: Vec<usize> = view.parts.iter().map(Part::address).collect();
        if depth > DEEPEST || own.iter().any(|it| self.way.contains(it)) {
            if let Some(row) = self.rows.last_mut() {
                row.rules.push("and so on, as above".to_owned());
            }
            return;
        }
        self.way.extend(&own);
        self.members(view, within, depth);
        self.items(view, within, depth);
        for keyword in ["oneOf", "anyOf"] {
            for part in &view.parts {
                let branches = part.items(keyword);
                let count = branches.len();
                for (i, branch) in branches.into_iter().enumerate() {
                    let branch = branch.view();
                    let row = self.row(within, "", depth, &branch);
                    // leave out the alternative `null`: the type of the value already names it
                    if row.types == "null" {
                        continue;
                    }
                    let word = if keyword == "oneOf" { "one of" } else { "any of" };
                    let title = branch.all("title").find_map(Value::as_str).unwrap_or(&row.types).to_owned();
                    self.push(Row { name: format!("{word} {count}: {}. {title}", i + 1), is_choice: true, ..row });
                    self.below(&branch, within, depth + 1);
                }
            }
        }
        self.way.truncate(self.way.len() - own.len());
    }

    fn members(&mut self, view: &View<'_>, within: &str, depth: usize) {
        let mut names: Vec<&str> = Vec::new();
        for part in &view.parts {
            for (name, _) in part.named("properties") {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names.sort_by_key(|name| self.order.place(name));
        let required = view.required();
        for name in names {
            let member = view.member(name);
            let row = self.row(within, name, depth, &member);
            self.push(Row { required: required.contains(&name), ..row });
            self.below(&member, &format!("{within}{name}."), depth + 1);
        }
        for part in &view.parts {
            for (pattern, below) in part.named("patternProperties") {
                let below = below.view();
                let name = format!("/{pattern}/");
                let row = self.row(within, &name, depth, &below);
                self.push(row);
                self.below(&below, &format!("{within}{name}."), depth + 1);
            }
            if let Some(below) = part.one("additionalProperties").filter(|below| !below.is_false()) {
                let below = below.view();
                if !below.parts.is_empty() {
                    let row = self.row(within, "*", depth, &below);
                    self.push(row);
                    self.below(&below, &format!("{within}*."), depth + 1);
                }
            }
        }
    }

    fn items(&mut self, view: &View<'_>, within: &str, depth: usize) {
        let base = within.trim_end_matches('.');
        let tuples = view.parts.iter().map(|part| part.items("prefixItems").len().max(part.items("items").len()));
        let tuple = tuples.max().unwrap_or(0);
        for index in 0..tuple {
            let item = view.item(index);
            let row = self.row(base, &format!("[{index}]"), depth, &item);
            self.push(row);
            self.below(&item, &format!("{base}[{index}]."), depth + 1);
        }
        let has = |part: &Part<'_>| part.schema.get("items").is_some_and(|it| it.is_object());
        if view.parts.iter().any(has) {
            let item = view.item(tuple);
            let row = self.row(base, "[]", depth, &item);
            if !row.rules.is_empty() || !row.description.is_empty() || row.sensitive {
                self.push(row);
            }
            self.below(&item, &format!("{base}[]."), depth);
        }
    }

    fn push(&mut self, row: Row) {
        match self.rows.len() {
            n if n < MOST => self.rows.push(row),
            n if n == MOST => self.rows.push(Row {
                name: "…".to_owned(),
                is_choice: true,
                description: format!("Only the first {MOST} fields are shown: see the schema for the others."),
                ..Row::default()
            }),
            _ => {}
        }
    }

    fn row(&self, within: &str, name: &str, depth: usize, view: &View<'_>) -> Row {
        let said = |keyword| view.all(keyword).find_map(Value::as_str).unwrap_or_default().trim().to_owned();
        let place = view.parts.first().and_then(Part::path).and_then(|path| self.contracts.place(path));
        let is = |keyword| view.all(keyword).any(|it| *it == Value::Bool(true));
        let description = said("description");
        Row {
            within: within.to_owned(),
            name: name.to_owned(),
            depth,
            is_choice: false,
            types: types(view),
            required: false,
            sensitive: is("x-sensitive"),
            deprecated: is("deprecated"),
            description: if description.is_empty() && !name.is_empty() { said("title") } else { description },
            rules: rules(view),
            place: place.map(|place| format!("{}:{}", place.file, place.line)).unwrap_or_default(),
        }
    }
}

/// Returns the type: `string, date-time`, `array of object`, `integer or null`.
fn types(view: &View<'_>) -> String {
    if view.never {
        return "never".to_owned();
    }
    let mut types = match view.types() {
        Some(types) => types,
        None => implied(view),
    };
    if types.iter().any(|it| it == "array") {
        let has_items = view.parts.iter().any(|part| part.schema.get("items").is_some_and(Value::is_object));
        let item = if has_items { self::types(&view.item(usize::MAX)) } else { String::new() };
        if !item.is_empty() && item != "any" && item.len() < 60 {
            types.iter_mut().filter(|it| *it == "array").for_each(|it| *it = format!("array of {item}"));
        }
    }
    let format = view.all("format").find_map(Value::as_str);
    let format = format.filter(|_| types.iter().any(|it| it == "string"));
    let types = if types.is_empty() { "any".to_owned() } else { types.join(" or ") };
    format.map_or(types.clone(), |format| format!("{types}, {format}"))
}

/// Returns the types of a schema without `type`, from its `enum`, `const`, `properties` and alternatives.
fn implied(view: &View<'_>) -> Vec<String> {
    let word = |value: &Value| match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let mut words: Vec<String> = Vec::new();
    let mut add = |word: &str| {
        if !words.iter().any(|it| it == word) {
            words.push(word.to_owned());
        }
    };
    view.all("enum").filter_map(Value::as_array).flatten().map(word).for_each(&mut add);
    view.all("const").map(word).for_each(&mut add);
    if view.all("properties").next().is_some() {
        add("object");
    }
    for keyword in ["oneOf", "anyOf"] {
        for branch in view.parts.iter().flat_map(|part| part.items(keyword)) {
            let branch = branch.view();
            let inner = if branch.never { Vec::new() } else { branch.types().unwrap_or_default() };
            inner.iter().for_each(|it| add(it));
        }
    }
    words
}

/// Returns the rules of a value.
fn rules(view: &View<'_>) -> Vec<String> {
    let mut rules = Vec::new();
    if let Some(value) = view.all("const").next() {
        rules.push(format!("always {}", shown(value)));
    }
    for values in view.all("enum").filter_map(Value::as_array) {
        let words: Vec<String> = values.iter().take(30).map(shown).collect();
        let more = if values.len() > 30 { format!(" and {} more", values.len() - 30) } else { String::new() };
        rules.push(format!("one of {}{more}", words.join(", ")));
    }
    range(view, "minLength", "maxLength", "character", &mut rules);
    bounds(view, &mut rules);
    if let Some(value) = view.all("multipleOf").next() {
        rules.push(format!("a multiple of {}", shown(value)));
    }
    for pattern in view.all("pattern").filter_map(Value::as_str) {
        rules.push(format!("matches {}", code(pattern)));
    }
    range(view, "minItems", "maxItems", "item", &mut rules);
    if view.all("uniqueItems").any(|it| *it == Value::Bool(true)) {
        rules.push("unique items".to_owned());
    }
    range(view, "minProperties", "maxProperties", "member", &mut rules);
    let closed = ["additionalProperties", "unevaluatedProperties"];
    if closed.iter().any(|keyword| view.all(keyword).any(|it| *it == Value::Bool(false))) {
        rules.push("no other members".to_owned());
    }
    for keyword in ["not", "if", "dependentRequired", "dependentSchemas", "dependencies", "contains", "propertyNames"] {
        for value in view.all(keyword) {
            rules.push(format!("`{keyword}` {}", shown(value)));
        }
    }
    if let Some(value) = view.all("default").next() {
        rules.push(format!("default if absent: {}", shown(value)));
    }
    rules
}

/// Adds the text of a range, such as `1 to 4000 characters`.
fn range(view: &View<'_>, least: &str, most: &str, what: &str, rules: &mut Vec<String>) {
    let s = |count: f64| if (count - 1.0).abs() < f64::EPSILON { "" } else { "s" };
    rules.extend(match (view.most(least), view.least(most)) {
        (Some(least), Some(most)) if (least - most).abs() < f64::EPSILON => Some(format!("{least} {what}{}", s(least))),
        (Some(least), Some(most)) => Some(format!("{least} to {most} {what}{}", s(most))),
        (Some(least), None) => Some(format!("at least {least} {what}{}", s(least))),
        (None, Some(most)) => Some(format!("at most {most} {what}{}", s(most))),
        (None, None) => None,
    });
}

fn bounds(view: &View<'_>, rules: &mut Vec<String>) {
    for (keyword, exclusive, [inclusive_word, exclusive_word]) in
        [("minimum", "exclusiveMinimum", ["at least", "above"]), ("maximum", "exclusiveMaximum", ["at most", "below"])]
    {
        for part in &view.parts {
            // in draft 4, `true` excludes the bound itself
            let out = part.schema.get(exclusive) == Some(&Value::Bool(true));
            if let Some(bound) = part.schema.get(keyword) {
                rules.push(format!("{} {}", if out { exclusive_word } else { inclusive_word }, shown(bound)));
            }
            if let Some(bound) = part.schema.get(exclusive).filter(|it| it.is_number()) {
                rules.push(format!("{exclusive_word} {}", shown(bound)));
            }
        }
    }
}

/// Returns a value as JSON in one line, shortened and in backticks.
fn shown(value: &Value) -> String {
    code(&value.to_string())
}

fn code(text: &str) -> String {
    format!("`{}`", shortened(&text.replace('`', "´"), SHOWN))
}
