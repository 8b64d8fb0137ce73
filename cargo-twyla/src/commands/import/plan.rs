//! Plans an import: which contract each file becomes, and where references lead afterwards. Pure: files in, files out.

use std::collections::{BTreeMap, BTreeSet};

use super::definitions::Definitions;
use super::loose::{Loose, SkippedFile};
use super::names::{self, Role, named};
use super::references::{FilePointer, MARK, Resources, Target, Written, fragment};
use super::release::Release;
use crate::support::json::{Json, within};
use crate::support::text::did_you_mean;
use crate::support::uri::{decoded, relative};

/// An earlier version of an event.
#[derive(Clone, Debug)]
pub(super) struct Earlier {
    /// The version that the path names.
    pub(super) version: String,
    /// The original path of the file.
    pub(super) path: String,
    pub(super) json: Json,
}

/// The result of planning.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The files to write, by their paths below the schemas folder.
    pub(super) files: BTreeMap<String, Json>,
    /// The original path of each file, by its new path.
    pub(super) moved: BTreeMap<String, String>,
    /// The original files of each written file, each with the JSON Pointer of the part that was taken.
    pub(super) from: BTreeMap<String, BTreeMap<String, String>>,
    /// The earlier versions of a file, the oldest first.
    pub(super) earlier: BTreeMap<String, Vec<Earlier>>,
    /// The new files that hold a definition which several files contained.
    pub(super) shared: BTreeSet<String>,
    /// The notes to the user.
    pub(super) notes: Vec<String>,
    /// The files that are left out.
    pub(super) left: Vec<SkippedFile>,
}

impl Plan {
    /// Returns the path of the first moved file if only shared files and the context remain.
    pub(super) fn shared_only(&self) -> Option<&str> {
        let is_shared = |place: &str| place.starts_with("shared/") || place == "context.json";
        let mut moved = self.moved.iter().filter(|(place, _)| *place != "context.json");
        if self.files.keys().all(|place| is_shared(place)) { moved.next().map(|(_, path)| &**path) } else { None }
    }
}

/// The options of the user.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    /// The domain of files whose path doesn't name one.
    pub(super) domain: Option<String>,
    /// The path of the file that is the context.
    pub(super) context: Option<String>,
}

/// An imported file.
struct ImportedFile {
    place: String,
    /// The version that the file's path names.
    version: Option<String>,
    /// Whether the file is an earlier version of the contract at that place.
    earlier: bool,
}

/// The files with the targets of their references.
pub(super) struct Referring<'a> {
    files: &'a [Loose],
    resources: Resources<'a>,
    references: Vec<Vec<(Written, Target)>>,
}

impl<'a> Referring<'a> {
    pub(super) fn of(files: &'a [Loose]) -> Self {
        let resources = Resources::of(files);
        let references = (0..files.len()).map(|file| resources.references(file)).collect();
        Self { files, resources, references }
    }

    /// Returns all files.
    pub(super) fn files(&self) -> &'a [Loose] {
        self.files
    }

    /// Returns the number of files.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// Returns the index of the file with this path.
    pub(super) fn index(&self, path: &str) -> Option<usize> {
        self.resources.index(path)
    }

    /// Returns the files that references of a file lead to.
    pub(super) fn leads_to(&self, file: usize) -> impl Iterator<Item = usize> {
        self.references.get(file).into_iter().flatten().filter_map(|(_, target)| match target {
            Target::Found(place) => Some(place.file),
            _ => None,
        })
    }

    /// Returns whether a file keeps its `$id` and references, because dynamic references or other files depend on them.
    pub(super) fn is_kept(&self, file: usize) -> bool {
        self.resources.is_kept(file)
    }
}

