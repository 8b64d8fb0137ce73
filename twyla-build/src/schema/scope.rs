//! The dynamic scope of `$dynamicRef` and `$recursiveRef`: the resources whose anchors may change their target.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::schema::schemas::{Loc, Schemas};
use crate::schema::uri;

/// The anchors that matter: those that a dynamic reference names and more than one resource has.
#[derive(Debug, Default)]
pub(crate) struct Scopes {
    /// The anchors of each resource, by its name, with their schemas.
    resources: HashMap<String, Vec<(String, Loc)>>,
}

/// The target of a dynamic reference.
#[derive(Debug)]
pub(crate) struct Dynamic {
    pub(crate) first: Loc,
    /// The anchor, if the dynamic scope matters; if `None`, the reference acts as a `$ref`.
    pub(crate) anchor: Option<String>,
}

/// The name for `$recursiveAnchor`, which has none.
const RECURSIVE: &str = "";

impl Scopes {
    pub(crate) fn new(schemas: &Schemas) -> Self {
        let mut anchors: BTreeMap<&str, BTreeMap<&str, &Loc>> = BTreeMap::new();
        for base in schemas.dynamic_anchors.keys() {
            // the schemas of unused documents are removed already
            for (name, loc) in schemas.dynamic_anchors(base).filter(|(_, loc)| schemas.infos.contains_key(loc)) {
                anchors.entry(name).or_default().insert(base, loc);
            }
        }
        for loc in schemas.recursive_anchors.iter().filter(|loc| schemas.infos.contains_key(loc)) {
            let base = schemas.base(loc);
            if schemas.resource(base) == Some(loc) {
                anchors.entry(RECURSIVE).or_default().insert(base, loc);
            }
        }
        let asked: BTreeSet<String> =
            schemas.dynamic.keys().filter_map(|loc| initial(schemas, loc)).filter_map(|(_, anchor)| anchor).collect();
        let mut resources: HashMap<String, Vec<(String, Loc)>> = HashMap::new();
        for (name, all) in anchors.into_iter().filter(|(name, all)| asked.contains(*name) && all.len() > 1) {
            for (base, loc) in all {
                resources.entry(base.to_owned()).or_default().push((name.to_owned(), loc.clone()));
            }
        }
        Self { resources }
    }

    /// Returns the anchors of a resource that may change the target of a dynamic reference.
    pub(crate) fn of_resource(&self, base: &str) -> &[(String, Loc)] {
        self.resources.get(base).map_or(&[], Vec::as_slice)
    }

    /// Returns whether entering `first` before `second` leaves the dynamic scope unchanged.
    pub(crate) fn are_alike(&self, schemas: &Schemas, first: &Loc, second: &Loc) -> bool {
        let base = schemas.base(first);
        base == schemas.base(second) || !self.resources.contains_key(base)
    }

    /// Returns the target of `$dynamicRef` or `$recursiveRef`.
    pub(crate) fn dynamic(&self, schemas: &Schemas, loc: &Loc) -> Option<Dynamic> {
        let (first, anchor) = initial(schemas, loc)?;
        let matters = |anchor: &String| self.resources.values().flatten().any(|(name, _)| name == anchor);
        Some(Dynamic { first, anchor: anchor.filter(matters) })
    }
}

/// Returns the initial target of a reference, and the anchor that may replace it.
fn initial(schemas: &Schemas, loc: &Loc) -> Option<(Loc, Option<String>)> {
    let target = schemas.dynamic.get(loc)?.clone();
    if schemas.draft(loc).has("$recursiveRef") {
        let anchor = schemas.recursive_anchor(&target).then(|| RECURSIVE.to_owned());
        return Some((target, anchor));
    }
    // only a dynamic anchor counts, not a pointer or an `$anchor`
    let fragment = uri::decoded(uri::split(schemas.node(loc)?.get("$dynamicRef")?.str()?).1)?;
    let anchor = schemas.dynamic_anchors(schemas.base(&target)).find(|(name, at)| *name == fragment && **at == target);
    let anchor = anchor.map(|(name, _)| name.to_owned());
    Some((target, anchor))
}
