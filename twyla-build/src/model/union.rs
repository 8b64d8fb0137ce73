//! Unions: the values of `oneOf`, `anyOf` or several types become an enum with a variant for each, if they can be distinguished.
//!
//! The choice of a variant refuses no value that the schema allows: each value fits one variant at most. The only
//! exception: objects with the members of several variants are refused if they are nested so deep that reading them would
//! take too long.

use super::branches::Branches;
use super::discriminator::DiscriminatedObjects;
use super::integer::IntegerType;
use super::possible::Possible;
use super::reader::SchemaReader;
use super::shape::{Shape, ValueType};
use super::types::Body;
use super::variant::{Choice, Discriminator, Variant};
use super::words::WordList;
use crate::json_type::JsonType;
use crate::schema::names;
use crate::schema::schemas::Loc;

/// The source of a variant's type.
enum VariantSource {
    Branch(Loc),
    /// One of the types that a schema lists.
    Type(Loc, JsonType),
    Objects(DiscriminatedObjects),
    /// A list of words.
    Words(WordList),
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
                let objects = self.discriminated(loc, &branches, branches.of_type(JsonType::Object))?;
                self.leave_beside(loc, &branches, &objects);
                let id = self.type_at(loc, Vec::new(), move |reader| reader.objects(objects));
                ValueType::plain(Shape::Named(id))
            }
            [JsonType::String] => self.words(loc, &branches)?,
            [] | [_] => return None,
            _ => self.by_type(loc, branches)?,
        };
        Some(if nullable { ValueType::plain(Shape::Nullable(Box::new(held))) } else { held })
    }

    /// Reads a schema without a `type` whose combined schemas allow only one JSON type. Its rules become rule trees.
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

    /// Returns whether a schema allows only objects that can be distinguished.
    pub(super) fn is_union(&self, loc: &Loc) -> bool {
        if let Some(known) = self.unions.borrow().get(loc) {
            return *known;
        }
        let is_union = self.object_union(loc).is_some_and(|(branches, _)| !branches.possible.null);
        self.unions.borrow_mut().insert(loc.clone(), is_union);
        is_union
    }

    /// Reads an event's content or a context that is a union as a whole.
    pub(super) fn union_body(&mut self, loc: &Loc) -> Option<Body> {
        let (branches, objects) = self.object_union(loc)?;
        self.leave_beside(loc, &branches, &objects);
        Some(self.objects(objects))
    }

    fn object_union(&self, loc: &Loc) -> Option<(Branches<'a>, DiscriminatedObjects)> {
        let branches = self.branches(loc).filter(|it| it.possible.types() == [JsonType::Object])?;
        let objects = self.discriminated(loc, &branches, branches.of_type(JsonType::Object))?;
        Some((branches, objects))
    }

    /// Leaves the rules beside a union to a tree, unless the variants have them.
    fn leave_beside(&mut self, loc: &Loc, branches: &Branches<'_>, objects: &DiscriminatedObjects) {
        for rule in branches.beside.iter().filter(|_| objects.base.is_none()) {
            self.leave(loc, rule, format!("`{rule}` beside `{}`", branches.keyword));
        }
    }

    /// Reads a union by its JSON types.
    fn by_type(&mut self, loc: &Loc, branches: Branches<'a>) -> Option<ValueType> {
        let mut sources: Vec<(Vec<JsonType>, VariantSource)> = Vec::new();
        if branches.possible.is_of_all_types() {
            return None;
        }
        // `type` allows only integers, but a branch that allows fractions wouldn't check it
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
            let words = (type_ == JsonType::String).then(|| self.words_beside(&branches, &those)).flatten();
            if let Some(words) = words {
                sources.push((vec![type_], VariantSource::Words(words)));
                continue;
            }
            let [(only, possible)] = &those[..] else {
                let objects = (type_ == JsonType::Object).then(|| self.discriminated(loc, &branches, those)).flatten();
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

    /// Reads a schema with several types in `type`; `None` if it lists all types.
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
        let mut words = None;
        let alternative = |(_, source): &(Vec<JsonType>, VariantSource)| match source {
            VariantSource::Branch(at) => Some(at.clone()),
            _ => None,
        };
        let names = self.names_in_schemas(&sources.iter().map(alternative).collect::<Vec<_>>());
        for ((types, source), said) in sources.into_iter().zip(names) {
            let (held, branch) = match source {
                VariantSource::Branch(at) => (without_null(self.held(&at)), Some(at)),
                VariantSource::Type(at, type_) => (self.of_type(&at, type_), None),
                VariantSource::Objects(objects) => {
                    let id = self.type_named(loc, "Object", move |reader| reader.objects(objects));
                    (ValueType::plain(Shape::Named(id)), None)
                }
                VariantSource::Words(list) => {
                    words = Some((variants.len(), list));
                    continue;
                }
                VariantSource::Mixed(type_) => (self.mixed(loc, type_), None),
            };
            let name = said.unwrap_or_else(|| {
                let own = || branch.as_ref().and_then(|at| self.own_member(at));
                match (&types[..], held.shape.unreplaced()) {
                    (_, Shape::Format(real)) => real.variant().to_owned(),
                    ([JsonType::Number], Shape::Integer { .. }) => "Integer".to_owned(),
                    ([JsonType::Object], _) => own().unwrap_or_else(|| JsonType::Object.name().to_owned()),
                    ([only], _) => only.name().to_owned(),
                    _ => "Other".to_owned(),
                }
            });
            let choices = types.into_iter().map(Choice::Type).collect();
            variants.push(Variant { schema: branch, ..Variant::new(name, choices, held) });
        }
        if let [one, many] = &mut variants[..] {
            let shape = |variant: &Variant| variant.held.as_ref().map(|held| held.shape.clone());
            let has = |list: &Variant, item: &Variant| match shape(list) {
                Some(Shape::Array(inner)) => shape(item) == Some(inner.shape),
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
        if let Some((at, list)) = words {
            let of_words = self.word_variants(loc, list, &variants);
            variants.splice(at..at, of_words);
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

    /// Reads the values of one JSON type whose rules a rule tree checks.
    fn mixed(&mut self, loc: &Loc, type_: JsonType) -> ValueType {
        let possible = self.possible(loc);
        match type_ {
            JsonType::Object => self.object_named(loc, "Object"),
            type_ => ValueType::plain(shape_of(&possible, type_)),
        }
    }

    /// Reads only the objects of a schema, which may allow other values too. The members in `required` are required.
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

    /// Returns whether a schema lists several types in `type`, and has no keyword that combines schemas or lists values.
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

    fn objects(&mut self, objects: DiscriminatedObjects) -> Body {
        let DiscriminatedObjects { by, required, base, branches } = objects;
        let plain = |choices: &[Choice]| match (choices.first(), &by) {
            (Some(Choice::Word(word) | Choice::Has(word)), _) => word.clone(),
            (Some(Choice::Integer(value)), Discriminator::Member(member)) => format!("{member}_{value}"),
            (Some(Choice::Boolean(value)), Discriminator::Member(member)) => format!("{member}_{value}"),
            (Some(Choice::Type(type_)), _) => type_.name().to_owned(),
            _ => "Other".to_owned(),
        };
        // prefer a constant as the name: the events themselves contain it
        let unnamed = |(at, _, choices): &(Loc, Possible, Vec<Choice>)| {
            (!matches!(choices.first(), Some(Choice::Word(_)))).then(|| at.clone())
        };
        let said = self.names_in_schemas(&branches.iter().map(unnamed).collect::<Vec<_>>());
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
            Variant { schema: Some(at), ..Variant::new(name, choices, held) }
        });
        Body::Union { variants: variants.collect(), by }
    }
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
