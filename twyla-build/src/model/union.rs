//! Unions: the values of `oneOf`, `anyOf` or several types become an enum with a variant for each, if they can be distinguished.
//!
//! The choice of a variant refuses no value that the schema allows: each value fits one variant at most. Only objects with the
//! members of several variants are refused if they are in one another so often that reading them would take too long.

use std::collections::{BTreeSet, HashSet};

use super::integer::IntegerType;
use super::possible::{Possible, Values};
use super::reader::{SchemaReader, docs};
use super::types::{Body, Choice, Discriminator, JsonType, Shape, ValueType, Variant};
use crate::schema::load::{Json, Node, steps};
use crate::schema::names;
use crate::schema::schemas::Loc;
use crate::schema::type_names;

/// Limit of variants: the comparison of tags would be long.
const MOST_VARIANTS: usize = 500;

/// Limit of variants that are compared pairwise.
const MOST_PAIRS: usize = 100;

/// Of more members that may tell the variants apart, the first ones in alphabetical order are looked at.
const MOST_NAMES: usize = 100;

/// Limit of words in an enum, for the sake of the compiler.
const MOST_WORDS: usize = 1000;

/// A longer title, in characters, names no variant.
const MOST_OF_TITLE: usize = 40;

/// Limit of schemas that apply to one value.
const MOST_PARTS: usize = 100;

/// The schemas of `oneOf` or `anyOf`.
struct Branches<'a> {
    keyword: &'a str,
    /// The rules beside the keyword, without `type`.
    beside: Vec<&'a str>,
    /// Each schema with its possible values.
    all: Vec<(Loc, Possible)>,
    /// What the whole schema may allow.
    possible: Possible,
}

impl Branches<'_> {
    /// Returns the schemas that may allow values of a type.
    fn of_type(&self, type_: JsonType) -> Vec<(Loc, Possible)> {
        self.all.iter().filter(|(_, possible)| possible.has(type_)).cloned().collect()
    }
}

/// How objects are distinguished: the choices of each schema.
struct ToldApart {
    by: Discriminator,
    /// The members that the schema around requires of all.
    required: Vec<String>,
    /// The schema around, if the variants have its members too.
    base: Option<Loc>,
    branches: Vec<(Loc, Possible, Vec<Choice>)>,
}

/// Where the type of a variant comes from.
enum VariantSource {
    Branch(Loc),
    /// One of the types that a schema lists.
    Type(Loc, JsonType),
    Objects(ToldApart),
    /// Schemas of this type that nothing distinguishes.
    Mixed(JsonType),
}

impl<'a> SchemaReader<'a> {
    /// Reads `oneOf` or `anyOf` of values that can be distinguished.
    pub(super) fn union(&mut self, loc: &Loc) -> Option<ValueType> {
        let branches = self.branches(loc)?;
        let nullable = branches.possible.null && self.allows_null(loc)?;
        let held = match branches.possible.types()[..] {
            [JsonType::Object] => {
                let told_apart = self.told_apart(loc, &branches, branches.of_type(JsonType::Object))?;
                self.leave_beside(loc, &branches, &told_apart);
                let id = self.type_at(loc, Vec::new(), move |reader| reader.objects(told_apart));
                ValueType::plain(Shape::Named(id))
            }
            [JsonType::String] => self.words(loc, &branches)?,
            [] | [_] => return None,
            _ => self.by_type(loc, branches)?,
        };
        Some(if nullable { ValueType::plain(Shape::Nullable(Box::new(held))) } else { held })
    }

    /// Reads a schema without a `type` whose combined schemas allow one type alone: trees hold its rules.
    pub(super) fn of_one_type(&mut self, loc: &Loc) -> Option<ValueType> {
        let possible = self.possible(loc);
        let [type_] = possible.types()[..] else { return None };
        if self.dynamic.contains(loc) {
            return None;
        }
        let nullable = possible.null && self.allows_null(loc)?;
        if type_ == JsonType::Object {
            return Some(self.object(loc, nullable));
        }
        self.leave(loc, "", "rules without a `type`");
        let held = ValueType::plain(shape_of(&possible, type_));
        Some(if nullable { ValueType::plain(Shape::Nullable(Box::new(held))) } else { held })
    }

