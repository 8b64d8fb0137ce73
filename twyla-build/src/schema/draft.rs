//! The drafts of JSON Schema: which draft a schema has, and which keywords a draft has.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A draft of JSON Schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Draft {
    /// Draft 4.
    Draft4,
    /// Draft 6.
    Draft6,
    /// Draft 7.
    Draft7,
    /// Draft 2019-09.
    Draft201909,
    /// Draft 2020-12, the draft of schemas without `$schema`.
    #[default]
    Draft202012,
}

use Draft::{Draft4, Draft6, Draft7, Draft201909, Draft202012};

const ALL: [(Draft, &str, &str); 5] = [
    (Draft4, "4", "http://json-schema.org/draft-04/schema#"),
    (Draft6, "6", "http://json-schema.org/draft-06/schema#"),
    (Draft7, "7", "http://json-schema.org/draft-07/schema#"),
    (Draft201909, "2019-09", "https://json-schema.org/draft/2019-09/schema"),
    (Draft202012, "2020-12", "https://json-schema.org/draft/2020-12/schema"),
];

impl Draft {
    /// Returns the draft that a `$schema` names.
    pub(crate) fn of(uri: &str) -> Option<Self> {
        ALL.into_iter().find(|(_, _, known)| plain(known) == plain(uri)).map(|(draft, ..)| draft)
    }

    /// Returns the known values of `$schema`, for a "did you mean".
    pub(crate) fn uris() -> impl Iterator<Item = &'static str> {
        ALL.into_iter().map(|(_, _, uri)| uri)
    }

    /// Returns the draft's value of `$schema`.
    #[must_use]
    pub fn uri(self) -> &'static str {
        ALL.iter().find(|(draft, ..)| *draft == self).map_or("", |(_, _, uri)| uri)
    }

    /// Returns the draft's name, such as `2020-12`.
    #[must_use]
    pub fn name(self) -> &'static str {
        ALL.iter().find(|(draft, ..)| *draft == self).map_or("2020-12", |(_, name, _)| name)
    }

    /// Returns the draft with a name; `None` if no draft has it.
    pub(crate) fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|(_, known, _)| *known == name).map(|(draft, ..)| draft)
    }

    /// Returns whether members beside `$ref` are ignored.
    pub(crate) fn ref_stands_alone(self) -> bool {
        self <= Draft7
    }

    pub(crate) fn id_keyword(self) -> &'static str {
        if self == Draft4 { "id" } else { "$id" }
    }

    /// Returns whether the draft has this keyword.
    pub(crate) fn has(self, keyword: &str) -> bool {
        LIFETIMES.get(keyword).is_some_and(|(first, last)| *first <= self && self <= *last)
    }

    /// Returns the first and the last draft that have a validating keyword, if this draft lacks it.
    pub(crate) fn elsewhere(self, keyword: &str) -> Option<(Self, Self)> {
        let says_nothing = is_annotation(keyword) || keyword.starts_with("content");
        LIFETIMES.get(keyword).copied().filter(|_| !self.has(keyword) && !says_nothing)
    }

    /// Returns whether the draft has a keyword that isn't just an annotation: `maxLength`, but not `title`.
    ///
    /// ```
    /// use twyla_build::Draft;
    ///
    /// assert!(Draft::Draft202012.is_rule("prefixItems") && !Draft::Draft7.is_rule("prefixItems"));
    /// assert!(!Draft::Draft202012.is_rule("title"));
    /// ```
    #[must_use]
    pub fn is_rule(self, keyword: &str) -> bool {
        self.has(keyword) && !is_annotation(keyword)
    }

    /// Returns the draft's keywords.
    pub(crate) fn keywords(self) -> impl Iterator<Item = &'static str> + Clone {
        KEYWORDS.iter().filter(move |(_, first, last)| *first <= self && self <= *last).map(|(name, ..)| *name)
    }
}

impl std::str::FromStr for Draft {
    type Err = NoDraft;

    /// Parses the [`name`](Draft::name) of a draft.
    fn from_str(name: &str) -> Result<Self, NoDraft> {
        Self::named(name).ok_or(NoDraft)
    }
}

/// The error for a text that doesn't name a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoDraft;

impl std::error::Error for NoDraft {}

impl std::fmt::Display for NoDraft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("expected 4, 6, 7, 2019-09 or 2020-12")
    }
}

/// The drafts that custom values of `$schema` stand for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dialects(BTreeMap<String, Draft>);

/// Dialects in wide use. Snowplow's Iglu is draft 4 with an annotation `self`.
const KNOWN: [(&str, Draft); 1] =
    [("http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#", Draft4)];

impl Dialects {
    pub(crate) fn insert(&mut self, uri: &str, draft: Draft) {
        self.0.insert(plain(uri).to_owned(), draft);
    }

