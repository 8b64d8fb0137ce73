//! What generated types do beyond their schemas: which members they never send, and how wide their numbers are.
//!
//! A struct sends only the members that its schema declares, unless it keeps the others. Integers have 64 bits at most, numbers
//! are `f64`. Both are available as formulas, and as a check of one value.

use std::collections::HashMap;

use num_bigint::BigInt;
use serde_json::Value;

use super::formula::{Atom, Formulas, Index, Kind, Kinds, Lit, Name};
use crate::decimal::Decimal;
use crate::model::{
    self, Body, Choice, Discriminator, IntegerType, JsonType, Others, Shape, Type, TypeId, ValueType, Variant,
};
use crate::schema::load::step;
use crate::schema::schemas::{Loc, Schemas};

/// The types of a contract.
#[derive(Debug)]
pub(super) struct Types {
    types: Vec<Type>,
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

/// A value that the types can't hold, although its schema may allow it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UnrepresentablePart {
    pub(super) pointer: String,
    pub(super) rule: String,
}

impl UnrepresentablePart {
    fn new(rule: String) -> Option<Self> {
        Some(Self { pointer: String::new(), rule })
    }

    /// Prepends a step to its pointer.
    fn below(self, key: &str) -> Self {
        Self { pointer: step("", key) + &self.pointer, ..self }
    }
}

impl Types {
    pub(super) fn new(schemas: &Schemas, root: &Loc) -> Self {
        let (types, root) = model::one(schemas, root.file);
        Self { types, root }
    }

    fn get(&self, id: TypeId) -> Option<&Body> {
        self.types.get(id).map(|type_| &type_.body)
    }

    /// Returns what the types add to their schema, for one side.
    pub(super) fn formula(&self, side: Side, formulas: &mut Formulas) -> Lit {
        let mut lowering = ShapeLowering { types: self, side, formulas, done: HashMap::new(), open: HashMap::new() };
        lowering.held(&self.root)
    }

    /// Finds a part of a valid value that can't be sent.
    pub(super) fn unsent(&self, value: &Value) -> Option<UnrepresentablePart> {
        self.unheld(Side::Sends, &self.root, value)
    }

    /// Finds a part of a valid value that can't be read.
    pub(super) fn unread(&self, value: &Value) -> Option<UnrepresentablePart> {
        self.unheld(Side::Reads, &self.root, value)
    }

