//! Texts of schemas, manifests and waivers that try to be more than text.

use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::{Value, json};

use super::manifests::{CONTEXT, Service};
use super::{Repository, accepted};

/// Names of properties, and reasons of waivers.
const EVIL: [&str; 12] = [
    "a|b\\|c",
    "`b`` | ``c",
    "</td></table><script>alert(1)</script>",
    "<!-- --> &amp; &lt;",
    "@everyone #1 !2 $3",
    "[x](javascript:alert) ![y](http://x.org/z.png) https://x.org www.x.org a@x.org",
    "::error file=x::boo",
    "##[error]boo",
    "%0A::error::boo%25",
    "a,b:c=d;e",
    "\u{202e}\u{7}\u{1b}[2J",
    "*_~#>-+ <x@y.z> :bug: $x^2$",
];

/// Calls `with` for a repository with each text in a schema, a lock and a manifest.
pub(super) fn all<T>(mut with: impl FnMut(&Repository) -> T) -> Vec<T> {
    let one = |evil: &&str| {
        let schema = |most: u64| {
            json!({
                "type": "object",
                "properties": { *evil: { "type": "string", "maxLength": most }, "mood": { "const": evil } },
                "required": [evil],
            })
            .to_string()
        };
        let old = schema(99);
        let repository = accepted(&[("schemas/events/a/b.json", &old), ("schemas/events/a/c.json", &old)]);
        let fleet = repository.path().join("fleet");
        let name: String = evil.chars().filter(|c| !c.is_whitespace() && !c.is_control() && *c != '\u{202e}').collect();
        Service::new(&name, &name).environment(&name).emits("a.b", &old).context(CONTEXT).write_as(&fleet, "evil");
        repository.write("schemas/events/a/b.json", &schema(3));
        repository.write("schemas/events/a/c.json", &schema(3));
        let accept = ["accept", "a.c", "--direction", "old-to-new", "--until", "2999-12-31", "--reason", evil];
        let (said, code) = repository.twyla(".", &accept);
        assert_eq!(code, 0, "{said}");
        with(&repository)
    };
    EVIL.iter().map(one).collect()
}

#[test]
fn no_text_is_more_than_text_in_markdown() {
    all(|repository| {
        let (comment, code) = repository.twyla(".", &["check", "--manifests", "fleet", "--format", "markdown"]);
        assert_eq!(code, 1, "{comment}");
        let (mut rows, mut cells) = (0, 0);
        for event in Parser::new_ext(&comment, Options::all()) {
            match event {
                Event::Start(Tag::TableRow) => rows += 1,
                Event::Start(Tag::TableCell) => cells += 1,
                Event::InlineHtml(html) => {
                    assert!(["<br>", "<code>", "</code>"].contains(&&*html), "{html}\n{comment}")
                }
                Event::Html(html) => assert!(html.starts_with("<!-- cargo-twyla: "), "{html}\n{comment}"),
                Event::Start(
                    Tag::Link { .. } | Tag::Image { .. } | Tag::Emphasis | Tag::Strikethrough | Tag::List(_),
                ) => {
                    panic!("{event:?}\n{comment}")
                }
                _ => {}
            }
        }
        // the row of the break, that of the waiver, and the head
        assert_eq!((rows, cells), (2, 15), "{comment}");
    });
}

#[test]
fn no_text_is_a_command_of_its_own_to_github() {
    all(|repository| {
        let (said, _) = repository.twyla(".", &["check", "--manifests", "fleet", "--format", "github"]);
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 3, "{said}");
        assert!(lines[0].starts_with("::error file=schemas/events/a/b.json,line=1,col="), "{said}");
        assert!(lines[1].starts_with("::warning file=schemas/contracts.lock,line="), "{said}");
        assert!(lines[2].starts_with("Contracts: not in order: "), "{said}");
    });
}

#[test]
fn the_places_of_sarif_are_in_the_repository() {
    all(|repository| {
        let (said, _) = repository.twyla(".", &["check", "--manifests", "fleet", "--format", "sarif"]);
        let log: Value = serde_json::from_str(&said).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap();
        assert_eq!(results.len(), 2, "{said}");
        for result in results {
            let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
            assert!(repository.path().join(uri.as_str().unwrap()).is_file(), "{uri}");
        }
    });
}