    /// Returns the draft that the settings set for a URI.
    pub(crate) fn set(&self, uri: &str) -> Option<Draft> {
        self.0.get(plain(uri)).copied()
    }

    /// Returns the draft of a built-in dialect.
    pub(crate) fn known(uri: &str) -> Option<Draft> {
        KNOWN.into_iter().find(|(known, _)| plain(known) == plain(uri)).map(|(_, draft)| draft)
    }

    /// Returns these dialects, and the dialects of `other` for URIs that these don't have.
    pub(crate) fn or(&self, other: Self) -> Self {
        let mut all = other.0;
        all.extend(self.0.iter().map(|(uri, draft)| (uri.clone(), *draft)));
        Self(all)
    }
}

/// Normalizes a URI of `$schema`: `http` and `https`, with and without `#`, are interchangeable in practice.
pub(crate) fn plain(uri: &str) -> &str {
    uri.trim_end_matches('#').trim_start_matches("https:").trim_start_matches("http:")
}

/// The vocabularies in force for a schema. The meta-schema of a draft has all of them; a custom one lists them in
/// `$vocabulary`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Vocabularies(u8);

/// The vocabularies of 2019-09 and 2020-12, by the end of their URI.
const VOCABULARIES: [(&str, u8); 9] = [
    ("core", CORE),
    ("applicator", APPLICATOR),
    ("unevaluated", UNEVALUATED),
    ("validation", VALIDATION),
    ("meta-data", META_DATA),
    ("format", FORMAT),
    ("format-annotation", FORMAT),
    ("format-assertion", FORMAT),
    ("content", CONTENT),
];

const CORE: u8 = 1;
const APPLICATOR: u8 = 1 << 1;
const UNEVALUATED: u8 = 1 << 2;
const VALIDATION: u8 = 1 << 3;
const META_DATA: u8 = 1 << 4;
const FORMAT: u8 = 1 << 5;
const CONTENT: u8 = 1 << 6;

impl Vocabularies {
    pub(crate) const ALL: Self = Self(u8::MAX);
    /// The core vocabulary, which is always in force.
    pub(crate) const CORE: Self = Self(CORE);

    /// Adds the vocabulary of a URI; `None` if the draft doesn't have it.
    pub(crate) fn with(self, draft: Draft, uri: &str) -> Option<Self> {
        let folder = match draft {
            Draft201909 => "//json-schema.org/draft/2019-09/vocab/",
            Draft202012 => "//json-schema.org/draft/2020-12/vocab/",
            Draft4 | Draft6 | Draft7 => return None,
        };
        let name = plain(uri).strip_prefix(folder)?;
        let known = match draft {
            Draft201909 => !matches!(name, "unevaluated" | "format-annotation" | "format-assertion"),
            _ => name != "format",
        };
        let (_, bit) = VOCABULARIES.iter().find(|(other, _)| *other == name).filter(|_| known)?;
        // the applicator vocabulary of 2019-09 includes keywords that have a vocabulary of their own in 2020-12
        let bit = if draft == Draft201909 && *bit == APPLICATOR { APPLICATOR | UNEVALUATED } else { *bit };
        Some(Self(self.0 | bit))
    }

    /// Returns whether a keyword is in force.
    pub(crate) fn has(self, keyword: &str) -> bool {
        self.0 & vocabulary(keyword) != 0
    }
}

/// Returns the vocabulary of a keyword.
fn vocabulary(keyword: &str) -> u8 {
    match keyword {
        "additionalProperties" => APPLICATOR,
        "additionalItems" | "allOf" | "anyOf" | "contains" | "dependencies" | "dependentSchemas" | "else" | "if"
        | "items" | "not" | "oneOf" | "patternProperties" | "prefixItems" | "properties" | "propertyNames" | "then" => {
            APPLICATOR
        }
        "unevaluatedItems" | "unevaluatedProperties" => UNEVALUATED,
        "const" | "dependentRequired" | "enum" | "exclusiveMaximum" | "exclusiveMinimum" | "maxContains"
        | "maxItems" | "maxLength" | "maxProperties" | "maximum" | "minContains" | "minItems" | "minLength"
        | "minProperties" | "minimum" | "multipleOf" | "pattern" | "required" | "type" | "uniqueItems" => VALIDATION,
        "default" | "deprecated" | "description" | "examples" | "readOnly" | "title" | "writeOnly" => META_DATA,
        "format" => FORMAT,
        "contentEncoding" | "contentMediaType" | "contentSchema" => CONTENT,
        _ => CORE,
    }
}

/// `KEYWORDS` by name, since lookups are frequent.
static LIFETIMES: LazyLock<BTreeMap<&str, (Draft, Draft)>> =
    LazyLock::new(|| KEYWORDS.iter().map(|(name, first, last)| (*name, (*first, *last))).collect());

