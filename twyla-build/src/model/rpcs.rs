//! RPCs: the types of their requests, responses and errors.

use std::collections::HashSet;

use twyla_contract::RpcName;

use super::reader::{Reader, docs};
use super::types::{Body, Carried, Method, Shape, Type, TypeId};
use crate::schema::check::allows_object;
use crate::schema::load::Way;
use crate::schema::names;
use crate::schema::rpcs;
use crate::schema::schemas::Loc;

/// The paths in the generated code that aren't those of the model's types.
pub(super) fn taken(rpcs: &[Method]) -> HashSet<String> {
    let aliases = |method: &Method| {
        let names = method.carries().filter_map(|(_, carried)| carried.alias.clone());
        names.map(|name| format!("{}::{name}", method.module)).collect::<Vec<_>>()
    };
    rpcs.iter().flat_map(|method| aliases(method).into_iter().chain([method.path()])).collect()
}

impl Reader<'_> {
    /// The RPCs, sorted by name.
    pub(super) fn rpcs(&mut self) -> Vec<Method> {
        let schemas = self.schemas;
        let all = rpcs::all(schemas).into_iter().filter_map(|(name, files)| {
            let file = |way| files.get(&way).copied();
            let (request, response) = (file(Way::Request)?, file(Way::Response)?);
            Some(Method {
                name: name.clone(),
                module: names::service(name),
                type_: names::type_(name.method()),
                docs: docs(self.node(&Loc::root(request))),
                idempotent: rpcs::idempotent(&schemas.files[request]),
                request: self.carried(name, Way::Request, request),
                response: self.carried(name, Way::Response, response),
                error: file(Way::Error).map(|error| self.carried(name, Way::Error, error)),
            })
        });
        all.collect()
    }

    pub(super) fn carried(&mut self, name: &RpcName, way: Way, file: usize) -> Carried {
        let loc = Loc::root(file);
        let place = self.place(&loc);
        if let Some(type_) = self.only_refers(&loc) {
            let alias = format!("{}{}", names::type_(name.method()), names::type_(way.name()));
            return Carried { type_, place, alias: Some(alias) };
        }
        let type_ = if way == Way::Response && self.is_no_object(&loc) { self.whatever(&loc) } else { self.root(file) };
        Carried { type_, place, alias: None }
    }

    /// The type of another schema, where this one refers to that and says nothing more.
    fn only_refers(&mut self, loc: &Loc) -> Option<TypeId> {
        if !self.schemas.refs.contains_key(loc) || self.extends(loc) || self.dynamic.contains(loc) {
            return None;
        }
        let held = self.held(loc);
        let Shape::Named(type_) = held.shape else { return None };
        let is_object = !matches!(self.types.get(type_)?, Some(Type { body: Body::Enum { .. }, .. }));
        (is_object && held.checks.is_empty() && held.trees.is_empty()).then_some(type_)
    }

    /// Whether the schema allows something else than objects, and says so.
    pub(super) fn is_no_object(&self, loc: &Loc) -> bool {
        let at = self.referred(loc);
        self.kinds(&at).is_some_and(|kinds| kinds != ["object"]) || !allows_object(self.schemas, &at)
    }

    /// A type around a value that is no object, or need not be one.
    fn whatever(&mut self, loc: &Loc) -> TypeId {
        let root = loc.clone();
        self.type_at(loc, Vec::new(), move |reader| {
            reader.leave_dynamic(&root);
            Body::Map(reader.held(&root))
        })
    }
}
