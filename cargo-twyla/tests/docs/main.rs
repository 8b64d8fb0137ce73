//! `cargo twyla docs`: what the pages tell, that hostile text stays text, and that they work in a real browser.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

mod browser;
mod folder;
mod served;
mod thousand;

use std::collections::BTreeMap;
use std::fs;

use folder::{EVIL, evil, git, manifests, site, twyla, workspace, write};

/// The text of a page without its tags.
fn text_of(page: &str) -> String {
    let mut text = String::new();
    let mut within = false;
    for c in page.chars() {
        match c {
            '<' => within = true,
            '>' => {
                within = false;
                text.push(' ');
            }
            c if !within => text.push(c),
            _ => {}
        }
    }
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}

#[test]
fn pages_describe_the_demo_platform() {
    let folder = tempfile::tempdir().unwrap();
    manifests(&folder.path().join("fleet"));
    let schemas = workspace().join("schemas");
    let args =
        ["docs", "--schemas", schemas.to_str().unwrap(), "--manifests", "fleet", "--into", "site", "--title", "Demo"];
    let (said, code) = twyla(folder.path(), &args);
    assert_eq!(code, 0, "{said}");
    let files = site(&folder.path().join("site"));
    assert_eq!(said, format!("site/index.html in {} files\n", files.len()));
    let page = text_of(&files["events/api.user_input.html"]);
    for text in [
        "A person has said something.",
        "emission required string What the person said. 1 to 4000 characters",
        "language string The language it was said in, an ISO 639-1 code. matches ^[a-z]{2}$",
        "Emitted by web 1.4.0",
        "group bot handler bot::on_api_user_input",
        "Exchange api , topic, durable",
        "Routing key user_input",
        "\"emission\" :",
        "An example",
        "Only what is required",
        "The whole message on the wire",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("built with another version"), "{page}");
    let page = text_of(&files["rpc/navitaire-api.get_booking.html"]);
    for text in [
        "idempotent",
        "Called by bot 2.1.0",
        "Served by navitaire-api 3.0.1",
        "flights[]. number required",
        "Why there is no booking to be shown.",
        "POST /rpc/get_booking",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let page = text_of(&files["services.html"]);
    assert!(page.contains("web api.user_input audit as audit fits"), "{page}");
    assert!(files["fleet.svg"].starts_with("<svg"));
    assert!(text_of(&files["index.html"]).contains("2 events 1 RPC 4 services"), "{}", text_of(&files["index.html"]));
    linked(&files);
}

/// Every link leads to something that is there.
fn linked(files: &BTreeMap<String, String>) {
    for (path, page) in files.iter().filter(|(path, _)| path.ends_with(".html")) {
        for attribute in ["href=\"", "src=\""] {
            for link in page.split(attribute).skip(1).map(|rest| rest.split('"').next().unwrap()) {
                let (to, anchor) = link.split_once('#').unwrap_or((link, ""));
                let to = match (to, to.strip_prefix("../"), path.rsplit_once('/')) {
                    ("", ..) => path.clone(),
                    (_, Some(above), _) => above.to_owned(),
                    (to, None, Some((folder, _))) => format!("{folder}/{to}"),
                    (to, None, None) => to.to_owned(),
                };
                let page = files.get(&to).unwrap_or_else(|| panic!("{path}: {link} leads to no file {to}"));
                assert!(
                    anchor.is_empty() || page.contains(&format!("id=\"{anchor}\"")),
                    "{path}: {link}: nothing has that id"
                );
            }
        }
        let mut ids: Vec<&str> = page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        ids.sort_unstable();
        let count = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), count, "{path} has an id twice");
    }
}

