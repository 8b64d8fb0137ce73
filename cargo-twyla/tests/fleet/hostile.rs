//! Manifests that were cut, changed by hand, or made to hurt: the error of each says which.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::manifests::Service;
use crate::{fleet, platform};

fn refused(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("it.contracts.json"), text).unwrap();
    refused_in(&folder)
}

fn refused_in(folder: &TempDir) -> String {
    let (said, code) = fleet(folder.path(), &["."]);
    assert_eq!(code, 2, "{said}");
    said
}

fn changed(change: impl Fn(&mut Value)) -> String {
    let mut json = platform::web().json();
    change(&mut json);
    refused(&json.to_string())
}

#[test]
fn reports_a_truncated_manifest_at_any_place() {
    let whole = platform::web().json().to_string();
    for end in [0, 1, 40, whole.len() / 2, whole.len() - 1] {
        let said = refused(&whole[..end]);
        assert!(said.starts_with("error: ./it.contracts.json: is incomplete: it ends in line "), "{end}: {said}");
    }
    let said = refused("nonsense");
    assert_eq!(said, "error: ./it.contracts.json: is not a manifest: expected ident at line 1 column 2\n");
    let said = refused("[]");
    assert_eq!(said, "error: ./it.contracts.json: is not a manifest: expected a JSON object, found an array\n");
}

#[test]
fn reports_another_format_and_digests_that_do_not_match() {
    assert_eq!(
        changed(|it| it["format"] = "twyla-contracts 2".into()),
        "error: ./it.contracts.json: is of the format \"twyla-contracts 2\", and this version of cargo-twyla reads \
         \"twyla-contracts 1\"\n"
    );
    // a schema that was changed under its digest
    let said = changed(|it| {
        for schema in it["schemas"].as_object_mut().unwrap().values_mut() {
            schema["formats"] = false.into();
        }
    });
    assert!(said.contains("under the digest") && said.contains("but its digest is"), "{said}");
    let said = changed(|it| it["schemas"] = json!({}));
    assert!(
        said.contains(": lacks the schema ") && said.contains("the content of api.user_input, which the service emits"),
        "{said}"
    );
    let said = changed(|it| {
        let digest = it["emits"][0]["content"].as_str().unwrap().to_owned();
        it["schemas"][digest] = json!("no schema");
    });
    assert!(said.contains(", which is not valid: "), "{said}");
    assert!(changed(|it| it["more"] = 1.into()).contains("unknown field `more`"));
    assert!(changed(|it| it["emits"][0]["event"] = "nodot".into()).contains("names an event that is not valid"));
    assert!(changed(|it| it["listens"][0]["group"] = "a.b".into()).contains("names a group that is not valid"));
    assert!(changed(|it| it["service"] = "we\u{1b}[31mb".into()).contains("names a service that is not valid"));
    assert!(changed(|it| it["version"] = "".into()).contains("names a version that is not valid"));
    let again = json!([{ "version": "1.3.0" }]);
    assert!(changed(|it| it["previous"] = again.clone()).ends_with("has the previous version 1.3.0 twice\n"));
}

#[test]
fn text_never_becomes_markup() {
    let evil = r#"</text></svg><script>alert(1)</script>\" onload=\"alert(1) & &amp; ]]> <!--"#;
    let folder = tempfile::tempdir().unwrap();
    let schema = |most| {
        format!(
            r#"{{ "properties": {{ "{evil}": {{ "type": "string", "maxLength": {most}, "const": "{evil}" }} }}, "required": ["{evil}"] }}"#
        )
    };
    let name = evil.replace(['\\', ' '], "");
    Service::new("web", "1").environment(&name).emits("a.b", &schema(99)).write(folder.path());
    Service::new("bot", "1").environment(&name).listens("a.b", "bot", &schema(3)).write(folder.path());
    let (said, code) = fleet(folder.path(), &[".", "--svg", "fleet.svg"]);
    assert_eq!(code, 1, "{said}");
    let drawn = fs::read_to_string(folder.path().join("fleet.svg")).unwrap();
    assert!(drawn.contains("&lt;/svg&gt;&lt;script&gt;"), "{drawn}");
    // each tag is one of the drawing's own, and ends
    let mut open = Vec::new();
    for tag in drawn.split('<').skip(1).map(|tag| tag.split('>').next().unwrap()) {
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        let known = ["svg", "style", "title", "desc", "g", "rect", "text", "tspan", "path", "circle", "line"];
        assert!(known.contains(&name), "{tag}");
        match (tag.starts_with('/'), tag.ends_with('/')) {
            (true, _) => assert_eq!(open.pop(), Some(name), "{tag}"),
            (false, true) => {}
            (false, false) => open.push(name),
        }
        assert!(!tag.contains("onload"), "{tag}");
    }
    assert_eq!(open, [""; 0]);
}

#[test]
fn reports_huge_and_deep_manifests() {
    let folder = tempfile::tempdir().unwrap();
    let file = fs::File::create(folder.path().join("it.contracts.json")).unwrap();
    file.set_len(3 << 30).unwrap();
    assert_eq!(refused_in(&folder), "error: ./it.contracts.json: is larger than the 64 MiB that a manifest may have\n");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let said = changed(|it| it["emits"] = json!("HERE")).replace("HERE", "");
    assert!(said.contains("is not a manifest"), "{said}");
    let text = platform::web().json().to_string().replacen("\"emits\":[", &format!("\"emits\":{deep},\"x\":["), 1);
    let said = refused(&text);
    assert!(said.contains("is not a manifest: "), "{said}");
}

#[test]
fn reports_two_manifests_of_one_service() {
    let folder = tempfile::tempdir().unwrap();
    platform::web().write(folder.path());
    fs::rename(folder.path().join("web.contracts.json"), folder.path().join("other.contracts.json")).unwrap();
    platform::web_next().write(folder.path());
    assert_eq!(
        refused_in(&folder),
        "error: ./other.contracts.json and ./web.contracts.json are both manifests of web: a service has one \
         deployed version\n"
    );
    let next = Service::new("web", "9").write(&folder.path().join("next"));
    let next = next.to_str().unwrap();
    let (said, code) = fleet(folder.path(), &["web.contracts.json", "-c", next, "-c", next]);
    assert!(said.contains("are both manifests of web"), "{said}");
    assert_eq!(code, 2);
}

#[test]
fn reports_missing_manifests() {
    let folder = tempfile::tempdir().unwrap();
    let (said, code) = fleet(folder.path(), &["nowhere"]);
    assert_eq!((said.as_str(), code), ("error: nowhere can't be read: No such file or directory (os error 2)\n", 2));
    assert_eq!(refused_in(&folder), "error: . has no manifests: no file in it ends with .contracts.json\n");
}
