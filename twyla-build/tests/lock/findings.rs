//! What a build says of each kind of change, as it is printed. `UPDATE=1` writes the golden file again.

use std::{env, fs};

use twyla_build::lock::{Act, Role};

use crate::folder::{Folder, said};

const USER_INPUT: &str = r#"{
  "type": "object",
  "properties": {
    "emission": { "type": "string", "minLength": 1, "maxLength": 4000 },
    "language": { "type": "string", "pattern": "^[a-z]{2}$" },
    "mood": { "enum": ["cheerful", "neutral", "sorry"] },
    "attempt": { "type": "integer", "minimum": 1 }
  },
  "required": ["emission"]
}
"#;

/// Edits of `events/api/user_input.json`: what is found, and what is put there.
type Case = (&'static str, &'static [(&'static str, &'static str)]);

const CASES: &[Case] = &[
    (
        "additive: a property is added",
        &[("\"attempt\": {", "\"channel\": { \"type\": \"string\" },\n    \"attempt\": {")],
    ),
    (
        "additive: an optional property is removed",
        &[("    \"mood\": { \"enum\": [\"cheerful\", \"neutral\", \"sorry\"] },\n", "")],
    ),
    ("producer-first: a bound is lowered", &[("4000", "50")]),
    ("producer-first: a pattern is added", &[("\"minLength\": 1,", "\"minLength\": 1, \"pattern\": \"^[a-z ]+$\",")]),
    ("producer-first: a property is required", &[("[\"emission\"]", "[\"emission\", \"language\"]")]),
    (
        "producer-first: a new property is required",
        &[
            ("\"attempt\": {", "\"channel\": { \"type\": \"string\" },\n    \"attempt\": {"),
            ("[\"emission\"]", "[\"emission\", \"channel\"]"),
        ],
    ),
    ("producer-first: a word is removed", &[(", \"sorry\"", "")]),
    ("consumer-first: a bound is raised", &[("4000", "8000")]),
    ("consumer-first: a word is added", &[("\"sorry\"]", "\"sorry\", \"angry\"]")]),
    ("consumer-first: a property is required no more", &[("[\"emission\"]", "[]")]),
    (
        "consumer-first: a type is added",
        &[("\"emission\": { \"type\": \"string\"", "\"emission\": { \"type\": [\"string\", \"null\"]")],
    ),
    (
        "breaking: another type",
        &[(
            "\"attempt\": { \"type\": \"integer\", \"minimum\": 1 }",
            "\"attempt\": { \"type\": \"string\", \"minLength\": 1 }",
        )],
    ),
    ("breaking: a property is renamed", &[("\"emission\"", "\"text\"")]),
    ("breaking: two edits", &[("4000", "50"), ("\"sorry\"]", "\"sorry\", \"angry\"]")]),
    (
        "several edits, of which one harms",
        &[
            ("4000", "50"),
            ("\"attempt\": {", "\"channel\": { \"type\": \"string\" },\n    \"attempt\": {"),
            ("\"emission\": {", "\"emission\": { \"title\": \"What was said\","),
        ],
    ),
];

fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("events/api/user_input.json", USER_INPUT);
    folder
}

/// Each line is cut where a person would scroll, so that the golden file shows what fits on a screen.
fn section(out: &mut String, name: &str, said: &str) {
    out.push_str(&format!("# {name}\n{said}\n"));
}

fn golden(path: &str, found: &str) {
    if env::var_os("UPDATE").is_some() {
        fs::write(path, found).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap_or_default(), found, "UPDATE=1 accepts");
}

#[test]
fn each_kind_of_change_has_its_own_message() {
    let mut all = String::new();
    for (index, (name, edits)) in CASES.iter().enumerate() {
        let folder = folder(&format!("edit{index}")).accepted();
        assert_eq!(folder.said(), "", "{name}");
        let edited = edits.iter().fold(USER_INPUT.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{name}: {from}");
            text.replace(from, to)
        });
        folder.write("events/api/user_input.json", &edited);
        section(&mut all, name, &folder.said());
    }
    golden("tests/lock/edits.golden", &all);
}

