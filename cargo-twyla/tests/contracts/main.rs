//! `cargo twyla explain`, `sample`, `validate` and `completions` on the demo platform's contracts, as a user runs them.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

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
    let json: Value = serde_json::from_str(&said(&["explain", "bot.reply", "--json"])).unwrap();
    assert_eq!(json["types"][0]["is"]["fields"][1]["type"], "Option<bot::ReplyMood>");
    assert_eq!(
        refused(&["explain", "api.user_inptu"]),
        "error: schemas declares no contract api.user_inptu; did you mean api.user_input?\n"
    );
    insta::assert_snapshot!("explain_rpc", said(&["explain", "navitaire-api.get_booking"]));
    let request = said(&["explain", "navitaire-api.get_booking/request"]);
    assert!(said(&["explain", "navitaire-api.get_booking"]).starts_with(&request), "{request}");
    assert_eq!(
        refused(&["explain", "navitaire-api.get_bookin"]),
        "error: schemas declares no contract navitaire-api.get_bookin; did you mean navitaire-api.get_booking?\n"
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
        "error: --envelope is for events: a context has none of its own\n"
    );
    let request = "navitaire-api.get_booking/request";
    let error = "error: --envelope is for events: the request of an RPC has none of its own\n";
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
            for (i, (rule, reports)) in rules.iter().zip(reports).enumerate() {
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
    assert_eq!((said.as_str(), code), ("the event keeps the contract of api.user_input\n", 0));
    let (said, _, code) = twyla(&["validate", "api.user_input", "-"], "");
    assert_eq!((said.as_str(), code), ("no events\n", 0));
}

#[test]
fn each_member_that_is_missing_is_told_of() {
    let (said, _, code) = twyla(&["validate", "navitaire-api.get_booking/response", "-"], "{}");
    insta::assert_snapshot!("validate_missing", said);
    assert_eq!(code, 1);
}

/// As behind `| head`.
#[test]
fn a_reader_that_has_enough_is_no_error() {
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
    for place in ["/content/tokens/0: breaks `maxLength`; ", "/context/mail: breaks `format`; "] {
        assert!(shown.contains(&format!("{place}the value is sensitive and not shown")), "{shown}");
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
        assert_eq!(said, "10000 events keep the contract of api.user_input\n");
        assert!(last < first + 2000, "{first} kB at first, and {last} kB behind {} kB", 100 * chunk.len() / 1000);
    }
}

/// What bash completes in a folder, each candidate as it is put into the line.
fn completed(folder: &Path, words: &[&str]) -> Vec<String> {
    let bin = Path::new(env!("CARGO_BIN_EXE_cargo-twyla")).parent().unwrap();
    let script = "source <(cargo-twyla twyla completions bash)
        COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMP_TYPE=9
        if [[ $1 == cargo ]]; then _cargo_twyla_or_cargo; else _cargo_twyla; fi
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    let output = bash.args(["-c", script, "bash"]).args(words).env("PATH", path).current_dir(folder).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines().map(str::to_owned).collect()
}

#[test]
fn a_shell_completes_commands_options_and_events() {
    let complete = |words: &[&str]| completed(&workspace(), words);
    assert_eq!(complete(&["cargo", "twyla", "va"]), ["validate"]);
    assert_eq!(complete(&["cargo", "twyla", "validate", "api."]), ["api.user_input"]);
    assert_eq!(complete(&["cargo-twyla", "twyla", "sample", "b"]), ["bot.reply"]);
    assert_eq!(complete(&["cargo", "twyla", "sample", "api.user_input", "--inv"]), ["--invalid"]);
    let all = complete(&["cargo", "twyla", ""]);
    for command in ["new", "explain", "sample", "validate", "manifest", "fleet", "dead", "completions"] {
        assert!(all.iter().any(|it| it == command), "{command} in {all:?}");
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(said(&["completions", shell]).contains("CARGO_TWYLA_COMPLETE"));
    }
}

