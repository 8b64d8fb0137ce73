//! Edits of real contracts, compared as Twyla's lock compares them: producers closed, listeners open.

use std::path::Path;
use std::{fmt, io};

use twyla_build::compare::{self, Bundle, Options, Verdict};
use twyla_build::lock::EditVerdict;

use crate::{cases, oracle};

/// An edit with both verdicts: old in new, and new in old.
#[derive(Debug)]
pub struct Edited {
    /// The pair's id.
    pub id: String,
    /// The verdict on the order of deployment.
    pub edit: EditVerdict,
    /// Both directions.
    pub verdicts: [Verdict; 2],
    /// For each direction, whether the `jsonschema` crate accepts its witness under one schema and refuses it under the
    /// other.
    pub confirmed: [Option<bool>; 2],
}

impl Edited {
    /// Whether only the minor or patch version was raised: `a/1.2.0..1.3.0`. None if the id has no versions.
    #[must_use]
    pub fn is_minor(&self) -> Option<bool> {
        let (old, new) = self.id.rsplit_once('/')?.1.split_once("..")?;
        let major = |version: &str| version.split('.').next().map(str::to_owned);
        // before 1.0.0 minor versions may break
        Some(major(old) == major(new) && major(old)? != "0")
    }
}

/// The schema as the content of an event with asserted formats; unchanged if it can't be an event's content.
fn contract(schema: &str, draft: &str) -> Option<Bundle> {
    let name = "events/a/b.json";
    let draft = cases::draft(draft);
    let event = format!(
        r#"{{ "draft": "{}", "formats": true, "root": "{name}", "documents": {{ "{name}": {schema} }} }}"#,
        draft.name()
    );
    Bundle::parse(&event).or_else(|_| Ok::<_, ()>(Bundle::schema(schema, draft).map_err(|_| ())?.formats(true))).ok()
}

/// The edits of a file, without those that the build refuses.
///
/// # Errors
/// If the file can't be read.
pub fn edits(path: &Path) -> io::Result<Vec<Edited>> {
    let mut out = Vec::new();
    for case in cases::read(path)? {
        let (Some(old), Some(new)) = (contract(case.old.get(), &case.draft), contract(case.new.get(), &case.draft))
        else {
            continue;
        };
        let options = Options::default();
        let verdicts = [compare::compare(&old, &new, &options), compare::compare(&new, &old, &options)];
        let edit = EditVerdict::of(&verdicts[0], &verdicts[1]);
        let confirmed = {
            let validator = |text: &str| oracle::with_formats(&case.draft, &serde_json::from_str(text).ok()?);
            let sides = [validator(case.old.get()), validator(case.new.get())];
            [(0, 1), (1, 0)].map(|(inner, outer)| match (&verdicts[inner], &sides) {
                (Verdict::Breaks(witness), [Some(_), Some(_)]) => {
                    let valid = |side: usize| sides[side].as_ref().is_some_and(|one| one.is_valid(&witness.event));
                    Some(valid(inner) && !valid(outer))
                }
                _ => None,
            })
        };
        out.push(Edited { id: case.id, edit, verdicts, confirmed });
    }
    Ok(out)
}

/// The edits of a file as lines of a table, by verdict, and notes about minor versions and undecided edits.
///
/// # Errors
/// If the file can't be read.
pub fn text(path: &Path) -> io::Result<String> {
    use fmt::Write as _;

    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let edits = edits(path)?;
    let count = |edit: EditVerdict| edits.iter().filter(|one| one.edit == edit).count();
    let all = [
        EditVerdict::Additive,
        EditVerdict::ConsumerFirst,
        EditVerdict::ProducerFirst,
        EditVerdict::Breaking,
        EditVerdict::Undecided,
    ]
    .map(count);
    let mut out = format!("| {name} | {} |", edits.len());
    all.iter().for_each(|count| {
        let _ = write!(out, " {count} |");
    });
    let confirmed =
        |wanted: bool| edits.iter().flat_map(|edit| edit.confirmed).filter(|one| *one == Some(wanted)).count();
    let _ = write!(out, " {} | {} |", confirmed(true) + confirmed(false), confirmed(true));
    let minor: Vec<&Edited> = edits.iter().filter(|edit| edit.is_minor() == Some(true)).collect();
    if !minor.is_empty() {
        let compatible = minor.iter().filter(|edit| edit.verdicts[0].fits()).count();
        let additive = minor.iter().filter(|edit| edit.edit == EditVerdict::Additive).count();
        let _ = write!(
            out,
            "\n{name}: of {} minor versions, {compatible} read all that the one before may send, and {additive} can be deployed in any order",
            minor.len()
        );
        for edit in minor.iter().filter(|edit| edit.edit != EditVerdict::Additive) {
            let _ = write!(out, "\n  {}: {}", edit.id, edit.edit.word());
            if let [_, Verdict::Breaks(witness)] = &edit.verdicts {
                let _ = write!(out, ": the one before refuses {} at {}: {}", witness.event, witness.path, witness.rule);
            }
        }
    }
    for edit in &edits {
        for (verdict, confirmed) in edit.verdicts.iter().zip(edit.confirmed) {
            match verdict {
                Verdict::Undecided(why) => {
                    let _ = write!(out, "\n  {}: undecided: {why}", edit.id);
                }
                // only the schema accepts it
                Verdict::Breaks(witness) if confirmed == Some(false) => {
                    let (event, path, rule) = (&witness.event, &witness.path, &witness.rule);
                    let _ = write!(out, "\n  {}: refused by the type only: {event} at {path}: {rule}", edit.id);
                }
                _ => {}
            }
        }
    }
    Ok(out)
}
