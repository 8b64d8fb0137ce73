//! Replaces generated types by types of the user: finds the replaced schemas and formats, and keeps generated types with
//! the rules of these schemas.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use semver::{Version, VersionReq};
use twyla_contract::similar;

use super::call_place::CallPlace;
use super::rust_text;
use super::shape::{ReplacedType, Shape, TypeId, ValueType};
use super::types::{PLAIN, Type};
use crate::schema::load::{FileRole, Json, Node};
use crate::schema::problem::{Problem, ProblemKind};
use crate::schema::schemas::{Loc, Schemas};

/// The keyword with which a schema names an existing type of a crate, as typify reads it.
const KEYWORD: &str = "x-rust-type";

/// The maximum depth of nested schemas with type parameters.
const MOST_OPEN: usize = 16;

/// The maximum number of schemas with type parameters that are read for one type.
const MOST_READ: usize = 200;

/// The replacements of a build script.
#[derive(Clone, Debug, Default)]
pub(crate) struct Replacements {
    pub(crate) types: Vec<Replacement>,
    /// The crates whose types `x-rust-type` may name, with their versions.
    pub(crate) crates: Vec<(String, String, CallPlace)>,
}

/// One replacement, with the place of its call.
#[derive(Clone, Debug)]
pub(crate) struct Replacement {
    pub(crate) target: Target,
    /// The path of the type in Rust.
    pub(crate) path: String,
    pub(crate) place: CallPlace,
}

/// The schema or the format that a type replaces.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// A file of the folder, with an optional JSON Pointer behind `#`.
    Schema(String),
    Format(String),
}

/// The resolved replacements of a folder, with the state of reading schemas.
#[derive(Debug, Default)]
pub(super) struct Replacer {
    /// The replaced schemas, each with the index of its `Replacement` and the path in Rust.
    schemas: HashMap<Loc, (usize, String)>,
    formats: HashMap<String, (usize, String)>,
    /// The versions of crates, by their names in Rust; `None` for any version.
    crates: BTreeMap<String, Option<Version>>,
    used: BTreeSet<usize>,
    /// The crates that are named by the schemas read so far, including those in parameters.
    named: BTreeSet<String>,
    /// The schemas whose parameters are being read.
    open: Vec<Loc>,
    /// The number of schemas with parameters read since the outermost one.
    read: usize,
    problems: Vec<Problem>,
}

impl Replacer {
    /// Resolves the replacements, and collects the problems of invalid ones.
    pub(super) fn new(schemas: &Schemas, replacements: &Replacements) -> Self {
        let mut replacer = Self::default();
        for (index, Replacement { target, path, place }) in replacements.types.iter().enumerate() {
            match rust_text::type_path(path) {
                Ok(path) => {
                    let found = match target {
                        Target::Format(format) => {
                            replacer.formats.insert(format.clone(), (index, path));
                            Ok(())
                        }
                        Target::Schema(schema) => {
                            find(schemas, schema).map(|loc| drop(replacer.schemas.insert(loc, (index, path))))
                        }
                    };
                    if let Err(kind) = found {
                        // count the replacement as used, so that one mistake is reported once
                        replacer.used.insert(index);
                        replacer.problems.push(place.problem(kind));
                    }
                }
                Err(why) => {
                    replacer.used.insert(index);
                    replacer.problems.push(place.problem(ProblemKind::NoTypePath { text: path.clone(), why }));
                }
            }
        }
        for (name, version, place) in &replacements.crates {
            match version.as_str() {
                "*" => drop(replacer.crates.insert(of_code(name), None)),
                version => match Version::parse(version) {
                    Ok(version) => drop(replacer.crates.insert(of_code(name), Some(version))),
                    Err(error) => {
                        let (text, error) = (version.to_owned(), error.to_string());
                        replacer.problems.push(place.problem(ProblemKind::NoCrateVersion { text, error }));
                    }
                },
            }
        }
        replacer
    }

    /// Returns the path of the type that replaces a schema.
    pub(super) fn of_schema(&mut self, loc: &Loc) -> Option<String> {
        let (index, path) = self.schemas.get(loc)?;
        self.used.insert(*index);
        Some(path.clone())
    }

