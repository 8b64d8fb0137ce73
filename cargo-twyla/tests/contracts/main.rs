//! `cargo twyla explain`, `sample`, `validate` and `completions` on the demo platform's contracts, as a user runs them.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

mod completions;
mod settings;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What a command says on the standard output and on the standard error, and its exit code; given something to read.
fn twyla(args: &[&str], input: &str) -> (String, String, i32) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cargo-twyla"))
        .arg("twyla")
        .args(args)
        .current_dir(workspace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_owned());
    // it may say more than a pipe holds before it has read everything, and end before that
    let fed = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().unwrap();
    fed.join().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

fn said(args: &[&str]) -> String {
    let (said, error, code) = twyla(args, "");
    assert_eq!((error.as_str(), code), ("", 0), "{args:?}");
    said
}

fn refused(args: &[&str]) -> String {
    let (_, error, code) = twyla(args, "");
    assert_eq!(code, 2, "{args:?}");
    error
}

#[test]
fn a_contract_is_explained() {
    insta::assert_snapshot!("explain_all", said(&["explain"]));
    insta::assert_snapshot!("explain_reply", said(&["explain", "bot.reply"]));
    insta::assert_snapshot!("explain_context", said(&["explain", "context"]));
    insta::assert_snapshot!(
        "explain_trees",
        said(&["explain", "odd.choice", "--schemas", "tests/golden/schemas/trees"])
    );
    insta::assert_snapshot!(
        "explain_rules",
        said(&["explain", "check.all", "--schemas", "tests/golden/schemas/rules"])
    );
    let unions = ["--schemas", "tests/golden/schemas/unions"];
    let change = said(&[&["explain", "shop.change"], &unions[..]].concat());
    assert!(change.contains("    \"deleted\"\n      The order was deleted.\n      By its owner.\n"), "{change}");
    let values = said(&[&["explain", "shop.values"], &unions[..]].concat());
    assert!(values.contains("  \"a\"\n    Nothing has been paid.\n\n  \"b\"\n    All has been paid.\n"), "{values}");
    let json: Value = serde_json::from_str(&said(&["explain", "bot.reply", "--json"])).unwrap();
    assert_eq!(json["types"][0]["is"]["fields"][1]["type"], "Option<bot::ReplyMood>");
    assert_eq!(
        refused(&["explain", "api.user_inptu"]),
        "error: schemas has no contract api.user_inptu; did you mean api.user_input?\n"
    );
    insta::assert_snapshot!("explain_rpc", said(&["explain", "navitaire-api.get_booking"]));
    let request = said(&["explain", "navitaire-api.get_booking/request"]);
    assert!(said(&["explain", "navitaire-api.get_booking"]).starts_with(&request), "{request}");
    assert_eq!(
        refused(&["explain", "navitaire-api.get_bookin"]),
        "error: schemas has no contract navitaire-api.get_bookin; did you mean navitaire-api.get_booking?\n"
    );
    assert_eq!(
        refused(&["sample", "navitaire-api.get_booking"]),
        "error: navitaire-api.get_booking is an RPC: name one of its contracts, navitaire-api.get_booking/request, \
         navitaire-api.get_booking/response, navitaire-api.get_booking/error\n"
    );
    let error = refused(&["explain", "--schemas", "nowhere"]);
    assert!(error.starts_with("error: nowhere: "), "{error}");
}