#[test]
fn findings_other_than_edits_have_their_own_messages() {
    let mut all = String::new();
    let mut add = |name: &str, folder: &Folder| section(&mut all, name, &folder.said());

    let without = folder("no_lock");
    add("no lock: nothing", &without);

    let new = folder("new").accepted();
    new.write("events/bot/reply.json", r#"{ "properties": { "text": { "type": "string" } } }"#);
    add("a new contract", &new);

    let removed = folder("removed");
    removed.write("events/bot/reply.json", r#"{ "properties": { "text": { "type": "string" } } }"#);
    let removed = removed.accepted();
    removed.remove("events/bot/reply.json");
    add("a contract is gone", &removed);

    let renamed = folder("renamed");
    renamed.write("events/bot/reply.json", r#"{ "properties": { "text": { "type": "string" } } }"#);
    let renamed = renamed.accepted();
    renamed.remove("events/api/user_input.json");
    renamed.write("events/api/user_said.json", &USER_INPUT.replace("4000", "5000"));
    add("a contract has another name", &renamed);

    let context = folder("context");
    context.write("context.json", r#"{ "properties": { "channel": { "type": "string" } }, "required": ["channel"] }"#);
    let context = context.accepted();
    context.write("context.json", r#"{ "properties": { "channel": { "type": "integer" } }, "required": ["channel"] }"#);
    add("the context", &context);

    let shared = folder("shared");
    shared.write("events/bot/reply.json", r#"{ "properties": { "say": { "$ref": "../../shared/text.json" } } }"#);
    shared.write("events/bot/other.json", r#"{ "properties": { "say": { "$ref": "../../shared/text.json" } } }"#);
    shared.write("shared/text.json", "{\n  \"type\": \"string\",\n  \"maxLength\": 40\n}");
    let shared = shared.accepted();
    shared.write("shared/text.json", "{\n  \"type\": \"string\",\n  \"maxLength\": 30\n}");
    add("what two events share", &shared);

    let rpc = folder("rpc");
    let (request, response) = ("rpc/booking/get/request.json", "rpc/booking/get/response.json");
    rpc.write(request, r#"{ "properties": { "pnr": { "type": "string" } }, "required": ["pnr"] }"#);
    rpc.write(response, r#"{ "properties": { "name": { "type": "string" } }, "required": ["name"] }"#);
    let rpc = rpc.accepted();
    rpc.write(request, r#"{ "properties": { "pnr": { "type": "string", "maxLength": 6 } }, "required": ["pnr"] }"#);
    rpc.write(response, r#"{ "properties": { "name": { "type": "string" } } }"#);
    add("an RPC: its request narrowed, its response widened", &rpc);
    section(&mut all, "the same, of a service that calls it", &said(&rpc.builder().calls(["booking.get"])));
    section(&mut all, "the same, of the service that serves it", &said(&rpc.builder().serves(["booking.get"])));
    let mut add = |name: &str, folder: &Folder| section(&mut all, name, &folder.said());

    let (rpc, error) = (folder("rpc_error"), "rpc/booking/get/error.json");
    rpc.write(request, "{}");
    rpc.write(response, "{}");
    rpc.write(error, r#"{ "properties": { "reason": { "enum": ["gone"] } }, "required": ["reason"] }"#);
    let rpc = rpc.accepted();
    rpc.write(error, r#"{ "properties": { "reason": { "enum": ["gone", "late"] } }, "required": ["reason"] }"#);
    add("an RPC: its error widened", &rpc);
    rpc.remove(error);
    add("an RPC: its error gone", &rpc);

    let may = |repeat: bool| format!(r#"{{ "type": "object", "idempotent": {repeat} }}"#);
    let rpc = folder("rpc_repeated");
    rpc.write(request, &may(true));
    rpc.write(response, "{}");
    let rpc = rpc.accepted();
    rpc.write(request, &may(false));
    add("an RPC: it may be repeated no more", &rpc);
    let rpc = folder("rpc_repeatable");
    rpc.write(request, &may(false));
    rpc.write(response, "{}");
    let rpc = rpc.accepted();
    rpc.write(request, &may(true));
    add("an RPC: it may be repeated", &rpc);
    section(&mut all, "the same, of the service that serves it", &said(&rpc.builder().serves(["booking.get"])));
    let mut add = |name: &str, folder: &Folder| section(&mut all, name, &folder.said());
    let rpc = folder("rpc_misspelt");
    rpc.write(request, r#"{ "type": "object" }"#);
    rpc.write(response, "{}");
    let rpc = rpc.accepted();
    rpc.write(request, r#"{ "type": "object", "idempotnt": true }"#);
    add("an RPC: a keyword that no draft has", &rpc);

    let rpc = folder("rpc_patterns");
    rpc.write(request, r#"{ "type": "object", "patternProperties": { "^a": {} } }"#);
    rpc.write(response, "{}");
    let rpc = rpc.accepted();
    rpc.write(request, r#"{ "type": "object", "patternProperties": { "^a": {}, "^b": { "type": "integer" } } }"#);
    add("an RPC: another pattern of names", &rpc);

    let rpc = folder("rpc_gone");
    rpc.write(request, r#"{ "properties": { "pnr": { "type": "string" } }, "required": ["pnr"] }"#);
    rpc.write(response, r#"{ "properties": { "name": { "type": "string" } }, "required": ["name"] }"#);
    let rpc = rpc.accepted();
    rpc.remove(request);
    rpc.remove(response);
    add("an RPC is gone", &rpc);
    let gone = Act::Remove { reason: "nothing calls it".to_owned() };
    rpc.accept(gone, &["booking.get/request", "booking.get/response"], None).unwrap();
    assert_eq!(rpc.said(), "");

    let rpc = folder("rpc_renamed");
    rpc.write(request, r#"{ "properties": { "pnr": { "type": "string" } }, "required": ["pnr"] }"#);
    rpc.write(response, r#"{ "properties": { "name": { "type": "string" } }, "required": ["name"] }"#);
    let rpc = rpc.accepted();
    for path in [request, response] {
        let other = path.replace("/get/", "/find/");
        let text = std::fs::read_to_string(rpc.path(path)).unwrap();
        rpc.write(&other, &text);
        rpc.remove(path);
    }
    add("an RPC has another name", &rpc);

    let rpc = folder("rpc_new").accepted();
    rpc.write(request, r#"{ "properties": { "pnr": { "type": "string" } }, "required": ["pnr"] }"#);
    rpc.write(response, r#"{ "properties": { "name": { "type": "string" } }, "required": ["name"] }"#);
    add("a new RPC", &rpc);

    let hostile = folder("hostile_words");
    hostile.write("events/bot/reply.json", r#"{ "properties": { "a": { "enum": ["x"] } } }"#);
    let hostile = hostile.accepted();
    hostile.write(
        "events/bot/reply.json",
        "{ \"properties\": { \"a\": { \"enum\": [\"x\\ncargo::rustc-env=A=B\\u001b[2J\"] } } }",
    );
    add("words that would be commands", &hostile);

    golden("tests/lock/others.golden", &all);
}

/// A change of a contract of the demo platform is accepted in the same change.
#[test]
fn the_demo_platform_is_what_was_accepted() {
    let demo = twyla_build::Builder::new("../schemas").shown_as("schemas");
    assert!(demo.lock().unwrap().is_some());
    assert_eq!(said(&demo), "", "`cargo twyla accept` in the repository's root accepts what is new or additive");
}

#[test]
fn only_what_a_service_does_is_asked_of_it() {
    let mut all = String::new();
    for (name, from, to) in [("producer-first", "4000", "50"), ("consumer-first", "4000", "8000")] {
        let folder = folder(&format!("roles_{name}")).accepted();
        folder.write("events/api/user_input.json", &USER_INPUT.replace(from, to));
        let builder = || folder.builder();
        let event = ["api.user_input"];
        for (role, builder) in [
            ("unknown", builder()),
            ("a listener", builder().role(Role::Listener)),
            ("a producer", builder().role(Role::Producer)),
            ("listens to it", builder().listens(event)),
            ("emits it", builder().emits(event)),
            ("listens to it and emits it", builder().role(Role::Producer).listens(event).emits(event)),
        ] {
            let said = said(&builder);
            section(&mut all, &format!("{name}, {role}"), said.lines().next().unwrap_or_default());
        }
    }
    let folder = folder("roles_unknown").accepted();
    section(&mut all, "an event that isn't there", &said(&folder.builder().listens(["api.user_inptu"])));
    golden("tests/lock/roles.golden", &all);
}