    /// Returns whether a schema, or one that it refers to, has a replacing type.
    pub(super) fn replaces(&mut self, schemas: &Schemas, loc: &Loc) -> bool {
        let mut at = loc;
        // cycles of references are reported elsewhere; stop here
        for _ in 0..=schemas.infos.len() {
            if self.schemas.contains_key(at) || self.named(schemas, at).is_some() {
                return true;
            }
            let Some(target) = schemas.refs.get(at) else { break };
            at = target;
        }
        false
    }

    /// Returns the path of the type that replaces a format.
    pub(super) fn of_format(&mut self, node: &Node) -> Option<String> {
        let (index, path) = self.formats.get(node.get("format")?.str()?)?;
        self.used.insert(*index);
        Some(path.clone())
    }

    /// Returns the path and the parameters of the type that a schema names with `x-rust-type`, if the build script enables
    /// its crate in a version that fits.
    pub(super) fn named(&mut self, schemas: &Schemas, loc: &Loc) -> Option<(String, Vec<Loc>)> {
        let node = schemas.node(loc)?.get(KEYWORD)?;
        let wrong = |node: &Node, wanted: &str| {
            let (keyword, wanted, found) = (KEYWORD.to_owned(), wanted.to_owned(), node.described());
            schemas.problem(loc, node.at, ProblemKind::WrongAnnotation { keyword, wanted, found })
        };
        let text = |key: &str| node.get(key).and_then(Node::str);
        let (Some(name), Some(version), Some(path)) = (text("crate"), text("version"), text("path")) else {
            self.add(wrong(node, "an object with the strings `crate`, `version` and `path`"));
            return None;
        };
        self.named.insert(of_code(name));
        let used = self.crates.get(&of_code(name))?.clone();
        let Ok(required) = VersionReq::parse(version) else {
            self.add(wrong(node.get("version")?, "a version requirement of Cargo as `version`"));
            return None;
        };
        let first = path.split("::").next().unwrap_or_default();
        let (true, Ok(absolute)) = (first == of_code(name), rust_text::type_path(path)) else {
            self.add(wrong(node.get("path")?, "a path that begins with the name of the crate as `path`"));
            return None;
        };
        if !used.is_none_or(|version| required.matches(&version)) {
            return None;
        }
        let parameters = loc.step(KEYWORD).step("parameters");
        let has_parameters = node.get("parameters").is_some_and(|node| !node.items().is_empty());
        if has_parameters && path.contains('<') {
            self.add(wrong(node.get("path")?, "a `path` without `<…>` beside `parameters`"));
            return None;
        }
        let nodes = node.get("parameters").map_or(&[][..], Node::items);
        let mut read = Vec::new();
        for (index, node) in nodes.iter().enumerate() {
            match referred(schemas, parameters.step(&index.to_string()), node) {
                Ok(Some(parameter)) => read.push(parameter),
                Ok(None) => {
                    let wanted = "a schema without `$ref`, or with nothing but `$ref`, in `parameters`";
                    self.add(wrong(node, wanted));
                    return None;
                }
                Err(kind) => {
                    self.add(schemas.problem(loc, node.at, kind));
                    return None;
                }
            }
        }
        Some((absolute, read))
    }

    /// Adds a problem once, however often its schema is read.
    fn add(&mut self, problem: Problem) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// Begins to read the parameters of a schema. Returns false if they contain the schema itself, or too many others,
    /// which is a problem.
    pub(super) fn begin(&mut self, schemas: &Schemas, loc: &Loc) -> bool {
        if self.open.is_empty() {
            self.read = 0;
        }
        self.read += 1;
        if self.open.contains(loc) || self.open.len() >= MOST_OPEN || self.read == MOST_READ {
            let node = schemas.node(loc).and_then(|node| node.get(KEYWORD));
            self.problems.extend(node.map(|node| {
                let kind = ProblemKind::WrongAnnotation {
                    keyword: KEYWORD.to_owned(),
                    wanted: format!("a type with few parameters, nested at most {MOST_OPEN} levels deep"),
                    found: "a type whose parameters contain the type itself or too many others".to_owned(),
                };
                schemas.problem(loc, node.at, kind)
            }));
        }
        let fits = !self.open.contains(loc) && self.open.len() < MOST_OPEN && self.read < MOST_READ;
        if fits {
            self.open.push(loc.clone());
        }
        fits
    }

    /// Ends the parameters of the schema that was begun last. Returns false if too many schemas were read.
    pub(super) fn end(&mut self) -> bool {
        self.open.pop();
        self.read < MOST_READ
    }