    /// Whether a schema allows only objects that can be distinguished.
    pub(super) fn is_union(&self, loc: &Loc) -> bool {
        if let Some(known) = self.unions.borrow().get(loc) {
            return *known;
        }
        let is_union = self.object_union(loc).is_some_and(|(branches, _)| !branches.possible.null);
        self.unions.borrow_mut().insert(loc.clone(), is_union);
        is_union
    }

    /// A whole content or context that is a union.
    pub(super) fn union_body(&mut self, loc: &Loc) -> Option<Body> {
        let (branches, told_apart) = self.object_union(loc)?;
        self.leave_beside(loc, &branches, &told_apart);
        Some(self.objects(told_apart))
    }

    fn object_union(&self, loc: &Loc) -> Option<(Branches<'a>, ToldApart)> {
        let branches = self.branches(loc).filter(|it| it.possible.types() == [JsonType::Object])?;
        let told_apart = self.told_apart(loc, &branches, branches.of_type(JsonType::Object))?;
        Some((branches, told_apart))
    }

    fn branches(&self, loc: &Loc) -> Option<Branches<'a>> {
        let rules: Vec<&str> = self.rules_of(loc).filter(|rule| *rule != "type").collect();
        let (keywords, beside): (Vec<&str>, Vec<&str>) =
            rules.into_iter().partition(|rule| matches!(*rule, "anyOf" | "oneOf"));
        let [keyword] = keywords[..] else { return None };
        if !beside.iter().all(|rule| matches!(*rule, "properties" | "required")) || self.dynamic.contains(loc) {
            return None;
        }
        let count = self.get(loc, keyword)?.items().len();
        if !(2..=MOST_VARIANTS).contains(&count) {
            return None;
        }
        let possible = self.possible(loc);
        if !beside.is_empty() && possible.types() != [JsonType::Object] {
            return None;
        }
        let all = self.listed(loc, keyword).map(|at| (self.possible(&self.referred(&at)), at));
        let all: Vec<(Loc, Possible)> = all.filter(|(it, _)| !it.is_none()).map(|(it, at)| (at, it)).collect();
        Some(Branches { keyword, beside, all, possible })
    }

    /// Leaves the rules beside a union to a tree, unless the variants have them.
    fn leave_beside(&mut self, loc: &Loc, branches: &Branches<'_>, told_apart: &ToldApart) {
        for rule in branches.beside.iter().filter(|_| told_apart.base.is_none()) {
            self.leave(loc, rule, format!("`{rule}` beside `{}`", branches.keyword));
        }
    }

    /// Reads a union by its JSON types.
    fn by_type(&mut self, loc: &Loc, branches: Branches<'a>) -> Option<ValueType> {
        let mut sources: Vec<(Vec<JsonType>, VariantSource)> = Vec::new();
        if branches.possible.is_of_all_types() {
            return None;
        }
        // `type` says that numbers are integers, and no branch would check it
        let has_fractions = |(_, it): &(Loc, Possible)| it.has(JsonType::Number) && !it.integral;
        if branches.possible.integral
            && branches.possible.has(JsonType::Number)
            && branches.all.iter().any(has_fractions)
        {
            return None;
        }
        let count = |type_: JsonType| branches.all.iter().filter(|(_, possible)| possible.has(type_)).count();
        for type_ in branches.possible.types() {
            let those = branches.of_type(type_);
            let [(only, possible)] = &those[..] else {
                let objects = (type_ == JsonType::Object).then(|| self.told_apart(loc, &branches, those)).flatten();
                sources.push((vec![type_], objects.map_or(VariantSource::Mixed(type_), VariantSource::Objects)));
                continue;
            };
            let types = possible.types();
            if types == [type_] {
                sources.push((types, VariantSource::Branch(only.clone())));
            } else if self.lists_types(only) && !self.replacer.replaces(self.schemas, only) {
                sources.push((vec![type_], VariantSource::Type(self.referred(only), type_)));
            } else if types.iter().all(|it| count(*it) == 1 && branches.possible.has(*it)) {
                if types.first() == Some(&type_) {
                    sources.push((types, VariantSource::Branch(only.clone())));
                }
            } else {
                sources.push((vec![type_], VariantSource::Mixed(type_)));
            }
        }
        if sources.len() < 2 {
            return None;
        }
        if sources.iter().any(|(_, source)| matches!(source, VariantSource::Mixed(_))) {
            self.leave(loc, branches.keyword, format!("`{}`", branches.keyword));
        }
        let at = loc.clone();
        let id = self.type_at(loc, Vec::new(), move |reader| reader.typed_variants(&at, sources));
        Some(ValueType::plain(Shape::Named(id)))
    }

    /// Reads `type` of several types; none if it lists all.
    pub(super) fn several_types(&mut self, loc: &Loc) -> Option<ValueType> {
        let of_names = Possible::of_types(self.kinds(loc).unwrap_or_default());
        if of_names.is_of_all_types() {
            return None;
        }
        let sources: Vec<_> =
            of_names.types().into_iter().map(|type_| (vec![type_], VariantSource::Type(loc.clone(), type_))).collect();
        let at = loc.clone();
        let id = self.type_at(loc, Vec::new(), move |reader| reader.typed_variants(&at, sources));
        Some(ValueType::plain(Shape::Named(id)))
    }

    fn typed_variants(&mut self, loc: &Loc, sources: Vec<(Vec<JsonType>, VariantSource)>) -> Body {
        let mut variants: Vec<Variant> = Vec::new();
        let alternative = |(_, source): &(Vec<JsonType>, VariantSource)| match source {
            VariantSource::Branch(at) => Some(at.clone()),
            _ => None,
        };
        let names = self.names_said(&sources.iter().map(alternative).collect::<Vec<_>>());
        for ((types, source), said) in sources.into_iter().zip(names) {
            let (held, branch) = match source {
                VariantSource::Branch(at) => (without_null(self.held(&at)), Some(at)),
                VariantSource::Type(at, type_) => (self.of_type(&at, type_), None),
                VariantSource::Objects(told_apart) => {
                    let id = self.type_named(loc, "Object", move |reader| reader.objects(told_apart));
                    (ValueType::plain(Shape::Named(id)), None)
                }
                VariantSource::Mixed(type_) => (self.mixed(loc, type_), None),
            };
            let name = said.unwrap_or_else(|| {
                let name = match (&types[..], held.shape.unreplaced()) {
                    (_, Shape::Format(real)) => real.variant(),
                    ([JsonType::Number], Shape::Integer { .. }) => "Integer",
                    ([only], _) => only.name(),
                    _ => "Other",
                };
                name.to_owned()
            });
            let choices = types.into_iter().map(Choice::Type).collect();
            variants.push(Variant { name, choices, schema: branch, held, boxed: false });
        }
        if let [one, many] = &mut variants[..] {
            let has = |list: &Variant, item: &Variant| match &list.held.shape {
                Shape::Array(inner) => inner.shape == item.held.shape,
                _ => false,
            };
            if has(many, one) {
                (one.name, many.name) = ("One".to_owned(), "Many".to_owned());
            }
        }
        let distinct = names::variants(&variants.iter().map(|variant| variant.name.clone()).collect::<Vec<_>>());
        for (variant, name) in variants.iter_mut().zip(distinct) {
            if let Some(at) = &variant.schema {
                self.alternatives.insert(at.clone(), name.clone());
            }
            variant.name = name;
        }
        Body::Union { by: Discriminator::JsonType, variants }
    }

    /// Reads the values of one JSON type under a schema that allows several.
    fn of_type(&mut self, loc: &Loc, type_: JsonType) -> ValueType {
        match type_ {
            JsonType::Null => ValueType::plain(Shape::Null),
            JsonType::Boolean => ValueType::plain(Shape::Boolean),
            JsonType::Number if self.kinds(loc).is_some_and(|kinds| kinds.contains(&"number")) => {
                self.of_format(loc, Self::number)
            }
            JsonType::Number => self.of_format(loc, Self::integer),
            JsonType::String => self.of_format(loc, Self::string),
            JsonType::Array => self.array(loc),
            JsonType::Object => self.object_named(loc, "Object"),
        }
    }

    /// The values of one JSON type that a tree holds to their rules.
    fn mixed(&mut self, loc: &Loc, type_: JsonType) -> ValueType {
        let possible = self.possible(loc);
        match type_ {
            JsonType::Object => self.object_named(loc, "Object"),
            type_ => ValueType::plain(shape_of(&possible, type_)),
        }
    }

    /// Reads the objects that a schema allows, whatever else it allows; they have all of the `required` members.
    fn only_objects(&mut self, loc: &Loc, required: Vec<String>) -> ValueType {
        let at = self.referred(loc);
        let id = self.type_at(loc, Vec::new(), move |reader| {
            reader.combinators(&at);
            reader.leave_constants(&at);
            let mut body = reader.struct_of(&at);
            if let Body::Struct { fields, .. } = &mut body {
                for field in fields.iter_mut().filter(|field| required.contains(&field.wire)) {
                    (field.required, field.default) = (true, None);
                }
            }
            body
        });
        ValueType::plain(Shape::Named(id))
    }

    /// Whether a schema lists types and combines no others.
    fn lists_types(&self, loc: &Loc) -> bool {
        let at = self.referred(loc);
        let combines = |rule: &str| {
            matches!(rule, "$ref" | "allOf" | "anyOf" | "oneOf" | "not" | "if" | "enum" | "const")
                || rule.starts_with("unevaluated")
        };
        !self.schemas.refs.contains_key(&at)
            && self.kinds(&at).is_some_and(|kinds| kinds.len() > 1)
            && !self.rules_of(&at).any(combines)
    }

    /// Returns the name that each alternative has in the schemas: its title, the name of the schema that it refers to, or that one's
    /// title. Titles that don't tell all of them apart name none.
    fn names_said(&self, alternatives: &[Option<Loc>]) -> Vec<Option<String>> {
        let title = |at: &Loc| {
            let title = self.node(at).get("title").and_then(Node::str).filter(|title| !title.trim().is_empty())?;
            names::readable(title).filter(|name| name.chars().count() <= MOST_OF_TITLE)
        };
        let name = |at: &Loc| title(at).or_else(|| self.referred_name(at)).or_else(|| title(&self.referred(at)));
        let names: Vec<Option<String>> = alternatives.iter().map(|at| at.as_ref().and_then(name)).collect();
        let mut seen = HashSet::new();
        if names.iter().flatten().all(|name| seen.insert(name)) {
            return names;
        }
        alternatives.iter().map(|at| self.referred_name(at.as_ref()?)).collect()
    }

    /// The name of the schema that one refers to.
    fn referred_name(&self, loc: &Loc) -> Option<String> {
        let target = self.schemas.refs.get(loc)?;
        let steps: Vec<_> = steps(&target.pointer).map(|step| step.into_owned()).collect();
        match &steps[..] {
            [.., holder, last] if matches!(holder.as_str(), "$defs" | "definitions" | "properties") => {
                Some(names::type_(last).trim_start_matches('_').to_owned()).filter(|name| !name.is_empty())
            }
            [] => Some(type_names::at(self.schemas, target).name),
            _ => None,
        }
    }

    /// Reads words: an enum if the possible ones are listed.
    fn words(&mut self, loc: &Loc, branches: &Branches<'a>) -> Option<ValueType> {
        let Values::Listed(all) = &branches.possible.strings else { return None };
        if all.len() > MOST_WORDS {
            return None;
        }
        let (mut words, mut known) = (Vec::new(), HashSet::new());
        let (mut docs_of, mut exact) = (Vec::new(), true);
        for (at, possible) in &branches.all {
            let target = self.referred(at);
            let only_words = self.rules_of(&target).all(|rule| matches!(rule, "const" | "enum" | "type"));
            exact &= only_words && !self.schemas.refs.contains_key(&target);
            let values = match (self.get(&target, "const"), self.get(&target, "enum")) {
                (Some(only), None) => std::slice::from_ref(only),
                (None, Some(values)) => values.items(),
                _ => &[],
            };
            let is_allowed = |word: &&str| matches!(&possible.strings, Values::Listed(words) if words.contains(*word));
            let mut seen = HashSet::new();
            let own = values.iter().filter_map(Node::str).filter(is_allowed);
            let own: Vec<&str> = own.filter(|word| seen.insert(*word)).collect();
            let said = [at, &target].into_iter().map(|at| docs(self.node(at))).find(|said| !said.is_empty());
            for word in &own {
                if !known.insert((*word).to_owned()) {
                    exact &= branches.keyword == "anyOf";
                } else if all.contains(*word) {
                    words.push((*word).to_owned());
                    docs_of.extend(said.clone().filter(|_| own.len() == 1).map(|said| ((*word).to_owned(), said)));
                }
            }
        }
        words.extend(all.iter().filter(|word| !known.contains(*word)).cloned());
        if words.is_empty() {
            return None;
        }
        if !exact {
            self.leave(loc, branches.keyword, format!("`{}`", branches.keyword));
        }
        let variants = names::variants(&words);
        let id = self.type_with(loc, Body::Enum { words, variants });
        if let Some(Some(type_)) = self.types.get_mut(id) {
            type_.word_docs = docs_of.into_iter().collect();
        }
        Some(ValueType::plain(Shape::Named(id)))
    }

    fn objects(&mut self, told_apart: ToldApart) -> Body {
        let ToldApart { by, required, base, branches } = told_apart;
        let plain = |choices: &[Choice]| match (choices.first(), &by) {
            (Some(Choice::Word(word) | Choice::Has(word)), _) => word.clone(),
            (Some(Choice::Integer(value)), Discriminator::Member(member)) => format!("{member}_{value}"),
            (Some(Choice::Boolean(value)), Discriminator::Member(member)) => format!("{member}_{value}"),
            (Some(Choice::Type(type_)), _) => type_.name().to_owned(),
            _ => "Other".to_owned(),
        };
        // a constant is what the events themselves call it
        let unnamed = |(at, _, choices): &(Loc, Possible, Vec<Choice>)| {
            (!matches!(choices.first(), Some(Choice::Word(_)))).then(|| at.clone())
        };
        let said = self.names_said(&branches.iter().map(unnamed).collect::<Vec<_>>());
        let named = said.into_iter().zip(&branches);
        let named = named.map(|(said, (_, _, choices))| said.unwrap_or_else(|| plain(choices)));
        let all = names::variants(&named.collect::<Vec<_>>());
        let variants = all.into_iter().zip(branches).map(|(name, (at, possible, choices))| {
            let held = match &base {
                Some(base) => self.object_on_base(&at, base),
                None if possible.types() == [JsonType::Object] => without_null(self.held(&at)),
                None => self.only_objects(&at, required.clone()),
            };
            self.alternatives.insert(at.clone(), name.clone());
            Variant { name, choices, schema: Some(at), held, boxed: false }
        });
        Body::Union { variants: variants.collect(), by }
    }

    /// How these schemas of objects are distinguished, if they are.
    fn told_apart(&self, loc: &Loc, around: &Branches<'_>, branches: Vec<(Loc, Possible)>) -> Option<ToldApart> {
        let is_typed = around.possible.types() == [JsonType::Object];
        if branches.len() < 2 || !branches.iter().all(|(_, it)| is_typed || it.types() == [JsonType::Object]) {
            return None;
        }
        let parts: Vec<Vec<Loc>> = branches.iter().map(|(at, _)| applied(self, at)).collect();
        let mut base = None;
        if !around.beside.is_empty() {
            // each variant has a field for the members that the rules beside are about
            let named = self.get(loc, "properties").map_or(&[][..], Node::members).iter().map(|member| &*member.key);
            let names: Vec<&str> = named.chain(self.required_at(loc)).collect();
            let declares = |parts: &Vec<Loc>| names.iter().all(|name| !self.members_at(parts, name).is_empty());
            if !parts.iter().all(declares) {
                if !parts.iter().all(|parts| self.fits_base(parts, loc)) {
                    return None;
                }
                base = Some(loc.clone());
            }
        }
        let by_member = self.by_member(loc, &parts).or_else(|| self.by_own_member(&parts));
        // values of `anyOf` may have the members of several
        let by_rules = || (around.keyword == "oneOf").then(|| self.by_required_member(loc, &parts)).flatten();
        let choices = by_member.or_else(by_rules)?;
        let (by, choices) = choices;
        let branches = branches.into_iter().zip(choices).map(|((at, possible), choices)| (at, possible, choices));
        let required = self.required_at(loc).map(str::to_owned).collect();
        Some(ToldApart { by, required, base, branches: branches.collect() })
    }

    /// The member whose values tell objects apart. Of several, it is the first in alphabetical order, words before other
    /// values: the order of the properties changes nothing.
    fn by_member(&self, loc: &Loc, parts: &[Vec<Loc>]) -> Option<(Discriminator, Vec<Vec<Choice>>)> {
        let first = parts.first()?;
        let names: BTreeSet<&str> = first
            .iter()
            .flat_map(|at| self.get(at, "properties").map_or(&[][..], Node::members))
            .map(|member| &*member.key)
            .collect();
        let around = [loc.clone()];
        let values = |parts: &[Loc], name: &str| {
            let is_required = parts.iter().chain(&around).any(|at| self.required_at(at).any(|it| it == name));
            let all = self.members_at(parts, name).into_iter().chain(self.members_at(&around, name));
            let possible = all.map(|at| self.possible(&at)).reduce(Possible::and);
            possible.filter(|possible| is_required && !possible.is_none())
        };
        let mut other = None;
        let candidates = names.into_iter().filter(|name| values(first, name).is_some());
        for name in candidates.take(MOST_NAMES) {
            let Some(all) = told_apart_by(parts.iter().map(|parts| values(parts, name))) else { continue };
            let by_words = all.iter().flatten().all(|choice| matches!(choice, Choice::Word(_)));
            if by_words {
                return Some((Discriminator::Member(name.to_owned()), all));
            }
            other = other.or_else(|| Some((Discriminator::Member(name.to_owned()), all)));
        }
        other
    }

    /// A required member of each that all others exclude; one schema may have none.
    fn by_own_member(&self, parts: &[Vec<Loc>]) -> Option<(Discriminator, Vec<Vec<Choice>>)> {
        if parts.len() > MOST_PAIRS {
            return None;
        }
        let mut choices = Vec::new();
        for (index, own) in parts.iter().enumerate() {
            let names: BTreeSet<&str> = own.iter().flat_map(|at| self.required_at(at)).collect();
            let others = || parts.iter().enumerate().filter(|(other, _)| *other != index);
            let found = names.into_iter().take(MOST_NAMES).find(|name| {
                !self.members_at(own, name).is_empty() && others().all(|(_, parts)| self.excludes(parts, name))
            });
            choices.push(Vec::from_iter(found.map(|name| Choice::Has(name.to_owned()))));
        }
        (choices.iter().filter(|choices| choices.is_empty()).count() <= 1)
            .then_some((Discriminator::OwnMember, choices))
    }

    /// A member that each requires and no other declares. Of objects with several such members, the rules choose one.
    fn by_required_member(&self, loc: &Loc, parts: &[Vec<Loc>]) -> Option<(Discriminator, Vec<Vec<Choice>>)> {
        if parts.len() > MOST_PAIRS || self.dynamic.contains(loc) {
            return None;
        }
        let requires = |parts: &[Loc], name: &str| parts.iter().any(|at| self.required_at(at).any(|it| it == name));
        let mut choices = Vec::new();
        for (index, own) in parts.iter().enumerate() {
            let names: BTreeSet<&str> = own.iter().flat_map(|at| self.required_at(at)).collect();
            let others = || parts.iter().enumerate().filter(|(other, _)| *other != index);
            let found = names.into_iter().take(MOST_NAMES).find(|name| {
                let is_others = |parts: &[Loc]| requires(parts, name) || !self.members_at(parts, name).is_empty();
                !self.members_at(own, name).is_empty() && !others().any(|(_, parts)| is_others(parts))
            });
            choices.push(vec![Choice::Has(found?.to_owned())]);
        }
        Some((Discriminator::RequiredMember(loc.clone()), choices))
    }

    /// Whether no object under these schemas has the member.
    pub(super) fn excludes(&self, parts: &[Loc], name: &str) -> bool {
        parts.iter().any(|at| {
            let own = self.get(at, "properties").and_then(|node| node.get(name));
            let is_closed =
                matches!(self.get(at, "additionalProperties").map(|node| &node.json), Some(Json::Bool(false)));
            let has_patterns = self.get(at, "patternProperties").is_some_and(|node| !node.members().is_empty());
            match own {
                Some(_) => self.possible(&at.step("properties").step(name)).is_none(),
                None => is_closed && !has_patterns,
            }
        })
    }

    /// The schemas that declare a member.
    pub(super) fn members_at(&self, parts: &[Loc], name: &str) -> Vec<Loc> {
        let declares = |at: &&Loc| self.get(at, "properties").is_some_and(|node| node.get(name).is_some());
        parts.iter().filter(declares).map(|at| at.step("properties").step(name)).collect()
    }

    /// The names in `required`.
    pub(super) fn required_at(&self, loc: &Loc) -> impl Iterator<Item = &'a str> + use<'a> {
        self.get(loc, "required").map_or(&[][..], Node::items).iter().filter_map(Node::str)
    }
}