#[test]
fn a_map_is_explained_by_the_type_of_its_members() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("context.json", r#"{ "type": "object" }"#),
        ("events/stock/levels.json", r#"{ "type": "object", "additionalProperties": { "type": "integer" } }"#),
        ("rpc/stock/list/request.json", r#"{ "type": "object" }"#),
        ("rpc/stock/list/response.json", r#"{ "type": "array", "items": { "type": "string" } }"#),
    ];
    for (file, text) in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let explain = |args: &[&str]| said(&[&["explain", "--schemas", folder.path().to_str().unwrap()], args].concat());
    let levels = explain(&["stock.levels"]);
    assert!(levels.contains("\n  An object whose members all have the type i64\n"), "{levels}");
    let list = explain(&["stock.list/response"]);
    assert!(list.contains("\n  A value of the type Vec<String>\n"), "{list}");
    let of = |name: &str| -> Value { serde_json::from_str(&explain(&[name, "--format", "json"])).unwrap() };
    assert_eq!(of("stock.levels")["types"][0]["is"], json!({ "members": "i64" }));
    assert_eq!(of("stock.list/response")["types"][0]["is"], json!({ "value": "Vec<String>" }));
}

#[test]
fn an_event_may_have_the_name_of_an_rpc() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["context.json", "events/a/get.json", "rpc/a/get/request.json", "rpc/a/get/response.json"] {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, r#"{ "type": "object" }"#).unwrap();
    }
    let schemas = folder.path().to_str().unwrap();
    assert_eq!(said(&["sample", "a.get", "--schemas", schemas]), "{}\n");
    assert_eq!(said(&["explain", "a.get", "--schemas", schemas]).matches("On the wire").count(), 3);
}

#[test]
fn an_event_is_made() {
    insta::assert_snapshot!("sample", said(&["sample", "api.user_input"]));
    insta::assert_snapshot!("sample_minimal", said(&["sample", "bot.reply", "--minimal"]));
    insta::assert_snapshot!("sample_envelope", said(&["sample", "bot.reply", "--envelope"]));
    insta::assert_snapshot!("sample_invalid", said(&["sample", "api.user_input", "--invalid"]));
    insta::assert_snapshot!("sample_order", said(&["sample", "shop.order_placed", "--schemas", "benches/schemas"]));
    insta::assert_snapshot!("sample_request", said(&["sample", "navitaire-api.get_booking/request"]));
    assert_eq!(
        refused(&["sample", "context", "--envelope"]),
        "error: --envelope is for events: a context has no envelope\n"
    );
    let request = "navitaire-api.get_booking/request";
    let error = "error: --envelope is for events: the request of an RPC has no envelope\n";
    assert_eq!(refused(&["sample", request, "--envelope"]), error);
    assert_eq!(refused(&["validate", request, "-", "--envelope"]), error);
}

/// Of contracts of all kinds: what is made is valid, and what is made to break one rule breaks that alone.
#[test]
fn what_is_made_keeps_its_contract_or_breaks_one_rule() {
    let folders = ["schemas", "benches/schemas", "tests/ui/schemas"].into_iter().map(str::to_owned);
    let golden = ["names", "refs", "rules", "trees"].map(|name| format!("tests/golden/schemas/{name}"));
    let (mut made, mut broken) = (0, 0);
    for folder in folders.chain(golden) {
        let run = |args: &[&str]| said(&[args, &["--schemas", &folder]].concat());
        let all: Value = serde_json::from_str(&run(&["explain", "--json"])).unwrap();
        for name in all.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()) {
            let valid = run(&["sample", name, "--json"]) + &run(&["sample", name, "--json", "--minimal"]);
            let invalid = run(&["sample", name, "--json", "--invalid"]);
            let rules: Vec<Value> = invalid.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let events = valid + &rules.iter().map(|it| format!("{}\n", it["event"])).collect::<String>();
            let args = ["validate", name, "-", "--json", "--as", "lines", "--schemas", &folder];
            let (output, _, code) = twyla(&args, &events);
            let reports: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let (sum, reports) = reports.split_last().unwrap();
            assert_eq!(code, i32::from(!rules.is_empty()), "{name} of {folder}");
            assert_eq!(
                (&sum["events"], &sum["broken"]),
                (&(rules.len() + 2).into(), &rules.len().into()),
                "{reports:?}"
            );
            for (i, (rule, report)) in rules.iter().zip(reports).enumerate() {
                assert_eq!(report["line"], i + 3, "{name} of {folder}: {report}");
                let [violation] = report["violations"].as_array().unwrap().as_slice() else {
                    panic!("{rule}: {report}")
                };
                for field in ["keyword", "rule", "message", "pointer"] {
                    assert_eq!(violation[field], rule[field], "{name} of {folder}: {rule}");
                }
            }
            made += 2;
            broken += rules.len();
        }
    }
    assert!(made > 60 && broken > 400, "{made} made, {broken} broken");
}