#[test]
fn hostile_text_stays_text_in_pages_and_history() {
    let folder = evil();
    let (said, code) = twyla(folder.path(), &["docs", "--title", EVIL]);
    assert_eq!(code, 0, "{said}");
    let files = site(&folder.path().join("target/contracts"));
    for (path, page) in files.iter().filter(|(path, _)| path.ends_with(".html")) {
        assert!(!page.contains("<img src=x") && !page.contains("<script>") && !page.contains("<b>author"), "{path}");
        assert_eq!(page.matches("<script").count(), 1, "{path}");
        assert!(page.contains("http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "), "{path}");
        assert!(!page.contains("style=\"") && !page.contains(" onclick"), "{path}");
    }
    linked(&files);
    let one = &files["events/evil.one.html"];
    assert!(one.contains("sensitive</span>") && one.contains("deprecated</span>"));
    let one = text_of(one);
    for text in [
        EVIL,
        "tree. children array of object and so on, as above",
        "[1] string",
        "map. * object",
        "map.*. n number above 0",
        "/^<i>/ integer",
    ] {
        assert!(one.contains(text), "{text}: {one}");
    }
    let two = text_of(&files["events/evil.two.html"]);
    for text in [
        "Not committed yet producer-first shared/two.json#/properties/a/maxLength : 9 -> 3",
        "Take more of it A bauthor/b",
        "consumer-first shared/two.json#/properties/a/maxLength : 4 -> 9",
        "new",
    ] {
        assert!(two.contains(text), "{text}: {two}");
    }
    assert!(text_of(&files["events/evil.nothing.html"]).contains("no value is valid under its schema"));
    let changes = text_of(&files["changes.html"]);
    assert!(changes.contains("removed evil.gone") && changes.contains("new evil.late"), "{changes}");
    assert!(changes.contains("Changes of the contracts in git, the newest first."), "{changes}");
    let end = "Made from the schemas by cargo twyla docs . These pages load nothing from elsewhere.";
    assert!(files.iter().all(|(name, page)| !name.ends_with(".html") || text_of(page).ends_with(end)), "{changes}");
    assert!(text_of(&files["rpc/evil.ask.html"]).contains("(the whole) required string or null at most 5 characters"));
    // as a script it is one list, which nothing in it ends
    let index = &files["search.js"];
    let list = index.strip_prefix("window.twylaIndex = ").unwrap().strip_suffix(";\n").unwrap();
    let list: Vec<(u8, String, String, String)> = serde_json::from_str(list).unwrap();
    assert!(list.iter().any(|(kind, name, summary, fields)| {
        *kind == 1 && name == "evil.one" && summary.starts_with("</script>") && fields.contains("choice")
    }));
}

/// Earlier files are read as the folder says it: with its dialects, formats and documents.
#[test]
fn history_knows_the_settings_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let event = |most: u32| {
        format!(
            r#"{{ "$schema": "https://example.com/meta", "type": "object", "properties": {{
                "total": {{ "maximum": {most}, "exclusiveMaximum": true }},
                "money": {{ "$ref": "https://example.com/money.json" }},
                "id": {{ "type": "string", "format": "uuid" }}
            }} }}"#
        )
    };
    let settings = r#"{
        "dialects": { "https://example.com/meta": "4" },
        "assert-formats": ["uuid"],
        "documents": { "https://example.com/money.json": "../money.json" }
    }"#;
    write(
        folder.path(),
        &[
            ("money.json", r#"{ "type": "integer" }"#),
            ("schemas/context.json", "{}"),
            ("schemas/twyla.json", settings),
            ("schemas/events/shop/paid.json", &event(9)),
        ],
    );
    git(folder.path(), &["init", "-q"]);
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "-q", "-m", "begin"]);
    write(folder.path(), &[("schemas/events/shop/paid.json", &event(5))]);
    let (said, code) = twyla(folder.path(), &["docs", "--into", "site"]);
    assert_eq!(code, 0, "{said}");
    let page = text_of(&site(&folder.path().join("site"))["events/shop.paid.html"]);
    assert!(page.contains("Not committed yet producer-first /properties/total/maximum : 9 -> 5"), "{page}");
}