/// The choices of each schema if no two have a value in common.
fn told_apart_by(all: impl Iterator<Item = Option<Possible>>) -> Option<Vec<Vec<Choice>>> {
    let mut before: Option<Possible> = None;
    let mut out = Vec::new();
    for possible in all {
        let possible = possible?;
        if before.as_ref().is_some_and(|before| !before.is_disjoint(&possible)) {
            return None;
        }
        out.push(choices(&possible)?);
        before = Some(match before {
            Some(before) => before.or(possible),
            None => possible,
        });
    }
    Some(out)
}

/// Returns the choices of a member with these values; none if one can't be expressed.
fn choices(possible: &Possible) -> Option<Vec<Choice>> {
    let mut out = Vec::new();
    match &possible.strings {
        Values::Listed(words) => out.extend(words.iter().cloned().map(Choice::Word)),
        Values::Any => out.push(Choice::Type(JsonType::String)),
    }
    match &possible.numbers {
        Values::Listed(values) => {
            let values: Option<Vec<i64>> = values.iter().map(|value| i64::try_from(*value).ok()).collect();
            out.extend(values?.into_iter().map(Choice::Integer));
        }
        Values::Any => out.push(Choice::Type(JsonType::Number)),
    }
    match &possible.booleans {
        Values::Listed(values) => out.extend(values.iter().copied().map(Choice::Boolean)),
        Values::Any => out.push(Choice::Type(JsonType::Boolean)),
    }
    let types = [JsonType::Null, JsonType::Array, JsonType::Object];
    out.extend(types.into_iter().filter(|type_| possible.has(*type_)).map(Choice::Type));
    (!out.is_empty()).then_some(out)
}

