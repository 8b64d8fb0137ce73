//! Checks schemas: their keywords, the values of keywords, and whether an event's content, a context, a request or an error can be
//! an object.

pub(crate) mod defaults;
mod required;

use std::collections::{BTreeSet, HashMap};

use twyla_contract::rust;

use crate::number::Number;
use crate::schema::check::required::Undeclared;
use crate::schema::draft::{Draft, is_annotation};
use crate::schema::format;
use crate::schema::keyword_values::{self, InvalidValue, TYPES};
use crate::schema::load::{File, FileRole, Json, Member, Node, RpcMessage};
use crate::schema::names;
use crate::schema::pattern;
use crate::schema::pattern::{Rewritten, Untranslated};
use crate::schema::problem::{Problem, ProblemKind};
use crate::schema::rpcs;
use crate::schema::schemas::{Info, Loc, Schemas};
use crate::schema::sensitive::KEYWORD as SENSITIVE;
use crate::schema::settings;

/// Checks every schema and adds all problems.
pub(crate) fn all(schemas: &Schemas, problems: &mut Vec<Problem>) {
    let mut patterns = CheckedPatterns::new();
    let mut undeclared = Undeclared::new(schemas);
    for (loc, info) in schemas.infos.iter() {
        let Some(node) = schemas.node(loc) else { continue };
        if schemas.files[loc.file].role == FileRole::MetaSchema {
            continue;
        }
        let ignored = info.draft.ref_stands_alone() && schemas.refs.contains_key(loc);
        for member in node.members() {
            if !ignored {
                keyword((schemas, loc, info), (node, member), &mut patterns, problems);
            }
        }
        if !ignored {
            undeclared.check(loc, node, problems);
            fields(schemas, loc, node, problems);
        }
    }
    for file in 0..schemas.files.len() {
        if schemas.infos.contains_key(&Loc::root(file)) && schemas.files[file].role != FileRole::MetaSchema {
            no_schema(&schemas.files[file], problems);
        }
    }
    domains(schemas, problems);
    events(schemas, problems);
    rpcs::check(schemas, problems);
    let mut known = HashMap::new();
    for (file, subject) in schemas.files.iter().enumerate().filter_map(|(index, file)| match file.role {
        FileRole::Context => Some((index, "context")),
        FileRole::Event(_) => Some((index, "content of an event")),
        FileRole::Rpc(_, RpcMessage::Request) => Some((index, "request of an RPC")),
        FileRole::Rpc(_, RpcMessage::Error) => Some((index, "error of an RPC")),
        FileRole::Rpc(_, RpcMessage::Response)
        | FileRole::Shared
        | FileRole::BesideRpc
        | FileRole::Document
        | FileRole::MetaSchema
        | FileRole::LeftOut(_) => None,
    }) {
        if let Some(loc) = holds_object(schemas, &Loc::root(file), &mut known)
            && let Some(node) = schemas.node(&loc)
        {
            let found = match &node.json {
                Json::Object(_) => "see here".to_owned(),
                _ => node.described(),
            };
            let array = matches!(loc.pointer.rsplit_once('/'), Some((_, "type"))) && names_type(node, "array");
            problems.push(schemas.problem(&loc, node.at, ProblemKind::CannotHoldObject { subject, found, array }));
        } else {
            root(schemas, file, subject, &mut known, problems);
        }
    }
}

/// Returns whether a `type` contains this type.
fn names_type(node: &Node, name: &str) -> bool {
    node.str() == Some(name) || node.items().iter().any(|item| item.str() == Some(name))
}

