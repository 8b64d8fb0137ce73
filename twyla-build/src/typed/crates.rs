//! Finds the schemas folders of the contracts crates that a package depends on, through `cargo metadata`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A schemas folder, and its name in messages.
pub(super) type Folder = (PathBuf, String);

/// Returns the schemas folders of the contracts crates among the dependencies of a package, without the package's own. Empty
/// if cargo isn't available.
pub(super) fn folders(package: &Path) -> Vec<Folder> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--format-version", "1", "--offline"]).current_dir(package);
    let text = cargo.output().ok().filter(|output| output.status.success()).map(|output| output.stdout);
    let metadata: Option<Value> = text.and_then(|text| serde_json::from_slice(&text).ok());
    metadata.map(|metadata| of(&metadata, &package.join("Cargo.toml"))).unwrap_or_default()
}

/// Returns the folders from the output of `cargo metadata`.
fn of(metadata: &Value, manifest: &Path) -> Vec<Folder> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let packages = list(&metadata["packages"]);
    let is_own = |package: &&Value| package["manifest_path"].as_str().is_some_and(|path| Path::new(path) == manifest);
    let Some(own) = packages.iter().find(is_own) else { return Vec::new() };
    let nodes = list(&metadata["resolve"]["nodes"]);
    let mut reached = BTreeSet::new();
    let mut open = vec![own["id"].clone()];
    while let Some(id) = open.pop() {
        if let Some(text) = id.as_str()
            && reached.insert(text.to_owned())
        {
            let node = nodes.iter().find(|node| node["id"] == id);
            open.extend(node.map(|node| list(&node["dependencies"])).unwrap_or_default());
        }
    }
    let is_reached =
        |package: &&Value| package["id"] != own["id"] && package["id"].as_str().is_some_and(|id| reached.contains(id));
    let builds = |package: &&Value| {
        let dependencies = list(&package["dependencies"]);
        dependencies.iter().any(|it| it["name"] == "twyla-build" && it["kind"] == "build")
    };
    let folder = |package: &Value| {
        let root = Path::new(package["manifest_path"].as_str()?).parent()?;
        let schemas = package["metadata"]["twyla"]["schemas"].as_str().unwrap_or("schemas");
        let folder = root.join(schemas);
        folder.is_dir().then(|| (folder, format!("{}/{schemas}", package["name"].as_str().unwrap_or_default())))
    };
    packages.iter().filter(is_reached).filter(builds).filter_map(folder).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finds_the_folders_of_the_contracts_crates_that_a_package_depends_on() {
        let root = std::env::temp_dir().join(format!("twyla-crates-{}", std::process::id()));
        for name in ["platform/schemas", "other/schemas", "kit/contracts", "service"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        let package = |name: &str, metadata: Value, build: bool| {
            let dependencies = if build { json!([{ "name": "twyla-build", "kind": "build" }]) } else { json!([]) };
            let manifest = root.join(name).join("Cargo.toml");
            json!({ "id": name, "name": name, "manifest_path": manifest, "metadata": metadata, "dependencies": dependencies })
        };
        let node = |id: &str, dependencies: &[&str]| json!({ "id": id, "dependencies": dependencies });
        let metadata = json!({
            "packages": [
                package("service", Value::Null, false),
                package("platform", Value::Null, true),
                package("other", Value::Null, true),
                package("kit", json!({ "twyla": { "schemas": "contracts" } }), true),
            ],
            "resolve": { "nodes": [node("service", &["platform"]), node("platform", &["kit"]), node("kit", &[]), node("other", &[])] },
        });
        let found = of(&metadata, &root.join("service/Cargo.toml"));
        let names: Vec<&str> = found.iter().map(|(_, shown)| shown.as_str()).collect();
        assert_eq!(names, ["platform/schemas", "kit/contracts"]);
        std::fs::remove_dir_all(root).unwrap();
    }
}