/// Returns the shape of values of one JSON type, apart from objects.
pub(super) fn shape_of(possible: &Possible, type_: JsonType) -> Shape {
    let any = || Box::new(ValueType::plain(Shape::Any));
    match type_ {
        JsonType::Null => Shape::Null,
        JsonType::Boolean => Shape::Boolean,
        JsonType::Number if possible.integral => {
            Shape::Integer { type_: IntegerType::I64, minimum: None, maximum: None }
        }
        JsonType::Number => Shape::Number,
        JsonType::String => Shape::String,
        JsonType::Array => Shape::Array(any()),
        JsonType::Object => Shape::Map(any()),
    }
}

/// Returns the type without null, which the union around it reads.
fn without_null(held: ValueType) -> ValueType {
    match held.shape {
        Shape::Nullable(mut inner) => {
            inner.checks.extend(held.checks);
            inner.trees.extend(held.trees);
            *inner
        }
        shape => ValueType { shape, ..held },
    }
}

/// Returns a schema, and those that apply to the same value by `$ref` and `allOf`.
pub(super) fn applied(reader: &SchemaReader<'_>, loc: &Loc) -> Vec<Loc> {
    let (mut seen, mut out, mut open) = (HashSet::from([loc.clone()]), Vec::new(), vec![loc.clone()]);
    while let Some(at) = open.pop().filter(|_| seen.len() <= MOST_PARTS) {
        let target = reader.schemas.refs.get(&at).cloned();
        // what stands beside such a reference has no effect
        let alone = target.is_some() && reader.schemas.draft(&at).ref_stands_alone();
        let mut next: Vec<Loc> = target.into_iter().collect();
        if !alone {
            next.extend(reader.listed(&at, "allOf"));
            out.push(at);
        }
        open.extend(next.into_iter().rev().filter(|at| seen.insert(at.clone())));
    }
    out
}
