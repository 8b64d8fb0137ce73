//! The standard traits that a type derives, and the derives and attributes that a build script adds.

use std::collections::BTreeMap;
use std::ops::{BitAnd, BitOr};

/// A set of traits that can be derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Traits(u8);

impl Traits {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const COPY: Self = Self(1);
    pub(crate) const EQ: Self = Self(2);
    pub(crate) const PARTIAL_ORD: Self = Self(4);
    pub(crate) const ORD: Self = Self(8);
    pub(crate) const HASH: Self = Self(16);
    pub(crate) const DEFAULT: Self = Self(32);
    /// All traits but `Default`, which depends on the required properties.
    pub(super) const COMPARED: Self = Self(31);

    /// Returns the set without the traits of `other`.
    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Returns whether all traits of `other` are in this set.
    pub(crate) fn has(self, other: Self) -> bool {
        self & other == other
    }
}

impl BitAnd for Traits {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for Traits {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The derives and attributes that the build script adds to one type.
#[derive(Clone, Debug, Default)]
pub(crate) struct Custom {
    pub(crate) derives: Vec<String>,
    pub(crate) attributes: Vec<String>,
    /// The attributes of fields and variants, by their names in Rust.
    pub(crate) members: BTreeMap<String, Vec<String>>,
}