/// Finds the role of each file, and rewrites the references to it. `left` has the files that are left out already, with the
/// reasons.
pub(super) fn plan(from: &Referring<'_>, asked: &Asked, left: Vec<SkippedFile>) -> Plan {
    let Referring { files, resources, references } = from;
    let mut plan = Plan { left, ..Plan::default() };
    stopped(files, references, &mut plan);
    let known = known(files, references, asked, &mut plan);
    // if two files get the same name, leave out one of them, and the files that refer to it
    stopped(files, references, &mut plan);
    let gone: BTreeSet<&str> = plan.left.iter().map(|it| &*it.path).collect();
    let known: BTreeMap<usize, ImportedFile> =
        known.into_iter().filter(|(file, _)| !gone.contains(&*files[*file].path)).collect();

    let current = |file: &usize| known.get(file).is_some_and(|it| !it.earlier);
    // a reference within a file stays; one to another file is marked until all places are known
    let mut texts: BTreeMap<usize, Json> = BTreeMap::new();
    for file in known.keys() {
        let json = match resources.is_kept(*file) {
            true => files[*file].json.clone(),
            false => resources.rewritten(*file, &mut |place| mark(*file, place)),
        };
        texts.insert(*file, json);
    }
    let mut definitions = Definitions::default();
    let taken: BTreeSet<String> = known.values().map(|it| it.place.clone()).collect();
    let movable = |file: usize| current(&file) && !resources.is_kept(file);
    definitions.alone(&texts, &|file| movable(file) && !known[&file].place.starts_with("shared/"), &taken);
    definitions.several(&texts, &movable, &taken);

    for (file, known_file) in &known {
        let Some(json) = texts.get(file) else { continue };
        let mut json = json.clone();
        let places = Places { known: &known, definitions: &definitions, kept: resources };
        if !resources.is_kept(*file) {
            definitions.take_out(*file, &mut json);
            places.write(&mut json, *file, &known_file.place, None);
        }
        let path = files[*file].path.clone();
        if known_file.earlier {
            let version = known_file.version.clone().unwrap_or_default();
            plan.earlier.entry(known_file.place.clone()).or_default().push(Earlier { version, path, json });
            continue;
        }
        plan.from.entry(known_file.place.clone()).or_default().insert(path.clone(), String::new());
        plan.moved.insert(known_file.place.clone(), path);
        plan.files.insert(known_file.place.clone(), json);
    }
    for earlier in plan.earlier.values_mut() {
        earlier.sort_by_key(|it| Release::parse(&it.version));
    }
    for (place, definition) in definitions.moved() {
        let Some(FilePointer { file, pointer }) = definition.first() else { continue };
        let Some(json) = texts.get(file).and_then(|json| json.pointer(pointer)) else { continue };
        let mut json = Definitions::with_dialect(json.clone(), texts.get(file));
        let places = Places { known: &known, definitions: &definitions, kept: resources };
        places.write(&mut json, *file, &place, Some(pointer));
        for FilePointer { file, pointer } in &definition {
            plan.from.entry(place.clone()).or_default().insert(files[*file].path.clone(), pointer.clone());
        }
        if let [FilePointer { file, pointer }] = definition.as_slice() {
            plan.moved.insert(place.clone(), format!("{}{}", files[*file].path, fragment(pointer)));
        } else {
            plan.shared.insert(place.clone());
        }
        plan.files.insert(place, json);
    }
    if !plan.files.contains_key("context.json") {
        plan.notes.push(
            "no file describes the context that every event carries: an empty context.json was created".to_owned(),
        );
        let empty = r#"{ "description": "What every event carries.", "type": "object" }"#;
        plan.files.insert("context.json".to_owned(), Json::parse(empty).unwrap_or(Json::Bool(true)));
    }
    plan
}

/// Leaves out files whose references lead nowhere or to files that are left out.
fn stopped(files: &[Loose], references: &[Vec<(Written, Target)>], plan: &mut Plan) {
    let mut gone: BTreeSet<String> = plan.left.iter().map(|left| left.path.clone()).collect();
    loop {
        let before = plan.left.len();
        for (file, found) in files.iter().zip(references) {
            if gone.contains(&file.path) {
                continue;
            }
            let why = |written: &str, target: &Target| match target {
                Target::Nothing { near } => {
                    let beside =
                        crate::support::schemas::beside(&file.path, written.split('#').next().unwrap_or_default());
                    if let Some(left) = plan.left.iter().find(|it| Some(&it.path) == beside.as_ref()) {
                        return Some(format!("refers to {}, which was left out", left.path));
                    }
                    let near = did_you_mean(near.as_deref());
                    Some(format!("{written} doesn't refer to any of the files{near}"))
                }
                Target::Beside { id } => Some(format!(
                    "{written} doesn't exist below the enclosing `$id` {id}, but elsewhere in the file: remove the \
                     `$id`, or write the file's own `$id` before the `#`"
                )),
                Target::Found(place) => {
                    let path = &files.get(place.file)?.path;
                    (*path != file.path && gone.contains(path)).then(|| format!("refers to {path}, which was left out"))
                }
                Target::Outside(_) => None,
            };
            let left = found.iter().find_map(|(Written { text, pointer }, target)| {
                let why = why(text, target)?;
                Some(SkippedFile { path: file.path.clone(), at: file.at(pointer), why })
            });
            gone.extend(left.iter().map(|left| left.path.clone()));
            plan.left.extend(left);
        }
        if plan.left.len() == before {
            return;
        }
    }
}

