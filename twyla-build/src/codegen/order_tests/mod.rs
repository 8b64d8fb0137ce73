//! Tests that the order of files, properties and references changes nothing: a folder read in many orders and under other
//! names has the same types, rules and digests each time.

mod generated;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::{Value, json};
use twyla_generate::random::Random;

use crate::codegen::emit;
use crate::compare::{self, ContractKind};
use crate::model::explain::{self, BodyExplanation};
use crate::model::{self, Body, Model, Others, Shape, Type, TypeId, ValueType};
use crate::schema::check;
use crate::schema::draft::{Dialects, Draft};
use crate::schema::load::{self, File, FileRole, Json, Members, Node};
use crate::schema::problem::Problem;
use crate::schema::register;
use crate::schema::schemas::Schemas;
use crate::stack;

/// The names of a folder's files and domains, which the tests exchange. All have the same length, and no other text
/// contains them.
const NAMES: [&str; 5] = ["nalpha", "ntheta", "ngamma", "nkappa", "nsigma"];

const DRAFTS: [Draft; 5] = [Draft::Draft4, Draft::Draft6, Draft::Draft7, Draft::Draft201909, Draft::Draft202012];

type Folder = Vec<(String, Value)>;

fn files(folder: &Folder) -> Vec<File> {
    let file = |(path, schema): &(String, Value)| {
        let text = format!("{schema:#}").into_bytes();
        let root = load::parse(path, text, &mut Vec::new()).unwrap();
        let role = load::role(path).unwrap().unwrap();
        File { path: path.clone(), shown: path.clone(), role, root, unread: false }
    };
    folder.iter().map(file).collect()
}

/// Returns the files as schemas; `None` if they have errors.
fn resolved(files: Vec<File>, draft: Draft) -> Option<Schemas> {
    let mut problems = Vec::new();
    let schemas = register::schemas(files, draft, Dialects::default(), &mut problems);
    check::all(&schemas, &mut problems);
    (!problems.iter().any(Problem::is_error)).then_some(schemas)
}

/// A folder's contracts without the order of their parts.
#[derive(Debug, PartialEq)]
struct Read {
    /// The types of each contract, with their fields and rules.
    types: BTreeMap<String, BTreeSet<String>>,
    /// Each contract in the index of the macros.
    contracts: BTreeSet<String>,
    forms: BTreeMap<(ContractKind, String), Value>,
    digests: BTreeMap<(ContractKind, String), String>,
    sensitive: BTreeMap<(ContractKind, String), Vec<String>>,
}

impl Read {
    fn of(schemas: &Schemas, model: &Model) -> Self {
        let types = explain::all(model).into_iter().map(|contract| {
            let types = contract.types.into_iter().map(|mut type_| {
                type_.trees.sort_by_key(|tree| (tree.place.clone(), tree.why.clone()));
                if let BodyExplanation::Struct { fields, .. } = &mut type_.body {
                    fields.sort_by(|a, b| a.wire.cmp(&b.wire));
                    fields
                        .iter_mut()
                        .for_each(|field| field.trees.sort_by_key(|tree| (tree.place.clone(), tree.why.clone())));
                }
                format!("{type_:?}")
            });
            (contract.name, types.collect())
        });
        let events = model.events.iter().map(|(name, id)| {
            let mut event = model.event(name, *id);
            event.properties.sort_by(|a, b| a.wire.cmp(&b.wire));
            format!("{event:?}")
        });
        let rpcs = model.rpcs.iter().map(|method| format!("{:?}", model.rpc(method)));
        let all = compare::contracts(schemas, Vec::new()).contracts;
        let form = |text: String| serde_json::from_str(&text).unwrap();
        Self {
            types: types.collect(),
            contracts: events.chain(rpcs).collect(),
            forms: all.iter().map(|it| ((it.kind, it.name.clone()), form(it.bundle.to_string()))).collect(),
            digests: all.iter().map(|it| ((it.kind, it.name.clone()), it.bundle.digest())).collect(),
            sensitive: all.iter().map(|it| ((it.kind, it.name.clone()), it.sensitive.clone())).collect(),
        }
    }
}

/// Returns whether two values are read and sent alike, regardless of the names of their types.
fn same_values(both: (&[Type], &[Type]), a: &ValueType, b: &ValueType, seen: &mut HashSet<(TypeId, TypeId)>) -> bool {
    let same_shapes = match (&a.shape, &b.shape) {
        (Shape::Named(a), Shape::Named(b)) => !seen.insert((*a, *b)) || same_types(both, *a, *b, seen),
        (Shape::Array(a), Shape::Array(b))
        | (Shape::Map(a), Shape::Map(b))
        | (Shape::Nullable(a), Shape::Nullable(b)) => same_values(both, a, b, seen),
        (a, b) => a == b,
    };
    same_shapes && a.checks == b.checks && a.trees == b.trees
}

