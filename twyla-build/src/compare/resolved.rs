//! Contracts with their schemas resolved, once for all comparisons. Contracts with the same further documents share
//! them.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::Arc;

use super::bundle::Bundle;
use super::document::Document;
use super::gather::Gatherer;
use super::shape::Types;
use super::verdict::Mode;
use super::witness::{SharedSchemas, WitnessCheck};
use crate::schema::check;
use crate::schema::draft::Draft;
use crate::schema::evaluate;
use crate::schema::load::{Json, Node};
use crate::schema::problem::Problem;
use crate::schema::schemas::Loc;
use crate::schema::uri;
use crate::stack;

/// A contract whose schemas are resolved when a comparison needs them, and only once.
///
/// Use it only on a stack of [`stack::large`](crate::stack::large).
pub(crate) struct Resolved {
    pub(super) bundle: Bundle,
    pub(super) mode: Mode,
    shared: Option<SharedSchemas>,
    check: OnceCell<WitnessCheck>,
}

impl Resolved {
    pub(crate) fn new(bundle: &Bundle, mode: Mode) -> Self {
        Self { bundle: bundle.clone(), mode, shared: None, check: OnceCell::new() }
    }

    /// Prepares a contract to be compared as its generated types send and read it.
    pub(crate) fn contract(bundle: &Bundle) -> Self {
        Self::new(bundle, Mode::Contract)
    }

    /// Returns the contract.
    pub(crate) fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// Returns whether the contract's schemas were resolved together with those of other contracts.
    #[cfg(test)]
    pub(crate) fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    pub(super) fn check(&self) -> &WitnessCheck {
        self.check.get_or_init(|| match &self.shared {
            Some(shared) => WitnessCheck::of_shared(shared),
            None => WitnessCheck::new(&self.bundle, self.mode),
        })
    }
}

/// A contract that can be compared on any thread.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    bundle: Bundle,
    /// `None` if the contract is resolved alone.
    schemas: Option<SharedSchemas>,
}

impl Shared {
    /// Returns the contract.
    pub(crate) fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// Returns the contract for comparisons on this thread.
    pub(crate) fn resolved(&self) -> Resolved {
        Resolved { shared: self.schemas.clone(), ..Resolved::contract(&self.bundle) }
    }
}

/// Resolves contracts on all cores. Contracts that differ only in their own documents are resolved together, so that
/// the documents that they share are resolved, and their types read, only once. The result is in the order of the
/// contracts.
///
/// # Errors
/// Fails if no thread can be started.
pub(crate) fn together(bundles: &[Bundle]) -> io::Result<Vec<Shared>> {
    let alone = |bundle: &Bundle| Shared { bundle: bundle.clone(), schemas: None };
    let shared = grouped(bundles, 2, |group| group.resolved(false))?;
    Ok(bundles.iter().zip(shared).map(|(bundle, shared)| shared.unwrap_or_else(|| alone(bundle))).collect())
}

/// Resolves forms as written, like [`together`], and checks them. The result is `None` for a form that has to be read
/// alone, for example because it has problems or isn't in canonical form.
///
/// # Errors
/// Fails if no thread can be started.
pub(crate) fn read_together(written: &[Bundle]) -> io::Result<Vec<Option<Shared>>> {
    grouped(written, 1, |group| group.resolved(true))
}