    /// Returns all problems, including those of unused replacements.
    pub(super) fn finish(self, schemas: &Schemas, replacements: &Replacements) -> Vec<Problem> {
        let mut problems = self.problems;
        for (index, replacement) in replacements.types.iter().enumerate() {
            if self.used.contains(&index) {
                continue;
            }
            let kind = match &replacement.target {
                Target::Schema(schema) => ProblemKind::UnusedSchema { schema: schema.clone() },
                Target::Format(format) => {
                    let formats = schemas.infos.keys().filter_map(|loc| schemas.node(loc)?.get("format")?.str());
                    let near = similar::nearest(format, formats.filter(|name| name != format)).map(str::to_owned);
                    ProblemKind::UnusedFormat { format: format.clone(), near }
                }
            };
            problems.push(replacement.place.problem(kind));
        }
        // a wrong annotation may be the one that names the crate
        let is_wrong = |problem: &Problem| matches!(&problem.kind, ProblemKind::WrongAnnotation { keyword, .. } if keyword == KEYWORD);
        if replacements.crates.is_empty() || problems.iter().any(is_wrong) {
            return problems;
        }
        let mut named: BTreeSet<String> = schemas
            .infos
            .keys()
            .filter_map(|loc| schemas.node(loc)?.get(KEYWORD)?.get("crate")?.str())
            .map(of_code)
            .collect();
        named.extend(self.named);
        for (name, _, place) in &replacements.crates {
            // report one mistake once
            if !named.contains(&of_code(name)) && self.crates.contains_key(&of_code(name)) {
                let others = named.iter().map(String::as_str).filter(|other| *other != name);
                let near = similar::nearest(name, others).map(str::to_owned);
                problems.push(place.problem(ProblemKind::UnusedCrate { name: name.clone(), near }));
            }
        }
        problems
    }
}

/// Returns the name of a crate as Rust code writes it.
fn of_code(name: &str) -> String {
    name.replace('-', "_")
}

/// Returns the schema of a type parameter: the parameter itself, or the target of its `$ref`. `None` if it has a reference
/// beside or below other keywords: such references aren't resolved within an unknown keyword.
fn referred(schemas: &Schemas, parameter: Loc, node: &Node) -> Result<Option<Loc>, ProblemKind> {
    let reference = match node.members() {
        [only] if only.key == "$ref" => only.value.str(),
        _ => return Ok((!has_reference(node)).then_some(parameter)),
    };
    // the base URI is that of the schema around the keyword
    let around = parameter.pointer.split(&format!("/{KEYWORD}/")).next().unwrap_or_default();
    let around = schemas.infos.get(&Loc { file: parameter.file, pointer: around.to_owned() });
    match (reference, around) {
        (Some(reference), Some(around)) => schemas.resolve(parameter.file, &around.base, reference).map(Some),
        _ => Ok(None),
    }
}

/// Returns whether a schema contains a reference, except in the parameters of a type that it names, which are resolved when
/// they are read.
fn has_reference(node: &Node) -> bool {
    let is_reference = |key: &str| matches!(key, "$ref" | "$dynamicRef" | "$recursiveRef");
    let mut members = node.members().iter().filter(|member| member.key != KEYWORD);
    members.any(|member| is_reference(&member.key) || has_reference(&member.value))
        || node.items().iter().any(has_reference)
}

/// Finds the schema of a file, with an optional JSON Pointer.
fn find(schemas: &Schemas, schema: &str) -> Result<Loc, ProblemKind> {
    let (path, pointer) = schema.split_once('#').unwrap_or((schema, ""));
    let path = path.strip_prefix("./").unwrap_or(path);
    let Some(file) = schemas.files.iter().position(|file| file.path == path) else {
        let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
        let paths = || schemas.files.iter().map(|file| file.path.as_str());
        // the right name in the wrong folder, or nearly the right path
        let same = paths().find(|other| name(other) == name(path));
        let near = same.or_else(|| similar::nearest(path, paths())).map(str::to_owned);
        return Err(ProblemKind::NoSuchSchema { schema: schema.to_owned(), near });
    };
    let loc = Loc { file, pointer: pointer.to_owned() };
    if !schemas.node(&loc).is_some_and(|node| matches!(node.json, Json::Object(_) | Json::Bool(_))) {
        let pointers = schemas.infos.keys().filter(|other| other.file == file).map(|other| other.pointer.as_str());
        let near = similar::nearest(pointer, pointers).map(|near| format!("{path}#{near}"));
        return Err(ProblemKind::NoSuchSchema { schema: schema.to_owned(), near });
    }
    if is_contract(schemas, &loc) {
        return Err(ProblemKind::ContractReplaced { schema: schema.to_owned() });
    }
    Ok(loc)
}