/// Checks the root of a contract that allows objects: warns if it allows other values too, or has only definitions.
fn root(
    schemas: &Schemas,
    file: usize,
    subject: &'static str,
    known: &mut HashMap<Loc, Option<Loc>>,
    problems: &mut Vec<Problem>,
) {
    let loc = Loc::root(file);
    let Some(node) = schemas.node(&loc) else { return };
    let says = |keyword: &str| node.member(keyword).filter(|_| schemas.knows(&loc, keyword));
    let mut say = |at, kind| problems.push(schemas.problem(&loc, at, kind));
    if let Some(member) = says("type").filter(|it| it.value.items().iter().any(|item| item.str() != Some("object"))) {
        say(member.value.at, ProblemKind::Narrowed { subject });
        return;
    }
    for keyword in ["anyOf", "oneOf"] {
        let Some(member) = says(keyword).filter(|_| says("type").is_none()) else { continue };
        for (index, item) in member.value.items().iter().enumerate() {
            if holds_object(schemas, &loc.step(keyword).step(&index.to_string()), known).is_some() {
                say(item.at, ProblemKind::Narrowed { subject });
                return;
            }
        }
    }
    let definitions = ["$defs", "definitions"].into_iter().find_map(says);
    let is_rule = |member: &Member| schemas.knows(&loc, &member.key) && !is_annotation(&member.key);
    if let Some(member) = definitions.filter(|it| !it.value.members().is_empty())
        && !node.members().iter().any(|member| is_rule(member) && !(member.key == "type" && says("type").is_some()))
    {
        say(member.key_at, ProblemKind::OnlyDefinitions { subject });
    }
}

fn keyword<'a>(
    (schemas, loc, info): (&Schemas, &Loc, &Info),
    (node, member): (&Node, &'a Member),
    patterns: &mut CheckedPatterns<'a>,
    problems: &mut Vec<Problem>,
) {
    let draft = info.draft;
    let mut say = |at, kind| problems.push(schemas.problem(loc, at, kind));
    if info.knows(&member.key) {
        for InvalidValue { node, keyword, wanted } in keyword_values::wrong(draft, node, member) {
            let (wanted, found) = (wanted.to_owned(), node.described());
            say(
                node.at,
                match keyword_values::is_annotation(&keyword) {
                    true => ProblemKind::WrongAnnotation { keyword, wanted, found },
                    false => ProblemKind::WrongKeyword { keyword, wanted, found },
                },
            );
        }
    }
    match (member.key.as_str(), &member.value.json) {
        ("type", Json::String(_) | Json::Array(_)) => {
            let named = if let Json::Array(items) = &member.value.json {
                items.as_slice()
            } else {
                std::slice::from_ref(&member.value)
            };
            for node in named {
                if let Some(name) = node.str()
                    && !TYPES.contains(&name)
                {
                    let near = schemas.nearest(name, TYPES.into_iter()).or_else(|| other_type(name)).map(str::to_owned);
                    say(node.at, ProblemKind::UnknownType { name: name.to_owned(), near });
                }
            }
        }
        ("pattern", Json::String(written)) if info.knows("pattern") => {
            if let Some(kind) = unmatchable(written, patterns) {
                say(member.value.at, kind);
            }
        }
        ("patternProperties", Json::Object(members)) if info.knows("patternProperties") => {
            for member in members.iter() {
                if let Some(kind) = unmatchable(&member.key, patterns) {
                    say(member.key_at, kind);
                }
            }
        }
        ("format", Json::String(name)) if info.knows("format") && schemas.formats() => {
            if schemas.format(draft, name).is_none() {
                let known = format::names().any(|known| known == name);
                let near = schemas.nearest(name, format::names()).map(str::to_owned);
                // a custom format is an annotation
                if known || near.is_some() {
                    let settings = settings::shown(&schemas.files);
                    say(member.value.at, ProblemKind::UnknownFormat { name: name.clone(), near, known, settings });
                }
            }
        }
        ("multipleOf", Json::Number(text)) if info.knows("multipleOf") && !Number::new(text).is_exact_factor() => {
            say(member.value.at, ProblemKind::InexactFactor { found: member.value.described() });
        }
        ("default" | "examples" | "description" | "title" | "$comment", _) => {}
        (SENSITIVE, value) => {
            if !matches!(value, Json::Bool(_)) {
                let (keyword, wanted) = (SENSITIVE.to_owned(), "a boolean".to_owned());
                say(member.value.at, ProblemKind::WrongKeyword { keyword, wanted, found: member.value.described() });
            }
        }
        (name, value) => {
            if let Some(near) = schemas.nearest(name, [SENSITIVE].into_iter()) {
                say(member.key_at, ProblemKind::UnknownKeyword { name: name.to_owned(), near: near.to_owned() });
            }
            if !draft.has(name) && !name.starts_with("x-") && !Draft::Draft202012.has(name) && !Draft::Draft4.has(name)
            {
                let known = draft.keywords().filter(|known| node.get(known).is_none());
                if let Some(near) = schemas.nearest(name, known) {
                    say(member.key_at, ProblemKind::UnknownKeyword { name: name.to_owned(), near: near.to_owned() });
                }
            }
            if let Some((first, last)) = draft.elsewhere(name) {
                say(member.key_at, ProblemKind::ForeignKeyword { name: name.to_owned(), draft, first, last });
            } else if name == "nullable" && !matches!(value, Json::Bool(false)) {
                say(member.key_at, ProblemKind::Nullable);
            }
            if info.knows(name) && matches!(name, "enum" | "const") {
                big_numbers(&member.value, &mut say);
            }
        }
    }
}

