//! Contracts with rules that a typed value can't tell: the schema itself, compiled once by the `jsonschema` crate.

#[cfg(feature = "residue")]
pub use held::Residue;

/// Nothing: the feature `residue` is off, and no contract can ask for one.
#[cfg(not(feature = "residue"))]
#[derive(Debug)]
pub enum Residue {}

#[cfg(not(feature = "residue"))]
impl Residue {
    pub(super) fn violations(&self, _: &serde_json::Value) -> Vec<super::Violation> {
        match *self {}
    }
}

#[cfg(feature = "residue")]
mod held {
    use jsonschema::{Draft, PatternOptions, Registry, Validator};
    use serde_json::Value;

    use crate::validate::Violation;
    use crate::validate::rules::shortened;

    /// Steps that a pattern with lookarounds or backreferences may go back, so that a hostile string takes bounded time.
    const BACKTRACKS: usize = 100_000;
    /// More broken rules than these are not told.
    const MOST_VIOLATIONS: usize = 100;

    /// A schema as the `jsonschema` crate holds values to it.
    #[derive(Debug)]
    pub struct Residue(Result<Validator, String>);

    impl Residue {
        /// Compiles the schema at the URI `root`, which is in one of the documents, each with its URI and its JSON text.
        /// `draft` is that of documents without `$schema`. Nothing else is read, from no disk and no network.
        #[must_use]
        pub fn new(root: &str, draft: &str, documents: &[(&str, &str)]) -> Self {
            Self(compile(root, draft, documents).map_err(|error| shortened(&error, 300)))
        }

        pub(in crate::validate) fn violations(&self, value: &Value) -> Vec<Violation> {
            let refused = |pointer, keyword, message| Violation { pointer, keyword, message };
            match &self.0 {
                Ok(validator) if validator.is_valid(value) => Vec::new(),
                Ok(validator) => {
                    let told = validator.iter_errors(value).take(MOST_VIOLATIONS).map(|error| {
                        let shown = shortened(&error.instance().to_string(), 60);
                        let message = error.masked_with(shown).to_string();
                        let keyword = keyword(error.kind().keyword());
                        refused(error.instance_path().as_str().to_owned(), keyword, shortened(&message, 300))
                    });
                    told.collect()
                }
                // can't be where the build script saw it compile; refusing is the safe side
                Err(error) => {
                    vec![refused(String::new(), "$schema", format!("the schema can't be compiled here: {error}"))]
                }
            }
        }
    }

    fn compile(root: &str, draft: &str, documents: &[(&str, &str)]) -> Result<Validator, String> {
        let draft = match draft {
            "4" => Draft::Draft4,
            "6" => Draft::Draft6,
            "7" => Draft::Draft7,
            "2019-09" => Draft::Draft201909,
            _ => Draft::Draft202012,
        };
        let mut registry = Registry::new().retriever(Offline);
        for (uri, text) in documents {
            let document: Value = serde_json::from_str(text).map_err(|error| format!("{uri}: {error}"))?;
            let own =
                document.get("$schema").and_then(Value::as_str).map_or(draft, |_| Draft::default().detect(&document));
            registry = registry.add(uri, own.create_resource(document)).map_err(|error| error.to_string())?;
        }
        let registry = registry.prepare().map_err(|error| error.to_string())?;
        jsonschema::options()
            .with_draft(draft)
            .with_registry(&registry)
            .with_base_uri("twyla:///")
            .offline()
            .should_validate_formats(true)
            .with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(BACKTRACKS))
            .build(&serde_json::json!({ "$ref": root }))
            .map_err(|error| error.to_string())
    }

    struct Offline;

    impl jsonschema::Retrieve for Offline {
        fn retrieve(&self, uri: &jsonschema::Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
            Err(format!("{uri} is in no schema file").into())
        }
    }

    /// The keyword with the program's lifetime.
    fn keyword(name: &str) -> &'static str {
        const KEYWORDS: &[&str] = &[
            "additionalItems",
            "additionalProperties",
            "allOf",
            "anyOf",
            "const",
            "contains",
            "contentEncoding",
            "contentMediaType",
            "dependencies",
            "dependentRequired",
            "dependentSchemas",
            "else",
            "enum",
            "exclusiveMaximum",
            "exclusiveMinimum",
            "format",
            "if",
            "items",
            "maxContains",
            "maxItems",
            "maxLength",
            "maxProperties",
            "maximum",
            "minContains",
            "minItems",
            "minLength",
            "minProperties",
            "minimum",
            "multipleOf",
            "not",
            "oneOf",
            "pattern",
            "patternProperties",
            "prefixItems",
            "properties",
            "propertyNames",
            "required",
            "then",
            "type",
            "unevaluatedItems",
            "unevaluatedProperties",
            "uniqueItems",
        ];
        KEYWORDS.iter().find(|known| **known == name).copied().unwrap_or("$schema")
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn said(schema: &str, value: &str) -> Vec<String> {
            let residue = Residue::new("twyla:///a.json", "2020-12", &[("twyla:///a.json", schema)]);
            let violations = residue.violations(&serde_json::from_str(value).unwrap());
            violations.iter().map(|violation| format!("{} {violation}", violation.keyword)).collect()
        }

        #[test]
        fn tells_pointer_keyword_and_value() {
            let schema = r#"{"properties":{"a":{"type":"array","prefixItems":[{"type":"integer"}]}}}"#;
            assert_eq!(said(schema, r#"{"a":["x"]}"#), ["type /a/0: \"x\" is not of type \"integer\""]);
            assert!(said(schema, r#"{"a":[1.0]}"#).is_empty());
        }

        #[test]
        fn holds_formats_and_bounds_patterns() {
            assert_eq!(said(r#"{"format":"email"}"#, "\"x\"").len(), 1);
            let hostile = format!("\"{}!\"", "a".repeat(5000));
            assert_eq!(said(r#"{"pattern":"^(?=a)(a+)+\\1$"}"#, &hostile).len(), 1);
        }

        #[test]
        fn refuses_everything_where_the_schema_is_broken() {
            assert_eq!(said(r#"{"$ref":"https://example.com/x.json"}"#, "1").len(), 1);
            assert_eq!(said("{", "1").len(), 1);
        }
    }
}

/// The body of `Contract::residue` for one contract: `uri_of_root, default_draft, [(uri, text), ..]`.
#[cfg(feature = "residue")]
#[doc(hidden)]
#[macro_export]
macro_rules! __residue {
    ($contract:literal, $root:expr, $draft:expr, [$(($uri:expr, $text:expr)),* $(,)?]) => {{
        static RESIDUE: ::std::sync::LazyLock<$crate::__private::Residue> =
            ::std::sync::LazyLock::new(|| $crate::__private::Residue::new($root, $draft, &[$(($uri, $text)),*]));
        ::std::option::Option::Some(&*RESIDUE)
    }};
}

/// Without the feature such a contract can't be held, so nothing may pretend to.
#[cfg(not(feature = "residue"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __residue {
    ($contract:literal, $($rest:tt)*) => {
        compile_error!(concat!(
            "the contract ",
            $contract,
            " has rules that need the feature `residue` of twyla-runtime: switch it on"
        ))
    };
}
