//! The messages of problems.

use std::fmt;

use twyla_contract::similar::DidYouMean;
use twyla_contract::text::shortened;

use super::kind::ProblemKind;
use crate::schema::draft::Draft;
use crate::schema::load::quoted;

/// The maximum number of characters of a text that a message shows.
const MOST_SHOWN: usize = 200;

/// The maximum number of digits of a number that a message shows.
const MOST_DIGITS: usize = 60;

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFolder { error } => write!(f, "the schemas folder can't be read: {error}"),
            Self::NoContext => {
                f.write_str("`context.json` is missing: the schema of the context that every event carries")
            }
            Self::NoEvents => f.write_str(
                "there are no events and no RPCs: an event is a file `events/<domain>/<event_type>.json`, an RPC a folder \
                 `rpc/<service>/<method>` with `request.json` and `response.json`",
            ),
            Self::Unreadable { error } => write!(f, "can't be read: {error}"),
            Self::Symlink => f.write_str("the file is a symbolic link, but schemas must be regular files of the \
                                          folder"),
            Self::NotUtf8Path => f.write_str("the name of the file isn't valid UTF-8"),
            Self::BadName { error } => write!(f, "{error}"),
            Self::ReservedDomain { name, why } => write!(f, "the domain can't be named `{name}`: {why}"),
            Self::NoRpcBody { way, near } => {
                write!(f, "`{way}.json` is missing: an RPC has both a `request.json` and a `response.json`")?;
                match near {
                    Some(near) => write!(f, "; should `{near}` have this name?"),
                    None => Ok(()),
                }
            }
            Self::NearlyRpc { near } => write!(f, "the file isn't a contract of the RPC; did you mean `{near}.json`?"),
            Self::BadRuntime { path } => {
                write!(f, "`{path}`, which build.rs names in `.runtime(…)`, isn't the path of a crate, such as \
                           `kit::twyla`")
            }
            Self::NoContract { pattern, near } => {
                write!(f, "no event or RPC matches `{pattern}`, which build.rs names in `.only(…)`{}", DidYouMean(near.as_deref()))
            }
            Self::NothingBelongsHere => f.write_str(
                "the file is not used: events are `events/<domain>/<event_type>.json`, RPCs are below `rpc/`, and \
                 shared schemas below `shared/`",
            ),
            Self::NotAJsonFile => f.write_str("the file is not used: its name doesn't end in `.json`"),
            Self::UnknownWarning { name, near } => write!(f, "there is no warning `{name}`{}", DidYouMean(near.as_deref())),
            Self::NoNullable { pattern } => write!(
                f,
                "`null-is-absent` has the pattern `{pattern}`, which matches no property: write `*`, a module (`shop`), a type \
                 (`shop::Order`) or a property (`shop::Order.note`)"
            ),
            Self::NoFormat { name, near } => {
                write!(f, "`{name}` isn't a format of JSON Schema, so it can't be asserted{}", DidYouMean(near.as_deref()))
            }
            Self::UnknownSetting { name, near } => write!(f, "there is no setting `{name}`{}", DidYouMean(near.as_deref())),
            Self::BadDocumentUri { uri } => write!(
                f,
                "`{uri}` can't be the URI of a document: expected an absolute one without `#`, such as `https://example.com/money.json`"
            ),
            Self::DocumentTwice { uri, other } => {
                write!(f, "`{uri}` is already the URI of {other}: give each document a URI of its own")
            }
            Self::UnmatchedPattern { pattern, near } => write!(
                f,
                "no generated type or member matches `{pattern}`{}{}",
                DidYouMean(near.as_deref()),
                if near.is_none() {
                    ": a pattern is `*`, a module (`shop`), a type (`shop::OrderPlaced`) or a member of one (`shop::OrderPlaced.total`)"
                } else {
                    ""
                }
            ),
            Self::DeriveOnMember { pattern } => {
                write!(f, "`{pattern}` is a member, but only types have derives: name its type, or use `.attribute(…)`")
            }
            Self::NoDerive { text, why } => write!(f, "`{}` isn't the path of a derive: {why}", shortened(text, MOST_SHOWN)),
            Self::NoAttribute { text, why } => write!(f, "`{}` isn't an attribute: {why}", shortened(text, MOST_SHOWN)),
            Self::CannotDerive { derive, type_, reason } => {
                write!(f, "`{derive}` can't be derived for `{type_}`: {reason}")
            }
            Self::NoTypePath { text, why } => write!(f, "`{}` isn't the path of a type: {why}", shortened(text, MOST_SHOWN)),
            Self::NoSuchSchema { schema, near } => write!(
                f,
                "there is no schema `{schema}` to replace{}{}",
                DidYouMean(near.as_deref()),
                if near.is_none() {
                    ": name a file of the folder, `shared/money.json`, or a schema in one, `shared/types.json#/$defs/money`"
                } else {
                    ""
                }
            ),
            Self::ContractReplaced { schema } => write!(
                f,
                "`{schema}` is a contract, whose type is always generated: replace the schemas of its properties, or \
                 use a struct of your own with `#[event]`"
            ),
            Self::UnusedSchema { schema } => write!(
                f,
                "no value of a contract has the type of `{schema}`, so nothing is replaced: refer to it with `$ref`, or remove the \
                 replacement"
            ),
            Self::UnusedFormat { format, near } => write!(
                f,
                "no value of a contract has the format `{format}` without `enum` or `const`, so nothing is replaced{}",
                DidYouMean(near.as_deref())
            ),
            Self::UnusedCrate { name, near } => write!(
                f,
                "no schema names a type of the crate `{name}` in `x-rust-type`, so nothing is replaced{}",
                DidYouMean(near.as_deref())
            ),
            Self::NoCrateVersion { text, error } => {
                write!(f, "`{text}` isn't the version of a crate, such as `1.2.3`, or `*` for any version: {error}")
            }
            Self::Utf16 => f.write_str("the file is UTF-16, but JSON is UTF-8: save it as UTF-8"),
            Self::NotUtf8 => f.write_str("the file isn't valid UTF-8 from here on"),
            Self::ByteOrderMark => {
                f.write_str("the file begins with a byte order mark, which JSON doesn't allow: save it without one")
            }
            Self::NotJson { error } => write!(f, "invalid JSON: {error}"),
            Self::DuplicateKey { key, first } => {
                write!(f, "`{key}` occurs twice in the same object, first on line {}: remove one of the two", first.line)
            }
            Self::BigNumber { number } => {
                let shown = shortened(number, MOST_DIGITS);
                write!(f, "{shown} can't be read exactly: numbers must fit in 64-bit integers or in `f64`")
            }
            Self::TooDeep { limit } => {
                write!(f, "arrays and objects are nested deeper than the limit of {limit} levels from here on")
            }
            Self::TooMuch { subject, limit } => {
                write!(f, "the limit of {limit} bytes for {subject} is exceeded from here on")
            }
            Self::NoSchema { found } => write!(f, "expected a schema (an object or a boolean), found {found}"),
            Self::UnknownDraft { uri, near, settings } => write!(
                f,
                "`{uri}` isn't the URI of a known draft (4, 6, 7, 2019-09 or 2020-12){}{} a meta-schema of your own, \
                 name the draft that it extends: `\"dialects\": {{ \"{uri}\": \"7\" }}` in {settings}, \
                 `.dialect(\"{uri}\", Draft::Draft7)` in build.rs, or `--dialect {uri}=7`",
                DidYouMean(near.as_deref()),
                if near.is_none() { "; if it is" } else { " If it is" }
            ),
            Self::UnknownVocabulary { uri, schema } => {
                write!(f, "`{schema}` requires the vocabulary `{uri}`, which this version of Twyla doesn't support")
            }
            Self::OfRequest { name } => {
                write!(f, "`{name}` is a keyword for the `request.json` of an RPC and is ignored in other schemas")
            }
            Self::UnknownType { name, near } => write!(
                f,
                "there is no type `{name}`{}{}",
                DidYouMean(near.as_deref()),
                if near.is_none() { ": expected array, boolean, integer, null, number, object or string" } else { "" }
            ),
            Self::UnknownKeyword { name, near } => {
                write!(f, "`{name}` isn't a keyword and is ignored; did you mean `{near}`?")
            }
            Self::ForeignKeyword { name, draft, first, last } => {
                let (draft, first, last) = (draft.name(), first.name(), last.name());
                let of = match (first == last, last == Draft::default().name()) {
                    (true, _) => format!("draft {first}"),
                    (false, true) => format!("draft {first} and later ones"),
                    (false, false) => format!("drafts {first} to {last}"),
                };
                write!(
                    f,
                    "`{name}` is a keyword of {of} and is ignored in draft {draft}: name the intended draft with \
                     `$schema`"
                )
            }
            Self::Nullable => f.write_str(
                "`nullable` is a keyword of OpenAPI 3.0, not of JSON Schema, and is ignored: allow null with `\"type\": [\"string\", \"null\"]`, \
                 or `\"anyOf\": [{ … }, { \"type\": \"null\" }]`",
            ),
            Self::UnknownFormat { name, known: true, settings, .. } => {
                write!(
                    f,
                    "`{name}` is a format of other drafts, not of this one, so it isn't validated: assert it in every \
                     draft with `\"assert-formats\": [\"{name}\"]` in {settings} or `.assert_formats([\"{name}\"])` in \
                     build.rs, or name another draft with `$schema`"
                )
            }
            Self::UnknownFormat { name, near, .. } => {
                write!(f, "`{name}` isn't a format of JSON Schema, so it isn't validated{}", DidYouMean(near.as_deref()))
            }
            Self::WrongKeyword { keyword, wanted, found } => write!(f, "`{keyword}` must be {wanted}, found {found}"),
            Self::InexactFactor { found } => {
                let wanted = "a number with at most 38 digits besides zeros at either end, and an exponent within 32 bits";
                write!(f, "`multipleOf` must be {wanted}, found {found}")
            }
            Self::WrongAnnotation { keyword, wanted, found } => {
                write!(f, "`{keyword}` is ignored: expected {wanted}, found {}", shortened(found, MOST_SHOWN))
            }
            Self::BadPattern { pattern, why } => {
                write!(f, "`{}` isn't a regular expression (ECMA-262)", shortened(pattern, MOST_SHOWN))?;
                why.as_ref().map_or(Ok(()), |why| write!(f, ": {why}"))
            }
            Self::LoosePattern { pattern, loose, accepted } => write!(
                f,
                "the pattern `{}` is valid only without the flag `u` of ECMA-262: `{}` at character {} {}; write {}",
                shortened(pattern, MOST_SHOWN),
                loose.written,
                loose.at,
                loose.means,
                // escaped as in a schema
                quoted(&shortened(accepted, MOST_SHOWN))
            ),
            Self::PatternBeyond { pattern } => write!(
                f,
                "the pattern `{}` isn't supported: it has a modifier `m`, a lookbehind that backtracks, or a \
                 backreference to a group in a loop whose iteration may be empty or skip the group, or it takes more \
                 than 2 MB when compiled; rewrite it without these",
                shortened(pattern, MOST_SHOWN)
            ),
            Self::RefusedDefault { at, rule } => {
                let at = if at.is_empty() { String::new() } else { format!(" at {at}") };
                write!(f, "the default isn't valid under its own schema{at}, so no method is generated for it: {rule}")
            }
            Self::UnheldDefault { found, wants } => {
                write!(f, "the Rust type can't represent this default, so no method is generated for it: {found} is \
                           not {wants}")
            }
            Self::RequiredUndeclared { name, near } => {
                write!(f, "`{name}` is required, but `properties` doesn't declare it{}", DidYouMean(near.as_deref()))
            }
            Self::CannotHoldObject { subject, found, array } => {
                write!(f, "the {subject} must be a JSON object, but this schema doesn't allow objects: found {found}")?;
                if *array {
                    f.write_str(
                        "; wrap the array: `{ \"type\": \"object\", \"properties\": { \"items\": … }, \"required\": [\"items\"] }`",
                    )?;
                }
                Ok(())
            }
            Self::Narrowed { subject } => write!(
                f,
                "the {subject} must be a JSON object, but this schema also allows other values, which are refused"
            ),
            Self::OnlyDefinitions { subject } => write!(
                f,
                "this schema only has definitions and doesn't describe the {subject} itself, so its type is an empty \
                 struct: refer to one of the definitions with `$ref`, or move the file below `shared/`"
            ),
            Self::Repeated { kind, times, files: 1 } => write!(f, "{kind} ({times} times in this file)"),
            Self::Repeated { kind, times, files } => write!(f, "{kind} ({times} times, in {files} files)"),
            Self::DuplicateId { uri, first } => write!(
                f,
                "`{uri}` is already the URI of another schema, at {first}, so references to it are ambiguous: give one \
                 of the two schemas another URI, or embed it in the file that refers to it"
            ),
            Self::Lock { message } => f.write_str(message),
            Self::BadBundle { error } => write!(f, "this isn't a bundle of schemas: {error}"),
            Self::Uncompilable { error } => write!(f, "the schema can't be compiled: {error}"),
            Self::DanglingFile { reference, near } => write!(f, "`{reference}` refers to a file that doesn't exist{}", DidYouMean(near.as_deref())),
            Self::DanglingPointer { reference, near } => write!(f, "`{reference}` refers to a schema that doesn't \
                                                                    exist{}", DidYouMean(near.as_deref())),
            Self::LeavesFolder { reference } => {
                write!(
                    f,
                    "`{reference}` is outside of the schemas folder, which must contain all schemas: copy the file \
                     below `shared/` and refer to it there"
                )
            }
            Self::WantsNetwork { reference, uri, settings } if reference.starts_with(uri.as_str()) => write!(
                f,
                "`{reference}` isn't in a file of this folder, and schemas are never fetched from a network: save the \
                 document, and name its file with `\"documents\": {{ \"{uri}\": \"FILE\" }}` in {settings} or with \
                 `.document(\"{uri}\", \"FILE\")` in build.rs"
            ),
            Self::WantsNetwork { reference, uri, settings } => write!(
                f,
                "`{reference}` resolves to `{uri}` because of `$id`; no file of this folder has this URI, and schemas \
                 are never fetched from a network: save the document, and name its file with `\"documents\": {{ \
                 \"{uri}\": \"FILE\" }}` in {settings} or with `.document(\"{uri}\", \"FILE\")` in build.rs"
            ),
            Self::BadReference { reference } => {
                write!(f, "`{reference}` isn't a URI reference, or can't be resolved against the enclosing `$id`")
            }
            Self::Circular { reference, chain } => {
                write!(f, "`{reference}` refers back to itself and never to a schema: {chain}")
            }
            Self::FieldRenamed { name, other, plain, field } => {
                write!(f, "the property `{name}` is the field `{field}` in Rust, because `{other}` is already the \
                           field `{plain}`")
            }
            Self::DomainClash { name, other, module } => {
                write!(f, "the domains `{name}` and `{other}` would both be the module `{module}` in Rust: rename one")
            }
            Self::EventClash { name, other, type_ } => {
                write!(f, "the events `{name}` and `{other}` would both be the type `{type_}` in Rust: rename one")
            }
            Self::TypeClash { other, type_ } => write!(
                f,
                "this schema and {other} would both be the type `{type_}` in Rust: move this one to `$defs` under another name, \
                 and refer to it here with `$ref`"
            ),
            Self::ServiceClash { name, other, module } => write!(
                f,
                "the services `{name}` and `{other}` would both be the module `rpc::{module}` in Rust: rename one"
            ),
            Self::MethodClash { name, other, type_ } => {
                write!(f, "the methods `{name}` and `{other}` would both be `{type_}` in Rust: rename one")
            }
        }
    }
}
