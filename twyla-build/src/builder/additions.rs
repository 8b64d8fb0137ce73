//! The builder's derives and attributes for generated types.

use super::Builder;
use crate::model::{Added, Addition, CallPlace};

impl Builder {
    /// Adds derives to generated types.
    ///
    /// The pattern is a path below the module that includes the contracts: `*` for all types, a module (`shop`,
    /// `rpc::booking`) for all types in it, or a type (`shop::OrderPlaced`). In a path, `*` stands for any text:
    /// `*::Money`, `shop::Order*`.
    ///
    /// Types derive `Clone`, `Debug` and `PartialEq`, and `Copy`, `Eq`, `PartialOrd`, `Ord` and `Hash` if all of their
    /// members have them (`PartialOrd` only beside `Ord`). A type has `Default` if nothing is required. All types implement
    /// serde's `Serialize` and `Deserialize`. A trait that a type already has isn't derived twice. A pattern for several
    /// types skips those that can't have the trait, such as `Eq` with an `f64`.
    ///
    /// A derive of another crate often requires that the types of all members have it too. This crate can't check that, so
    /// the compiler reports a member without it, in the generated code. A pattern that also matches the types of the
    /// members, such as `*`, avoids the error.
    ///
    /// ```no_run
    /// # let builder = twyla_build::Builder::new("schemas");
    /// let builder = builder.derive("*", ["arbitrary::Arbitrary"]).derive("shop::OrderPlaced", ["my_crate::Audited"]);
    /// ```
    ///
    /// # Errors
    /// Compiling fails, with the place of this call, if nothing matches the pattern, a text isn't the path of a derive, or a
    /// type that the pattern names by its whole path can't have the trait.
    #[must_use]
    #[track_caller]
    pub fn derive<T: Into<String>>(self, pattern: &str, derives: impl IntoIterator<Item = T>) -> Self {
        let derives = derives.into_iter().map(Into::into).collect();
        self.with(pattern, Added::Derives(derives), CallPlace::here())
    }

    /// Adds attributes to generated types, or to their fields and variants.
    ///
    /// The pattern is as in [`derive`](Self::derive), or names a field or variant of a type by its name in Rust:
    /// `shop::OrderPlaced.total`, `*.total`, `shop::Color.Red`. Attributes follow the derives, in the order of the calls.
    ///
    /// ```no_run
    /// # let builder = twyla_build::Builder::new("schemas");
    /// let builder = builder
    ///     .attribute("shop", "#[must_use]")
    ///     .derive("shop::Color", ["Default"])
    ///     .attribute("shop::Color.Red", "#[default]");
    /// ```
    ///
    /// # Errors
    /// Compiling fails, with the place of this call, if nothing matches the pattern, or the text isn't an attribute.
    #[must_use]
    #[track_caller]
    pub fn attribute(self, pattern: &str, attribute: &str) -> Self {
        self.with(pattern, Added::Attribute(attribute.to_owned()), CallPlace::here())
    }

    fn with(mut self, pattern: &str, added: Added, place: CallPlace) -> Self {
        self.options.additions.push(Addition { pattern: pattern.to_owned(), added, place });
        self
    }
}
