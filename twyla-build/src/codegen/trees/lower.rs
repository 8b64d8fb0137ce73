//! Turns keywords of any draft into rules.

use std::borrow::Cow;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use super::{Trees, literal};
use crate::schema::draft::{Draft, HOLDERS, Subschemas};
use crate::schema::load::{Json, Node, size, steps};
use crate::schema::schemas::{Loc, Schemas};

/// A schema that is turned into rules.
struct LoweredSchema<'n> {
    schemas: &'n Schemas,
    loc: &'n Loc,
    node: &'n Node,
    draft: Draft,
    only: Option<&'n [String]>,
}

impl<'n> LoweredSchema<'n> {
    /// Returns the value of a keyword, if the schema's draft and vocabularies have it.
    fn get(&self, keyword: &str) -> Option<&'n Node> {
        self.node.get(keyword).filter(|_| self.schemas.knows(self.loc, keyword))
    }

    fn is_in_force(&self, keyword: &str) -> bool {
        self.only.is_none_or(|only| only.iter().any(|one| one == keyword))
    }

    /// Returns the value of a keyword that is in force.
    fn rule(&self, keyword: &str) -> Option<&'n Node> {
        self.get(keyword).filter(|_| self.is_in_force(keyword))
    }

    /// Returns the value of a keyword that is in force, or that is needed only for what its subschemas evaluate.
    fn evaluates(&self, keyword: &str) -> Option<&'n Node> {
        self.get(keyword).filter(|_| {
            let asks = |unevaluated| self.rule(unevaluated).is_some();
            self.is_in_force(keyword) || asks("unevaluatedProperties") || asks("unevaluatedItems")
        })
    }

    fn number(&self, keyword: &str) -> Option<&'n str> {
        match &self.rule(keyword)?.json {
            Json::Number(text) => Some(text),
            _ => None,
        }
    }

    fn at(&self, keyword: &str) -> Loc {
        self.loc.step(keyword)
    }
}