/// Returns whether a schema is that of a whole content, context or message of an RPC, whose type is always generated.
pub(super) fn is_contract(schemas: &Schemas, loc: &Loc) -> bool {
    let role = match schemas.files.get(loc.file).map(|file| &file.role) {
        Some(FileRole::LeftOut(role)) => Some(&**role),
        role => role,
    };
    loc.pointer.is_empty() && matches!(role, Some(FileRole::Context | FileRole::Event(_) | FileRole::Rpc(..)))
}

/// Replaces the type of a value. A value that may be null becomes an `Option` of the replacing type.
pub(super) fn replaced(held: ValueType, path: String, parameters: Vec<ValueType>) -> ValueType {
    match held.shape {
        Shape::Nullable(inner) => {
            let shape = Shape::Nullable(Box::new(replaced(*inner, path, parameters)));
            ValueType { shape, ..held }
        }
        _ => ValueType::plain(Shape::Replaced(ReplacedType { path, parameters, held: Box::new(held) })),
    }
}

/// Returns whether values of a shape contain a value of a replacing type.
pub(super) fn is_foreign(types: &[Type], shape: &Shape) -> bool {
    let mut used = BTreeSet::new();
    own(shape, &mut used) || used.into_iter().any(|id| types[id].is_foreign)
}

/// Returns whether a shape itself contains a replacing type, and collects its generated types in `used`.
fn own(shape: &Shape, used: &mut BTreeSet<TypeId>) -> bool {
    match shape {
        Shape::Replaced(_) => true,
        Shape::Named(id) => {
            used.insert(*id);
            false
        }
        Shape::Array(held) | Shape::Map(held) | Shape::Nullable(held) => own(&held.shape, used),
        _ => false,
    }
}

/// Marks the types that contain replacing types.
pub(super) fn mark(types: &mut [Type]) {
    loop {
        let found: Vec<TypeId> = (0..types.len())
            .filter(|id| !types[*id].is_foreign)
            .filter(|id| types[*id].body.holds().into_iter().any(|held| is_foreign(types, &held.shape)))
            .collect();
        if found.is_empty() {
            return;
        }
        found.into_iter().for_each(|id| types[id].is_foreign = true);
    }
}

/// Adds, for each type that contains replacing types, a copy without them to the module [`PLAIN`]. The copy has all rules
/// of the schema.
pub(super) fn keep_plain(types: &mut Vec<Type>) {
    let mut foreign: Vec<TypeId> = (0..types.len()).filter(|id| types[*id].is_foreign).collect();
    foreign.sort_by_cached_key(|id| types[*id].path());
    let plain: HashMap<TypeId, TypeId> =
        foreign.iter().enumerate().map(|(index, id)| (*id, types.len() + index)).collect();
    let mut names = BTreeSet::new();
    for id in foreign {
        let mut copy = types[id].clone();
        copy.is_foreign = false;
        copy.module = Some(PLAIN.to_owned());
        let mut name = copy.name.clone();
        let mut count = 1;
        while !names.insert(name.clone()) {
            count += 1;
            name = format!("{}_{count}", copy.name);
        }
        copy.name = name;
        for held in copy.body.holds_mut() {
            restore(held);
            held.shape.redirect(&|id| plain.get(&id).copied().unwrap_or(id));
        }
        types.push(copy);
        let type_ = &mut types[id];
        type_.plain = plain.get(&id).copied();
        // rule trees read the plain type instead
        type_.looked_at = false;
    }
}

/// Restores the generated type of a value, with its checks and rule trees.
fn restore(held: &mut ValueType) {
    while let Shape::Replaced(replaced) = &mut held.shape {
        let mut original = std::mem::replace(&mut *replaced.held, ValueType::plain(Shape::Any));
        original.checks.append(&mut held.checks);
        original.trees.append(&mut held.trees);
        *held = original;
    }
    if let Shape::Array(inner) | Shape::Map(inner) | Shape::Nullable(inner) = &mut held.shape {
        restore(inner);
    }
}
