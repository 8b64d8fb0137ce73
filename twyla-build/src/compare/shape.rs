//! What generated types do beyond their schemas: which members they never send, and how wide their numbers are.
//!
//! A struct sends only the members that its schema declares, unless it keeps the others. Integers have 64 bits at most, numbers
//! are `f64`. Both are available as formulas, and as a check of one value.

use std::collections::HashMap;
use std::sync::Arc;

use num_bigint::BigInt;
use serde_json::Value;

use super::formula::{Atom, Index, Lit, Name};
use super::lower::Lowering;
use crate::decimal::Decimal;
use crate::json_type::{JsonType, JsonTypes};
use crate::model::{
    self, Body, Choice, Discriminator, Field, IntegerType, Others, Shape, Type, TypeId, ValueType, Variant,
};
use crate::schema::evaluate::{Evaluator, Outcome, Undecidable};
use crate::schema::load::step;
use crate::schema::schemas::{Loc, Schemas};

/// The types of a contract.
#[derive(Clone, Debug)]
pub(super) struct Types {
    types: Arc<[Type]>,
    /// The index of each field by its name in JSON, for each type.
    fields: Arc<[HashMap<String, usize>]>,
    root: ValueType,
}

/// A side of a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// The values that may be sent.
    Sends,
    /// The values that can be read.
    Reads,
}

/// A part of a value that the types can't hold, although the schema may allow it: its place, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UnrepresentablePart {
    pub(super) pointer: String,
    pub(super) rule: String,
}

impl UnrepresentablePart {
    fn new(rule: String) -> Option<Self> {
        Some(Self { pointer: String::new(), rule })
    }

    /// Prepends a step to the part's pointer.
    fn below(self, key: &str) -> Self {
        Self { pointer: step("", key) + &self.pointer, ..self }
    }
}

impl Types {
    pub(super) fn new(schemas: &Schemas, root: &Loc) -> Self {
        let (types, root) = model::one(schemas, root.file);
        Self { fields: indexes(&types), types: types.into(), root }
    }

    /// Returns the types of several contracts, each of which is a whole file; `None` for a contract whose types have to
    /// be read alone.
    pub(super) fn together(schemas: &Schemas, files: &[usize]) -> Vec<Option<Self>> {
        let (types, roots) = model::together(schemas, files);
        let (fields, types): (_, Arc<[Type]>) = (indexes(&types), types.into());
        let types = |root| Self { types: types.clone(), fields: fields.clone(), root };
        roots.into_iter().map(|root| root.map(types)).collect()
    }

    /// Returns the bodies of all types reachable from the root, breadth first, renumbered so that two models can be compared as
    /// text.
    #[cfg(test)]
    pub(super) fn written(&self) -> String {
        let (mut out, mut ids) = (String::new(), Vec::new());
        let mut open = std::collections::VecDeque::from([format!("{:?}", self.root)]);
        while let Some(text) = open.pop_front() {
            for (index, part) in text.replace("file: ", "Named(").split("Named(").enumerate() {
                let end = part.find(|c: char| !c.is_ascii_digit()).filter(|_| index > 0).unwrap_or(0);
                let (number, rest) = part.split_at(end);
                if rest.starts_with(')') {
                    let id: TypeId = number.parse().unwrap();
                    let at = ids.iter().position(|known| *known == id).unwrap_or_else(|| {
                        ids.push(id);
                        open.push_back(format!("{:?}", self.types[id].body));
                        ids.len() - 1
                    });
                    out.push_str(&format!("type {at}"));
                }
                out.push_str(rest);
            }
            out.push('\n');
        }
        out
    }