#[test]
fn a_shell_runs_nothing_of_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["$(touch harmed)", "`touch harmed`", "a;touch harmed", "a\nb", "a'b\"", "\u{1b}[2J", "\u{202e}a"];
    for name in names.into_iter().chain(["fine"]) {
        for path in [
            format!("schemas/events/api/{name}.json"),
            format!("schemas/events/{name}/made.json"),
            format!("schemas/rpc/desk/{name}/request.json"),
            name.to_owned(),
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "{}").unwrap();
        }
    }
    let mut events = completed(folder.path(), &["cargo", "twyla", "explain", ""]);
    events.retain(|word| !word.starts_with("--"));
    assert_eq!(events, ["api.fine", "context", "desk.fine/request", "fine.made"]);
    // a file is completed whatever its name, as one word that stands for itself
    let files = completed(folder.path(), &["cargo", "twyla", "validate", "api.fine", ""]);
    let script = "for word in \"$@\"; do eval \"printf '%s\\n' $word\"; done";
    let output = Command::new("bash").args(["-c", script, "bash"]).args(&files).current_dir(folder.path()).output();
    let words = String::from_utf8(output.unwrap().stdout).unwrap();
    let expected = ["$(touch harmed)", "`touch harmed`", "a;touch harmed", "a'b\"", "fine"];
    for name in expected {
        assert!(words.lines().any(|word| word == name), "{name}: {words}");
    }
    assert!(!words.contains('\u{1b}') && !words.contains('\u{202e}'), "{words}");
    assert!(!folder.path().join("harmed").exists());
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

/// A folder with an event in a dialect of draft 4, in which `exclusiveMinimum` is a boolean.
fn with_dialect(settings: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let schemas = folder.path().join("schemas");
    fs::create_dir_all(schemas.join("events/shop")).unwrap();
    fs::write(schemas.join("context.json"), "{}").unwrap();
    let event = r#"{ "$schema": "https://example.com/meta", "properties": { "total": { "minimum": 0, "exclusiveMinimum": true } } }"#;
    fs::write(schemas.join("events/shop/paid.json"), event).unwrap();
    if !settings.is_empty() {
        fs::write(schemas.join("twyla.json"), settings).unwrap();
    }
    folder
}