#[test]
fn events_are_validated_as_they_come() {
    let lines =
        "{\"emission\":\"hello\"}\n\n{\"emission\":\"\",\"attempt\":101}\n{\"emission\":1,\"emission\":2}\nnonsense\n";
    let (said, error, code) = twyla(&["validate", "api.user_input", "-"], lines);
    insta::assert_snapshot!("validate_lines", said);
    assert_eq!((error.as_str(), code), ("", 1));
    let array = "[{\"emission\":\"hello\"}, {\"language\":\"english\"}]";
    let (said, _, code) = twyla(&["validate", "api.user_input", "-"], array);
    insta::assert_snapshot!("validate_array", said);
    assert_eq!(code, 1);
    let (said, _, code) = twyla(&["validate", "api.user_input", "-", "--json"], array);
    insta::assert_snapshot!("validate_json", said);
    assert_eq!(code, 1);
    let (said, _, code) = twyla(&["validate", "api.user_input", "-"], "{\n  \"emission\": \"hello\"\n}\n");
    assert_eq!((said.as_str(), code), ("the event satisfies the contract of api.user_input\n", 0));
    let (said, _, code) = twyla(&["validate", "api.user_input", "-"], "");
    assert_eq!((said.as_str(), code), ("no events\n", 0));
}

#[test]
fn reports_each_missing_member() {
    let (said, _, code) = twyla(&["validate", "navitaire-api.get_booking/response", "-"], "{}");
    insta::assert_snapshot!("validate_missing", said);
    assert_eq!(code, 1);
}

/// As behind `| head`.
#[test]
fn a_closed_pipe_is_not_an_error() {
    for command in ["sample check.all --invalid --schemas tests/golden/schemas/rules", "explain"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cargo-twyla"))
            .arg("twyla")
            .args(command.split(' '))
            .current_dir(workspace())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // gone before anything is written
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(
            (String::from_utf8_lossy(&output.stderr).as_ref(), output.status.code()),
            ("", Some(0)),
            "{command}"
        );
    }
}

#[test]
fn whole_messages_are_validated_with_their_context() {
    let sample = said(&["sample", "api.user_input", "--envelope", "--json"]);
    let broken = sample.replace("\"channel\":\"web\"", "\"channel\":\"\"").replace("Hello there", "");
    let other = sample.replace("api.user_input", "bot.reply");
    let input = format!("{sample}{broken}{other}{{\"content\":{{}}}}\n");
    let (said, _, code) = twyla(&["validate", "api.user_input", "-", "--envelope"], &input);
    insta::assert_snapshot!("validate_envelope", said);
    assert_eq!(code, 1);
}

/// Of a sensitive value only its place and the rule are shown. Values that are generated or stand in the schema are shown.
#[test]
fn sensitive_values_are_not_shown() {
    let schemas = ["--schemas", "tests/golden/schemas/sensitive"];
    let lines = r#"{"amount":7,"card":{"number":"4111","holder":""},"tokens":["4111411141"],"by":{"kind":"bank","iban":"41114"}}
{"amount":7,"card":"4111","answers":{"pet":"41114111"},"tokens":4111,"secret":{"question":"4111411"}}
{"amount":7,"card":{"number":4111,"number":4111,"holder":"x"}}
{"amount":0.5}
"#;
    let run = |more: &[&str], input: &str| {
        let (said, error, code) = twyla(&[&["validate", "pay.charge", "-"], &schemas[..], more].concat(), input);
        assert_eq!((error.as_str(), code), ("", 1), "{said}");
        said
    };
    let shown = run(&[], lines);
    insta::assert_snapshot!("validate_sensitive", shown);
    let json = run(&["--json"], lines);
    assert!(!shown.contains("4111") && !json.contains("4111"), "{shown}{json}");
    assert!(run(&["--reveal"], lines).contains("\"4111\" doesn't match"));

    let message = r#"{"event_name":"pay.charge","content":{"amount":7,"tokens":["4111411141"]},"context":{"mail":"4111"},"meta":{}}"#;
    let shown = run(&["--envelope"], message);
    assert!(!shown.contains("4111"), "{shown}");
    for place in ["/content/tokens/0: the value breaks `maxLength`; ", "/context/mail: the value breaks `format`; "] {
        assert!(shown.contains(&format!("{place}it is sensitive, so it is not shown")), "{shown}");
    }
    let made = said(&[&["sample", "pay.charge", "--json"], &schemas[..]].concat());
    let made: Value = serde_json::from_str(&made).unwrap();
    assert!(made["card"]["number"].as_str().unwrap().bytes().all(|byte| byte.is_ascii_digit()), "{made}");
}

