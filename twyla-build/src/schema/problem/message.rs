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
            Self::NoFolder { error } => write!(f, "there is no such folder of schemas: {error}"),
            Self::NoContext => {
                f.write_str("`context.json` is missing: the schema of the context that every event carries")
            }
            Self::NoEvents => f.write_str(
                "there are no events and no RPCs: an event is a file `events/<domain>/<event_type>.json`, an RPC a folder \
                 `rpc/<service>/<method>` with `request.json` and `response.json`",
            ),
            Self::Unreadable { error } => write!(f, "can't be read: {error}"),
            Self::Symlink => f.write_str("is a symbolic link; contracts are plain files in their folder"),
            Self::NotUtf8Path => f.write_str("has a name that isn't valid UTF-8"),
            Self::BadName { error } => write!(f, "{error}"),
            Self::ReservedDomain { name, why } => write!(f, "the domain can't be named `{name}`: {why}"),
            Self::NoRpcBody { way, near } => {
                write!(f, "`{way}.json` is missing: an RPC has both a `request.json` and a `response.json`")?;
                match near {
                    Some(near) => write!(f, "; is `{near}` meant to be it?"),
                    None => Ok(()),
                }
            }
            Self::NearlyRpc { near } => write!(f, "isn't a contract of the RPC; did you mean `{near}.json`?"),
            Self::BadRuntime { path } => {
                write!(f, "`{path}`, which build.rs names in `.runtime(…)`, is not a path of a crate, such as `kit::twyla`")
            }
            Self::NoContract { pattern, near } => {
                write!(f, "no event and no RPC matches `{pattern}`, which build.rs names in `.only(…)`{}", DidYouMean(near.as_deref()))
            }
            Self::NothingBelongsHere => f.write_str(
                "is not used: events are `events/<domain>/<event_type>.json`, RPCs are below `rpc/`, what they share is \
                 below `shared/`",
            ),
            Self::NotAJsonFile => f.write_str("is not used: its name doesn't end in `.json`"),
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
                write!(f, "`{uri}` is the URI of {other} already: each document has one of its own")
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
                write!(f, "`{pattern}` is a member, and only a type has derives: name its type, or use `.attribute(…)`")
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
                "`{schema}` is a whole event, context or message, whose type is always generated: replace the schemas of its \
                 properties, or use a struct of your own with `#[event]`"
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
                write!(f, "`{text}` isn't the version of a crate, as `1.2.3`, nor `*` for any: {error}")
            }
            Self::Utf16 => f.write_str("is UTF-16, but JSON is UTF-8: save it as UTF-8"),
            Self::NotUtf8 => f.write_str("isn't valid UTF-8 from here on"),
            Self::ByteOrderMark => {
                f.write_str("begins with a byte order mark, which JSON doesn't allow: save it without one")
            }
            Self::NotJson { error } => write!(f, "isn't valid JSON: {error}"),
            Self::DuplicateKey { key, first } => {
                write!(f, "`{key}` occurs twice, first on line {}: only one would count", first.line)
            }
            Self::BigNumber { number } => {
                let shown = shortened(number, MOST_DIGITS);
                write!(f, "{shown} can't be read exactly: numbers are read as integers of 64 bits or as `f64`")
            }
            Self::TooDeep { limit } => {
                write!(f, "arrays and objects are nested more than {limit} deep from here on, which is the limit")
            }
            Self::TooMuch { subject, limit } => {
                write!(f, "{subject} may have {limit} bytes at most, and have more from here on")
            }
            Self::NoSchema { found } => write!(f, "is {found}, but a schema is an object (or true or false)"),
            Self::UnknownDraft { uri, near, settings } => write!(
                f,
                "`{uri}` isn't a known draft (4, 6, 7, 2019-09 and 2020-12 are){}{} a meta-schema of your own, say which \
                 draft it extends: `\"dialects\": {{ \"{uri}\": \"7\" }}` in {settings}, `.dialect(\"{uri}\", Draft::Draft7)` in \
                 build.rs, or `--dialect {uri}=7`",
                DidYouMean(near.as_deref()),
                if near.is_none() { "; if it is" } else { " If it is" }
            ),
            Self::UnknownVocabulary { uri, schema } => {
                write!(f, "`{schema}` requires the vocabulary `{uri}`, which this version of Twyla doesn't know")
            }
            Self::OfRequest { name } => {
                write!(f, "`{name}` belongs to the request.json of an RPC; here it is ignored")
            }
            Self::UnknownType { name, near } => write!(
                f,
                "there is no type `{name}`{}{}",
                DidYouMean(near.as_deref()),
                if near.is_none() { ": array, boolean, integer, null, number, object and string are" } else { "" }
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
                    "`{name}` is a keyword of {of} and is ignored in draft {draft}: name the draft that is meant with `$schema`"
                )
            }
            Self::Nullable => f.write_str(
                "`nullable` is a keyword of OpenAPI 3.0, not of JSON Schema, and is ignored: allow null with `\"type\": [\"string\", \"null\"]`, \
                 or `\"anyOf\": [{ … }, { \"type\": \"null\" }]`",
            ),
            Self::UnknownFormat { name, known: true, settings, .. } => {
                write!(
                    f,
                    "`{name}` is a format of other drafts, not of this one, so nothing is checked: assert it in every draft with \
                     `\"assert-formats\": [\"{name}\"]` in {settings} or `.assert_formats([\"{name}\"])` in build.rs, or name \
                     another draft with `$schema`"
                )
            }
            Self::UnknownFormat { name, near, .. } => {
                write!(f, "`{name}` isn't a format of JSON Schema, so nothing is checked{}", DidYouMean(near.as_deref()))
            }
            Self::WrongKeyword { keyword, wanted, found } => write!(f, "`{keyword}` is {wanted}, not {found}"),
            Self::WrongAnnotation { keyword, wanted, found } => {
                write!(f, "`{keyword}` is {wanted}, not {}, and is ignored", shortened(found, MOST_SHOWN))
            }
            Self::BadPattern { pattern, why } => {
                write!(f, "`{}` isn't a regular expression (ECMA-262)", shortened(pattern, MOST_SHOWN))?;
                why.as_ref().map_or(Ok(()), |why| write!(f, ": {why}"))
            }
            Self::LoosePattern { pattern, loose, accepted } => write!(
                f,
                "the pattern `{}` is read by the rules of ECMA-262 without the flag `u`: `{}` at character {} {}; write {}",
                shortened(pattern, MOST_SHOWN),
                loose.written,
                loose.at,
                loose.means,
                // escaped as in a schema
                quoted(&shortened(accepted, MOST_SHOWN))
            ),
            Self::PatternBeyond { pattern } => write!(
                f,
                "the pattern `{}` can't be matched here: it has a modifier `m`, a lookbehind that backtracks, or a \
                 backreference to a group in a loop whose iteration may be empty or skip the group, or it takes more than 2 MB \
                 when compiled; rewrite it without these",
                shortened(pattern, MOST_SHOWN)
            ),
            Self::RefusedDefault { at, rule } => {
                let at = if at.is_empty() { String::new() } else { format!(" at {at}") };
                write!(f, "the default breaks its own schema{at}, so no method returns it: {rule}")
            }
            Self::UnheldDefault { found, wants } => {
                write!(f, "the Rust type can't hold this default, so no method returns it: {found} is not {wants}")
            }
            Self::RequiredUndeclared { name, near } => {
                write!(f, "`{name}` is required, but `properties` doesn't declare it{}", DidYouMean(near.as_deref()))
            }
            Self::CannotHoldObject { subject, found, array } => {
                write!(f, "the {subject} is always a JSON object, but this schema allows none: {found}")?;
                if *array {
                    f.write_str(
                        "; wrap the array: `{ \"type\": \"object\", \"properties\": { \"items\": … }, \"required\": [\"items\"] }`",
                    )?;
                }
                Ok(())
            }
            Self::Narrowed { subject } => write!(
                f,
                "the {subject} is always a JSON object, but this schema also allows other values: those are refused"
            ),
            Self::OnlyDefinitions { subject } => write!(
                f,
                "this schema only has definitions and doesn't describe the {subject} itself, so its type is an empty struct: refer to \
                 one of them with `$ref`, or move the file below `shared/`"
            ),
            Self::Repeated { kind, times, files: 1 } => write!(f, "{kind} ({times} times in this file)"),
            Self::Repeated { kind, times, files } => write!(f, "{kind} ({times} times, in {files} files)"),
            Self::DuplicateId { uri, first } => write!(
                f,
                "`{uri}` is the name of another schema already, at {first}, and a reference may mean either: give one of them \
                 another name, or embed it in the file that refers to it"
            ),
            Self::Lock { message } => f.write_str(message),
            Self::BadBundle { error } => write!(f, "isn't a bundle of schemas: {error}"),
            Self::Uncompilable { error } => write!(f, "the schema can't be compiled: {error}"),
            Self::DanglingFile { reference, near } => write!(f, "`{reference}` leads to no file{}", DidYouMean(near.as_deref())),
            Self::DanglingPointer { reference, near } => write!(f, "`{reference}` leads nowhere{}", DidYouMean(near.as_deref())),
            Self::LeavesFolder { reference } => {
                write!(
                    f,
                    "`{reference}` leaves the schemas folder, and everything that contracts need is in it: copy the file below \
                     `shared/` and refer to it there"
                )
            }
            Self::WantsNetwork { reference, uri, settings } if reference.starts_with(uri.as_str()) => write!(
                f,
                "`{reference}` is in no file of this folder, and nothing is fetched from a network: save the document and name \
                 its file, `\"documents\": {{ \"{uri}\": \"FILE\" }}` in {settings} or `.document(\"{uri}\", \"FILE\")` in build.rs"
            ),
            Self::WantsNetwork { reference, uri, settings } => write!(
                f,
                "`{reference}` is `{uri}` here, because of `$id`; no file of this folder has that name, and nothing is \
                 fetched from a network: save the document and name its file, `\"documents\": {{ \"{uri}\": \"FILE\" }}` in \
                 {settings} or `.document(\"{uri}\", \"FILE\")` in build.rs"
            ),
            Self::BadReference { reference } => {
                write!(f, "`{reference}` isn't a URI reference, or can't be resolved against the `$id` around it")
            }
            Self::Circular { reference, chain } => {
                write!(f, "`{reference}` leads back to itself and never to a schema: {chain}")
            }
            Self::FieldRenamed { name, other, plain, field } => {
                write!(f, "`{name}` is the field `{field}` in Rust, because `{other}` is `{plain}` already")
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
