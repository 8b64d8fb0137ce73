//! Resolves contracts together. Contracts with the same further documents share them.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::Arc;

use super::bundle::Bundle;
use super::document::Document;
use super::gather::Gatherer;
use super::resolved::Shared;
use super::shape::Types;
use super::witness::SharedSchemas;
use crate::schema::check;
use crate::schema::draft::Draft;
use crate::schema::evaluate;
use crate::schema::load::{Json, Node};
use crate::schema::problem::Problem;
use crate::schema::schemas::Loc;
use crate::schema::uri;
use crate::stack;

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
            problems.retain(|problem| !problem.is_of_records());
        }
        // reading each contract alone shows which one has the problem
        if problems.iter().any(Problem::is_error) {
            return bundles.iter().map(|_| None).collect();
        }
        let files: Vec<usize> = roots.iter().map(|root| root.file).collect();
        let types = Types::together(&schemas, &files);
        let tracks_evaluated = evaluate::tracks_evaluated(&schemas);
        let schemas = Arc::new(schemas);
        let mut gatherer = Gatherer::new(&schemas);
        let shared = |((bundle, root), types): ((&&Bundle, Loc), Option<Types>)| {
            let is_read = !written || gatherer.bundle(&root) == **bundle;
            let schemas = Some(SharedSchemas { schemas: schemas.clone(), root, types, tracks_evaluated });
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
pub(super) fn has_plain_root(bundle: &Bundle) -> bool {
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
