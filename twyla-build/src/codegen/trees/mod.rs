//! Rule trees: schemas as static data, which the runtime evaluates for values whose types can't express all rules.
//!
//! Each schema that a tree needs becomes one `static`; statics may refer to each other in cycles. The runtime has one set of
//! rules: the differences between drafts end here. [`lower`] turns keywords into rules, [`literal`] writes numbers and
//! constants, and [`resources`] names the resources that dynamic references depend on.

use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::schema::draft::{HOLDERS, is_annotation};
use crate::schema::load::{Json, Node};
use crate::schema::schemas::{Loc, Schemas};
use crate::schema::scope::Scopes;

mod literal;
mod lower;
mod resources;
#[cfg(test)]
mod tests;

use resources::Resources;

/// The keywords of a schema that are in force; `None` means all.
type KeywordFilter = Option<Vec<String>>;

/// The schemas that need rule trees.
pub(crate) struct Trees<'a> {
    schemas: &'a Schemas,
    scopes: Scopes,
    resources: Resources,
    /// Whether any schema has `unevaluatedProperties` or `unevaluatedItems`.
    notes: bool,
    names: HashMap<(Loc, KeywordFilter), Ident>,
    /// The statics without subschemas, by content: `{"type": "string"}` exists once.
    leaves: HashMap<String, Ident>,
    /// The statics that are named but not yet lowered.
    open: Vec<(Ident, Loc, KeywordFilter)>,
    /// The patterns that rules refer to, as written.
    patterns: HashMap<String, Ident>,
    /// The finished statics, each with its name.
    done: Vec<(String, TokenStream)>,
    count: usize,
}

impl<'a> Trees<'a> {
    pub(crate) fn new(schemas: &'a Schemas) -> Self {
        let unevaluated = |loc: &Loc| {
            let node = schemas.node(loc);
            let has = |keyword| node.is_some_and(|node| node.get(keyword).is_some());
            has("unevaluatedProperties") || has("unevaluatedItems")
        };
        Self {
            schemas,
            scopes: Scopes::new(schemas),
            resources: Resources::default(),
            notes: schemas.infos.keys().any(unevaluated),
            names: HashMap::new(),
            leaves: HashMap::new(),
            open: Vec::new(),
            patterns: HashMap::new(),
            done: Vec::new(),
            count: 0,
        }
    }

    /// Returns the name of the static of a schema.
    pub(crate) fn whole(&mut self, loc: &Loc) -> Ident {
        let target = self.behind(loc);
        self.named(target, None)
    }

    /// Returns the name of the static of a schema with only these keywords in force. They still depend on the others:
    /// `additionalProperties` knows the names in `properties`, `unevaluatedItems` what `anyOf` evaluates.
    pub(crate) fn only(&mut self, loc: &Loc, keywords: &[&str]) -> Ident {
        let mut keywords: Vec<String> = keywords.iter().map(|keyword| (*keyword).to_owned()).collect();
        keywords.sort();
        keywords.dedup();
        self.named(loc.clone(), Some(keywords))
    }