fn same_types(both: (&[Type], &[Type]), a: TypeId, b: TypeId, seen: &mut HashSet<(TypeId, TypeId)>) -> bool {
    let (a, b) = (&both.0[a], &both.1[b]);
    let same_bodies = match (&a.body, &b.body) {
        (Body::Struct { fields: a, others: also }, Body::Struct { fields: b, others }) => {
            let same_fields = a.iter().zip(b).all(|(a, b)| {
                (&a.wire, &a.name, a.required) == (&b.wire, &b.name, b.required)
                    && same_values(both, &a.held, &b.held, seen)
            });
            let same_others = match (also, others) {
                (Others::Kept { name: a, held: also, .. }, Others::Kept { name: b, held, .. }) => {
                    a == b && same_values(both, also, held, seen)
                }
                (a, b) => a == b,
            };
            a.len() == b.len() && same_fields && same_others
        }
        (Body::Union { by: a, variants: some }, Body::Union { by: b, variants }) => {
            let mut pairs = some.iter().zip(variants);
            let same = pairs.all(|(a, b)| {
                a.choices == b.choices
                    && match (&a.held, &b.held) {
                        (Some(a), Some(b)) => same_values(both, a, b, seen),
                        (a, b) => a.is_none() && b.is_none(),
                    }
            });
            a == b && some.len() == variants.len() && same
        }
        (Body::Map(a), Body::Map(b)) => same_values(both, a, b, seen),
        (Body::Enum { words: a, .. }, Body::Enum { words: b, .. }) => a == b,
        _ => false,
    };
    a.loc == b.loc && a.trees == b.trees && same_bodies
}

fn shuffle<T>(random: &mut Random, list: &mut [T]) {
    for end in (1..list.len()).rev() {
        list.swap(end, random.below(end + 1));
    }
}

/// Returns the JSON with its members in another order. Each keeps its place.
fn reordered(node: &Node, random: &mut Random) -> Node {
    let json = match &node.json {
        Json::Object(members) => {
            let mut members = members.to_vec();
            members.iter_mut().for_each(|member| member.value = reordered(&member.value, random));
            shuffle(random, &mut members);
            Json::Object(Members::new(members))
        }
        Json::Array(items) => Json::Array(items.iter().map(|item| reordered(item, random)).collect()),
        json => json.clone(),
    };
    Node { at: node.at, json }
}

/// Replaces each name in a text by another one, also within the names of types.
fn renamed(text: &str, names: &[(&str, &str)]) -> String {
    let capital = |name: &str| format!("N{}", &name[1..]);
    let begun = |text: String, (index, (from, _)): (usize, &(&str, &str))| {
        text.replace(from, &format!("\u{1}{index}\u{2}")).replace(&capital(from), &format!("\u{3}{index}\u{2}"))
    };
    let marked = names.iter().enumerate().fold(text.to_owned(), begun);
    names.iter().enumerate().fold(marked, |text, (index, (_, to))| {
        text.replace(&format!("\u{1}{index}\u{2}"), to).replace(&format!("\u{3}{index}\u{2}"), &capital(to))
    })
}

