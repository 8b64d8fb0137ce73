//! The types of the requests, responses and errors of RPCs.

use std::collections::HashSet;

use twyla_contract::RpcName;

use super::reader::{SchemaReader, docs};
use super::shape::{Shape, TypeId, ValueType};
use super::types::{Body, MessageType, Method, Type};
use crate::schema::check::allows_object;
use crate::schema::load::RpcMessage;
use crate::schema::names;
use crate::schema::rpcs;
use crate::schema::schemas::Loc;

/// Returns the paths in the generated code that belong to RPCs and their aliases.
pub(super) fn taken(rpcs: &[Method]) -> HashSet<String> {
    let aliases = |method: &Method| {
        let names = method.carries().filter_map(|(_, carried)| carried.alias.clone());
        names.map(|name| format!("{}::{name}", method.module)).collect::<Vec<_>>()
    };
    rpcs.iter().flat_map(|method| aliases(method).into_iter().chain([method.path()])).collect()
}

impl SchemaReader<'_> {
    /// Reads the RPCs, sorted by name.
    pub(super) fn rpcs(&mut self) -> Vec<Method> {
        let schemas = self.schemas;
        let all = rpcs::all(schemas).into_iter().filter_map(|(name, files)| {
            let file = |way| files.get(&way).copied();
            let (request, response) = (file(RpcMessage::Request)?, file(RpcMessage::Response)?);
            Some(Method {
                name: name.clone(),
                module: names::service(name),
                type_: names::type_(name.method()),
                docs: docs(self.node(&Loc::root(request))),
                idempotent: rpcs::idempotent(&schemas.files[request]),
                request: self.carried(name, RpcMessage::Request, request),
                response: self.carried(name, RpcMessage::Response, response),
                error: file(RpcMessage::Error).map(|error| self.carried(name, RpcMessage::Error, error)),
            })
        });
        all.collect()
    }

    pub(super) fn carried(&mut self, name: &RpcName, way: RpcMessage, file: usize) -> MessageType {
        let loc = Loc::root(file);
        let place = self.place(&loc);
        if let Some(type_) = self.only_refers(&loc) {
            let alias = format!("{}{}", names::type_(name.method()), names::type_(way.name()));
            return MessageType { type_, place, alias: Some(alias) };
        }
        let type_ =
            if way == RpcMessage::Response && self.is_no_object(&loc) { self.whatever(&loc) } else { self.root(file) };
        MessageType { type_, place, alias: None }
    }

    /// Returns the type of another schema if this one only refers to it.
    fn only_refers(&mut self, loc: &Loc) -> Option<TypeId> {
        if !self.schemas.refs.contains_key(loc) || self.extends(loc) || self.dynamic.contains(loc) {
            return None;
        }
        let held = self.of_body(loc);
        let Shape::Named(type_) = held.shape else { return None };
        let is_object = !matches!(self.types.get(type_)?, Some(Type { body: Body::Enum { .. }, .. }));
        (is_object && held.checks.is_empty() && held.trees.is_empty()).then_some(type_)
    }

    /// Returns the type of a whole message. It is never replaced, because a message needs the impls of a generated type.
    fn of_body(&mut self, loc: &Loc) -> ValueType {
        match self.held(loc) {
            ValueType { shape: Shape::Replaced(replaced), .. } => *replaced.held,
            held => held,
        }
    }

    /// Returns whether the schema explicitly allows values other than objects.
    pub(super) fn is_no_object(&self, loc: &Loc) -> bool {
        let at = self.referred(loc);
        self.kinds(&at).is_some_and(|kinds| kinds != ["object"]) || !allows_object(self.schemas, &at)
    }

    /// Adds a newtype for a response that may be another value than an object.
    fn whatever(&mut self, loc: &Loc) -> TypeId {
        let root = loc.clone();
        self.type_at(loc, Vec::new(), move |reader| {
            reader.leave_dynamic(&root);
            Body::Map(reader.held(&root))
        })
    }
}
