//! Builder methods that replace generated types by types of your own.

use std::path::Path;

use super::Builder;
use crate::model::{CallPlace, Replacement, Target};

impl Builder {
    /// Replaces the generated type of a schema by a type of your own, wherever a property, an item or a variant has that
    /// schema.
    ///
    /// The schema is named by its file in the folder, with a JSON Pointer for a schema within the file:
    /// `shared/types.json#/$defs/money`. A [`document`](Self::document) is named by its URI. The path begins with the name
    /// of a crate or with `crate::`.
    ///
    /// The type implements serde's `Serialize` and `DeserializeOwned`, and `Clone`, `Debug` and `PartialEq`. Types that
    /// contain it derive only `Clone`, `Debug` and `PartialEq` by default; [`derive`](Self::derive) adds further traits
    /// that your type has.
    ///
    /// The rules of the schema still hold, and the lock doesn't change. Incoming content is checked against these rules
    /// first. The output of your type is read as a value of the schema, checked, and sent as the generated type would write
    /// it: members that the schema doesn't declare are left out. If your type refuses a value that the schema allows, the
    /// content is refused.
    ///
    /// ```no_run
    /// # let builder = twyla_build::Builder::new("schemas");
    /// let builder = builder.replace("shared/money.json", "my_money::Money");
    /// ```
    ///
    /// # Errors
    /// Compiling fails, with the place of this call, if there is no such schema, no contract uses it, it is the whole content of
    /// an event, a context or a message of an RPC, or the text isn't the path of a type.
    #[must_use]
    #[track_caller]
    pub fn replace(self, schema: impl AsRef<Path>, path: &str) -> Self {
        let schema = schema.as_ref().to_string_lossy().replace('\\', "/");
        self.put(Target::Schema(schema), path, CallPlace::here())
    }

    /// Replaces the type of a format by a type of your own: the type of each `string`, `number` or `integer` with the format and
    /// without `enum` or `const`.
    ///
    /// The format may be one of JSON Schema, which stays a rule, or a custom one. What the type implements, and how rules
    /// hold, is the same as for [`replace`](Self::replace).
    ///
    /// ```no_run
    /// # let builder = twyla_build::Builder::new("schemas");
    /// let builder = builder.replace_format("decimal", "rust_decimal::Decimal");
    /// ```
    ///
    /// # Errors
    /// Compiling fails, with the place of this call, if no value of a contract has the format, or the text isn't the path of a
    /// type.
    #[must_use]
    #[track_caller]
    pub fn replace_format(mut self, format: &str, path: &str) -> Self {
        self.settings.allowed.allow("unknown-format", [format.to_owned()]);
        self.put(Target::Format(format.to_owned()), path, CallPlace::here())
    }

    /// Uses the types of a crate if a schema names them with `x-rust-type`, the keyword of typify:
    ///
    /// ```json
    /// { "type": "string", "x-rust-type": { "crate": "oxnet", "version": "0.1.0", "path": "oxnet::IpNet" } }
    /// ```
    ///
    /// The version is that of the crate in use, `0.1.4`, or `*` for any. A type is used if that version fulfils the
    /// requirement in the schema; other schemas keep the generated type. `parameters` in the keyword are the schemas of the
    /// type's parameters, each a `$ref` alone or a schema without `$ref`. What the type implements, and how rules hold, is
    /// the same as for [`replace`](Self::replace).
    ///
    /// ```no_run
    /// # let builder = twyla_build::Builder::new("schemas");
    /// let builder = builder.with_crate("oxnet", "0.1.4");
    /// ```
    ///
    /// # Errors
    /// Compiling fails, with the place of this call, if the version is neither `*` nor a version, or if no schema names a type of the
    /// crate.
    #[must_use]
    #[track_caller]
    pub fn with_crate(mut self, name: &str, version: &str) -> Self {
        let place = CallPlace::here();
        self.options.replacements.crates.push((name.to_owned(), version.to_owned(), place));
        self
    }

    fn put(mut self, target: Target, path: &str, place: CallPlace) -> Self {
        self.options.replacements.types.push(Replacement { target, path: path.to_owned(), place });
        self
    }
}
