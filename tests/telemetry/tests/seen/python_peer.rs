//! Compares log lines in the platform's format with the formatter of its Python services. Needs Python's libraries.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use twyla_tests::within;

use super::{ended, json, service};

/// JSON types, with integers apart from other numbers: collectors keep a column for each.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[tokio::test]
#[ignore = "needs Python's libraries: cargo xtask test installs them"]
async fn a_line_equals_that_of_the_python_formatter() {
    within(async {
        let (_, lines) = ended(service("all", &[("SEEN_LOG_FORMAT", "platform"), ("SEEN_LOG", "info")])).await;
        let lines = json(&lines);
        assert!(lines.iter().any(|line| line["levelName"] == "WARNING"));
        for line in lines.iter().filter(|line| line["extra"].is_object()) {
            let python = std::env::var("TWYLA_TEST_PYTHON_PEER");
            let mut command = Command::new(python.expect("TWYLA_TEST_PYTHON_PEER is not set: run `cargo xtask test`"));
            command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/seen/record.py"));
            let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            child.stdin.take().unwrap().write_all(format!("{line}\n").as_bytes()).await.unwrap();
            let output = child.wait_with_output().await.unwrap();
            let judged: Value = serde_json::from_slice(&output.stdout).unwrap();
            // both write the same line for the same record
            assert_eq!(line, &judged["line"]);
            // and values of the same types for Python's own records
            let types = |line: &Value| -> Vec<_> {
                line.as_object().unwrap().iter().map(|(name, value)| (name.clone(), type_of(value))).collect()
            };
            assert_eq!(types(line), types(&judged["python"]), "{line}");
        }
    })
    .await;
}
