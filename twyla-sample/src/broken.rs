//! Events that break exactly one rule: valid events with one change, validated against the contract.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use twyla_build::compare::{Changes, SchemaPath};

use crate::make::{self, Choices, Extent};
use crate::text::{self, TextConstraints};
use crate::view::{Part, Subschema, View};
use crate::{Contract, Violation};

/// A rule, and an event that breaks only that rule.
#[derive(Clone, Debug)]
pub struct Broken {
    /// The violation of the rule.
    pub violation: Violation,
    /// The event's content, or another value of the schema.
    pub event: Value,
}

/// A rule of a contract.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// The path of the rule in the schema.
    pub path: SchemaPath,
    /// The keyword of the rule.
    pub keyword: String,
}

/// The maximum number of candidates that are validated.
const PATIENCE: usize = 30_000;
/// The maximum number of items, members and characters that are added to exceed a limit.
const MOST: usize = 5_000;

impl Contract<'_> {
    /// Returns, for each rule, a value that breaks only that rule, made from a valid value by one change; and the rules
    /// without such a value.
    #[must_use]
    pub fn broken(&self, valid: &[Value]) -> (Vec<Broken>, Vec<Rule>) {
        broken(self, &self.root(), valid)
    }
}

/// Returns, for each rule, an event that breaks only that rule, made from a valid event by one change; and the rules
/// without such an event.
fn broken(contract: &Contract<'_>, root: &Subschema<'_>, valid: &[Value]) -> (Vec<Broken>, Vec<Rule>) {
    let mut search = Search {
        contract,
        found: BTreeMap::new(),
        order: Vec::new(),
        rules: BTreeSet::new(),
        visits: BTreeMap::new(),
        patience: PATIENCE,
    };
    for value in valid {
        let mut event = Candidate { value, changes: contract.changes(value) };
        search.walk(&mut event, &root.clone().view(), value, "", 0);
    }
    let Search { mut found, order, rules: broken_rules, .. } = search;
    let unbroken = rules(root).into_iter().filter(|rule| !is_found(&broken_rules, &rule.path)).collect();
    (order.iter().filter_map(|key| found.remove(key)).collect(), unbroken)
}

/// Returns whether `rules` contains the rule at `path`, or a rule within it.
fn is_found(rules: &BTreeSet<SchemaPath>, path: &SchemaPath) -> bool {
    let below = SchemaPath { pointer: format!("{}/", path.pointer), ..path.clone() };
    let is_below = |it: &SchemaPath| it.document == below.document && it.pointer.starts_with(&below.pointer);
    rules.contains(path) || rules.range(below.clone()..).next().is_some_and(is_below)
}

/// The search for events that break one rule.
struct Search<'c> {
    contract: &'c Contract<'c>,
    /// The values that break one rule, by rule and missing member.
    found: BTreeMap<(SchemaPath, String), Broken>,
    order: Vec<(SchemaPath, String)>,
    /// The paths of the rules in `found`.
    rules: BTreeSet<SchemaPath>,
    /// The number of visits to values with the same schemas and the same kind.
    visits: BTreeMap<(Vec<usize>, &'static str), usize>,
    /// The number of candidates that may still be validated.
    patience: usize,
}

/// A valid event, prepared for the validation of changed parts.
struct Candidate<'e> {
    value: &'e Value,
    changes: Changes<'e>,
}

/// The maximum number of values with the same schemas that are changed, as long as one of their rules isn't broken yet.
const VISITS: usize = 6;