/// Resolves the contracts in groups of at least `least`. The result is `None` for a contract without a group.
fn grouped(
    bundles: &[Bundle],
    least: usize,
    resolve: impl Fn(&Group<'_>) -> Vec<Option<Shared>> + Sync,
) -> io::Result<Vec<Option<Shared>>> {
    let mut groups: HashMap<u64, Vec<Group<'_>>> = HashMap::new();
    for (index, bundle) in bundles.iter().enumerate().filter(|(_, bundle)| has_plain_root(bundle)) {
        let alike = groups.entry(digest(bundle)).or_default();
        // contracts without further documents share nothing
        let is_alone = bundle.further().next().is_none();
        match alike.iter_mut().find(|group| !is_alone && group.takes(bundle)) {
            Some(group) => group.0.push((index, bundle)),
            None => alike.push(Group(vec![(index, bundle)])),
        }
    }
    let groups: Vec<Group<'_>> = groups.into_values().flatten().filter(|group| group.0.len() >= least).collect();
    let resolved = stack::each(&groups, resolve)?;
    let mut all: Vec<Option<Shared>> = bundles.iter().map(|_| None).collect();
    for (group, resolved) in groups.iter().zip(resolved) {
        for ((index, _), shared) in group.0.iter().zip(resolved) {
            if let Some(place) = all.get_mut(*index) {
                *place = shared;
            }
        }
    }
    Ok(all)
}

/// The maximum number of contracts in a group, so that the groups keep all cores busy.
const MOST: usize = 64;

/// Contracts with the same further documents, each with its index; at least one.
struct Group<'a>(Vec<(usize, &'a Bundle)>);

impl Group<'_> {
    /// Returns whether another contract belongs to the group.
    fn takes(&self, bundle: &Bundle) -> bool {
        let is_alike = self.0.first().is_some_and(|(_, first)| {
            first.inner.draft == bundle.inner.draft
                && first.inner.formats == bundle.inner.formats
                && first.further().eq(bundle.further())
        });
        is_alike
            && self.0.len() < MOST
            && self.0.iter().all(|(_, other)| other.root() != bundle.root())
            && self.0.iter().all(|(_, other)| bundle.further().all(|(name, _)| name != other.root()))
    }

    /// Resolves the contracts. If `written`, they come from files as text: they are checked, and a contract that isn't
    /// in canonical form is `None`. If one of the contracts has an error, all are `None`.
    fn resolved(&self, written: bool) -> Vec<Option<Shared>> {
        let bundles: Vec<&Bundle> = self.0.iter().map(|(_, bundle)| *bundle).collect();
        let Some(first) = bundles.first() else { return Vec::new() };
        let mut problems = Vec::new();
        let (schemas, roots) = first.resolved_with(&bundles, &mut problems);
        if written {
            check::all(&schemas, &mut problems);
        }
        // reading each contract alone shows which one has the problem
        if problems.iter().any(Problem::is_error) {
            return bundles.iter().map(|_| None).collect();
        }
        let files: Vec<usize> = roots.iter().map(|root| root.file).collect();
        let types = Types::together(&schemas, &files);
        let notes_seen = evaluate::notes_seen(&schemas);
        let schemas = Arc::new(schemas);
        let mut gatherer = Gatherer::new(&schemas);
        let shared = |((bundle, root), types): ((&&Bundle, Loc), Option<Types>)| {
            let is_read = !written || gatherer.bundle(&root) == **bundle;
            let schemas = Some(SharedSchemas { schemas: schemas.clone(), root, types, notes_seen });
            is_read.then(|| Shared { bundle: (*bundle).clone(), schemas })
        };
        bundles.iter().zip(roots).zip(types).map(shared).collect()
    }
}

impl Bundle {
    /// Returns all documents except the contract's own.
    fn further(&self) -> impl Iterator<Item = (&String, &Arc<Document>)> {
        self.inner.documents.iter().filter(|(name, _)| *name != self.root())
    }
}

fn digest(bundle: &Bundle) -> u64 {
    let mut hasher = DefaultHasher::new();
    bundle.further().for_each(|document| document.hash(&mut hasher));
    hasher.finish()
}

/// Returns whether a contract's own document can't affect contracts that are resolved with it: it has no identifiers
/// that their references could mean, no keyword that depends on what surrounds a reference, and no URI that further
/// documents could name.
fn has_plain_root(bundle: &Bundle) -> bool {
    let file = bundle.root().rsplit('/').next().unwrap_or_default();
    bundle.inner.documents.get(bundle.root()).is_some_and(|document| is_plain(&document.node))
        && !bundle.further().any(|(_, document)| may_name(&document.node, file))
}

