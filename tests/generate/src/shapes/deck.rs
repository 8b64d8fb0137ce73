//! The shapes and how often each is found.

use crate::random::Random;

/// A shape of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// One type, as most properties have it.
    Ordinary,
    /// `type` with several types, or branches of different JSON types.
    Types,
    /// Branches of different JSON types.
    Branches,
    /// Objects that each require a member of their own.
    RequiredMember,
    /// Objects with a constant tag that stands behind a reference.
    HiddenTag,
    /// Objects with a constant tag.
    Tagged,
    /// `oneOf` of documented constants.
    DocumentedWords,
    /// A shared schema with further rules.
    Narrowed,
    /// Rules that the format implies.
    Implied,
    /// Optional and nullable.
    Nullable,
    /// A constant that isn't a string.
    Constant,
    /// An object that declares nothing.
    BareMap,
    /// An object whose members have one type.
    TypedMap,
    /// Any value.
    Free,
    /// A description with a URL, brackets or tags.
    Description,
    /// A name that isn't ASCII.
    ForeignName,
    /// An object in objects, each with a long name.
    LongPath,
    /// A closed object whose only rule needs a tree.
    Not,
}

/// The shape of a whole event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    /// An object.
    Object,
    /// An object that refuses other members.
    Closed,
    /// A shared base and the event's own members.
    Extended,
    /// Branches with a constant tag.
    Tagged,
    /// Branches with several words each.
    TaggedByWords,
    /// Branches that each require a member of their own.
    RequiredMember,
    /// Branches in which one member has different JSON types.
    MemberType,
    /// Properties beside branches with members of their own.
    Beside,
    /// Branches that nothing tells apart.
    Alike,
    /// Members declared behind `if`.
    Condition,
    /// A row with many required members.
    Row,
}

/// The shapes of 1,000 properties; all others are ordinary.
const SHAPES: [(Shape, usize); 17] = [
    (Shape::Types, 14),
    (Shape::Branches, 4),
    (Shape::RequiredMember, 2),
    (Shape::HiddenTag, 1),
    (Shape::Tagged, 2),
    (Shape::DocumentedWords, 3),
    (Shape::Narrowed, 2),
    (Shape::Implied, 4),
    (Shape::Nullable, 88),
    (Shape::Constant, 3),
    (Shape::BareMap, 7),
    (Shape::TypedMap, 8),
    (Shape::Free, 3),
    (Shape::Description, 12),
    (Shape::ForeignName, 2),
    (Shape::LongPath, 2),
    (Shape::Not, 1),
];

/// The shapes of 100 events; all others are plain objects.
const ROOTS: [(Root, usize); 10] = [
    (Root::Closed, 25),
    (Root::Extended, 5),
    (Root::Tagged, 3),
    (Root::TaggedByWords, 1),
    (Root::RequiredMember, 2),
    (Root::MemberType, 1),
    (Root::Beside, 2),
    (Root::Alike, 1),
    (Root::Condition, 1),
    (Root::Row, 3),
];

/// Deals shapes so that they keep their frequencies exactly in each round.
pub(super) struct Deck<T> {
    cards: Vec<T>,
    round: Vec<T>,
    random: Random,
}

impl Deck<Shape> {
    pub(super) fn shapes() -> Self {
        Self::of(&SHAPES, Shape::Ordinary, 1_000)
    }
}

impl Deck<Root> {
    pub(super) fn roots() -> Self {
        Self::of(&ROOTS, Root::Object, 100)
    }
}

impl<T: Copy> Deck<T> {
    fn of(counts: &[(T, usize)], other: T, all: usize) -> Self {
        let mut cards: Vec<T> = counts.iter().flat_map(|(card, count)| vec![*card; *count]).collect();
        cards.resize(all, other);
        Self { cards, round: Vec::new(), random: Random::new(&[all as u64]) }
    }

    pub(super) fn deal(&mut self) -> T {
        if self.round.is_empty() {
            self.round.clone_from(&self.cards);
            for index in (1..self.round.len()).rev() {
                self.round.swap(index, self.random.below(index + 1));
            }
        }
        self.round.pop().expect("a round has cards")
    }
}