/// The result of checking each pattern, which many schemas may share.
type CheckedPatterns<'a> = HashMap<&'a str, Result<Option<Rewritten>, Untranslated>>;

/// Returns the problem of a pattern that can't be matched, or is read as without the flag `u`; `None` for any other
/// pattern.
fn unmatchable<'a>(written: &'a str, patterns: &mut CheckedPatterns<'a>) -> Option<ProblemKind> {
    let pattern = written.to_owned();
    match patterns.entry(written).or_insert_with(|| pattern::check(written)) {
        Ok(None) => None,
        Ok(Some(Rewritten { loose, accepted })) => {
            Some(ProblemKind::LoosePattern { pattern, loose: loose.clone(), accepted: accepted.clone() })
        }
        Err(Untranslated::NoPattern(why)) => Some(ProblemKind::BadPattern { pattern, why: why.clone() }),
        Err(Untranslated::Beyond) => Some(ProblemKind::PatternBeyond { pattern }),
    }
}

/// Returns the JSON Schema type for a type name of other languages.
fn other_type(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "int" | "int32" | "int64" | "long" | "i64" | "u64" => "integer",
        "float" | "double" | "decimal" | "f64" => "number",
        "str" | "text" => "string",
        "bool" => "boolean",
        "list" => "array",
        "dict" | "map" => "object",
        "none" | "nil" => "null",
        _ => return None,
    })
}

/// Reports numbers in `enum` and `const` that can't be read exactly, so that no value ever equals them.
fn big_numbers(node: &Node, say: &mut impl FnMut(crate::schema::load::At, ProblemKind)) {
    match &node.json {
        Json::Number(text) if !Number::new(text).is_readable() => {
            say(node.at, ProblemKind::BigNumber { number: text.clone() });
        }
        Json::Array(items) => items.iter().for_each(|item| big_numbers(item, say)),
        Json::Object(members) => members.iter().for_each(|member| big_numbers(&member.value, say)),
        _ => {}
    }
}

/// Reports properties of one object that would share the name of a field.
fn fields(schemas: &Schemas, loc: &Loc, node: &Node, problems: &mut Vec<Problem>) {
    let members = node.get("properties").map_or(&[][..], Node::members);
    let wires: Vec<&str> = members.iter().map(|member| member.key.as_str()).collect();
    let fields = names::fields(&wires);
    let named = fields.iter().map(|field| names::look(field)).zip(wires.iter().copied().zip(&fields));
    let named: HashMap<String, (&str, &String)> = named.collect();
    for (member, field) in members.iter().zip(&fields) {
        let plain = names::field(&member.key);
        if plain != *field {
            let Some((other, plain)) = named.get(&names::look(&plain)) else { continue };
            let (name, other) = (member.key.clone(), (*other).to_owned());
            let kind = ProblemKind::FieldRenamed { name, other, plain: (*plain).clone(), field: field.clone() };
            problems.push(schemas.problem(loc, member.key_at, kind));
        }
    }
}

fn domains(schemas: &Schemas, problems: &mut Vec<Problem>) {
    let mut seen: HashMap<String, &str> = HashMap::new();
    let mut said = BTreeSet::new();
    let documents = schemas.of_role(|role| matches!(role, FileRole::Document | FileRole::MetaSchema)).next().is_some();
    for file in &schemas.files {
        let FileRole::Event(name) = &file.role else { continue };
        let module = rust::field_name(name.domain());
        let folder = file.shown.rsplit_once('/').map_or(file.shown.as_str(), |(folder, _)| folder);
        let mut say = |kind| {
            if said.insert(name.domain().to_owned()) {
                problems.push(Problem { file: folder.to_owned(), at: None, kind });
            }
        };
        let reserved = match module.as_str() {
            "shared" => Some("that is the module of the schemas below `shared/`"),
            "rpc" => Some("that is the module of the RPCs below `rpc/`"),
            "context" => Some("that is the module of `context.json`"),
            "documents" if documents => Some("that is the module of the schemas in documents"),
            _ => None,
        };
        if let Some(why) = reserved {
            say(ProblemKind::ReservedDomain { name: name.domain().to_owned(), why });
        } else if let Some(other) = seen.get(&module).filter(|other| **other != name.domain()) {
            say(ProblemKind::DomainClash { name: name.domain().to_owned(), other: (*other).to_owned(), module });
        } else {
            seen.insert(module, name.domain());
        }
    }
}