#[test]
fn a_file_is_named_and_what_is_too_much_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.jsonl");
    fs::write(&file, "{}\n".repeat(500) + "{\"emission\":\"x\"}").unwrap();
    let (said, error, code) = twyla(&["validate", "api.user_input", file.to_str().unwrap(), "--show", "2"], "");
    let said = said.replace(file.to_str().unwrap(), "events.jsonl");
    assert_eq!(
        said,
        "events.jsonl:1: (root): `emission` is missing (required, schemas/events/api/user_input.json:25:3)\n\
         events.jsonl:2: (root): `emission` is missing (required, schemas/events/api/user_input.json:25:3)\n\
         and 498 more, pass --show 0 to see all\n\
         500 of 501 events break the contract of api.user_input\n"
    );
    assert_eq!((error.as_str(), code), ("", 1), "no progress where there is no terminal");
    let missing = refused(&["validate", "api.user_input", "nowhere.jsonl"]);
    assert_eq!(missing, "error: nowhere.jsonl can't be read: No such file or directory (os error 2)\n");
}

/// 40 MB of events, in lines and as one array: from the first hundredth on the process holds hardly more.
#[cfg(target_os = "linux")]
#[test]
fn a_huge_stream_takes_constant_memory() {
    for (begin, between, end) in [("", "\n", "\n"), ("[", ",\n", "]")] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cargo-twyla"))
            .args(["twyla", "validate", "api.user_input", "-"])
            .current_dir(workspace())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let peak = |id| {
            let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
            let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
            peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
        };
        let event = format!("{{\"emission\":\"{}\"}}", "x".repeat(4000));
        let chunk = vec![event.as_str(); 100].join(between);
        input.write_all(begin.as_bytes()).unwrap();
        // all but what fits in a pipe was read when this is written
        input.write_all(chunk.as_bytes()).unwrap();
        let first = peak(child.id());
        for _ in 1..100 {
            input.write_all(between.as_bytes()).unwrap();
            input.write_all(chunk.as_bytes()).unwrap();
        }
        let last = peak(child.id());
        input.write_all(end.as_bytes()).unwrap();
        drop(input);
        let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        assert_eq!(said, "10000 events satisfy the contract of api.user_input\n");
        assert!(last < first + 2000, "{first} kB at first, and {last} kB behind {} kB", 100 * chunk.len() / 1000);
    }
}