    fn unheld(&self, side: Side, held: &ValueType, value: &Value) -> Option<UnrepresentablePart> {
        let unheld = UnrepresentablePart::new;
        match (&held.shape, value) {
            (Shape::Nullable(inner), value) if !value.is_null() => self.unheld(side, inner, value),
            (Shape::Integer { type_, .. }, Value::Number(number)) => {
                let number = Decimal::parse(&number.to_string());
                let (least, most) = range(*type_);
                match number {
                    Some(number) if number < least && type_.is_unsigned() => unheld(format!("{number} is less than 0")),
                    Some(number) if number < least || number > most => {
                        unheld(format!("{number} is not an integer that fits in 64 bits"))
                    }
                    _ => None,
                }
            }
            (Shape::Number, Value::Number(number)) => {
                let number = Decimal::parse(&number.to_string()).filter(|number| !number.is_double())?;
                unheld(format!("{number} is an integer with more digits than can be kept"))
            }
            (Shape::Array(item), Value::Array(items)) => {
                let mut items = items.iter().enumerate();
                items.find_map(|(index, value)| Some(self.unheld(side, item, value)?.below(&index.to_string())))
            }
            (Shape::Map(inner), Value::Object(members)) => {
                members.iter().find_map(|(key, value)| Some(self.unheld(side, inner, value)?.below(key)))
            }
            (Shape::Named(id), value) => match (self.get(*id)?, value) {
                (Body::Struct { fields, others }, Value::Object(members)) => members.iter().find_map(|(key, value)| {
                    let found = match (fields.iter().find(|field| field.wire == *key), others) {
                        (Some(field), _) if field.null_is_absent && side == Side::Sends && value.is_null() => {
                            unheld("null is written as absence".to_owned())
                        }
                        (Some(field), _) => self.unheld(side, &field.held, value),
                        (None, Others::Kept { held, .. }) => self.unheld(side, held, value),
                        (None, _) if side == Side::Sends => unheld("the schema declares no such member".to_owned()),
                        (None, _) => None,
                    };
                    found.map(|it| it.below(key))
                }),
                (Body::Union { by, variants }, value) => {
                    // the formula asks the same of all of them
                    Variant::of(variants, by, value).into_iter().find_map(|it| self.unheld(side, &it.held, value))
                }
                (Body::Map(held), value) => self.unheld(side, held, value),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Returns the bounds of an integer type.
fn range(type_: IntegerType) -> (Decimal, Decimal) {
    let of = |value: i128| Decimal::from(BigInt::from(value));
    let (least, most) = type_.bounds();
    (of(least), of(most))
}

struct ShapeLowering<'a> {
    types: &'a Types,
    side: Side,
    formulas: &'a mut Formulas,
    done: HashMap<TypeId, Lit>,
    open: HashMap<TypeId, Option<(Index, Lit)>>,
}

impl ShapeLowering<'_> {
    fn held(&mut self, held: &ValueType) -> Lit {
        match &held.shape {
            Shape::Integer { type_, .. } => {
                let (least, most) = range(*type_);
                let least = self.formulas.atom(Atom::AtLeast { limit: least, exclusive: false });
                let most = self.formulas.atom(Atom::AtMost { limit: most, exclusive: false });
                self.formulas.all([least, most])
            }
            Shape::Number => self.formulas.atom(Atom::Double),
            Shape::Array(item) => {
                let lit = self.held(item);
                self.formulas.atom(Atom::Items { from: 0, lit })
            }
            Shape::Map(inner) => self.map(inner),
            Shape::Nullable(inner) => self.held(inner),
            // a comparison reads schemas without replacements, which change neither what is sent nor what is read
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
        self.formulas.atom(Atom::Others { names: names.into(), patterns: [].into(), lit })
    }

    fn named(&mut self, id: TypeId) -> Lit {
        if let Some(done) = self.done.get(&id) {
            return *done;
        }
        if let Some(open) = self.open.get_mut(&id) {
            let (_, lit) = *open.get_or_insert_with(|| self.formulas.reference());
            return lit;
        }
        self.open.insert(id, None);
        let types = self.types;
        let lit = types.get(id).map_or(Lit::TRUE, |body| self.body(body));
        if let Some(Some((reference, _))) = self.open.remove(&id) {
            self.formulas.lead(reference, lit);
        }
        self.done.insert(id, lit);
        lit
    }

    fn body(&mut self, body: &Body) -> Lit {
        match body {
            Body::Struct { fields, others } => {
                let (mut parts, mut names) = (Vec::new(), Vec::new());
                for field in fields {
                    let (name, mut lit) = (self.formulas.name(&field.wire), self.held(&field.held));
                    if field.null_is_absent && self.side == Side::Sends {
                        let null = self.formulas.kinds(Kinds::of(Kind::Null));
                        lit = self.formulas.all([lit, !null]);
                    }
                    names.push(name.clone());
                    parts.push(self.formulas.atom(Atom::Member { name, lit }));
                }
                let others = match others {
                    Others::Kept { held, .. } => self.held(held),
                    Others::Ignored | Others::Refused if self.side == Side::Sends => Lit::FALSE,
                    Others::Ignored | Others::Refused => Lit::TRUE,
                };
                parts.push(self.others(names, others));
                self.formulas.all(parts)
            }
            Body::Union { by, variants } => {
                let mut parts = Vec::new();
                for variant in variants {
                    let lit = self.held(&variant.held);
                    let other = self.other_than(by, variants, variant);
                    parts.push(self.formulas.any([other, lit]));
                }
                self.formulas.all(parts)
            }
            Body::Map(held) => self.held(held),
            Body::Enum { .. } => Lit::TRUE,
        }
    }

    /// Returns the formula of the values that a variant isn't for.
    fn other_than(&mut self, by: &Discriminator, variants: &[Variant], variant: &Variant) -> Lit {
        if variant.choices.is_empty() {
            let all = variants.iter().flat_map(|variant| &variant.choices);
            let known: Vec<Lit> = all.map(|choice| self.choice(choice)).collect();
            return self.formulas.any(known);
        }
        let words: Vec<&String> = variant
            .choices
            .iter()
            .filter_map(|it| if let Choice::Word(word) = it { Some(word) } else { None })
            .collect();
        let others = variant.choices.iter().filter(|choice| !matches!(choice, Choice::Word(_)));
        let mut any: Vec<Lit> = others.map(|choice| self.choice(choice)).collect();
        if !words.is_empty() {
            let mut words: Vec<Name> = words.into_iter().map(|word| self.formulas.name(word)).collect();
            words.sort_unstable();
            any.push(self.of_kind(Kind::String, Some(Atom::StringIn(words.into()))));
        }
        let value = self.formulas.any(any);
        match by {
            Discriminator::Member(name) => {
                let name = self.formulas.name(name);
                self.formulas.atom(Atom::Member { name, lit: !value })
            }
            Discriminator::JsonType | Discriminator::OwnMember | Discriminator::RequiredMember(_) => !value,
        }
    }

    fn choice(&mut self, choice: &Choice) -> Lit {
        match choice {
            Choice::Type(type_) => self.of_kind(kind_of(*type_), None),
            Choice::Boolean(value) => self.of_kind(Kind::Boolean, Some(Atom::Is(*value))),
            Choice::Integer(value) => {
                let value = Decimal::from(BigInt::from(*value));
                self.of_kind(Kind::Number, Some(Atom::NumberIn([value].into())))
            }
            Choice::Word(word) => {
                let word = self.formulas.name(word);
                self.of_kind(Kind::String, Some(Atom::StringIn([word].into())))
            }
            Choice::Has(name) => {
                let name = self.formulas.name(name);
                self.of_kind(Kind::Object, Some(Atom::Required(name)))
            }
        }
    }

    fn of_kind(&mut self, kind: Kind, atom: Option<Atom>) -> Lit {
        let kind = self.formulas.kinds(Kinds::of(kind));
        let atom = atom.map_or(Lit::TRUE, |atom| self.formulas.atom(atom));
        self.formulas.all([kind, atom])
    }
}

fn kind_of(type_: JsonType) -> Kind {
    match type_ {
        JsonType::Null => Kind::Null,
        JsonType::Boolean => Kind::Boolean,
        JsonType::Number => Kind::Number,
        JsonType::String => Kind::String,
        JsonType::Array => Kind::Array,
        JsonType::Object => Kind::Object,
    }
}