/// Finds the role of each file. Of several versions of a contract, the newest is the contract.
fn known(
    files: &[Loose],
    references: &[Vec<(Written, Target)>],
    asked: &Asked,
    plan: &mut Plan,
) -> BTreeMap<usize, ImportedFile> {
    // the files whose root schema another file refers to
    let mut parts: BTreeSet<usize> = BTreeSet::new();
    for (file, found) in references.iter().enumerate() {
        for (_, target) in found {
            if let Target::Found(place) = target
                && place.file != file
                && place.pointer.is_empty()
            {
                parts.insert(place.file);
            }
        }
    }
    let mut known: BTreeMap<usize, ImportedFile> = BTreeMap::new();
    let gone: BTreeSet<&str> = plan.left.iter().map(|it| &*it.path).collect();
    let mut open: Vec<usize> = (0..files.len()).filter(|file| !gone.contains(&*files[*file].path)).collect();
    for deeper in 0..DEEPEST {
        let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for file in std::mem::take(&mut open) {
            let Loose { path, json, .. } = &files[file];
            let context = match &asked.context {
                Some(context) => context == path,
                None => path == "context.json",
            };
            let is_part = parts.contains(&file) || Definitions::only(json);
            let role = match context {
                true => Ok(Role::Context),
                false => names::role(path, json, is_part, asked.domain.as_deref(), deeper),
            };
            match role {
                Ok(role) => places.entry(role.path()).or_default().push(file),
                Err(why) => plan.left.push(SkippedFile::whole(path, why)),
            }
        }
        for (place, mut all) in places {
            let version = |file: usize| named(&files[file].path).version;
            // the newest version last; a file without a version is the current one
            let order = |file: &usize| (version(*file).is_none(), version(*file).and_then(Release::parse));
            all.sort_by_key(|file| (order(file), *file));
            let distinct: BTreeSet<_> = all.iter().map(order).collect();
            let folder = |file: usize| named(&files[file].path).steps.join("/");
            let one = all.iter().all(|file| folder(*file) == folder(all[0]));
            let taken = known.values().any(|it| it.place == place);
            if (all.len() > 1 && !(one && distinct.len() == all.len())) || taken {
                if deeper + 1 == DEEPEST {
                    for file in &all[usize::from(!taken)..] {
                        let other = if taken { place.clone() } else { files[all[0]].path.clone() };
                        let why = format!("would become {place}, as would {other}: rename one of them");
                        plan.left.push(SkippedFile::whole(&files[*file].path, why));
                    }
                    all.truncate(usize::from(!taken));
                } else {
                    open.append(&mut all);
                    continue;
                }
            }
            let newest = all.last().copied();
            for file in all {
                let version = version(file).map(str::to_owned);
                let earlier = Some(file) != newest;
                // an earlier version that other files refer to becomes a shared file
                let place = match (&version, earlier && parts.contains(&file)) {
                    (Some(version), true) => {
                        let stem = place.rsplit('/').next().unwrap_or(&place).trim_end_matches(".json");
                        format!(
                            "shared/{stem}_{}.json",
                            twyla_contract::rust::field_name(version).trim_start_matches('_')
                        )
                    }
                    _ => place.clone(),
                };
                let earlier = earlier && !parts.contains(&file);
                known.insert(file, ImportedFile { place, version, earlier });
            }
        }
        open.sort_unstable();
    }
    known
}

/// The maximum number of folders in a name.
const DEEPEST: usize = 4;

/// Returns the text of a reference until all places are known: a fragment within the same file, otherwise a mark with the
/// target file's index.
fn mark(file: usize, place: &FilePointer) -> String {
    match place.file == file {
        true => fragment(&place.pointer),
        false => format!("{MARK}{}{}", place.file, fragment(&place.pointer)),
    }
}

/// The places of all files and definitions.
struct Places<'a> {
    known: &'a BTreeMap<usize, ImportedFile>,
    definitions: &'a Definitions,
    kept: &'a Resources<'a>,
}

impl Places<'_> {
    /// Rewrites references relative to the new path `at`: those of a file, or of the definition at the pointer `moved`, which
    /// was moved out of the file.
    fn write(&self, json: &mut Json, file: usize, at: &str, moved: Option<&str>) {
        json.each_schema(&mut |members| {
            let Some((_, Json::String(reference))) = members.iter_mut().find(|(name, _)| name == "$ref") else {
                return;
            };
            let (of, pointer) = match reference.strip_prefix(MARK) {
                Some(marked) => {
                    let (file, pointer) = marked.split_once('#').unwrap_or((marked, ""));
                    let Ok(of) = file.parse() else { return };
                    (of, pointer.to_owned())
                }
                None => match reference.strip_prefix('#') {
                    Some(pointer) => (file, pointer.to_owned()),
                    // a reference to a document of `--document` stays as it is
                    None => return,
                },
            };
            let pointer = decoded(&pointer);
            if let Some(rest) = moved.filter(|_| of == file).and_then(|own| within(&pointer, own)) {
                *reference = fragment(rest);
                return;
            }
            let movable = !self.kept.is_kept(of);
            if let Some((place, rest)) = self.definitions.place(of, &pointer).filter(|_| movable) {
                let rest = if rest.is_empty() { String::new() } else { fragment(rest) };
                *reference = if place == at {
                    format!("#{}", rest.trim_start_matches('#'))
                } else {
                    relative(at, place) + &rest
                };
                return;
            }
            let Some(known) = self.known.get(&of) else { return };
            *reference = match (known.place == at && moved.is_none(), pointer.is_empty()) {
                (true, _) => fragment(&pointer),
                (false, true) => relative(at, &known.place),
                (false, false) => relative(at, &known.place) + &fragment(&pointer),
            };
        });
    }
}
