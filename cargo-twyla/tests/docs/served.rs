//! `cargo twyla docs --serve`: the pages, and that they are written again after a change.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::folder::write;

/// A server. It ends when this is dropped.
pub(crate) struct Served {
    child: Child,
    said: BufReader<std::process::ChildStdout>,
    /// `127.0.0.1:41234`
    pub(crate) address: String,
}

impl Served {
    pub(crate) fn start(folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-twyla"));
        command.args(["twyla", "docs", "--serve", "--at", "127.0.0.1:0"]).current_dir(folder);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let address = loop {
            let mut line = String::new();
            assert!(said.read_line(&mut line).unwrap() > 0, "it has ended");
            if let Some(rest) = line.split_once("http://") {
                break rest.1.trim().trim_end_matches('/').to_owned();
            }
        };
        Self { child, said, address }
    }

    /// The next line that it prints.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line
    }

    fn get(&self, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_lowercase(), body.to_owned())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn pages_are_served_and_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[("schemas/context.json", "{}"), ("schemas/events/api/one.json", r#"{ "description": "before" }"#)],
    );
    let mut served = Served::start(folder.path());
    let (head, body) = served.get("/");
    assert!(head.contains("content-type: text/html; charset=utf-8") && head.contains("nosniff"), "{head}");
    assert!(body.contains("reload.js") && body.contains("connect-src 'self'"), "{body}");
    assert!(served.get("/events/api.one.html").1.contains("before"));
    assert!(served.get("/../Cargo.toml").0.starts_with("http/1.1 404"));
    // it answers when there is something other, and says what is wrong
    write(folder.path(), &[("schemas/events/api/one.json", r#"{ "type": "sting" }"#)]);
    let (_, body) = served.get("/_changes?since=1");
    assert!(body.contains("\"version\":2") && body.contains("did you mean `string`?"), "{body}");
    assert!(served.get("/events/api.one.html").1.contains("before"));
    write(folder.path(), &[("schemas/events/api/one.json", r#"{ "description": "and after" }"#)]);
    assert!(served.get("/_changes?since=2").1.contains("\"problem\":null,\"version\":3"));
    assert!(served.get("/events/api.one.html").1.contains("and after"));
    assert!(served.line().contains("error"));
}
