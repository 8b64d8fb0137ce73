//! The variants of unions, and how they are distinguished.

use super::shape::{Shape, ValueType};
use crate::json_type::JsonType;
use crate::number::Number;
use crate::schema::schemas::Loc;

/// The way in which the variants of a union are distinguished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Discriminator {
    /// The JSON type of the value.
    JsonType,
    /// The value of this member of the object.
    Member(String),
    /// A member that no other variant has.
    OwnMember,
    /// A member that the variant requires and no other declares. If an object has several such members, the `oneOf` of this
    /// schema chooses.
    RequiredMember(Loc),
}

/// A variant of a union, with the choices that select it.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    pub(crate) name: String,
    /// The choices that select the variant. If empty, it is the variant of all values that no other variant's choices
    /// match.
    pub(crate) choices: Vec<Choice>,
    /// The alternative of the union that allows all the variant's values; `None` if the variant has no schema of its own.
    pub(crate) schema: Option<Loc>,
    /// The type of the variant's values; `None` if the variant stands for one value, a word.
    pub(crate) held: Option<ValueType>,
    pub(crate) boxed: bool,
    /// The description of the variant's word in the schema.
    pub(crate) docs: String,
}

/// A JSON type, a value or a member that chooses a variant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Choice {
    /// The JSON type of the value itself, or of the discriminating member.
    Type(JsonType),
    /// This value of the discriminating member.
    Boolean(bool),
    Integer(i64),
    Word(String),
    /// The presence of this member.
    Has(String),
}

impl std::fmt::Display for Choice {
    /// Writes the choice as messages and docs show it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Type(type_) => f.write_str(type_.with_article()),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Word(word) => write!(f, "{}", serde_json::Value::from(word.as_str())),
            Self::Has(name) => f.write_str(name),
        }
    }
}

impl Variant {
    /// Returns a variant that holds values, selected by these choices.
    pub(super) fn new(name: impl Into<String>, choices: Vec<Choice>, held: ValueType) -> Self {
        Self { name: name.into(), choices, schema: None, held: Some(held), boxed: false, docs: String::new() }
    }

    /// Returns a variant that stands for a word.
    pub(super) fn of_word(name: String, word: String, docs: String) -> Self {
        Self { name, choices: vec![Choice::Word(word)], schema: None, held: None, boxed: false, docs }
    }

    /// Returns the word that the variant stands for; `None` if the variant has values of a type.
    pub(crate) fn word(&self) -> Option<&str> {
        if self.held.is_none() { self.choices.first().and_then(Choice::word) } else { None }
    }

    /// Returns the variant's choices as words; `None` if one of them isn't a word.
    pub(crate) fn words(&self) -> Option<Vec<&str>> {
        self.choices.iter().map(Choice::word).collect()
    }

    /// Returns the variants that a value matches: one at most, unless a rule tree chooses among several.
    pub(crate) fn of<'a>(variants: &'a [Self], by: &Discriminator, value: &serde_json::Value) -> Vec<&'a Self> {
        let is_chosen = |variant: &&Self| variant.choices.iter().any(|choice| choice.is_made(by, value));
        let chosen = variants.iter().filter(is_chosen);
        let chosen: Vec<&Self> = match by {
            Discriminator::RequiredMember(_) => chosen.collect(),
            _ => chosen.take(1).collect(),
        };
        let rest = || variants.iter().find(|variant| variant.choices.is_empty() && value.is_object());
        if chosen.is_empty() { rest().into_iter().collect() } else { chosen }
    }

    /// Returns the variant's choices as messages name them.
    pub(crate) fn wanted(&self) -> Vec<String> {
        let shape = self.held.as_ref().map(|held| held.shape.unreplaced());
        let integer = matches!(shape, Some(Shape::Integer { .. }));
        let text = |choice: &Choice| match choice {
            Choice::Type(JsonType::Number) if integer => "an integer".to_owned(),
            choice => choice.to_string(),
        };
        self.choices.iter().map(text).collect()
    }
}

impl Choice {
    fn word(&self) -> Option<&str> {
        if let Self::Word(word) = self { Some(word) } else { None }
    }

    fn is_made(&self, by: &Discriminator, value: &serde_json::Value) -> bool {
        let value = match (by, self) {
            (_, Self::Has(name)) => return value.get(name).is_some(),
            (Discriminator::Member(name), _) => match value.get(name) {
                Some(value) => value,
                None => return false,
            },
            _ => value,
        };
        match self {
            Self::Type(type_) => JsonType::of(value) == *type_,
            Self::Boolean(known) => value.as_bool() == Some(*known),
            Self::Integer(known) => {
                value.as_number().and_then(|number| Number::new(&number.to_string()).whole()) == Some((*known).into())
            }
            Self::Word(known) => value.as_str() == Some(known),
            Self::Has(_) => false,
        }
    }
}
