//! The statics of schema resources whose anchors decide where a dynamic reference leads.

use std::collections::HashMap;

use proc_macro2::Ident;
use quote::format_ident;

use crate::schema::schemas::{Loc, Schemas};
use crate::schema::scope::Scopes;

/// The schema resources that the generated code refers to.
#[derive(Default)]
pub(super) struct Resources {
    /// The number of each static, by the name of its resource.
    numbers: HashMap<String, usize>,
    /// The resources whose static is still to be written.
    open: Vec<String>,
}

impl Resources {
    /// Returns the static of the resource that contains a schema; `None` if no dynamic reference depends on its anchors.
    pub(super) fn of(&mut self, scopes: &Scopes, schemas: &Schemas, loc: &Loc) -> Option<Ident> {
        let base = schemas.base(loc);
        if scopes.of_resource(base).is_empty() {
            return None;
        }
        if let Some(number) = self.numbers.get(base) {
            return Some(name(*number));
        }
        let number = self.numbers.len();
        self.numbers.insert(base.to_owned(), number);
        self.open.push(base.to_owned());
        Some(name(number))
    }

    /// Returns the next static to write, with the anchors of its resource.
    pub(super) fn next(&mut self, scopes: &Scopes) -> Option<(Ident, Vec<(String, Loc)>)> {
        let base = self.open.pop()?;
        Some((name(*self.numbers.get(&base)?), scopes.of_resource(&base).to_vec()))
    }
}

/// Returns the name of a resource's static.
fn name(number: usize) -> Ident {
    format_ident!("RESOURCE_{number}")
}