/// Checks a folder in many orders and under other names. Returns false if it has errors.
fn holds(name: &str, folder: &Folder, draft: Draft, random: &mut Random) -> bool {
    let Some(schemas) = resolved(files(folder), draft) else { return false };
    let model = model::read(&schemas, &model::Options::default(), &mut Vec::new()).unwrap();
    let (read, code) = (Read::of(&schemas, &model), emit::code(&schemas, &model, None));
    syn::parse_file(&code).unwrap();
    for (file, found) in schemas.of_role(|role| matches!(role, FileRole::Event(_))) {
        let FileRole::Event(event) = &found.role else { continue };
        let (_, id) = model.events.iter().find(|(name, _)| name == event).unwrap();
        let (alone, root) = model::one(&schemas, file);
        let both = (alone.as_slice(), model.types.as_slice());
        let same = same_values(both, &root, &ValueType::plain(Shape::Named(*id)), &mut HashSet::new());
        assert!(same, "{name}: {event} has other types beside its neighbours: {folder:#?}");
    }
    for _ in 0..3 {
        let mut files = files(folder);
        shuffle(random, &mut files);
        let schemas = resolved(files, draft).unwrap();
        let model = model::read(&schemas, &model::Options::default(), &mut Vec::new()).unwrap();
        assert!(emit::code(&schemas, &model, None) == code, "{name}: other code by the order of files: {folder:#?}");
        assert_eq!(Read::of(&schemas, &model), read, "{name}: by the order of files: {folder:#?}");
    }
    for _ in 0..2 {
        let mut files = files(folder);
        files.iter_mut().for_each(|file| file.root = reordered(&file.root, random));
        let schemas = resolved(files, draft).unwrap();
        let model = model::read(&schemas, &model::Options::default(), &mut Vec::new()).unwrap();
        assert_eq!(Read::of(&schemas, &model), read, "{name}: by the order of properties: {folder:#?}");
    }
    for _ in 0..2 {
        let mut to = NAMES;
        shuffle(random, &mut to);
        let there: Vec<(&str, &str)> = NAMES.into_iter().zip(to).collect();
        let back: Vec<(&str, &str)> = to.into_iter().zip(NAMES).collect();
        let renamed_file = |(path, schema): &(String, Value)| {
            let schema = serde_json::from_str(&renamed(&schema.to_string(), &there)).unwrap();
            (renamed(path, &there), schema)
        };
        // each value keeps the place that it has in the original file
        let mut others: Vec<File> = files(&folder.iter().map(renamed_file).collect());
        for (file, old) in others.iter_mut().zip(files(folder)) {
            file.root = placed(&file.root, &old.root, &there);
        }
        others.sort_by(|a, b| a.path.cmp(&b.path));
        let schemas = resolved(others, draft).unwrap();
        let model = model::read(&schemas, &model::Options::default(), &mut Vec::new()).unwrap();
        let other = Read::of(&schemas, &model);
        let back = |text: &str| renamed(text, &back);
        let types: BTreeMap<String, BTreeSet<String>> =
            other.types.iter().map(|(name, types)| (back(name), types.iter().map(|it| back(it)).collect())).collect();
        assert_eq!(types, read.types, "{name}: under other names: {folder:#?}");
        assert_eq!(other.contracts.iter().map(|it| back(it)).collect::<BTreeSet<_>>(), read.contracts, "{name}");
        let forms = other
            .forms
            .iter()
            .map(|((kind, name), form)| ((*kind, back(name)), serde_json::from_str(&back(&form.to_string())).unwrap()));
        assert_eq!(forms.collect::<BTreeMap<_, Value>>(), read.forms, "{name}");
        let sensitive = other.sensitive.iter().map(|((kind, name), them)| ((*kind, back(name)), them.clone()));
        assert_eq!(sensitive.collect::<BTreeMap<_, _>>(), read.sensitive, "{name}");
    }
    true
}

/// Returns the renamed JSON with the places of the original.
fn placed(node: &Node, old: &Node, names: &[(&str, &str)]) -> Node {
    let json = match (&node.json, &old.json) {
        (Json::Object(_), Json::Object(olds)) => {
            let members = olds.iter().map(|old| {
                let mut member = node.member(&renamed(&old.key, names)).unwrap().clone();
                member.key_at = old.key_at;
                member.value = placed(&member.value, &old.value, names);
                member
            });
            Json::Object(Members::new(members.collect()))
        }
        (Json::Array(items), Json::Array(olds)) => {
            Json::Array(items.iter().zip(olds).map(|(item, old)| placed(item, old, names)).collect())
        }
        (json, _) => json.clone(),
    };
    Node { at: old.at, json }
}

fn folder(files: &[(&str, Value)]) -> Folder {
    let context = ("context.json".to_owned(), json!({}));
    std::iter::once(context).chain(files.iter().map(|(path, schema)| ((*path).to_owned(), schema.clone()))).collect()
}

#[track_caller]
fn same(name: &str, files: &[(&str, Value)]) {
    let folder = folder(files);
    let held =
        stack::large(|| DRAFTS.into_iter().all(|draft| holds(name, &folder, draft, &mut Random::new(&[draft as u64]))));
    assert!(held.unwrap(), "{name}: has an error");
}

/// Returns the schema of an event with a property for each of these files.
fn refers(to: &[&str]) -> Value {
    let properties: BTreeMap<String, Value> =
        to.iter().enumerate().map(|(index, to)| (format!("p{index}"), json!({ "$ref": to }))).collect();
    json!({ "type": "object", "properties": properties })
}

