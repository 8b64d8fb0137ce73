//! Rule trees as static data, written by the build script.

use super::super::formats::Format;
use super::super::pattern::Pattern;
use super::multiple_of::Factor;
use super::number::Number;

/// A schema: a conjunction of rules.
#[derive(Debug)]
pub struct Schema {
    /// The rules, all of which must hold. Rules about unevaluated members and items come last.
    pub rules: &'static [Rule],
    /// The enclosing schema resource, if references may depend on the dynamic scope.
    pub resource: Option<&'static Resource>,
}

/// A schema resource, as `$dynamicRef` and `$recursiveRef` see it.
#[derive(Debug)]
pub struct Resource {
    /// The `$dynamicAnchor`s; `$recursiveAnchor` has the empty name.
    pub anchors: &'static [(&'static str, &'static Schema)],
}

/// A rule: one keyword, or several that depend on each other.
#[derive(Debug)]
pub enum Rule {
    /// `false`, with the keyword whose value is `false`.
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
    /// `items` from an index on, or `additionalItems`.
    Items {
        /// The index of the first item that the schema applies to.
        from: usize,
        /// The schema of each item.
        schema: &'static Schema,
        /// The keyword: `items` or `additionalItems`.
        keyword: &'static str,
    },
    /// `contains` with `minContains` and `maxContains`
    Contains {
        /// The schema of the items to count.
        schema: &'static Schema,
        /// The minimum number of matching items.
        min: u64,
        /// The maximum number of matching items.
        max: Option<u64>,
        /// Whether matching items count as evaluated.
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
        /// Applies if the condition holds.
        then: Option<&'static Schema>,
        /// Applies if the condition doesn't hold.
        otherwise: Option<&'static Schema>,
    },
    /// `$ref`
    Ref(&'static Schema),
    /// `$dynamicRef` and `$recursiveRef` whose targets depend on the dynamic scope.
    DynamicRef {
        /// The name of the anchor, empty for `$recursiveRef`.
        anchor: &'static str,
        /// The target if no resource in scope has an anchor of that name.
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
    /// The schemas of `properties`, sorted by name.
    pub properties: &'static [(&'static str, &'static Schema)],
    /// Each pattern with the schema of the members that match it.
    pub patterns: &'static [(PatternRef, &'static Schema)],
    /// The schema of all other members.
    pub others: Option<&'static Schema>,
}

/// The values of an `enum`, sorted by kind, so that a lookup among a hundred thousand is fast.
#[derive(Debug)]
pub struct Choices {
    /// Strings, sorted.
    pub words: &'static [&'static str],
    /// Integers, sorted.
    pub integers: &'static [i128],
    /// All other numbers, sorted.
    pub numbers: &'static [f64],
    /// Values of other types.
    pub others: &'static [Const],
}

/// A constant JSON value of a schema.
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

/// A set of JSON types.
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

    /// Returns the union of both sets.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn has(self, one: Self) -> bool {
        self.0 & one.0 != 0
    }
}

impl Schema {
    /// The schema that accepts every value.
    pub const ANY: Self = Self::new(&[]);

    /// Creates a schema whose references don't depend on the dynamic scope.
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