    /// Returns the statics of the rule trees, for a module beside the patterns' module. `pattern` returns the name of a pattern's
    /// static.
    pub(crate) fn statics(mut self, mut pattern: impl FnMut(&str) -> Ident) -> Vec<TokenStream> {
        self.settle();
        if self.done.is_empty() {
            return Vec::new();
        }
        let mut out = vec![quote!(
            use ::twyla_runtime::__private::schema::*;
        )];
        let mut used: Vec<_> = self.patterns.into_iter().collect();
        used.sort();
        for (written, name) in used {
            let pattern = pattern(&written);
            out.push(quote!(use super::__patterns::#pattern as #name;));
        }
        // in the order of their names, not of lowering
        self.done.sort_by_key(|(name, _)| (name.len(), name.clone()));
        out.extend(self.done.into_iter().map(|(_, code)| code));
        out
    }

    /// Lowers all named statics.
    fn settle(&mut self) {
        // a resource may refer to further schemas, and these to further resources
        loop {
            while let Some((name, loc, only)) = self.open.pop() {
                let rules = self.rules(&loc, only.as_deref());
                self.write(&name, &loc, &rules);
            }
            match self.resources.next(&self.scopes) {
                Some((name, anchors)) => {
                    let anchors = anchors.into_iter().map(|(anchor, loc)| {
                        let schema = self.named(loc, None);
                        quote!((#anchor, &#schema))
                    });
                    let anchors: Vec<_> = anchors.collect();
                    let code = quote!(pub static #name: Resource = Resource { anchors: &[#(#anchors),*] };);
                    self.done.push((name.to_string(), code));
                }
                None => return,
            }
        }
    }

    fn write(&mut self, name: &Ident, loc: &Loc, rules: &[TokenStream]) {
        let schema = match self.resources.of(&self.scopes, self.schemas, loc) {
            Some(resource) => {
                quote!(Schema { rules: &[#(#rules),*], resource: ::std::option::Option::Some(&#resource) })
            }
            None => quote!(Schema::new(&[#(#rules),*])),
        };
        self.done.push((name.to_string(), quote!(pub static #name: Schema = #schema;)));
    }

    fn named(&mut self, loc: Loc, only: KeywordFilter) -> Ident {
        if let Some(name) = self.names.get(&(loc.clone(), only.clone())) {
            return name.clone();
        }
        let leads = self.schemas.node(&loc).is_some_and(leads);
        let name = if leads || self.resources.of(&self.scopes, self.schemas, &loc).is_some() {
            let name = self.fresh();
            self.open.push((name.clone(), loc.clone(), only.clone()));
            name
        } else {
            let rules = self.rules(&loc, only.as_deref());
            self.leaf(&rules)
        };
        self.names.insert((loc, only), name.clone());
        name
    }

    fn leaf(&mut self, rules: &[TokenStream]) -> Ident {
        let text = quote!(#(#rules),*).to_string();
        if let Some(name) = self.leaves.get(&text) {
            return name.clone();
        }
        let name = self.fresh();
        self.done.push((name.to_string(), quote!(pub static #name: Schema = Schema::new(&[#(#rules),*]);)));
        self.leaves.insert(text, name.clone());
        name
    }

    fn fresh(&mut self) -> Ident {
        let name = format_ident!("RULES_{}", self.count);
        self.count += 1;
        name
    }

    fn pattern(&mut self, written: &str) -> Ident {
        let next = self.patterns.len();
        self.patterns.entry(written.to_owned()).or_insert_with(|| format_ident!("RULES_PATTERN_{next}")).clone()
    }

    /// Returns the schema itself, or the final target if it has no rule but a `$ref`.
    fn behind(&self, loc: &Loc) -> Loc {
        let mut loc = loc.clone();
        // cycles are reported elsewhere; stop here
        for _ in 0..1000 {
            let Some(target) = self.schemas.refs.get(&loc) else { break };
            if !self.has_only_ref(&loc) || !self.scopes.are_alike(self.schemas, &loc, target) {
                break;
            }
            loc = target.clone();
        }
        loc
    }

    fn has_only_ref(&self, loc: &Loc) -> bool {
        let node = self.schemas.node(loc);
        self.schemas.draft(loc).ref_stands_alone()
            || node.is_some_and(|node| {
                let rules = |key: &str| self.schemas.knows(loc, key) && !is_annotation(key);
                node.members().iter().all(|member| member.key == "$ref" || !rules(&member.key))
            })
    }
}

/// Returns whether a schema has subschemas or references.
fn leads(node: &Node) -> bool {
    let holds = |key: &str| HOLDERS.iter().any(|(name, _)| *name == key) || key.ends_with("Ref") || key == "$ref";
    matches!(&node.json, Json::Object(members) if members.iter().any(|member| holds(&member.key)))
}