/// Reports events of one domain that would share a type in Rust.
fn events(schemas: &Schemas, problems: &mut Vec<Problem>) {
    let mut seen: HashMap<(&str, String), &str> = HashMap::new();
    for file in &schemas.files {
        let FileRole::Event(name) = &file.role else { continue };
        let type_ = names::type_(name.event_type());
        if let Some(other) = seen.insert((name.domain(), type_.clone()), name.as_str()) {
            let type_ = format!("{}::{type_}", names::field(name.domain()));
            let (name, other) = (name.as_str().to_owned(), other.to_owned());
            problems.push(Problem {
                file: file.shown.clone(),
                at: None,
                kind: ProblemKind::EventClash { name, other, type_ },
            });
        }
    }
}

/// Returns whether a schema allows an object.
pub(crate) fn allows_object(schemas: &Schemas, loc: &Loc) -> bool {
    holds_object(schemas, loc, &mut HashMap::new()).is_none()
}

/// Returns the place that refuses an object; `None` if the schema allows an object. Results are cached, since combined
/// schemas would multiply the work.
fn holds_object(schemas: &Schemas, loc: &Loc, known: &mut HashMap<Loc, Option<Loc>>) -> Option<Loc> {
    if let Some(known) = known.get(loc) {
        return known.clone();
    }
    // a schema that leads back to this one refuses nothing more
    known.insert(loc.clone(), None);
    let found = refuses_object(schemas, loc, known);
    known.insert(loc.clone(), found.clone());
    found
}

fn refuses_object(schemas: &Schemas, loc: &Loc, known: &mut HashMap<Loc, Option<Loc>>) -> Option<Loc> {
    let node = schemas.node(loc)?;
    if let Json::Bool(false) = node.json {
        return Some(loc.clone());
    }
    if let Some(target) = schemas.refs.get(loc) {
        let found = holds_object(schemas, target, known);
        if found.is_some() || schemas.draft(loc).ref_stands_alone() {
            return found;
        }
    }
    let object = |name: &str| name == "object" || !TYPES.contains(&name);
    let refuses = |keyword: &str, node: &Node| match keyword {
        "type" => {
            let items = node.items();
            !node.str().map_or(items.is_empty() || items.iter().any(|item| item.str().is_none_or(object)), object)
        }
        "enum" => matches!(&node.json, Json::Array(items) if !items.is_empty() && !items.iter().any(Node::is_object)),
        _ => !node.is_object(),
    };
    for keyword in ["type", "enum", "const"] {
        if node.get(keyword).is_some_and(|node| schemas.knows(loc, keyword) && refuses(keyword, node)) {
            return Some(loc.step(keyword));
        }
    }
    for (keyword, all) in [("allOf", true), ("anyOf", false), ("oneOf", false)] {
        if !schemas.knows(loc, keyword) {
            continue;
        }
        let (mut first, mut allowed) = (None, false);
        for index in 0..node.get(keyword).map_or(0, |node| node.items().len()) {
            match holds_object(schemas, &loc.step(keyword).step(&index.to_string()), known) {
                Some(found) => first = first.or(Some(found)),
                None => allowed = true,
            }
        }
        if first.is_some() && (all || !allowed) {
            return first;
        }
    }
    None
}

/// Reports a file that isn't a schema.
fn no_schema(file: &File, problems: &mut Vec<Problem>) {
    let found = match file.root.json {
        Json::Object(_) | Json::Bool(_) => return,
        Json::Array(_) => "an array",
        Json::String(_) => "a string",
        Json::Number(_) => "a number",
        Json::Null => "null",
    };
    problems.push(file.problem(file.root.at, ProblemKind::NoSchema { found }));
}