    /// Returns the field of a struct by its name in JSON.
    fn field<'a>(&self, id: TypeId, fields: &'a [Field], name: &str) -> Option<&'a Field> {
        fields.get(*self.fields.get(id)?.get(name)?)
    }

    fn get(&self, id: TypeId) -> Option<&Body> {
        self.types.get(id).map(|type_| &type_.body)
    }

    /// Returns the formula that the types add to their schema, for one side; `schemas` lowers the schemas of the types.
    pub(super) fn formula(&self, side: Side, schemas: &mut Lowering<'_>) -> Lit {
        ShapeLowering { types: self, side, schemas, done: HashMap::new(), open: HashMap::new() }.held(&self.root)
    }

    /// Finds a part of a valid value that can't be sent.
    pub(super) fn unsent(&self, value: &Value, evaluator: Evaluator<'_>) -> FirstPart {
        PartCheck { types: self, side: Side::Sends, evaluator }.unheld(&self.root, value)
    }

    /// Finds a part of a valid value that can't be read.
    pub(super) fn unread(&self, value: &Value, evaluator: Evaluator<'_>) -> FirstPart {
        PartCheck { types: self, side: Side::Reads, evaluator }.unheld(&self.root, value)
    }
}

fn indexes(types: &[Type]) -> Arc<[HashMap<String, usize>]> {
    let of = |type_: &Type| match &type_.body {
        // if several fields have one name, the first counts
        Body::Struct { fields, .. } => {
            fields.iter().enumerate().rev().map(|(index, field)| (field.wire.clone(), index)).collect()
        }
        _ => HashMap::new(),
    };
    types.iter().map(of).collect()
}

/// A part that the types can't hold, if there is one.
type FirstPart = Result<Option<UnrepresentablePart>, Undecidable>;

/// Returns the first result that has a part or is undecidable; otherwise `Ok(None)`.
fn first(mut all: impl Iterator<Item = FirstPart>) -> FirstPart {
    all.find(|found| !matches!(found, Ok(None))).unwrap_or(Ok(None))
}

/// Looks at one value for parts that the types can't hold.
struct PartCheck<'a> {
    types: &'a Types,
    side: Side,
    evaluator: Evaluator<'a>,
}