#[test]
fn a_dialect_is_that_of_the_folder_or_of_the_command_line() {
    let (set, unset) = (with_dialect(r#"{ "dialects": { "https://example.com/meta": "4" } }"#), with_dialect(""));
    let (set, unset) = (set.path().join("schemas"), unset.path().join("schemas"));
    let (set, unset) = (set.to_str().unwrap(), unset.to_str().unwrap());
    let asked = ["--schemas", unset, "--dialect", "https://example.com/meta=4"];
    for how in [&["--schemas", set][..], &asked[..]] {
        let run = |value| twyla(&[&["validate", "shop.paid", "-"], how].concat(), value);
        let (said, error, code) = run(r#"{ "total": 0 }"#);
        assert_eq!(code, 1, "{said}{error}");
        assert_eq!(run(r#"{ "total": 1 }"#).2, 0);
        assert_eq!(twyla(&[&["explain", "shop.paid"], how].concat(), "").2, 0);
    }
    assert!(refused(&["explain", "shop.paid", "--schemas", unset]).contains("`--dialect https://example.com/meta=7`"));
}

#[test]
fn another_encoding_of_events_is_named_once() {
    for (text, named) in [
        (
            "\u{feff}{\"a\":1}\n{\"a\":2}\n",
            "begins with a byte order mark, which JSON doesn't allow: save it without one one",
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
fn a_byte_order_mark_is_named_in_whichever_line_it_is() {
    let event = r#"{"emission":"hi"}"#;
    let envelope = format!(r#"{{"event_name":"api.user_input","content":{event},"context":{{"channel":"web"}}}}"#);
    for (event, how) in [(event, &[][..]), (&envelope, &["--envelope"])] {
        for (text, line) in
            [(format!("{event}\n\u{feff}{event}\n{event}\n"), 2), (format!("\n \n\u{feff}{event}\n"), 3)]
        {
            let (said, error, code) = twyla(&[&["validate", "api.user_input", "-"], how].concat(), &text);
            let named = format!("-:{line}: (root): begins with a byte order mark, which JSON doesn't allow");
            assert_eq!((said.matches("byte order mark").count(), code), (1, 1), "{said}{error}");
            assert!(said.starts_with(&named), "{said}");
        }
    }
}

/// Draft 7 has no format `uuid`.
#[test]
fn formats_and_warnings_are_set_on_the_command_line_as_by_the_builder() {
    let folder = tempfile::tempdir().unwrap();
    let schemas = folder.path().join("schemas");
    fs::create_dir_all(schemas.join("events/shop")).unwrap();
    fs::write(schemas.join("context.json"), "{}").unwrap();
    let event =
        r#"{ "$schema": "http://json-schema.org/draft-07/schema#", "properties": { "id": { "format": "uuid" } } }"#;
    fs::write(schemas.join("events/shop/paid.json"), event).unwrap();
    let path = schemas.to_str().unwrap();
    let run = |more: &[&str]| {
        twyla(&[&["validate", "shop.paid", "-", "--schemas", path], more].concat(), r#"{ "id": "no" }"#).2
    };
    assert_eq!((run(&[]), run(&["--assert-formats", "uuid,duration"])), (0, 1));
    assert_eq!((run(&["--allow", "unknown-format=uuid"]), run(&["--allow", "unknown"])), (0, 2));
    fs::write(schemas.join("twyla.json"), r#"{ "assert-formats": ["uuid"] }"#).unwrap();
    assert_eq!(run(&[]), 1);
}

#[test]
fn a_content_is_an_object_whatever_its_schema_allows() {
    let folder = tempfile::tempdir().unwrap();
    for (file, schema) in [
        ("context.json", "{}"),
        ("events/a/any.json", "{}"),
        ("events/a/loose.json", r#"{ "minLength": 3, "not": { "type": "object", "required": ["x"] } }"#),
        ("events/a/two.json", r#"{ "type": ["string", "object"], "minLength": 3 }"#),
        ("rpc/s/get/request.json", "{}"),
        ("rpc/s/get/response.json", r#"{ "type": ["string", "object"], "minLength": 3 }"#),
    ] {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, schema).unwrap();
    }
    let schemas = ["--schemas", folder.path().to_str().unwrap()];
    for name in ["context", "a.any", "a.loose", "a.two", "s.get/request"] {
        let sample = said(&[&["sample", name][..], &schemas].concat());
        assert!(serde_json::from_str::<Value>(&sample).unwrap().is_object(), "{name}: {sample}");
        let (output, _, code) = twyla(&[&["validate", name, "-"][..], &schemas].concat(), "\"some text\"");
        assert_eq!(code, 1, "{name}: {output}");
        assert!(output.contains("(root): is the string \"some text\", not an object"), "{name}: {output}");
    }
    assert_eq!(twyla(&[&["validate", "s.get/response", "-"][..], &schemas].concat(), "\"some text\"").2, 0);
}

#[test]
fn a_value_is_held_to_what_the_build_knows_of_a_draft() {
    let folder = tempfile::tempdir().unwrap();
    let draft7 = r##"{
        "$schema": "http://json-schema.org/draft-07/schema#",
        "properties": {
            "schema": { "$ref": "http://json-schema.org/draft-07/schema#" },
            "file": { "contentEncoding": "base64", "contentMediaType": "application/json" }
        }
    }"##;
    for (file, schema) in [("context.json", "{}"), ("events/a/x.json", draft7)] {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, schema).unwrap();
    }
    let schemas = ["--schemas", folder.path().to_str().unwrap()];
    let run = |value| twyla(&[&["validate", "a.x", "-"][..], &schemas].concat(), value);
    // what these keywords say of a text is for who reads it: no service refuses one for it
    assert_eq!(run(r#"{ "schema": { "type": "object" }, "file": "%" }"#).2, 0);
    assert_eq!(run(r#"{ "schema": { "type": "objekt" } }"#).2, 1);
}

/// What is said of an event, and made of it, is the same whether the name of one that refers to it comes before or after.
#[test]
fn an_event_is_the_same_whatever_refers_to_it() {
    let said_of = |other: &str| {
        let folder = tempfile::tempdir().unwrap();
        let schemas = folder.path().join("schemas");
        let point = r#"{
            "type": "object",
            "description": "A point.",
            "properties": {
                "x": { "type": "integer", "default": 3 },
                "y": { "type": "integer" },
                "secret": { "type": "string", "x-sensitive": true, "minLength": 2 },
                "next": { "$ref": "point.json" }
            },
            "not": { "required": ["x", "y"] }
        }"#;
        let refers = r#"{ "properties": { "at": { "$ref": "point.json" } } }"#;
        let other = format!("events/a/{other}.json");
        for (file, schema) in [("context.json", "{}"), ("events/a/point.json", point), (&other, refers)] {
            let path = schemas.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, schema).unwrap();
        }
        let path = schemas.to_str().unwrap();
        let all =
            [&["explain", "--json"][..], &["sample"], &["sample", "--minimal"], &["sample", "--invalid", "--json"]];
        let said = all.map(|args| said(&[args, &["a.point", "--schemas", path]].concat()).replace(path, "schemas"));
        let refused = twyla(&["validate", "a.point", "-", "--schemas", path], r#"{ "x": 1, "y": 2 }"#).0;
        (said, refused.replace(path, "schemas"))
    };
    let (before, after) = (said_of("first"), said_of("whole"));
    assert_eq!(before, after);
    assert!(before.0[0].contains("`not`"), "{}", before.0[0]);
}

/// What the build takes, the command line takes: each pattern with a text that it matches and one that it doesn't.
#[test]
fn patterns_and_references_are_read_as_the_build_reads_them() {
    let patterns = [
        ("^[]$", None, ""),
        ("^[^]$", Some("\n"), "ab"),
        ("^\\0$", Some("\0"), "0"),
        (r"(?<y>\d{4})-\k<y>", Some("2026-2026"), "2026-2027"),
        (r"^\ud83d\ude00$", Some("\u{1f600}"), "a"),
        (r"^([\t\n\r -\ud7ff\ue000-\ufffd]|[\ud800-\udbff][\udc00-\udfff])*$", Some("a\u{fffd}"), "\u{1}"),
        (r"^(?:(a)|b)*\1$", Some("b"), "c"),
        (r"^\w+(?<!x)$", Some("y"), "x"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let patterned: serde_json::Map<String, Value> = patterns
        .iter()
        .enumerate()
        .map(|(index, (pattern, ..))| (format!("p{index}"), json!({ "type": "string", "pattern": pattern })))
        .collect();
    let references = json!({
        "type": "object",
        "properties": {
            "raw": { "$ref": "#/$defs/List<string>" },
            "escaped": { "$ref": "#/$defs/a~1b" },
            "encoded": { "$ref": "#/$defs/List%3Cstring%3E" },
            "file": { "$ref": "/shared/of<things>.json#/$defs/a~1b" },
        },
        "$defs": { "List<string>": { "type": "string", "minLength": 2 }, "a/b": { "type": "integer", "minimum": 3 } },
    });
    let shared = json!({ "$defs": { "a/b": { "type": "boolean" } } });
    let patterned = json!({ "type": "object", "properties": patterned });
    for (file, schema) in [
        ("context.json", &json!({})),
        ("events/a/patterns.json", &patterned),
        ("events/a/references.json", &references),
        ("rpc/s/get/request.json", &references),
        ("rpc/s/get/response.json", &patterned),
        ("shared/of<things>.json", &shared),
    ] {
        let path = folder.path().join("schemas").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, schema.to_string()).unwrap();
    }
    let path = folder.path().join("schemas");
    let schemas = ["--schemas", path.to_str().unwrap()];
    let run = |args: &[&str], value: &Value| twyla(&[args, &schemas].concat(), &value.to_string());
    for (index, (pattern, good, bad)) in patterns.iter().enumerate() {
        let name = format!("p{index}");
        if let Some(good) = good {
            let (output, error, code) = run(&["validate", "a.patterns", "-"], &json!({ &name: good }));
            assert_eq!(code, 0, "{pattern}: {output}{error}");
        }
        let (output, error, code) = run(&["validate", "a.patterns", "-"], &json!({ &name: bad }));
        assert_eq!(code, 1, "{pattern}: {output}{error}");
        let rule = format!("doesn't match the pattern {pattern} (pattern, {}/events/a/patterns.json:1:", schemas[1]);
        assert!(output.contains(&rule), "{output}");
    }
    for (value, pointers) in [
        (json!({ "raw": "ab", "escaped": 3, "encoded": "ab", "file": true }), &[][..]),
        (json!({ "raw": "a", "escaped": 2, "encoded": "", "file": 1 }), &["/raw", "/escaped", "/encoded", "/file"]),
    ] {
        let (output, error, code) = run(&["validate", "a.references", "-", "--json"], &value);
        let first: Value = serde_json::from_str(output.lines().next().unwrap()).unwrap();
        let mut violations: Vec<&str> =
            first["violations"].as_array().into_iter().flatten().map(|it| it["pointer"].as_str().unwrap()).collect();
        violations.sort_unstable();
        let mut pointers = pointers.to_vec();
        pointers.sort_unstable();
        assert_eq!((violations, code), (pointers, i32::from(value["file"] == 1)), "{error}");
    }
    for name in ["a.patterns", "a.references", "s.get/request", "s.get/response"] {
        let made: Value = serde_json::from_str(&said(&[&["sample", name][..], &schemas].concat())).unwrap();
        let made_of = |it: &str| made.get(it).is_some();
        assert!(made_of("p3") && !made_of("p0") || made_of("raw") && made_of("file"), "{name}: {made}");
        assert_eq!(run(&["validate", name, "-"], &made).2, 0, "{name}: {made}");
        let broken = said(&[&["sample", name, "--invalid", "--json"][..], &schemas].concat());
        assert!(broken.lines().count() > 3, "{broken}");
    }
    let site = folder.path().join("site");
    let (output, error, code) = run(&["docs", "--into", site.to_str().unwrap()], &json!(null));
    assert_eq!(code, 0, "{output}{error}");
    let document: Value = serde_json::from_str(&said(&[&["openapi"][..], &schemas].concat())).unwrap();
    let components = document["components"]["schemas"].as_object().unwrap();
    for keyword in ["minLength", "minimum"] {
        assert!(components.values().any(|it| it.get(keyword).is_some()), "{document:#}");
    }
}