/// Each keyword with the first and the last draft that has it.
const KEYWORDS: &[(&str, Draft, Draft)] = &[
    ("id", Draft4, Draft4),
    ("$id", Draft6, Draft202012),
    ("$schema", Draft4, Draft202012),
    ("$ref", Draft4, Draft202012),
    ("$anchor", Draft201909, Draft202012),
    ("$recursiveRef", Draft201909, Draft201909),
    ("$recursiveAnchor", Draft201909, Draft201909),
    ("$dynamicRef", Draft202012, Draft202012),
    ("$dynamicAnchor", Draft202012, Draft202012),
    ("$vocabulary", Draft201909, Draft202012),
    ("$comment", Draft7, Draft202012),
    ("$defs", Draft201909, Draft202012),
    ("definitions", Draft4, Draft202012),
    ("title", Draft4, Draft202012),
    ("description", Draft4, Draft202012),
    ("default", Draft4, Draft202012),
    ("examples", Draft6, Draft202012),
    ("deprecated", Draft201909, Draft202012),
    ("readOnly", Draft7, Draft202012),
    ("writeOnly", Draft7, Draft202012),
    ("type", Draft4, Draft202012),
    ("enum", Draft4, Draft202012),
    ("const", Draft6, Draft202012),
    ("multipleOf", Draft4, Draft202012),
    ("maximum", Draft4, Draft202012),
    ("exclusiveMaximum", Draft4, Draft202012),
    ("minimum", Draft4, Draft202012),
    ("exclusiveMinimum", Draft4, Draft202012),
    ("maxLength", Draft4, Draft202012),
    ("minLength", Draft4, Draft202012),
    ("pattern", Draft4, Draft202012),
    ("format", Draft4, Draft202012),
    ("contentEncoding", Draft7, Draft202012),
    ("contentMediaType", Draft7, Draft202012),
    ("contentSchema", Draft201909, Draft202012),
    ("items", Draft4, Draft202012),
    ("prefixItems", Draft202012, Draft202012),
    ("additionalItems", Draft4, Draft201909),
    ("unevaluatedItems", Draft201909, Draft202012),
    ("contains", Draft6, Draft202012),
    ("minContains", Draft201909, Draft202012),
    ("maxContains", Draft201909, Draft202012),
    ("maxItems", Draft4, Draft202012),
    ("minItems", Draft4, Draft202012),
    ("uniqueItems", Draft4, Draft202012),
    ("properties", Draft4, Draft202012),
    ("patternProperties", Draft4, Draft202012),
    ("additionalProperties", Draft4, Draft202012),
    ("unevaluatedProperties", Draft201909, Draft202012),
    ("propertyNames", Draft6, Draft202012),
    ("required", Draft4, Draft202012),
    ("maxProperties", Draft4, Draft202012),
    ("minProperties", Draft4, Draft202012),
    ("dependencies", Draft4, Draft202012),
    ("dependentRequired", Draft201909, Draft202012),
    ("dependentSchemas", Draft201909, Draft202012),
    ("allOf", Draft4, Draft202012),
    ("anyOf", Draft4, Draft202012),
    ("oneOf", Draft4, Draft202012),
    ("not", Draft4, Draft202012),
    ("if", Draft7, Draft202012),
    ("then", Draft7, Draft202012),
    ("else", Draft7, Draft202012),
];

/// The way in which a keyword holds subschemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subschemas {
    One,
    OneOrMany,
    Many,
    Named,
}

/// The keywords of all drafts that hold subschemas.
pub(crate) const HOLDERS: &[(&str, Subschemas)] = &[
    ("additionalItems", Subschemas::One),
    ("additionalProperties", Subschemas::One),
    ("contains", Subschemas::One),
    ("contentSchema", Subschemas::One),
    ("else", Subschemas::One),
    ("if", Subschemas::One),
    ("not", Subschemas::One),
    ("propertyNames", Subschemas::One),
    ("then", Subschemas::One),
    ("unevaluatedItems", Subschemas::One),
    ("unevaluatedProperties", Subschemas::One),
    ("items", Subschemas::OneOrMany),
    ("allOf", Subschemas::Many),
    ("anyOf", Subschemas::Many),
    ("oneOf", Subschemas::Many),
    ("prefixItems", Subschemas::Many),
    ("$defs", Subschemas::Named),
    ("definitions", Subschemas::Named),
    ("dependencies", Subschemas::Named),
    ("dependentSchemas", Subschemas::Named),
    ("patternProperties", Subschemas::Named),
    ("properties", Subschemas::Named),
];

/// Returns whether a keyword doesn't validate: annotations, identifiers and definitions.
pub(crate) fn is_annotation(keyword: &str) -> bool {
    matches!(keyword, "id" | "$id" | "$schema" | "$anchor" | "$dynamicAnchor" | "$recursiveAnchor" | "$vocabulary")
        || matches!(keyword, "$comment" | "$defs" | "definitions")
        || vocabulary(keyword) == META_DATA
}
