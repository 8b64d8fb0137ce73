//! Independent groups of files: files that refer to each other are in one group, so an error concerns only its group.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Earlier, Plan, Referring};

/// Divides the files that are imported into independent groups, by their indices, in the order of their first files.
///
/// Files are in one group if references connect them, if they share a definition, or if they are versions of one contract. The
/// context and the files that it refers to are in each group.
pub(super) fn groups(from: &Referring<'_>, plan: &Plan) -> Vec<BTreeSet<usize>> {
    let mut places: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (place, sources) in &plan.from {
        places.entry(place).or_default().extend(sources.keys().filter_map(|path| from.index(path)));
    }
    for (place, versions) in &plan.earlier {
        let paths = versions.iter().map(|Earlier { path, .. }| path);
        places.entry(place).or_default().extend(paths.filter_map(|path| from.index(path)));
    }
    let context = places.remove("context.json").unwrap_or_default();
    let common = reached(from, context.clone());
    let files: BTreeSet<usize> = places.values().flatten().copied().filter(|file| !context.contains(file)).collect();

    let mut sets = Sets((0..from.len()).collect());
    for file in &files {
        for other in from.leads_to(*file).filter(|other| files.contains(other)) {
            sets.join(*file, other);
        }
    }
    for together in places.values() {
        let together: Vec<usize> = together.intersection(&files).copied().collect();
        together.windows(2).for_each(|pair| sets.join(pair[0], pair[1]));
    }
    // kept files are found by their `$id`, even without a reference to them, so they are in one group
    let kept: Vec<usize> = files.iter().copied().filter(|file| from.is_kept(*file)).collect();
    kept.windows(2).for_each(|pair| sets.join(pair[0], pair[1]));

    let mut groups: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for file in files {
        groups.entry(sets.first(file)).or_insert_with(|| common.clone()).insert(file);
    }
    groups.into_values().collect()
}

/// Returns the new paths of a group's files, and of the context.
pub(super) fn places(from: &Referring<'_>, plan: &Plan, group: &BTreeSet<usize>) -> BTreeSet<String> {
    let is_in = |path: &String| from.index(path).is_some_and(|file| group.contains(&file));
    let current = plan.from.iter().filter(|(_, sources)| sources.keys().any(is_in)).map(|(place, _)| place);
    let earlier = plan.earlier.iter().filter(|(_, all)| all.iter().any(|it| is_in(&it.path))).map(|(place, _)| place);
    current.chain(earlier).cloned().chain(["context.json".to_owned()]).collect()
}

/// Returns these files, and the files that they lead to.
fn reached(from: &Referring<'_>, mut reached: BTreeSet<usize>) -> BTreeSet<usize> {
    let mut open: Vec<usize> = reached.iter().copied().collect();
    while let Some(file) = open.pop() {
        open.extend(from.leads_to(file).filter(|other| reached.insert(*other)));
    }
    reached
}

/// Disjoint sets of files (union-find): the parent of each file. The first file of a set is its own parent.
struct Sets(Vec<usize>);

impl Sets {
    /// Unites the sets of two files.
    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.first(one), self.first(other));
        self.0[one.max(other)] = one.min(other);
    }

    /// Returns the first file of a file's set.
    fn first(&mut self, mut file: usize) -> usize {
        while self.0[file] != file {
            self.0[file] = self.0[self.0[file]];
            file = self.0[file];
        }
        file
    }
}

#[cfg(test)]
mod tests {
    use super::super::loose::Loose;
    use super::super::plan::{Asked, plan};
    use super::*;
    use crate::support::json::Json;

    fn grouped(files: &[(&str, &str)]) -> Vec<String> {
        let loose = |(path, text): &(&str, &str)| Loose {
            path: (*path).to_owned(),
            json: Json::parse(text).unwrap(),
            text: None,
        };
        let files: Vec<Loose> = files.iter().map(loose).collect();
        let from = Referring::of(&files);
        let plan = plan(&from, &Asked::default(), Vec::new());
        assert_eq!(plan.left.len(), 0, "{:?}", plan.left);
        let paths =
            |group: &BTreeSet<usize>| group.iter().map(|file| files[*file].path.as_str()).collect::<Vec<_>>().join(" ");
        groups(&from, &plan).iter().map(paths).collect()
    }

    #[test]
    fn a_file_is_with_what_it_refers_to_and_with_nothing_else() {
        assert_eq!(
            grouped(&[
                ("a/one.json", r#"{ "properties": { "x": { "$ref": "../shared/money.json" } } }"#),
                ("a/three.json", r#"{ "properties": { "x": { "$ref": "../shared/money.json" } } }"#),
                ("a/two.json", r#"{ "properties": { "x": { "type": "string" } } }"#),
                ("shared/money.json", r#"{ "type": "number" }"#),
            ]),
            ["a/one.json a/three.json shared/money.json", "a/two.json"]
        );
    }

    #[test]
    fn the_context_and_what_it_refers_to_are_in_each_group_and_join_none() {
        assert_eq!(
            grouped(&[
                ("a/one.json", r#"{ "type": "object" }"#),
                ("a/two.json", r#"{ "type": "object" }"#),
                ("context.json", r#"{ "properties": { "x": { "$ref": "shared/id.json" } } }"#),
                ("shared/id.json", r#"{ "type": "string" }"#),
            ]),
            [
                "a/one.json context.json shared/id.json",
                "a/two.json context.json shared/id.json",
                "context.json shared/id.json"
            ]
        );
    }

    #[test]
    fn versions_of_a_contract_and_files_that_share_a_definition_are_one_group() {
        let schema = r##"{ "properties": { "x": { "$ref": "#/definitions/id" } }, "definitions": { "id": { "type": "string" } } }"##;
        assert_eq!(
            grouped(&[
                ("a/one.json", schema),
                ("a/two.json", schema),
                ("a/z/1.0.0.json", "{}"),
                ("a/z/1.1.0.json", "{}")
            ]),
            ["a/one.json a/two.json", "a/z/1.0.0.json a/z/1.1.0.json"]
        );
    }
}
