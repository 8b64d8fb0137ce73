//! Names in Python: of packages, classes and fields.

use std::collections::BTreeSet;

/// Python's keywords, and the names that a module of models uses.
const TAKEN: [&str; 57] = [
    "False",
    "None",
    "True",
    "and",
    "as",
    "assert",
    "async",
    "await",
    "break",
    "class",
    "continue",
    "def",
    "del",
    "elif",
    "else",
    "except",
    "finally",
    "for",
    "from",
    "global",
    "if",
    "import",
    "in",
    "is",
    "lambda",
    "nonlocal",
    "not",
    "or",
    "pass",
    "raise",
    "return",
    "try",
    "while",
    "with",
    "yield",
    "bool",
    "dict",
    "float",
    "int",
    "list",
    "str",
    "Annotated",
    "Boolean",
    "Any",
    "BaseModel",
    "BeforeValidator",
    "ConfigDict",
    "Field",
    "Literal",
    "Number",
    "Integer",
    "RootModel",
    "Strict",
    "TYPE_CHECKING",
    "Model",
    "match",
    "type",
];

/// Attributes of pydantic's models, which a field can't be named after. [`Scope::field`] also refuses those that begin with `model_`.
const ATTRIBUTES: [&str; 14] = [
    "construct",
    "copy",
    "dict",
    "from_orm",
    "json",
    "parse_file",
    "parse_obj",
    "parse_raw",
    "schema",
    "schema_json",
    "update_forward_refs",
    "validate",
    "root",
    "self",
];

/// Returns whether a text can be the name of a package.
pub(super) fn is_package(name: &str) -> bool {
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    begins && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !TAKEN.contains(&name)
}

/// Returns a name as the name of a class: `api.user_input` is `ApiUserInput`.
pub(super) fn class(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let word = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_ascii_uppercase() + rest
    };
    let class: String = words.map(word).collect();
    match class.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => class,
        _ => format!("Model{class}"),
    }
}

/// The names that are taken in a scope.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope(BTreeSet<String>);

impl Scope {
    /// Returns the scope of a module.
    pub(super) fn of_module() -> Self {
        Self(TAKEN.map(str::to_owned).into())
    }

    /// Returns `name`, with a number appended if it is taken, and takes it.
    pub(super) fn take(&mut self, name: String) -> String {
        let numbered = (2..).map(|number| format!("{name}{number}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| !self.0.contains(name));
        let name = free.unwrap_or(name);
        self.0.insert(name.clone());
        name
    }

    /// Returns the name of a field for a property.
    pub(super) fn field(&mut self, property: &str, classes: &Self) -> String {
        let name: String = property.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        // pydantic takes a leading underscore for a private attribute
        let name = match name.trim_start_matches('_') {
            "" => "field".to_owned(),
            name if name.starts_with(|c: char| c.is_ascii_digit()) => format!("field_{name}"),
            name => name.to_owned(),
        };
        let clashes = ATTRIBUTES.contains(&&*name) || name.starts_with("model_") || classes.0.contains(&name);
        self.take(if clashes { format!("{name}_") } else { name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_named_after_its_contract() {
        assert_eq!(class("api.user_input"), "ApiUserInput");
        assert_eq!(class("navitaire-api.get_booking/request"), "NavitaireApiGetBookingRequest");
        assert_eq!(class("3d"), "Model3d");
        assert_eq!(class("…"), "Model");
    }

    #[test]
    fn a_field_is_never_a_keyword_or_an_attribute_or_taken() {
        let classes = Scope::of_module();
        let mut scope = Scope::default();
        let fields = ["from", "json", "model_config", "_id", "1st", "", "list", "a-b", "a_b", "größe"];
        let named = fields.map(|field| scope.field(field, &classes));
        let expected = ["from_", "json_", "model_config_", "id", "field_1st", "field", "list_", "a_b", "a_b2", "gr__e"];
        assert_eq!(named, expected);
    }

    #[test]
    fn a_package_is_an_identifier() {
        assert!(is_package("platform_contracts") && is_package("_x1"));
        assert!(!is_package("") && !is_package("1x") && !is_package("a-b") && !is_package("class") && !is_package("."));
    }
}