impl PartCheck<'_> {
    fn unheld(&self, held: &ValueType, value: &Value) -> FirstPart {
        let below =
            |held: &ValueType, value: &Value, key: &str| Ok(self.unheld(held, value)?.map(|part| part.below(key)));
        match (&held.shape, value) {
            // without its text, any value is one that was read
            (Shape::Any, _) if !self.evaluator.is_receiving() => Ok(None),
            (Shape::Nullable(inner), value) if !value.is_null() => self.unheld(inner, value),
            (Shape::Integer { type_, .. }, Value::Number(_)) => {
                let number = self.evaluator.exact(value).ok_or(Undecidable)?;
                let (least, most) = range(*type_);
                Ok(match number {
                    number if !number.is_integer() => {
                        UnrepresentablePart::new(format!("expected an integer, found the number `{number}`"))
                    }
                    number if number < least && type_.is_unsigned() => {
                        UnrepresentablePart::new(format!("{number} is less than 0"))
                    }
                    number if number < least || number > most => {
                        UnrepresentablePart::new(format!("{number} is not an integer that fits in 64 bits"))
                    }
                    _ => None,
                })
            }
            (Shape::Number, Value::Number(_)) => Ok(self.lost(value)),
            // a `Value` has the integers of 64 bits too
            (Shape::Any, Value::Number(number)) if number.is_f64() => Ok(self.lost(value)),
            (Shape::Array(_) | Shape::Any, Value::Array(items)) => {
                let item: &ValueType = if let Shape::Array(item) = &held.shape { item } else { held };
                first(items.iter().enumerate().map(|(index, value)| below(item, value, &index.to_string())))
            }
            (Shape::Map(_) | Shape::Any, Value::Object(members)) => {
                let inner: &ValueType = if let Shape::Map(inner) = &held.shape { inner } else { held };
                first(members.iter().map(|(key, value)| below(inner, value, key)))
            }
            (Shape::Named(id), value) => match (self.types.get(*id), value) {
                (Some(Body::Struct { fields, others }), Value::Object(members)) => {
                    first(members.iter().map(|(key, value)| {
                        let unsent = |rule: &str| Ok(UnrepresentablePart::new(rule.to_owned()).map(|it| it.below(key)));
                        match (self.types.field(*id, fields, key), others) {
                            (Some(field), _) if field.null_is_absent && self.side == Side::Sends && value.is_null() => {
                                unsent("null is written as absence")
                            }
                            (Some(field), _) => below(&field.held, value, key),
                            (None, Others::Kept { held, .. }) => below(held, value, key),
                            (None, _) if self.side == Side::Sends => unsent("the schema doesn't declare the member"),
                            (None, _) => Ok(None),
                        }
                    }))
                }
                (Some(Body::Union { by, variants }), value) => {
                    let variants = Variant::of(variants, by, value);
                    let is_only = variants.len() == 1;
                    first(variants.into_iter().map(|variant| {
                        // if several variants match, the value belongs to the one whose schema allows it
                        if !is_only && !self.is_allowed(variant, value)? {
                            return Ok(None);
                        }
                        variant.held.as_ref().map_or(Ok(None), |held| self.unheld(held, value))
                    }))
                }
                (Some(Body::Map(held)), value) => self.unheld(held, value),
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// Returns a number that no `f64` has with these digits.
    fn lost(&self, value: &Value) -> Option<UnrepresentablePart> {
        let number = self.evaluator.decimal(value).filter(|number| !number.is_double())?;
        let integer = if number.is_integer() { "is an integer with" } else { "has" };
        UnrepresentablePart::new(format!("{number} {integer} more digits than can be kept"))
    }

    fn is_allowed(&self, variant: &Variant, value: &Value) -> Outcome {
        variant.schema.as_ref().map_or(Ok(true), |at| self.evaluator.is_valid(value, at))
    }
}

/// Returns the bounds of an integer type.
fn range(type_: IntegerType) -> (Decimal, Decimal) {
    let of = |value: i128| Decimal::from(BigInt::from(value));
    let (least, most) = type_.bounds();
    (of(least), of(most))
}

struct ShapeLowering<'a, 's> {
    types: &'a Types,
    side: Side,
    schemas: &'a mut Lowering<'s>,
    done: HashMap<TypeId, Lit>,
    open: HashMap<TypeId, Option<(Index, Lit)>>,
}

impl ShapeLowering<'_, '_> {
    fn held(&mut self, held: &ValueType) -> Lit {
        match &held.shape {
            Shape::Integer { type_, .. } => {
                let (least, most) = range(*type_);
                let least = self.schemas.formulas.atom(Atom::AtLeast { limit: least, exclusive: false });
                let most = self.schemas.formulas.atom(Atom::AtMost { limit: most, exclusive: false });
                self.schemas.formulas.all([least, most])
            }
            // generated code writes one notation of a large `f64`; hand-written types and Python write the other one too
            Shape::Number => self.schemas.formulas.atom(Atom::Double),
            Shape::Array(item) => {
                let lit = self.held(item);
                self.schemas.formulas.atom(Atom::Items { from: 0, lit })
            }
            Shape::Map(inner) => self.map(inner),
            Shape::Nullable(inner) => self.held(inner),
            // a comparison reads schemas without replacing types, which change neither the sent nor the read values
            Shape::Replaced(replaced) => self.held(&replaced.held),
            Shape::Named(id) => self.named(*id),
            Shape::Any | Shape::Null | Shape::Boolean | Shape::String | Shape::Format(_) => Lit::TRUE,
        }
    }

    fn map(&mut self, inner: &ValueType) -> Lit {
        let lit = self.held(inner);
        self.others(Vec::new(), lit)
    }

    fn others(&mut self, mut names: Vec<Name>, lit: Lit) -> Lit {
        names.sort_unstable();
        self.schemas.formulas.atom(Atom::Others { names: names.into(), patterns: [].into(), lit })
    }

    fn named(&mut self, id: TypeId) -> Lit {
        if let Some(done) = self.done.get(&id) {
            return *done;
        }
        if let Some(open) = self.open.get_mut(&id) {
            let (_, lit) = *open.get_or_insert_with(|| self.schemas.formulas.reference());
            return lit;
        }
        self.open.insert(id, None);
        let types = self.types;
        let lit = types.get(id).map_or(Lit::TRUE, |body| self.body(body));
        if let Some(Some((reference, _))) = self.open.remove(&id) {
            self.schemas.formulas.lead(reference, lit);
        }
        self.done.insert(id, lit);
        lit
    }

    fn body(&mut self, body: &Body) -> Lit {
        match body {
            Body::Struct { fields, others } => {
                let (mut parts, mut names) = (Vec::new(), Vec::new());
                for field in fields {
                    let (name, mut lit) = (self.schemas.formulas.name(&field.wire), self.held(&field.held));
                    if field.null_is_absent && self.side == Side::Sends {
                        let null = self.schemas.formulas.types(JsonTypes::of(JsonType::Null));
                        lit = self.schemas.formulas.all([lit, !null]);
                    }
                    names.push(name.clone());
                    parts.push(self.schemas.formulas.atom(Atom::Member { name, lit }));
                }
                let others = match others {
                    Others::Kept { held, .. } => self.held(held),
                    Others::Ignored | Others::Refused if self.side == Side::Sends => Lit::FALSE,
                    Others::Ignored | Others::Refused => Lit::TRUE,
                };
                parts.push(self.others(names, others));
                self.schemas.formulas.all(parts)
            }
            Body::Union { by, variants } => {
                let mut parts = Vec::new();
                for variant in variants {
                    // a variant that stands for one word holds only what its schema allows
                    let Some(held) = &variant.held else { continue };
                    let lit = self.held(held);
                    let other = self.other_than(by, variants, variant);
                    parts.push(self.schemas.formulas.any([other, lit]));
                }
                self.schemas.formulas.all(parts)
            }
            Body::Map(held) => self.held(held),
            Body::Enum { .. } => Lit::TRUE,
        }
    }

    /// Returns the formula of the values that don't belong to a variant.
    fn other_than(&mut self, by: &Discriminator, variants: &[Variant], variant: &Variant) -> Lit {
        if let (Discriminator::RequiredMember(_), Some(at)) = (by, &variant.schema) {
            // a value may have the members of several variants: it belongs to the variant whose schema allows it, and this
            // schema requires the variant's member
            return !self.schemas.root(at);
        }
        if variant.choices.is_empty() {
            let all = variants.iter().flat_map(|variant| &variant.choices);
            let known: Vec<Lit> = all.map(|choice| self.choice(choice)).collect();
            return self.schemas.formulas.any(known);
        }
        let words: Vec<&String> = variant
            .choices
            .iter()
            .filter_map(|it| if let Choice::Word(word) = it { Some(word) } else { None })
            .collect();
        let others = variant.choices.iter().filter(|choice| !matches!(choice, Choice::Word(_)));
        let mut any: Vec<Lit> = others.map(|choice| self.choice(choice)).collect();
        if !words.is_empty() {
            let mut words: Vec<Name> = words.into_iter().map(|word| self.schemas.formulas.name(word)).collect();
            words.sort_unstable();
            any.push(self.of_type(JsonType::String, Some(Atom::StringIn(words.into()))));
        }
        let value = self.schemas.formulas.any(any);
        match by {
            Discriminator::Member(name) => {
                let name = self.schemas.formulas.name(name);
                self.schemas.formulas.atom(Atom::Member { name, lit: !value })
            }
            Discriminator::JsonType | Discriminator::OwnMember | Discriminator::RequiredMember(_) => !value,
        }
    }

    fn choice(&mut self, choice: &Choice) -> Lit {
        match choice {
            Choice::Type(type_) => self.of_type(*type_, None),
            Choice::Boolean(value) => self.of_type(JsonType::Boolean, Some(Atom::Is(*value))),
            Choice::Integer(value) => {
                let value = Decimal::from(BigInt::from(*value));
                self.of_type(JsonType::Number, Some(Atom::NumberIn([value].into())))
            }
            Choice::Word(word) => {
                let word = self.schemas.formulas.name(word);
                self.of_type(JsonType::String, Some(Atom::StringIn([word].into())))
            }
            Choice::Has(name) => {
                let name = self.schemas.formulas.name(name);
                self.of_type(JsonType::Object, Some(Atom::Required(name)))
            }
        }
    }

    fn of_type(&mut self, type_: JsonType, atom: Option<Atom>) -> Lit {
        let type_ = self.schemas.formulas.types(JsonTypes::of(type_));
        let atom = atom.map_or(Lit::TRUE, |atom| self.schemas.formulas.atom(atom));
        self.schemas.formulas.all([type_, atom])
    }
}
