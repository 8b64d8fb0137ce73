//! Rule trees: schemas as static data, which the runtime evaluates over values whose type doesn't tell everything.
//!
//! Each schema that is asked for, and each that it leads to, becomes one `static`; schemas may lead to one another in
//! circles. What drafts do differently ends here: the runtime knows one set of rules. [`lower`] makes rules of keywords,
//! [`literal`] writes numbers and constants, [`resources`] names the resources that dynamic references depend on.

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

/// The keywords that are in force of a schema; all where there is no list.
type Only = Option<Vec<String>>;

/// The schemas of which rule trees were asked for.
pub(crate) struct Trees<'a> {
    schemas: &'a Schemas,
    scopes: Scopes,
    resources: Resources,
    /// Whether any schema asks what is unevaluated.
    notes: bool,
    names: HashMap<(Loc, Only), Ident>,
    /// Those without subschemas, by what is in them: `{"type": "string"}` is there once.
    leaves: HashMap<String, Ident>,
    /// What was named and is not yet lowered.
    open: Vec<(Ident, Loc, Only)>,
    /// The patterns that rules refer to, as they are written.
    patterns: HashMap<String, Ident>,
    /// Each static with its name.
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

    /// The name of the static for the schema there.
    pub(crate) fn whole(&mut self, loc: &Loc) -> Ident {
        let target = self.behind(loc);
        self.named(target, None)
    }

    /// The name of the static for the schema there with only these keywords in force. What these are about is taken from
    /// the others: `additionalProperties` knows the names in `properties`, `unevaluatedItems` what `anyOf` evaluates.
    pub(crate) fn only(&mut self, loc: &Loc, keywords: &[&str]) -> Ident {
        let mut keywords: Vec<String> = keywords.iter().map(|keyword| (*keyword).to_owned()).collect();
        keywords.sort();
        keywords.dedup();
        self.named(loc.clone(), Some(keywords))
    }

    /// The statics, for a module beside the one with the patterns, whose names are asked for by what is written.
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
        // as they were named, and not as they came to be lowered
        self.done.sort_by_key(|(name, _)| (name.len(), name.clone()));
        out.extend(self.done.into_iter().map(|(_, code)| code));
        out
    }

    /// Lowers whatever was named.
    fn settle(&mut self) {
        // a resource may name further schemas, and these further resources
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

    fn named(&mut self, loc: Loc, only: Only) -> Ident {
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

    /// The schema that a place stands for: where it says no more than `$ref`, the one that this leads to.
    fn behind(&self, loc: &Loc) -> Loc {
        let mut loc = loc.clone();
        // a ring is reported elsewhere, and must only not go on for ever here
        for _ in 0..1000 {
            let Some(target) = self.schemas.refs.get(&loc) else { break };
            if !self.says_only_ref(&loc) || !self.scopes.are_alike(self.schemas, &loc, target) {
                break;
            }
            loc = target.clone();
        }
        loc
    }

    fn says_only_ref(&self, loc: &Loc) -> bool {
        let node = self.schemas.node(loc);
        self.schemas.draft(loc).ref_stands_alone()
            || node.is_some_and(|node| {
                let rules = |key: &str| self.schemas.knows(loc, key) && !is_annotation(key);
                node.members().iter().all(|member| member.key == "$ref" || !rules(&member.key))
            })
    }
}

/// Whether a schema leads to further ones.
fn leads(node: &Node) -> bool {
    let holds = |key: &str| HOLDERS.iter().any(|(name, _)| *name == key) || key.ends_with("Ref") || key == "$ref";
    matches!(&node.json, Json::Object(members) if members.iter().any(|member| holds(&member.key)))
}