/// Returns whether a `$id` or `$schema` in a document may be the URI of a file of this name, whatever its base URI is.
fn may_name(node: &Node, file: &str) -> bool {
    let is_name = |key: &str, value: &Node| {
        let Some(uri) = value.str().filter(|_| matches!(key, "id" | "$id" | "$schema")) else { return false };
        let uri = uri::split(uri).0;
        let is_own = !uri.contains("://") || uri.to_ascii_lowercase().starts_with("twyla:");
        is_own && (uri.contains('%') || uri.rsplit('/').next() == Some(file))
    };
    node.items().iter().any(|item| may_name(item, file))
        || node.members().iter().any(|member| is_name(&member.key, &member.value) || may_name(&member.value, file))
}

fn is_plain(node: &Node) -> bool {
    let has_effect_beside = |key: &str, value: &Node| match key {
        "id" | "$id" | "$anchor" => matches!(value.json, Json::String(_)),
        // a meta-schema has dynamic references, which matter for all schemas beside it
        "$ref" => value.str().is_some_and(|uri| uri.to_ascii_lowercase().contains("json-schema.org")),
        "$schema" => value.str().is_some_and(|uri| Draft::of(uri).is_none()),
        "$dynamicAnchor"
        | "$dynamicRef"
        | "$recursiveAnchor"
        | "$recursiveRef"
        | "$vocabulary"
        | "unevaluatedItems"
        | "unevaluatedProperties" => true,
        _ => false,
    };
    node.items().iter().all(is_plain)
        && node.members().iter().all(|member| !has_effect_beside(&member.key, &member.value) && is_plain(&member.value))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use twyla_generate::random::Random;
    use twyla_generate::{DRAFTS, mutate, schemas};

    use super::*;
    use crate::compare;
    use crate::compare::WrittenDocuments;
    use crate::compare::bundle::Formats;
    use crate::schema::load;

    /// The budget of a comparison that isn't optimized.
    const BUDGET: u64 = 100_000;

    /// The forms of events, each of which reaches the schema in another way.
    fn around(schema: &Value, draft: &str) -> Vec<Bundle> {
        let reference = json!({ "$ref": "../../shared/part.json" });
        let own = [
            json!({ "properties": { "v": reference, "a": { "type": "string" } }, "required": ["v"] }),
            json!({ "properties": { "v": { "type": "array", "items": reference } }, "additionalProperties": false }),
            json!({ "properties": { "v": { "not": reference } }, "required": ["v"] }),
            json!({ "properties": { "v": { "oneOf": [reference, { "type": "string" }] } } }),
            json!({ "properties": { "v": { "allOf": [reference, { "propertyNames": { "maxLength": 3 } }] } } }),
            json!({ "properties": { "v": { "allOf": [reference], "minProperties": 2 } }, "required": ["v"] }),
            json!({ "additionalProperties": reference, "maxProperties": 2 }),
            json!({ "properties": { "v": { "properties": { "w": reference, "u": { "$ref": "#" } } } } }),
        ];
        let bundle = |(index, mut own): (usize, Value)| {
            own["type"] = "object".into();
            let name = format!("events/a/b{index}.json");
            let documents = json!({ (name.clone()): own, "shared/part.json": schema });
            let form = json!({ "draft": draft, "formats": true, "root": name, "documents": documents });
            Bundle::parse(&form.to_string()).ok()
        };
        own.into_iter().enumerate().filter_map(bundle).collect()
    }

    #[test]
    fn contracts_resolved_together_have_the_verdicts_and_witnesses_of_each_alone() {
        let made = (0..24).flat_map(|index| DRAFTS.map(|name| (name, index)));
        let cases: Vec<(&str, u64)> = made.collect();
        let counts = stack::each(&cases, |(name, index)| {
            let schema = schemas::schema(name, 41, *index);
            let changed = mutate::changed(name, &schema, &mut Random::new(&[43, *index]));
            let draft = name.trim_start_matches("draft");
            let (olds, news) = (around(&schema, draft), around(&changed, draft));
            let all: Vec<Bundle> = olds.iter().chain(&news).cloned().collect();
            let shared = together(&all).unwrap();
            let (mut together, mut broken) = (0, 0);
            for (one, other) in shared.iter().zip(shared.iter().skip(olds.len())) {
                if one.bundle.root() != other.bundle.root() {
                    continue;
                }
                together += usize::from(one.schemas.is_some() && other.schemas.is_some());
                for (sender, reader) in [(one, other), (other, one)] {
                    let alone = [sender, reader].map(|it| Resolved::contract(&it.bundle));
                    let verdict = compare::verdict(&sender.resolved(), &reader.resolved(), BUDGET);
                    assert_eq!(verdict, compare::verdict(&alone[0], &alone[1], BUDGET), "{schema} {changed}");
                    broken += usize::from(matches!(verdict, compare::Verdict::Breaks(_)));
                }
            }
            (together, broken)
        });
        let sums = counts.unwrap().into_iter().fold((0, 0), |sum, more| (sum.0 + more.0, sum.1 + more.1));
        assert!(sums.0 > 200 && sums.1 > 200, "{sums:?}");
    }

    #[test]
    fn a_rule_about_shared_members_changes_the_types_of_its_own_contract_only() {
        let part = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
        let all = around(&part, "2020-12");
        let shared = together(&all).unwrap();
        // an event with a rule that looks at undeclared members keeps them, and the others don't
        for (one, alone) in shared.iter().zip(&all) {
            assert!(one.schemas.is_some());
            let closed = json!({ "v": { "a": "", "b": 1 } });
            let [together, alone] = [one.resolved(), Resolved::contract(alone)].map(|it| it.check().sends(&closed));
            assert_eq!(together, alone, "{}", one.bundle);
        }
        let types = shared.iter().map(|it| it.schemas.as_ref().is_some_and(|it| it.types.is_some()));
        let alone = types.filter(|together| !together).count();
        assert!((1..all.len()).contains(&alone), "{alone}");
    }

    /// A contract in canonical form, with `shared/part.json` beside it.
    fn event(name: &str, own: &Value, part: &Value) -> Bundle {
        let documents = json!({ (name): own, "shared/part.json": part });
        let form = json!({ "draft": "2020-12", "formats": true, "root": name, "documents": documents });
        Bundle::parse(&form.to_string()).unwrap_or_else(|problems| panic!("{form}: {problems}"))
    }

    /// A union whose variants are distinguished by the members that they require. Values could have the members of several.
    fn by_required_members(random: &mut Random, deep: usize) -> Value {
        let variant = |(index, name): (usize, &&str)| {
            if deep > 0 && random.chance(15) {
                let mut inner = by_required_members(random, deep - 1);
                inner["required"] = json!([name]);
                return inner;
            }
            let property = match random.below(5) {
                0 => json!({ "type": "string" }),
                1 => json!({ "type": "string", "format": "date-time" }),
                2 if deep > 0 => by_required_members(random, deep - 1),
                3 => json!({ "$ref": "../../shared/part.json" }),
                _ => json!({ "type": "integer" }),
            };
            let mut variant = json!({ "type": "object", "properties": { (*name): property }, "required": [name] });
            if random.chance(40) {
                variant["properties"][format!("n{index}")] =
                    json!({ "type": ["string", "null"], "x-null-is-absent": true });
            }
            if random.chance(40) {
                variant["properties"][format!("o{index}")] = json!({ "type": "string", "format": "date" });
            }
            match random.below(6) {
                0 => variant["additionalProperties"] = json!({ "type": "integer" }),
                1 => variant["additionalProperties"] = json!(false),
                2 => variant["additionalProperties"] = json!({ "$ref": "../../shared/part.json" }),
                _ => {}
            }
            variant
        };
        let names: &[&str] = if deep > 1 { &["a", "b", "c"] } else { &["d", "e"] };
        json!({ "oneOf": names.iter().enumerate().map(variant).collect::<Vec<_>>() })
    }

    #[test]
    fn types_read_together_are_those_of_each_contract_alone() {
        let cases: Vec<u64> = (0..60).collect();
        let counts = stack::each(&cases, |index| {
            let mut random = Random::new(&[47, *index]);
            let part = match random.below(3) {
                0 => {
                    json!({ "type": "object", "properties": { "p": { "type": ["string", "null"], "x-null-is-absent": true } } })
                }
                1 => json!({ "type": "object", "properties": { "p": { "type": "string", "format": "date-time" } } }),
                _ => json!({ "type": "object", "properties": { "p": { "const": "p" } }, "required": ["p"] }),
            };
            let all: Vec<Bundle> = (0..4)
                .map(|number| {
                    let union = by_required_members(&mut random, 2);
                    let own = match random.below(4) {
                        0 => union,
                        1 => json!({ "type": "object", "properties": { "v": union } }),
                        2 => json!({ "type": "object", "properties": { "v": { "$ref": "../../shared/part.json" } }, "minProperties": 1 }),
                        _ => json!({ "type": "object", "properties": { "v": { "type": "array", "items": { "$ref": "../../shared/part.json" } } } }),
                    };
                    event(&format!("events/a/b{number}.json"), &own, &part)
                })
                .collect();
            let (mut together, mut alone) = (0, 0);
            for (shared, bundle) in read_together(&all)
                .unwrap()
                .into_iter()
                .chain(super::together(&all).unwrap().into_iter().map(Some))
                .zip(all.iter().cycle())
            {
                let Some(SharedSchemas { types, .. }) = shared.and_then(|it| it.schemas) else { continue };
                let Some(types) = types else {
                    alone += 1;
                    continue;
                };
                let by_itself = Resolved::contract(bundle);
                let wanted = by_itself.check().types.as_ref().map(Types::written);
                assert_eq!(Some(types.written()), wanted, "{bundle}");
                together += 1;
            }
            (together, alone)
        });
        let sums = counts.unwrap().into_iter().fold((0, 0), |sum, more| (sum.0 + more.0, sum.1 + more.1));
        assert!(sums.0 > 50 && sums.1 > 50, "{sums:?}");
    }

    #[test]
    fn a_variant_keeps_members_beside_one_that_does_however_its_contract_is_resolved() {
        let union = |b: &Value| {
            let a = json!({ "type": "object", "properties": { "a": { "type": "integer" } }, "required": ["a"],
                "additionalProperties": { "type": "integer" } });
            json!({ "oneOf": [a, { "type": "object", "properties": b, "required": ["b"] }] })
        };
        let null =
            |type_: Value| json!({ "b": { "type": "string" }, "n": { "type": type_, "x-null-is-absent": true } });
        for [old, new] in [
            [json!({ "b": { "type": "string" } }), json!({ "b": { "type": "string" }, "c": { "type": "string" } })],
            [null(json!(["string", "null"])), json!({ "b": { "type": "string" }, "n": { "type": "string" } })],
        ] {
            let forms = [&old, &new].map(|b| event("events/a/b.json", &union(b), &json!({})));
            let shared =
                forms.each_ref().map(|form| read_together(std::slice::from_ref(form)).unwrap().remove(0).unwrap());
            let alone = forms.each_ref().map(Resolved::contract);
            let verdict = compare::verdict(&alone[0], &alone[1], BUDGET);
            assert!(matches!(verdict, compare::Verdict::Breaks(_)), "{new}: {verdict:?}");
            assert_eq!(compare::verdict(&shared[0].resolved(), &shared[1].resolved(), BUDGET), verdict, "{new}");
        }
    }

    #[test]
    fn a_contract_whose_names_others_could_mean_is_resolved_alone() {
        let of = |a: Value| {
            let properties = json!({ "v": { "$ref": "../../shared/part.json" }, "a": a });
            let own = json!({ "type": "object", "properties": properties });
            let documents = json!({ "events/a/b.json": own, "shared/part.json": {} });
            let form =
                json!({ "draft": "2020-12", "formats": true, "root": "events/a/b.json", "documents": documents });
            Bundle::parse(&form.to_string()).unwrap()
        };
        assert!(has_plain_root(&of(json!({}))));
        for extra in [
            json!({ "$id": "https://example.org/a" }),
            json!({ "$anchor": "a" }),
            json!({ "$dynamicAnchor": "a" }),
            json!({ "$ref": "https://json-schema.org/draft/2020-12/schema" }),
            json!({ "unevaluatedProperties": false }),
        ] {
            assert!(!has_plain_root(&of(extra.clone())), "{extra}");
        }
        for (id, is_plain) in [
            ("https://example.org/b.json", true),
            ("part.json", true),
            ("../events/a/b.json", false),
            ("twyla:///events/a/b.json#", false),
            ("../events/a/%62.json", false),
        ] {
            let own = json!({ "properties": { "v": { "$ref": "../../shared/part.json" } } });
            let part = json!({ "properties": { "p": { "$id": id } } });
            let documents = json!({ "events/a/b.json": own, "shared/part.json": part }).to_string();
            let documents = load::parse("documents", documents.into_bytes(), &mut Vec::new()).unwrap();
            let document = |node: &Node| Arc::new(Document::new(node.clone()));
            let documents =
                documents.members().iter().map(|member| (member.key.clone(), document(&member.value))).collect();
            let formats = Formats { asserted: true, in_every_draft: std::collections::BTreeSet::new() };
            let bundle = Bundle::new(Draft::Draft202012, formats, "events/a/b.json".to_owned(), documents);
            assert_eq!(has_plain_root(&bundle), is_plain, "{id}");
        }
    }

    #[test]
    fn documents_with_one_text_and_two_names_are_two() {
        let part = json!({ "properties": { "w": { "$ref": "other.json" } } });
        let part_of = |folder: &str| json!({ "$ref": format!("../../shared/{folder}/part.json") });
        let [old, new] = [json!({ "type": "string" }), json!({ "type": "string", "maxLength": 2 })].map(|x| {
            let own =
                json!({ "type": "object", "properties": { "x": x, "v": { "anyOf": [part_of("a"), part_of("b")] } } });
            let documents = json!({ "events/a/b.json": own, "shared/a/part.json": part, "shared/b/part.json": part,
                "shared/a/other.json": { "type": "string" }, "shared/b/other.json": { "type": "integer" } });
            let form =
                json!({ "draft": "2020-12", "formats": true, "root": "events/a/b.json", "documents": documents });
            let node = load::parse("form", form.to_string().into_bytes(), &mut Vec::new()).unwrap();
            Bundle::as_written(&node, &WrittenDocuments::default()).unwrap()
        });
        let part = |folder: &str| &old.inner.documents[&format!("shared/{folder}/part.json")];
        assert!(!Arc::ptr_eq(part("a"), part("b")));
        let shared = read_together(&[old, new]).unwrap().into_iter().map(Option::unwrap).collect::<Vec<_>>();
        for [sender, reader] in [[&shared[0], &shared[1]], [&shared[1], &shared[0]]] {
            let alone = [sender, reader].map(|it| Resolved::contract(&it.bundle));
            let verdict = compare::verdict(&sender.resolved(), &reader.resolved(), BUDGET);
            assert_eq!(verdict, compare::verdict(&alone[0], &alone[1], BUDGET));
        }
    }
}