impl Search<'_> {
    /// Tries changes of a value and of each of its parts.
    fn walk(&mut self, event: &mut Candidate<'_>, view: &View<'_>, value: &Value, pointer: &str, deep: usize) {
        if deep > 40 {
            return;
        }
        let view = reached(view);
        let rules: Vec<SchemaPath> = view.parts.iter().flat_map(own_rules).map(|rule| rule.path).collect();
        let key = (view.parts.iter().map(Part::address).collect(), kind(value));
        let visits = self.visits.entry(key).or_insert(0);
        *visits += 1;
        // the first visit is the best place to break rules that other values share
        let first = *visits == 1;
        if first || *visits <= VISITS && !self.all_found(&rules) {
            let enough = !rules.is_empty() && !value.is_object();
            changes(&view, value, &mut |changed| {
                if !(enough && self.all_found(&rules)) {
                    self.attempt(event, pointer, changed);
                }
            });
        }
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    let below = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                    self.walk(event, &view.member(name), value, &below, deep + 1);
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate().take(3) {
                    self.walk(event, &view.item(index), value, &format!("{pointer}/{index}"), deep + 1);
                }
            }
            _ => {}
        }
    }

    fn all_found(&self, rules: &[SchemaPath]) -> bool {
        rules.iter().all(|path| is_found(&self.rules, path))
    }

    /// Validates a changed event; keeps it if it is the first to break its rule.
    fn attempt(&mut self, event: &mut Candidate<'_>, pointer: &str, value: Value) {
        let Some(left) = self.patience.checked_sub(1) else { return };
        self.patience = left;
        if event.value.pointer(pointer) == Some(&value) {
            return;
        }
        let Some(violation) = self.contract.only_violation_of(&mut event.changes, pointer, value.clone()) else {
            return;
        };
        let missing = if violation.keyword == "required" { violation.message.clone() } else { String::new() };
        let key = (violation.rule.clone(), missing);
        if let Entry::Vacant(place) = self.found.entry(key) {
            let mut changed = event.value.clone();
            let Some(part) = changed.pointer_mut(pointer) else { return };
            *part = value;
            self.order.push(place.key().clone());
            self.rules.insert(violation.rule.clone());
            place.insert(Broken { violation, event: changed });
        }
    }
}

/// Returns a view with all optional subschemas, so that changes are made for them too.
fn reached<'a>(view: &View<'a>) -> View<'a> {
    let mut out = view.clone();
    let mut i = 0;
    while let Some(part) = out.parts.get(i).cloned() {
        i += 1;
        let branches = ["oneOf", "anyOf"].into_iter().flat_map(|keyword| part.items(keyword));
        let conditional = ["then", "else"].into_iter().filter_map(|keyword| part.one(keyword));
        let dependent = part.named("dependentSchemas").map(|(_, below)| below).collect::<Vec<_>>();
        for below in branches.chain(conditional).chain(dependent).filter(|below| !below.is_false()) {
            out.add(below);
        }
    }
    out
}

fn changes(view: &View<'_>, value: &Value, with: &mut impl FnMut(Value)) {
    let other_kinds = || {
        let kinds = [json!("text"), json!(true), json!(7), json!(1.5), json!([]), json!({}), Value::Null];
        kinds.into_iter().filter(|other| kind(other) != kind(value) || kind(value) == "number")
    };
    // only a value of another type breaks `type`; for other rules similar values come first, because they are better
    // examples
    let typed = view.all("type").next().is_some();
    if typed {
        other_kinds().for_each(&mut *with);
    }
    match value {
        Value::String(text) => of_text(view, text, with),
        Value::Number(_) => of_number(view, value, with),
        Value::Array(items) => of_array(view, items, with),
        Value::Object(members) => of_object(view, members, with),
        Value::Bool(value) => with((!value).into()),
        Value::Null => {}
    }
    for part in &view.parts {
        // the schema of `not` generates the values that `not` excludes
        if let Some(below) = part.one("not") {
            let made = make::make(&below.view(), Extent::Whole, &mut Choices::default());
            made.into_iter().for_each(&mut *with);
        }
    }
    if !typed {
        other_kinds().for_each(with);
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn limits<'a>(view: &'a View<'_>, keyword: &'a str) -> impl Iterator<Item = f64> + 'a {
    view.all(keyword).filter_map(Value::as_f64)
}

fn sizes<'a>(view: &'a View<'_>, keyword: &'a str) -> impl Iterator<Item = usize> + 'a {
    limits(view, keyword).filter(|limit| *limit < MOST as f64).map(|limit| limit as usize)
}