#[test]
fn a_rule_of_an_event_that_others_refer_to() {
    let integer = || json!({ "type": "integer" });
    let two = json!({ "x": integer(), "y": integer() });
    for (keyword, rule) in [
        ("not", json!({ "required": ["x", "y"] })),
        ("oneOf", json!([{ "required": ["x"] }, { "required": ["y"] }])),
        ("anyOf", json!([{ "required": ["x"] }, { "minProperties": 2 }])),
        ("allOf", json!([{ "maxProperties": 1 }, { "properties": { "x": { "maximum": 3 } } }])),
        ("dependencies", json!({ "x": ["y"] })),
        ("enum", json!([{ "x": 1 }, { "y": 2 }])),
    ] {
        let ruled = json!({ "type": "object", "properties": two, keyword: rule });
        let referring = || refers(&["ntheta.json"]);
        same(keyword, &[("events/a/nalpha.json", referring()), ("events/a/ntheta.json", ruled.clone())]);
        let nullable = json!({ "type": ["object", "null"], "properties": two, keyword: rule });
        same(keyword, &[("events/a/nalpha.json", referring()), ("events/a/ntheta.json", nullable.clone())]);
        let mut narrowed = nullable.clone();
        narrowed["allOf"] = json!([{ "type": "object" }]);
        same(keyword, &[("events/a/nalpha.json", referring()), ("events/a/ntheta.json", narrowed)]);
        let untyped = json!({ "properties": two, keyword: rule });
        same(keyword, &[("events/a/nalpha.json", referring()), ("events/a/ntheta.json", untyped)]);
        let each_other = json!({
            "type": "object",
            "properties": { "x": integer(), "y": integer(), "back": { "$ref": "nalpha.json" } },
            keyword: rule,
        });
        same(keyword, &[("events/a/nalpha.json", referring()), ("events/a/ntheta.json", each_other)]);
    }
}

#[test]
fn events_that_are_only_references_and_maps_and_unions() {
    let card = json!({ "type": "object", "required": ["kind"], "properties": {
        "kind": { "enum": ["card"] }, "type": { "enum": ["plastic"] }, "x-y": { "type": "object", "properties": { "a": {} } },
        "x_y": { "type": "object", "properties": { "b": { "x-sensitive": true } } } } });
    let cash = json!({ "type": "object", "required": ["kind", "type"], "properties": {
        "kind": { "enum": ["cash"] }, "type": { "enum": ["coin"] }, "back": { "$ref": "/events/a/nalpha.json" } } });
    let union = json!({ "oneOf": [card, cash, { "$ref": "/shared/nkappa.json" }] });
    let other = json!({ "type": "object", "required": ["kind", "type"], "properties": {
        "kind": { "enum": ["other"] }, "type": { "enum": ["other"] } } });
    for (name, root) in [
        ("reference", json!({ "$ref": "/shared/ngamma.json" })),
        ("only one", json!({ "allOf": [{ "$ref": "/shared/ngamma.json" }] })),
        ("union", union.clone()),
        ("nullable", json!({ "anyOf": [{ "$ref": "/shared/ngamma.json" }, { "type": "null" }] })),
        ("any object", json!({ "type": "object" })),
        ("any object that has", json!({ "type": "object", "required": ["a"] })),
        ("map", json!({ "type": "object", "additionalProperties": { "$ref": "/events/a/nalpha.json" } })),
        ("closed", json!({ "type": "object", "additionalProperties": false })),
        ("anything", json!({})),
    ] {
        let shared = if name == "union" { refers(&["/events/a/ntheta.json"]) } else { union.clone() };
        let referring = json!({ "type": "object", "properties": {
            "one": { "$ref": "ntheta.json" }, "list": { "type": "array", "items": { "$ref": "ntheta.json" } },
            "all": { "allOf": [{ "$ref": "ntheta.json" }, { "required": ["a"] }] }, "shared": { "$ref": "/shared/ngamma.json" } } });
        same(
            name,
            &[
                ("events/a/nalpha.json", referring),
                ("events/a/ntheta.json", root),
                ("shared/ngamma.json", shared),
                ("shared/nkappa.json", other.clone()),
            ],
        );
    }
}

