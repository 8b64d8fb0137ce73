//! Compiles an import repeatedly: files with errors are left out until the rest compiles.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as StdError;
use std::fs;
use std::path::Path;

use twyla_build::{Problem as SchemaProblem, ProblemKind};

use super::lines::Text;
use super::loose::{Loose, SkippedFile};
use super::plan::{self, Asked, Plan};
use super::{Args, Import, groups};
use crate::support::json::Json;
use crate::support::output;

impl Args {
    /// Plans and compiles until no imported file has an error: files with errors are left out.
    ///
    /// Independent groups of files are compiled first, each by itself, because errors of one stage of the compiler hide
    /// errors of the next stage: in a group, they hide only errors of the same group. The compilation of all files then finds
    /// only errors between groups.
    pub(super) fn import(
        &self,
        files: &[Loose],
        left: &mut Vec<SkippedFile>,
        trial: &Path,
    ) -> Result<Import, Box<dyn StdError + Send + Sync>> {
        let context = self.context.as_deref().map(|path| self.below(path, files)).transpose()?;
        let asked = Asked { domain: self.domain.clone(), context };
        let from = plan::Referring::of(files);
        let mut written = BTreeMap::new();
        let mut sound = BTreeSet::new();
        loop {
            let plan = plan::plan(&from, &asked, left.clone());
            let mut bad = self.bad_groups(&from, &asked, &plan, &mut sound)?;
            if bad.is_empty() {
                rewrite(trial, &mut written, &plan.files)?;
                let (sources, problems) = self.compiled(trial);
                bad = self.at_fault(files, &plan, &problems);
                if bad.is_empty() {
                    let groups = groups::groups(&from, &plan);
                    let groups = groups.iter().map(|group| groups::places(&from, &plan, group)).collect();
                    return Ok(Import { plan, groups, sources, problems });
                }
            }
            left.extend(bad.into_values());
            if left.len() >= files.len() {
                let plan = plan::plan(&from, &asked, left.clone());
                return Ok(Import { plan, groups: Vec::new(), sources: None, problems: Vec::new() });
            }
        }
    }

    /// Returns the files that cause errors within a group: each group is planned and compiled by itself until it has none.
    /// `sound` has the groups without errors.
    fn bad_groups(
        &self,
        from: &plan::Referring<'_>,
        asked: &Asked,
        whole: &Plan,
        sound: &mut BTreeSet<BTreeSet<usize>>,
    ) -> Result<BTreeMap<String, SkippedFile>, Box<dyn StdError + Send + Sync>> {
        let mut bad = BTreeMap::new();
        let files = from.files();
        let groups = groups::groups(from, whole);
        if groups.len() == 1 {
            return Ok(bad);
        }
        for mut group in groups {
            if sound.contains(&group) {
                continue;
            }
            let others = files.iter().enumerate().filter(|(file, _)| !group.contains(file));
            let mut out: Vec<SkippedFile> = others.map(|(_, file)| SkippedFile::whole(&file.path, "")).collect();
            let folder = tempfile::tempdir()?;
            let mut written = BTreeMap::new();
            while out.len() < files.len() {
                let plan = plan::plan(from, asked, out.clone());
                rewrite(folder.path(), &mut written, &plan.files)?;
                let problems = self.builder(folder.path()).generate().err().map(|it| it.0).unwrap_or_default();
                let found = self.at_fault(files, &plan, &problems);
                if found.is_empty() {
                    break;
                }
                group.retain(|file| !found.contains_key(&files[*file].path));
                out.extend(found.values().cloned());
                for (path, left) in found {
                    bad.entry(path).or_insert(left);
                }
            }
            sound.insert(group);
        }
        Ok(bad)
    }