#[test]
fn shows_what_the_lock_has() {
    let folder = tempfile::tempdir().unwrap();
    let schema = |most: u32| {
        format!(r#"{{ "type": "object", "properties": {{ "text": {{ "type": "string", "maxLength": {most} }} }} }}"#)
    };
    write(folder.path(), &[("schemas/context.json", "{}"), ("schemas/events/api/said.json", &schema(9))]);
    assert_eq!(twyla(folder.path(), &["accept"]).1, 0);
    let page = || {
        let (said, code) = twyla(folder.path(), &["docs", "--into", "site"]);
        assert_eq!(code, 0, "{said}");
        text_of(&site(&folder.path().join("site"))["events/api.said.html"])
    };
    assert!(page().contains("accepted The lock has this version."), "{}", page());
    write(folder.path(), &[("schemas/events/api/said.json", &schema(5))]);
    let text = page();
    assert!(
        text.contains(
            "not accepted The lock has an earlier version; changed since: /properties/text/maxLength : 9 -> 5"
        ),
        "{text}"
    );
    let keep = [
        "accept",
        "api.said",
        "--direction",
        "old-to-new",
        "--until",
        "2099-12-31",
        "--reason",
        "it is <old>",
        "--keep",
        "app 3",
        "--sides",
        "producers",
    ];
    let (said, code) = twyla(folder.path(), &keep);
    assert_eq!(code, 0, "{said}");
    let text = page();
    for part in [
        "in the field app 3; it is <old>, of its producers; since then: /properties/text/maxLength : 9 -> 5",
        "waived old-to-new until 2099-12-31: it is <old>",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// What is sensitive is marked, and no example has a value for it that could be taken for a real one.
#[test]
fn no_example_has_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let secret = r##"{ "type": "object", "required": ["password", "card"], "properties": {
        "password": { "type": "string", "minLength": 3, "x-sensitive": true, "examples": ["hunter2"] },
        "short": { "type": "string", "maxLength": 7, "x-sensitive": true, "default": "hunter2" },
        "card": { "$ref": "#/$defs/card" }, "pin": { "type": "integer", "x-sensitive": true, "examples": [4711] },
        "by": { "oneOf": [{ "type": "string", "x-sensitive": true, "examples": ["hunter2"] }, { "type": "null" }] },
        "name": { "type": "string", "examples": ["Ada"] } },
        "$defs": { "card": { "x-sensitive": true, "type": "object", "properties": { "numbers": { "type": "array", "minItems": 1, "items": { "type": "string", "examples": ["hunter2"] } } } } } }"##;
    write(folder.path(), &[("schemas/context.json", secret), ("schemas/events/api/secret.json", secret)]);
    let (said, code) = twyla(folder.path(), &["docs", "--into", "site"]);
    assert_eq!(code, 0, "{said}");
    for path in ["context.html", "events/api.secret.html"] {
        let page = text_of(&site(&folder.path().join("site"))[path]);
        let examples = page.split_once("An example").unwrap().1;
        assert!(!examples.contains("hunter2") && !examples.contains("4711"), "{examples}");
        for text in [
            r#""password" : "[sensitive]""#,
            r#""short" : "*******""#,
            r#""numbers" : [ "[sensitive]" ]"#,
            r#""pin" : 0"#,
            r#""by" : "[sensitive]""#,
            r#""name" : "Ada""#,
        ] {
            assert!(examples.contains(text), "{text}: {examples}");
        }
        assert!(page.contains("password required sensitive string"), "{page}");
    }
}

#[test]
fn pages_of_what_is_gone_are_gone_and_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[
            ("schemas/context.json", "{}"),
            ("schemas/events/api/one.json", "{}"),
            ("schemas/events/api/two.json", "{}"),
            ("other/mine.html", "mine"),
        ],
    );
    let docs = |into: &str| twyla(folder.path(), &["docs", "--into", into]);
    assert_eq!(docs("site").1, 0);
    assert!(folder.path().join("site/events/api.two.html").exists());
    fs::remove_file(folder.path().join("schemas/events/api/two.json")).unwrap();
    assert_eq!(docs("site").1, 0);
    assert!(
        !folder.path().join("site/events/api.two.html").exists()
            && folder.path().join("site/events/api.one.html").exists()
    );
    let refused = "error: other contains other files: name an empty or a new folder for the pages\n";
    assert_eq!(docs("other"), (refused.to_owned(), 2));
    write(folder.path(), &[("schemas/events/api/one.json", "{ \"type\": 1 }")]);
    let (said, code) = docs("site");
    assert!(code == 2 && said.contains("schemas/events/api/one.json:1:"), "{said}");
}