fn of_text(view: &View<'_>, text: &str, with: &mut impl FnMut(Value)) {
    let length = text.chars().count();
    for least in sizes(view, "minLength") {
        with(text.chars().take(least.saturating_sub(1)).collect::<String>().into());
    }
    for most in sizes(view, "maxLength") {
        let more = if length > 0 { text.chars().cycle().take(most + 1).collect() } else { "x".repeat(most + 1) };
        with(Value::from(more));
    }
    // other lengths, and texts that match all patterns but one
    let patterns: Vec<&str> = view.all("pattern").filter_map(Value::as_str).collect();
    for (i, _) in patterns.iter().enumerate() {
        let others = patterns.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, pattern)| *pattern).collect();
        let (least, most) = (view.most("minLength"), view.least("maxLength"));
        let rules = TextConstraints {
            patterns: others,
            least: least.map_or(0, |it| it as usize),
            most: most.map(|it| it as usize),
            ..TextConstraints::default()
        };
        for salt in 0..4 {
            text::text(&rules, salt).into_iter().for_each(|text| with(text.into()));
        }
    }
    for least in
        sizes(view, "minLength").map(|it| it.saturating_sub(1)).chain(sizes(view, "maxLength").map(|it| it + 1))
    {
        let rules =
            TextConstraints { patterns: patterns.clone(), least, most: Some(least), ..TextConstraints::default() };
        text::text(&rules, 0).into_iter().for_each(|text| with(text.into()));
    }
    let mut swapped: String = text.chars().rev().collect();
    with(Value::from(swapped.clone()));
    swapped.make_ascii_uppercase();
    with(swapped.into());
    let cut: String = text.chars().take(length.saturating_sub(1)).collect();
    for other in ["?".repeat(length.max(1)), format!("{text}!"), format!("{text} "), format!("?{text}"), cut] {
        with(other.into());
    }
    for other in
        ["something else", "not a format", "x", "?", "0", "-", "", " ", "ß", "2026-13-45", "::", "http://[", "%zz"]
    {
        with(other.into());
    }
}

fn of_number(view: &View<'_>, value: &Value, with: &mut impl FnMut(Value)) {
    let number = |value: f64| {
        if value.fract() == 0.0 && value.abs() < 9.0e15 { Value::from(value as i64) } else { Value::from(value) }
    };
    let limits =
        ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"].into_iter().flat_map(|it| limits(view, it));
    for limit in limits {
        for near in [limit, limit - 1.0, limit + 1.0, limit - 0.5, limit + 0.5] {
            with(number(near));
        }
    }
    for factor in view.all("multipleOf").filter_map(Value::as_f64) {
        let value = value.as_f64().unwrap_or_default();
        for near in [value + factor / 2.0, value + 1.0, value - 1.0, value - factor, value + factor] {
            with(number(near));
        }
    }
    for other in [0.0, -1.0, 0.5, -0.5, 1e6, -1e6, 1e12, -1e12] {
        with(number(other));
    }
    if let Some(value) = value.as_f64() {
        with(number(value + 0.5));
    }
}

fn of_array(view: &View<'_>, items: &[Value], with: &mut impl FnMut(Value)) {
    for least in sizes(view, "minItems").chain(sizes(view, "minContains")) {
        with(items[..items.len().min(least.saturating_sub(1))].into());
    }
    let made = |index: usize| make::item(view, index);
    for most in sizes(view, "maxItems").chain(sizes(view, "maxContains")) {
        let mut more = items.to_vec();
        while more.len() <= most {
            match made(more.len()).or_else(|| items.last().cloned()) {
                Some(item) => more.push(item),
                None => break,
            }
        }
        with(more.into());
    }
    if let Some(first) = items.first() {
        with([items, std::slice::from_ref(first)].concat().into());
        with(items[1..].into());
        with(items[..items.len() - 1].into());
    }
    for other in [json!("something else"), json!(7), Value::Null, json!({})] {
        with([items, &[other]].concat().into());
    }
    with(json!([]));
}