#[test]
fn rpcs_that_refer_to_each_other_and_to_events() {
    let request =
        json!({ "type": "object", "properties": { "a": { "type": "integer" } }, "not": { "required": ["a", "b"] } });
    let list = json!({ "type": "array", "items": { "$ref": "/events/a/ngamma.json" }, "uniqueItems": true });
    same(
        "rpcs",
        &[
            ("rpc/s/nalpha/request.json", request),
            ("rpc/s/nalpha/response.json", list),
            ("rpc/s/ntheta/request.json", json!({ "$ref": "../nalpha/request.json" })),
            ("rpc/s/ntheta/response.json", refers(&["../nalpha/response.json", "../nalpha/request.json", "#"])),
            ("rpc/s/ntheta/error.json", json!({ "$ref": "/events/a/ngamma.json" })),
            ("events/a/ngamma.json", refers(&["/rpc/s/nalpha/response.json", "/rpc/s/ntheta/request.json"])),
        ],
    );
}

#[test]
fn schemas_that_hold_themselves_with_no_object_between() {
    let array = |of: &str| json!({ "type": "array", "items": { "$ref": of } });
    let map = |of: &str| json!({ "type": "object", "additionalProperties": { "$ref": of } });
    same(
        "rings",
        &[
            ("events/a/nalpha.json", refers(&["/shared/ntheta.json", "/shared/ngamma.json", "/shared/nkappa.json"])),
            ("shared/ntheta.json", array("ngamma.json")),
            ("shared/ngamma.json", map("nkappa.json")),
            ("shared/nkappa.json", json!({ "anyOf": [{ "$ref": "ntheta.json" }, { "type": "null" }] })),
            ("events/a/nsigma.json", map("/shared/ngamma.json")),
        ],
    );
}

#[test]
fn a_chain_that_is_longer_than_what_is_followed() {
    let link = |i: usize| (format!("d{i}"), json!({ "allOf": [{ "$ref": format!("#/$defs/d{}", i + 1) }] }));
    let mut links: serde_json::Map<String, Value> = (0..450).map(link).collect();
    links.insert("d450".to_owned(), json!({ "type": "object", "properties": { "a": {} } }));
    let into = |name: &str, at: &[usize]| {
        let at: Vec<String> = at.iter().map(|i| format!("/shared/nsigma.json#/$defs/d{i}")).collect();
        (name.to_owned(), refers(&at.iter().map(String::as_str).collect::<Vec<_>>()))
    };
    let folder = vec![
        ("context.json".to_owned(), json!({})),
        into("events/a/nalpha.json", &[0, 100, 200]),
        into("events/a/ntheta.json", &[300, 240, 250, 251]),
        into("events/a/ngamma.json", &[449, 450, 1]),
        ("shared/nsigma.json".to_owned(), json!({ "$defs": links })),
    ];
    let held = stack::large(|| holds("chain", &folder, Draft::Draft202012, &mut Random::new(&[])));
    assert!(held.unwrap());
}

/// A contract's types keep, and so may send, the same members with and without other contracts. Comparisons rely on that.
#[test]
fn a_rule_that_looks_at_what_another_event_does_not_declare() {
    let looks = |at: &str, of: &str| {
        json!({
            "type": "object",
            "properties": { "inner": { "$ref": of }, "other": { "$ref": "/shared/nkappa.json" } },
            "not": { "properties": { at: { "required": ["z"] } }, "required": [at] },
        })
    };
    let files = [
        ("events/a/nalpha.json", looks("inner", "ntheta.json")),
        (
            "events/a/ntheta.json",
            json!({ "type": "object", "properties": { "own": { "$ref": "/shared/nkappa.json" } } }),
        ),
        ("events/a/nsigma.json", looks("other", "ntheta.json")),
        ("shared/nkappa.json", json!({ "type": "object", "properties": { "d": { "type": "integer" } } })),
        ("shared/ngamma.json", json!({ "type": "object", "properties": { "e": { "$ref": "nkappa.json" } } })),
    ];
    let expected = [
        ("Context", false),
        ("a::Nalpha", false),
        ("a::NalphaNtheta", true),
        ("a::Nsigma", false),
        ("a::NsigmaNkappa", true),
        ("a::NsigmaNtheta", false),
        ("a::Ntheta", false),
        ("shared::Nkappa", false),
    ];
    let mut random = Random::new(&[2]);
    for _ in 0..10 {
        let mut files = self::files(&folder(&files));
        shuffle(&mut random, &mut files);
        let model =
            model::read(&resolved(files, Draft::Draft202012).unwrap(), &model::Options::default(), &mut Vec::new())
                .unwrap();
        let keeps = |body: &Body| matches!(body, Body::Struct { others: Others::Kept { .. }, .. });
        let kept: BTreeMap<String, bool> = model.types.iter().map(|it| (it.path(), keeps(&it.body))).collect();
        assert_eq!(kept, expected.map(|(path, keeps)| (path.to_owned(), keeps)).into());
    }
}
