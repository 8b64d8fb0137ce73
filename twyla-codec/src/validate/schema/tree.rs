//! Rule trees as data: what the build script writes of a schema.

use super::super::formats::Format;
use super::super::pattern::Pattern;
use super::number::{Factor, Number};

/// A schema: what a value is held to.
#[derive(Debug)]
pub struct Schema {
    /// Each rule, all of which must hold. Those about what is unevaluated come last.
    pub rules: &'static [Rule],
    /// The resource that it belongs to, where references may depend on the way that led to them.
    pub resource: Option<&'static Resource>,
}

/// A schema resource, as `$dynamicRef` and `$recursiveRef` see it.
#[derive(Debug)]
pub struct Resource {
    /// Its `$dynamicAnchor`s; `$recursiveAnchor` is the one without a name.
    pub anchors: &'static [(&'static str, &'static Schema)],
}

/// A rule of a schema: one keyword, or several that only make sense together.
#[derive(Debug)]
pub enum Rule {
    /// `false`; with the keyword that holds it.
    Never(&'static str),
    /// `type`
    Type(Types),
    /// `enum`
    Enum(&'static Choices),
    /// `const`
    Const(&'static Choices),
    /// `minimum`
    Minimum(Number),
    /// `maximum`
    Maximum(Number),
    /// `exclusiveMinimum`
    ExclusiveMinimum(Number),
    /// `exclusiveMaximum`
    ExclusiveMaximum(Number),
    /// `multipleOf`
    MultipleOf(Factor),
    /// `minLength`
    MinLength(u64),
    /// `maxLength`
    MaxLength(u64),
    /// `pattern`
    Pattern(PatternRef),
    /// `format`
    Format(Format),
    /// `prefixItems`, or `items` with a list
    PrefixItems(&'static [&'static Schema]),
    /// `items` from that index on, or `additionalItems`
    Items {
        /// The first item that it is about.
        from: usize,
        /// What each is held to.
        schema: &'static Schema,
        /// The keyword.
        keyword: &'static str,
    },
    /// `contains` with `minContains` and `maxContains`
    Contains {
        /// What is looked for.
        schema: &'static Schema,
        /// At least so many.
        min: u64,
        /// At most so many.
        max: Option<u64>,
        /// Whether the items found count as evaluated.
        evaluates: bool,
    },
    /// `minItems`
    MinItems(u64),
    /// `maxItems`
    MaxItems(u64),
    /// `uniqueItems`
    UniqueItems,
    /// `properties`, `patternProperties` and `additionalProperties`
    Members(&'static Members),
    /// `propertyNames`
    PropertyNames(&'static Schema),
    /// `required`
    Required(&'static [&'static str]),
    /// `minProperties`
    MinProperties(u64),
    /// `maxProperties`
    MaxProperties(u64),
    /// `dependentRequired`
    DependentRequired(&'static [(&'static str, &'static [&'static str])]),
    /// `dependentSchemas`
    DependentSchemas(&'static [(&'static str, &'static Schema)]),
    /// `allOf`
    AllOf(&'static [&'static Schema]),
    /// `anyOf`
    AnyOf(&'static [&'static Schema]),
    /// `oneOf`
    OneOf(&'static [&'static Schema]),
    /// `not`
    Not(&'static Schema),
    /// `if`, `then` and `else`
    If {
        /// The condition.
        test: &'static Schema,
        /// Where it holds.
        then: Option<&'static Schema>,
        /// Where it doesn't.
        otherwise: Option<&'static Schema>,
    },
    /// `$ref`
    Ref(&'static Schema),
    /// `$dynamicRef` and `$recursiveRef` that depend on the way that led to them
    DynamicRef {
        /// The name of the anchor, empty for `$recursiveRef`.
        anchor: &'static str,
        /// Where it leads unless a resource on the way has an anchor of that name.
        first: &'static Schema,
    },
    /// `unevaluatedItems`
    UnevaluatedItems(&'static Schema),
    /// `unevaluatedProperties`
    UnevaluatedProperties(&'static Schema),
}

/// A pattern, compiled once, at its first use.
pub type PatternRef = &'static Pattern;

/// `properties`, `patternProperties` and `additionalProperties` of one schema.
#[derive(Debug)]
pub struct Members {
    /// Sorted by name.
    pub properties: &'static [(&'static str, &'static Schema)],
    /// Each pattern with what a member of such a name is held to.
    pub patterns: &'static [(PatternRef, &'static Schema)],
    /// What all others are held to.
    pub others: Option<&'static Schema>,
}

/// The values of an `enum`, by kind, so that one of a hundred thousand is found at once.
#[derive(Debug)]
pub struct Choices {
    /// Strings, sorted.
    pub words: &'static [&'static str],
    /// Whole numbers, sorted.
    pub integers: &'static [i128],
    /// All other numbers, sorted.
    pub numbers: &'static [f64],
    /// What is neither.
    pub others: &'static [Const],
}

/// A value that a schema holds.
#[derive(Debug)]
pub enum Const {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A number.
    Number(Number),
    /// A string.
    Text(&'static str),
    /// An array.
    Array(&'static [Self]),
    /// An object, its members sorted by name.
    Object(&'static [(&'static str, Self)]),
}

/// A set of JSON's types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Types(u8);

impl Types {
    /// `null`
    pub const NULL: Self = Self(1);
    /// `boolean`
    pub const BOOLEAN: Self = Self(2);
    /// `integer`: any number without a fraction
    pub const INTEGER: Self = Self(4);
    /// `number`
    pub const NUMBER: Self = Self(8);
    /// `string`
    pub const STRING: Self = Self(16);
    /// `array`
    pub const ARRAY: Self = Self(32);
    /// `object`
    pub const OBJECT: Self = Self(64);

    /// Both sets together.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn has(self, one: Self) -> bool {
        self.0 & one.0 != 0
    }
}

impl Schema {
    /// The schema that holds for everything.
    pub const ANY: Self = Self::new(&[]);

    /// A schema whose references don't depend on the way that led to it.
    #[must_use]
    pub const fn new(rules: &'static [Rule]) -> Self {
        Self { rules, resource: None }
    }

    pub(super) const fn is_any(&self) -> bool {
        self.rules.is_empty()
    }

    pub(super) const fn is_never(&self) -> bool {
        matches!(self.rules, [Rule::Never(_), ..])
    }
}