fn of_object(view: &View<'_>, members: &Map<String, Value>, with: &mut impl FnMut(Value)) {
    let without = |names: &[&String]| -> Value {
        members
            .iter()
            .filter(|(name, _)| !names.contains(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    members.keys().for_each(|name| with(without(&[name])));
    let plus = |added: Vec<(String, Value)>| -> Value {
        members.clone().into_iter().chain(added).collect::<Map<String, Value>>().into()
    };
    for name in ["unexpected", "", "?", "A B", "0", "key with spaces", "x-y"] {
        for value in [json!(true), json!("text"), json!(7), json!({})] {
            with(plus(vec![(name.to_owned(), value)]));
        }
    }
    for most in sizes(view, "maxProperties") {
        let missing = (most + 1).saturating_sub(members.len());
        let named = |i| format!("more{i}");
        let made = (0..missing).map(|i| make::member(view, &named(i)).map(|value| (named(i), value)));
        made.collect::<Option<Vec<_>>>().into_iter().for_each(|more| with(plus(more)));
        for value in [json!("text"), json!(7)] {
            with(plus((0..missing).map(|i| (named(i), value.clone())).collect()));
        }
    }
    for least in sizes(view, "minProperties") {
        let surplus = (members.len() + 1).saturating_sub(least);
        let optional: Vec<&String> = members.keys().filter(|name| !view.required().contains(&name.as_str())).collect();
        if optional.len() >= surplus {
            with(without(&optional[..surplus]));
        }
    }
    with(json!({}));
}

/// The keywords that a value can break.
const ASSERTIONS: &[&str] = &[
    "type",
    "enum",
    "const",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
    "contains",
    "minProperties",
    "maxProperties",
    "required",
    "propertyNames",
    "dependentRequired",
    "not",
    "anyOf",
    "oneOf",
];

/// Returns the rules that a validator reports individually: not the rules of the branches of a choice.
fn rules(root: &Subschema<'_>) -> Vec<Rule> {
    let mut rules = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut open = vec![root.clone()];
    while let Some(below) = open.pop() {
        if !seen.insert(below.address()) {
            continue;
        }
        for part in below.view().parts {
            rules.extend(own_rules(&part));
            let single = [
                "additionalProperties",
                "items",
                "additionalItems",
                "then",
                "else",
                "unevaluatedProperties",
                "unevaluatedItems",
            ];
            open.extend(single.into_iter().filter_map(|keyword| part.one(keyword)).filter(|below| !below.is_false()));
            open.extend(part.items("prefixItems"));
            open.extend(part.items("items"));
            open.extend(part.named("properties").map(|(_, below)| below));
            open.extend(part.named("patternProperties").map(|(_, below)| below));
            open.extend(part.named("dependentSchemas").map(|(_, below)| below));
        }
    }
    rules.into_iter().collect()
}

/// Returns the rules of one schema, without the rules of its subschemas.
fn own_rules(part: &Part<'_>) -> Vec<Rule> {
    let asserts = |keyword: &str, value: &Value| match keyword {
        "exclusiveMinimum" | "exclusiveMaximum" => value.is_number(),
        "uniqueItems" => *value == Value::Bool(true),
        "format" => value.as_str().is_some_and(text::is_format),
        "required" => value.as_array().is_some_and(|names| !names.is_empty()),
        "additionalProperties" | "unevaluatedProperties" | "unevaluatedItems" | "additionalItems" => {
            *value == Value::Bool(false)
        }
        "contains" => !part.schema.contains_key("minContains"),
        "minContains" | "maxContains" => part.schema.contains_key("contains") && value.as_u64() != Some(0),
        keyword => ASSERTIONS.contains(&keyword),
    };
    let asserted = part.schema.iter().filter(|(keyword, value)| asserts(keyword, value));
    asserted.filter_map(|(keyword, _)| Some(Rule { path: part.path_of(keyword)?, keyword: keyword.clone() })).collect()
}