impl Trees<'_> {
    /// Returns the rules of a schema: cheap ones first, those that depend on others last.
    pub(super) fn rules(&mut self, loc: &Loc, only: Option<&[String]>) -> Vec<TokenStream> {
        let mut out = Vec::new();
        let schemas = self.schemas;
        let Some(node) = schemas.node(loc) else { return out };
        if let Json::Bool(holds) = node.json {
            let keyword = holder(loc);
            out.extend((!holds).then(|| quote!(Rule::Never(#keyword))));
            return out;
        }
        let schema = LoweredSchema { schemas, loc, node, draft: schemas.draft(loc), only };
        let alone = schema.draft.ref_stands_alone() && self.schemas.refs.contains_key(loc);
        if !alone {
            self.one_value(&schema, &mut out);
            self.sizes(&schema, &mut out);
            self.array(&schema, &mut out);
            self.object(&schema, &mut out);
        }
        self.references(&schema, &mut out);
        if !alone {
            self.combinations(&schema, &mut out);
            self.unevaluated(&schema, &mut out);
        }
        out
    }

    /// Adds the rules of a single value.
    fn one_value(&mut self, schema: &LoweredSchema<'_>, out: &mut Vec<TokenStream>) {
        if let Some(node) = schema.rule("type") {
            let types = match &node.json {
                Json::Array(items) => items.iter().filter_map(Node::str).collect(),
                _ => Vec::from_iter(node.str()),
            };
            let mut types = types.into_iter().filter_map(type_);
            if let Some(first) = types.next() {
                let types = types.fold(quote!(Types::#first), |all, one| quote!(#all.or(Types::#one)));
                out.push(quote!(Rule::Type(#types)));
            }
        }
        if let Some(node) = schema.rule("enum") {
            let choices = literal::choices(node.items().iter());
            out.push(quote!(Rule::Enum(&#choices)));
        }
        if let Some(node) = schema.rule("const") {
            let choices = literal::choices(std::iter::once(node));
            out.push(quote!(Rule::Const(&#choices)));
        }
        for (limit, exclusive, rule, exclusive_rule) in [
            ("minimum", "exclusiveMinimum", "Minimum", "ExclusiveMinimum"),
            ("maximum", "exclusiveMaximum", "Maximum", "ExclusiveMaximum"),
        ] {
            // in draft 4 the exclusive bound is a flag
            let flag = schema.get(exclusive).is_some_and(|node| matches!(node.json, Json::Bool(true)));
            let rule = format_ident!("{}", if flag { exclusive_rule } else { rule });
            if let Some(text) = schema.number(limit) {
                let number = literal::number(text);
                out.push(quote!(Rule::#rule(#number)));
            }
            if let Some(text) = schema.number(exclusive) {
                let (rule, number) = (format_ident!("{exclusive_rule}"), literal::number(text));
                out.push(quote!(Rule::#rule(#number)));
            }
        }
        if let Some(factor) = schema.number("multipleOf").and_then(literal::factor) {
            out.push(quote!(Rule::MultipleOf(#factor)));
        }
        if let Some(written) = schema.rule("pattern").and_then(Node::str) {
            let name = self.pattern(written);
            out.push(quote!(Rule::Pattern(&#name)));
        }
        if let Some(format) = schema.rule("format").and_then(Node::str)
            && let Some(variant) = self.schemas.format(schema.draft, format)
        {
            let variant = format_ident!("{variant}");
            out.push(quote!(Rule::Format(::twyla_runtime::__private::Format::#variant)));
        }
    }

    fn sizes(&self, schema: &LoweredSchema<'_>, out: &mut Vec<TokenStream>) {
        for (keyword, rule) in [
            ("minLength", "MinLength"),
            ("maxLength", "MaxLength"),
            ("minItems", "MinItems"),
            ("maxItems", "MaxItems"),
            ("minProperties", "MinProperties"),
            ("maxProperties", "MaxProperties"),
        ] {
            if let Some(limit) = size(schema.rule(keyword)) {
                let (rule, limit) = (format_ident!("{rule}"), Literal::u64_unsuffixed(limit));
                out.push(quote!(Rule::#rule(#limit)));
            }
        }
    }

    fn array(&mut self, schema: &LoweredSchema<'_>, out: &mut Vec<TokenStream>) {
        if schema.rule("uniqueItems").is_some_and(|node| matches!(node.json, Json::Bool(true))) {
            out.push(quote!(Rule::UniqueItems));
        }
        // the rules of the first items, and the rules of the items after them
        let (first, rest) = match schema.get("prefixItems") {
            Some(_) => ("prefixItems", "items"),
            None if schema.get("items").is_some_and(|node| matches!(node.json, Json::Array(_))) => {
                ("items", "additionalItems")
            }
            None => ("prefixItems", "items"),
        };
        let count = schema.get(first).map_or(0, |node| node.items().len());
        let marks = schema.rule("unevaluatedItems").is_some();
        if count > 0 && (schema.is_in_force(first) || marks) {
            let items = (0..count).map(|index| {
                if schema.is_in_force(first) {
                    self.whole(&schema.at(first).step(&index.to_string()))
                } else {
                    self.any()
                }
            });
            let items: Vec<_> = items.collect();
            out.push(quote!(Rule::PrefixItems(&[#(&#items),*])));
        }
        if schema.get(rest).is_some() && (schema.is_in_force(rest) || marks) {
            let items = if schema.is_in_force(rest) { self.whole(&schema.at(rest)) } else { self.any() };
            out.push(quote!(Rule::Items { from: #count, schema: &#items, keyword: #rest }));
        }
        let needed = schema.evaluates("contains").is_some()
            || schema.get("contains").is_some()
                && (schema.is_in_force("minContains") || schema.is_in_force("maxContains"));
        if needed {
            let min = Literal::u64_unsuffixed(size(schema.get("minContains")).unwrap_or(1));
            let max = option(size(schema.get("maxContains")).map(|max| {
                let max = Literal::u64_unsuffixed(max);
                quote!(#max)
            }));
            let evaluates = schema.draft >= Draft::Draft202012;
            let item = self.whole(&schema.at("contains"));
            out.push(quote!(Rule::Contains { schema: &#item, min: #min, max: #max, evaluates: #evaluates }));
        }
    }

    fn object(&mut self, schema: &LoweredSchema<'_>, out: &mut Vec<TokenStream>) {
        if let Some(node) = schema.rule("required") {
            let names: Vec<&str> = node.items().iter().filter_map(Node::str).collect();
            if !names.is_empty() {
                out.push(quote!(Rule::Required(&[#(#names),*])));
            }
        }
        self.members(schema, out);
        if schema.rule("propertyNames").is_some() {
            let names = self.whole(&schema.at("propertyNames"));
            out.push(quote!(Rule::PropertyNames(&#names)));
        }
        let (mut names, mut schemas) = (Vec::new(), Vec::new());
        for keyword in ["dependencies", "dependentRequired", "dependentSchemas"] {
            let Some(node) = schema.evaluates(keyword) else { continue };
            for member in node.members() {
                let key = &member.key;
                if let Json::Array(needed) = &member.value.json {
                    let needed = needed.iter().filter_map(Node::str);
                    names.extend(schema.is_in_force(keyword).then(|| quote!((#key, &[#(#needed),*]))));
                } else {
                    let then = self.whole(&schema.at(keyword).step(key));
                    schemas.push(quote!((#key, &#then)));
                }
            }
        }
        if !names.is_empty() {
            out.push(quote!(Rule::DependentRequired(&[#(#names),*])));
        }
        if !schemas.is_empty() {
            out.push(quote!(Rule::DependentSchemas(&[#(#schemas),*])));
        }
    }

    /// Lowers `properties`, `patternProperties` and `additionalProperties`.
    fn members(&mut self, schema: &LoweredSchema<'_>, out: &mut Vec<TokenStream>) {
        let marks = schema.rule("unevaluatedProperties").is_some();
        let others =
            schema.get("additionalProperties").is_some() && (schema.is_in_force("additionalProperties") || marks);
        let mut named = |keyword: &str| {
            let held = schema.is_in_force(keyword);
            let members = schema.get(keyword).filter(|_| held || others || marks).map_or(&[][..], Node::members);
            let mut members: Vec<_> = members.iter().map(|member| member.key.clone()).collect();
            members.sort();
            let members = members.into_iter().map(|key| {
                let schema = if held { self.whole(&schema.at(keyword).step(&key)) } else { self.any() };
                (key, schema)
            });
            members.collect::<Vec<_>>()
        };
        let (properties, patterns) = (named("properties"), named("patternProperties"));
        if properties.is_empty() && patterns.is_empty() && !others {
            return;
        }
        let properties = properties.into_iter().map(|(key, schema)| quote!((#key, &#schema)));
        let properties: Vec<_> = properties.collect();
        let patterns = patterns.into_iter().map(|(key, schema)| {
            let pattern = self.pattern(&key);
            quote!((&#pattern, &#schema))
        });
        let patterns: Vec<_> = patterns.collect();
        let others = option(others.then(|| {
            let held = schema.is_in_force("additionalProperties");
            let others = if held { self.whole(&schema.at("additionalProperties")) } else { self.any() };
            quote!(&#others)
        }));
        out.push(quote!(Rule::Members(&Members {
            properties: &[#(#properties),*],
            patterns: &[#(#patterns),*],
            others: #others
        })));
    }

    fn references(&mut self, schema: &LoweredSchema<'_>, out: &mut Vec<TokenStream>) {
        if schema.evaluates("$ref").is_some()
            && let Some(target) = self.schemas.refs.get(schema.loc)
        {
            let target = self.whole(target);
            out.push(quote!(Rule::Ref(&#target)));
        }
        for keyword in ["$dynamicRef", "$recursiveRef"] {
            if schema.evaluates(keyword).is_some()
                && let Some(reference) = self.scopes.dynamic(self.schemas, schema.loc)
            {
                let first = self.whole(&reference.first);
                out.push(match reference.anchor {
                    Some(anchor) => quote!(Rule::DynamicRef { anchor: #anchor, first: &#first }),
                    None => quote!(Rule::Ref(&#first)),
                });
            }
        }
    }

    fn combinations(&mut self, schema: &LoweredSchema<'_>, out: &mut Vec<TokenStream>) {
        for (keyword, rule) in [("allOf", "AllOf"), ("anyOf", "AnyOf"), ("oneOf", "OneOf")] {
            let Some(node) = schema.evaluates(keyword) else { continue };
            let rule = format_ident!("{rule}");
            let all: Vec<_> =
                (0..node.items().len()).map(|index| self.whole(&schema.at(keyword).step(&index.to_string()))).collect();
            out.push(quote!(Rule::#rule(&[#(&#all),*])));
        }
        if schema.rule("not").is_some() {
            let not = self.whole(&schema.at("not"));
            out.push(quote!(Rule::Not(&#not)));
        }
        let parts = ["if", "then", "else"].map(|keyword| schema.evaluates(keyword).is_some());
        if schema.get("if").is_some() && parts.contains(&true) {
            let branches = ["then", "else"].map(|keyword| {
                option(schema.get(keyword).is_some().then(|| {
                    let branch = self.whole(&schema.at(keyword));
                    quote!(&#branch)
                }))
            });
            // without `then` and `else`, `if` only marks members as evaluated
            if self.notes || schema.get("then").is_some() || schema.get("else").is_some() {
                let test = self.whole(&schema.at("if"));
                let [then, otherwise] = branches;
                out.push(quote!(Rule::If { test: &#test, then: #then, otherwise: #otherwise }));
            }
        }
    }

    fn unevaluated(&mut self, schema: &LoweredSchema<'_>, out: &mut Vec<TokenStream>) {
        for (keyword, rule) in
            [("unevaluatedItems", "UnevaluatedItems"), ("unevaluatedProperties", "UnevaluatedProperties")]
        {
            if schema.rule(keyword).is_some() {
                let (rule, others) = (format_ident!("{rule}"), self.whole(&schema.at(keyword)));
                out.push(quote!(Rule::#rule(&#others)));
            }
        }
    }

    /// Returns the name of the static that accepts every value.
    fn any(&mut self) -> Ident {
        self.leaf(&[])
    }
}

fn option(value: Option<TokenStream>) -> TokenStream {
    value.map_or_else(|| quote!(::std::option::Option::None), |value| quote!(::std::option::Option::Some(#value)))
}

fn type_(name: &str) -> Option<Ident> {
    let known = matches!(name, "null" | "boolean" | "integer" | "number" | "string" | "array" | "object");
    known.then(|| format_ident!("{}", name.to_uppercase()))
}

/// Returns the keyword that holds a schema.
fn holder(loc: &Loc) -> &'static str {
    let steps: Vec<String> = steps(&loc.pointer).map(Cow::into_owned).collect();
    let known = |step: Option<&String>, named: bool| {
        let step = step?;
        let many = |holds: &Subschemas| matches!(holds, Subschemas::Many | Subschemas::Named | Subschemas::OneOrMany);
        HOLDERS.iter().find(|(name, holds)| name == step && (!named || many(holds))).map(|(name, _)| *name)
    };
    let last = steps.len().checked_sub(1);
    let before = steps.len().checked_sub(2).and_then(|index| steps.get(index));
    known(before, true).or_else(|| known(last.and_then(|index| steps.get(index)), false)).unwrap_or("schema")
}