    /// Returns the files that cause errors, each with its first error, at its place in the original file.
    fn at_fault(&self, files: &[Loose], plan: &Plan, problems: &[SchemaProblem]) -> BTreeMap<String, SkippedFile> {
        let mut bad = BTreeMap::new();
        let root = format!("{}/", self.shown());
        let mut texts: BTreeMap<&str, Text> = BTreeMap::new();
        for problem in problems.iter().filter(|it| it.is_error()) {
            let Some(place) = problem.file.strip_prefix(&root) else { continue };
            let is_there = |path: &str| path == place || path.strip_prefix(place).is_some_and(|it| it.starts_with('/'));
            for (path, pointer) in plan.from.iter().filter(|(path, _)| is_there(path)).flat_map(|(_, files)| files) {
                if bad.contains_key(path) {
                    continue;
                }
                // find the error's pointer in the written file, and then its place in the original file
                let written =
                    plan.files.get(place).zip(problem.at).and_then(|(json, at)| {
                        texts.entry(place).or_insert_with(|| Text::json(json.text())).pointer(at)
                    });
                let file = files.iter().find(|file| file.path == *path);
                let at = file.zip(written).and_then(|(file, below)| file.at(&format!("{pointer}{below}")));
                let why = match &problem.kind {
                    ProblemKind::WantsNetwork { uri, .. } => {
                        format!("refers to {uri}, which isn't one of the files: pass --document {uri}=FILE")
                    }
                    what => what.to_string(),
                };
                bad.insert(path.clone(), SkippedFile { path: path.clone(), at, why });
            }
        }
        bad
    }
}

/// Makes the trial folder contain exactly `files`; writes only those that differ.
fn rewrite(
    folder: &Path,
    there: &mut BTreeMap<String, Json>,
    files: &BTreeMap<String, Json>,
) -> Result<(), Box<dyn StdError + Send + Sync>> {
    for place in there.keys().filter(|place| !files.contains_key(*place)) {
        fs::remove_file(folder.join(place))?;
    }
    for (place, json) in files.iter().filter(|(place, json)| there.get(*place) != Some(*json)) {
        output::write(&folder.join(place), json.text())?;
    }
    there.clone_from(files);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// An error of one file, or of a newer version, hides none of another.
    #[test]
    fn one_try_finds_all_bad_files_and_all_bad_versions() {
        let property = |rule: &str| format!(r#"{{ "type": "object", "properties": {{ "a": {{ {rule} }} }} }}"#);
        let (good, keyword) = (property(r#""type": "string""#), property(r#""type": "sting""#));
        let reference = property(r#""$ref": "https://example.com/none.json""#);
        let draft = r#"{ "$schema": "https://example.com/draft", "type": "object" }"#.to_owned();
        let mut texts: Vec<(String, &str)> = Vec::new();
        for number in 0..5 {
            texts.push((format!("shop/good_{number}.json"), &good));
            texts.push((format!("shop/keyword_{number}.json"), &keyword));
            texts.push((format!("shop/reference_{number}.json"), &reference));
            texts.push((format!("shop/order/1.{}.0.json", number + 1), &draft));
        }
        texts.push(("shop/order/1.0.0.json".to_owned(), &good));
        texts.sort();
        let loose =
            |(path, text): &(String, &str)| Loose { path: path.clone(), json: Json::parse(text).unwrap(), text: None };
        let files: Vec<Loose> = texts.iter().map(loose).collect();
        let args = Args {
            dir: PathBuf::from("old"),
            out: PathBuf::from("schemas"),
            domain: None,
            context: None,
            dialect: Vec::new(),
            document: Vec::new(),
            dry_run: false,
            force: false,
        };
        let from = plan::Referring::of(&files);
        let asked = Asked::default();
        let plan = plan::plan(&from, &asked, Vec::new());
        let found = args.bad_groups(&from, &asked, &plan, &mut BTreeSet::new()).unwrap();
        let is_good = |path: &str| path.starts_with("shop/good") || path == "shop/order/1.0.0.json";
        let bad: Vec<&str> = texts.iter().map(|(path, _)| &**path).filter(|path| !is_good(path)).collect();
        assert_eq!(found.keys().collect::<Vec<_>>(), bad);

        let trial = tempfile::tempdir().unwrap();
        let mut left = Vec::new();
        let import = args.import(&files, &mut left, trial.path()).unwrap();
        assert_eq!(left, found.into_values().collect::<Vec<_>>());
        assert!(import.sources.is_some());
        assert_eq!(
            import.plan.moved.values().collect::<Vec<_>>(),
            texts.iter().map(|(path, _)| path).filter(|path| is_good(path)).collect::<Vec<_>>()
        );
    }
}