#[test]
fn nothing_invisible_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let invisible = |c: char| c != '\n' && twyla_contract::text::is_invisible(c);
    for c in ['\u{202e}', '\u{2067}', '\u{200b}', '\u{e0061}', '\u{2028}', '\u{9b}', '\u{7f}', '\u{1b}'] {
        let evil = format!("a{c}b");
        let inner = json!({ "description": evil, "type": "object", "properties": { &evil: { "const": evil } } });
        let schema = json!({
            "title": evil, "description": evil, "type": "object",
            "properties": {
                &evil: { "description": evil, "type": "string", "maxLength": 9, "default": evil },
                "pattern": { "type": "string", "pattern": format!("^{evil}$") },
                "word": { "enum": [evil, "b"] },
            },
            "required": ["word"],
            "not": { "required": [evil], "properties": { &evil: { "const": evil } } },
        });
        let schemas = folder.path().join("schemas");
        let write = |path: &str, schema: &Value| {
            let path = schemas.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, schema.to_string()).unwrap();
        };
        let run = |args: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-twyla"));
            let output = command.arg("twyla").args(args).current_dir(folder.path()).output().unwrap();
            let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
            assert!(!said.contains(invisible), "{c:?} {args:?}: {said:?}");
            assert!(output.status.code().unwrap() < 2, "{c:?} {args:?}: {said}");
            said
        };
        let _ = fs::remove_dir_all(&schemas);
        write("context.json", &json!({ "type": "object" }));
        write(&format!("shared/{evil}.json"), &inner);
        write("events/api/evil.json", &schema);
        write("rpc/desk/ask/request.json", &inner);
        write("rpc/desk/ask/response.json", &inner);
        fs::write(folder.path().join("events.jsonl"), json!({ "word": evil, "pattern": "x", &evil: evil }).to_string())
            .unwrap();
        run(&["accept"]);
        for args in [
            &["explain"][..],
            &["explain", "api.evil"],
            &["explain", "api.evil", "--json"],
            &["sample", "api.evil"],
            &["sample", "api.evil", "--json"],
            &["sample", "api.evil", "--invalid"],
            &["openapi"],
            &["asyncapi"],
        ] {
            run(args);
        }
        // JSON stays what it is
        let json: Value = serde_json::from_str(&run(&["explain", "api.evil", "--json"])).unwrap();
        assert_eq!(json["types"][0]["docs"], evil);
        assert!(run(&["validate", "api.evil", "events.jsonl"]).contains("break"));
        run(&["validate", "api.evil", "events.jsonl", "--json"]);
        write("events/api/evil.json", &json!({ "type": "object", "properties": { &evil: { "maxLength": 3 } } }));
        assert!(run(&["check"]).contains("evil"));
        run(&["check", "--json"]);
    }
}

/// Each command's help has an example.
#[test]
fn help_has_examples() {
    let help = said(&["--help"]);
    insta::assert_snapshot!("help", help);
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    for command in commands.filter_map(|line| line.split_whitespace().next()).filter(|it| !matches!(*it, "help")) {
        let help = said(&[command, "--help"]);
        let subcommands = help.contains("\nCommands:\n");
        assert!(subcommands || help.to_lowercase().contains("for example"), "{command}: {help}");
    }
}

#[test]
fn another_encoding_of_events_is_named_once() {
    for (text, named) in [
        (
            "\u{feff}{\"a\":1}\n{\"a\":2}\n",
            "begins with a byte order mark, which JSON doesn't allow: save it without one",
        ),
        ("{\0}\0\n\0{\0}\0", "is UTF-16, but JSON is UTF-8: save it as UTF-8"),
        ("\0{\0}\0\n", "is UTF-16, but JSON is UTF-8: save it as UTF-8"),
    ] {
        let (said, error, code) = twyla(&["validate", "api.user_input", "-"], text);
        assert_eq!((said.matches(named).count(), code), (1, 1), "{said}{error}");
    }
}

/// As `cat` puts files together.
#[test]
fn a_byte_order_mark_is_reported_in_its_line() {
    let event = r#"{"emission":"hi"}"#;
    let envelope = format!(r#"{{"event_name":"api.user_input","content":{event},"context":{{"channel":"web"}}}}"#);
    for (event, how) in [(event, &[][..]), (&envelope, &["--envelope"])] {
        for (text, line) in
            [(format!("{event}\n\u{feff}{event}\n{event}\n"), 2), (format!("\n \n\u{feff}{event}\n"), 3)]
        {
            let (said, error, code) = twyla(&[&["validate", "api.user_input", "-"], how].concat(), &text);
            let named = format!("-:{line}: (root): the text begins with a byte order mark, which JSON doesn't allow");
            assert_eq!((said.matches("byte order mark").count(), code), (1, 1), "{said}{error}");
            assert!(said.starts_with(&named), "{said}");
        }
    }
}
