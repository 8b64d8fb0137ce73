//! Lowers schemas to formulas, which no longer depend on the draft.
//!
//! `combined` has the keywords that apply further schemas to the same value, `members` and `items` those of objects and
//! arrays, `unevaluated` those for members and items that no other keyword has evaluated, and `values` constants and
//! the rules of single values.

mod combined;
mod items;
mod members;
mod unevaluated;
mod values;

use std::collections::HashMap;
use std::rc::Rc;

use super::formula::{Atom, Formulas, Index, Lit};
use super::gather;
use super::tables::{Opaque, Tables};
use crate::json_type::{JsonType, JsonTypes};
use crate::schema::draft::Draft;
use crate::schema::load::{Json, Node};
use crate::schema::path::SchemaPath;
use crate::schema::schemas::{Info, Loc, Schemas};
use crate::schema::scope::Scopes;

/// The maximum depth of nested schemas, with all references followed.
const DEEPEST: usize = 5_000;

/// The maximum number of opaque rules (rules that the comparison can't decide) of one side that are compared by content. The
/// content has every schema that the rule reaches, so it is costly. Beyond the maximum, a rule counts as different from every
/// rule of the other side.
const MOST_CONTENTS: usize = 16;

/// The dynamic scope of a schema: each anchor with the outermost schema of its name.
type Anchors = Rc<[(String, Loc)]>;

/// Lowers the schemas of one side to formulas.
pub(crate) struct Lowering<'a> {
    pub(super) schemas: &'a Schemas,
    pub(super) formulas: &'a mut Formulas,
    pub(super) tables: &'a mut Tables,
    scopes: Scopes,
    /// The number of this side, which identifies its opaque rules that aren't compared by content.
    side: usize,
    /// The number of opaque rules that may still be identified by content.
    contents: usize,
    done: HashMap<(Loc, Anchors), Lit>,
    /// The schemas being lowered, each with a reference to its formula once one of its parts leads back to the schema.
    open: HashMap<(Loc, Anchors), Option<(Index, Lit)>>,
}

/// A schema being lowered.
pub(super) struct SchemaView<'n> {
    pub(super) loc: &'n Loc,
    pub(super) node: &'n Node,
    pub(super) draft: Draft,
    pub(super) way: &'n Anchors,
    /// `None` for a schema that isn't registered.
    info: Option<&'n Info>,
}

impl<'n> SchemaView<'n> {
    pub(super) fn new(schemas: &'n Schemas, loc: &'n Loc, node: &'n Node, way: &'n Anchors) -> Self {
        let info = schemas.infos.get(loc);
        Self { loc, node, draft: info.map_or_else(|| schemas.default_draft(), |info| info.draft), way, info }
    }

    /// Returns the value of a keyword, if the schema's draft and vocabularies have it.
    pub(super) fn get(&self, keyword: &str) -> Option<&'n Node> {
        let is_known = || self.info.map_or_else(|| self.draft.has(keyword), |info| info.knows(keyword));
        self.node.get(keyword).filter(|_| is_known())
    }

    pub(super) fn at(&self, keyword: &str) -> Loc {
        self.loc.step(keyword)
    }

    pub(super) fn is_true(&self, keyword: &str) -> bool {
        self.get(keyword).is_some_and(|node| matches!(node.json, Json::Bool(true)))
    }
}

impl<'a> Lowering<'a> {
    pub(crate) fn new(schemas: &'a Schemas, formulas: &'a mut Formulas, tables: &'a mut Tables) -> Self {
        let (scopes, side) = (Scopes::new(schemas), tables.side());
        let (done, open) = (HashMap::new(), HashMap::new());
        Self { schemas, formulas, tables, scopes, side, contents: MOST_CONTENTS, done, open }
    }

    /// Returns the formula of a schema.
    pub(crate) fn root(&mut self, loc: &Loc) -> Lit {
        self.schema(loc, &Anchors::from([]))
    }

    pub(super) fn schema(&mut self, loc: &Loc, way: &Anchors) -> Lit {
        self.read(loc, self.schemas.node(loc), way)
    }

    /// Returns the formula of a schema whose JSON is `node`; without JSON it holds for every value.
    pub(super) fn read(&mut self, loc: &Loc, node: Option<&Node>, way: &Anchors) -> Lit {
        let Some(node) = node else { return Lit::TRUE };
        if let Json::Bool(holds) = node.json {
            return if holds { Lit::TRUE } else { Lit::FALSE };
        }
        let way = self.farther(loc, way);
        let key = (loc.clone(), way);
        if let Some(done) = self.done.get(&key) {
            return *done;
        }
        if let Some(open) = self.open.get_mut(&key) {
            let (_, lit) = *open.get_or_insert_with(|| self.formulas.reference());
            return lit;
        }
        if self.open.len() > DEEPEST {
            return self.opaque_schema(loc, "", &key.1, format!("schemas are nested more than {DEEPEST} levels deep"));
        }
        self.open.insert(key.clone(), None);
        let schema = SchemaView::new(self.schemas, loc, node, &key.1);
        let lit = self.rules(&schema);
        if let Some(Some((reference, _))) = self.open.remove(&key) {
            self.formulas.lead(reference, lit);
        }
        self.done.insert(key, lit);
        lit
    }

    /// Extends the dynamic scope by the anchors of the schema's resource; outer anchors of the same name win.
    fn farther(&self, loc: &Loc, way: &Anchors) -> Anchors {
        let anchors = self.scopes.of_resource(self.schemas.base(loc));
        let is_new = |name: &str| !way.iter().any(|(known, _)| known == name);
        if !anchors.iter().any(|(name, _)| is_new(name)) {
            return way.clone();
        }
        let mut all: Vec<(String, Loc)> = way.to_vec();
        all.extend(anchors.iter().filter(|(name, _)| is_new(name)).cloned());
        all.sort();
        all.into()
    }

    fn rules(&mut self, schema: &SchemaView<'_>) -> Lit {
        let mut parts = Vec::new();
        let alone = schema.draft.ref_stands_alone() && self.schemas.refs.contains_key(schema.loc);
        if !alone {
            self.values(schema, &mut parts);
            self.items(schema, &mut parts);
            self.members(schema, &mut parts);
        }
        self.references(schema, &mut parts);
        if !alone {
            self.combined(schema, &mut parts);
            self.unevaluated(schema, &mut parts);
        }
        self.formulas.all(parts)
    }

    /// Returns an opaque atom. Atoms with the same identity are equal, wherever they are.
    pub(super) fn opaque(&mut self, loc: &Loc, keyword: &str, reason: String, identity: String) -> Lit {
        let at = if keyword.is_empty() { loc.clone() } else { loc.step(keyword) };
        let path = self.path(&at);
        let index = self.tables.opaque(Opaque { keyword: keyword.to_owned(), path, reason, identity });
        self.formulas.atom(Atom::Opaque(index))
    }

    /// Returns the opaque atom of a schema, or of one of its keywords. The same place may have another content on the
    /// other side, so the atoms of both sides are equal only if all schemas that they reach are equal.
    pub(super) fn opaque_schema(&mut self, loc: &Loc, keyword: &str, way: &Anchors, reason: String) -> Lit {
        let identity = match self.contents.checked_sub(1) {
            Some(rest) => {
                self.contents = rest;
                format!("{keyword} of {}", gather::content(self.schemas, loc, way))
            }
            None => format!("{keyword} of side {} {loc:?} {way:?}", self.side),
        };
        self.opaque(loc, keyword, reason, identity)
    }

    pub(super) fn path(&self, loc: &Loc) -> SchemaPath {
        SchemaPath::of(self.schemas, loc)
    }

    /// Returns the formula that requires `lit` of values of one type, and holds for all other values.
    pub(super) fn only(&mut self, type_: JsonType, lit: Lit) -> Lit {
        let is = self.formulas.types(JsonTypes::of(type_));
        self.formulas.implies(is, lit)
    }
}
