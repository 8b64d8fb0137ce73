//! Runs contents through `cargo twyla validate`, as a user does.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::group::Folder;
use crate::run::Outcome;

/// The program's file name.
pub const PROGRAM: &str = "cargo-twyla";

/// The compiled command line.
#[derive(Debug)]
pub struct CommandLine {
    program: PathBuf,
    /// A folder of this process.
    folder: PathBuf,
}

/// An event's content, and its type's result.
#[derive(Debug)]
pub struct Content {
    /// The event: `b` is `a.b`.
    pub event: String,
    /// The content, on one line.
    pub text: String,
    /// The type's result.
    pub outcome: Outcome,
}

impl Content {
    /// Whether the type refuses it for digits that it can't keep, although its schema may allow them.
    #[must_use]
    pub fn is_refused_for_digits(&self) -> bool {
        let words = ["more digits than can be kept", "not an integer that fits in 64 bits"];
        matches!(&self.outcome, Outcome::Refused(why) if words.iter().any(|words| why.contains(words)))
    }
}

impl CommandLine {
    /// The program in a folder, if it exists.
    #[must_use]
    pub fn beside(folder: &Path) -> Option<Self> {
        let program = folder.join(format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX));
        let folder = std::env::temp_dir().join(format!("twyla-conformance-{}", std::process::id()));
        program.is_file().then_some(Self { program, folder })
    }

    /// Its result for each content: the broken rules, or none.
    ///
    /// # Errors
    /// If the program can't be run, or prints something unexpected.
    pub fn validate(&self, draft: &str, folder: &Folder, contents: &[Content]) -> io::Result<Vec<Option<String>>> {
        let _ = fs::remove_dir_all(&self.folder);
        let schemas = self.folder.join("schemas");
        for (path, text) in
            folder.files.iter().map(|(path, text)| (&**path, text.get())).chain([("context.json", "{}")])
        {
            let path = schemas.join(path);
            fs::create_dir_all(path.parent().unwrap_or(&schemas))?;
            fs::write(path, text)?;
        }
        let mut results = vec![None; contents.len()];
        let events: BTreeSet<&str> = contents.iter().map(|content| &*content.event).collect();
        for event in events {
            let of: Vec<usize> = (0..contents.len()).filter(|index| contents[*index].event == event).collect();
            let lines: Vec<&str> = of.iter().map(|index| &*contents[*index].text).collect();
            for (line, broken) in self.lines(draft, folder, event, &lines)? {
                let index = line.checked_sub(1).and_then(|line| of.get(line));
                let index = index.ok_or_else(|| io::Error::other(format!("it reports line {line}")))?;
                results[*index] = Some(broken);
            }
        }
        let _ = fs::remove_dir_all(&self.folder);
        Ok(results)
    }

    /// The lines that break an event's contract, with their broken rules.
    fn lines(&self, draft: &str, folder: &Folder, event: &str, lines: &[&str]) -> io::Result<Vec<(usize, String)>> {
        let mut command = Command::new(&self.program);
        command.args(["twyla", "validate", &format!("a.{event}"), "-", "--as", "lines", "--json", "--schemas"]);
        command.arg(self.folder.join("schemas"));
        command.args(["--draft", draft.trim_start_matches("draft")]);
        command.args((!folder.formats).then_some("--no-formats"));
        for (uri, file) in &folder.documents {
            command.args(["--document", &format!("{uri}={}", file.display())]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let input = lines.join("\n");
        // write and read at the same time, or both processes would block
        let writer = child.stdin.take().map(|mut stdin| std::thread::spawn(move || stdin.write_all(input.as_bytes())));
        let output = child.wait_with_output()?;
        let _ = writer.map(std::thread::JoinHandle::join);
        let mut broken = Vec::new();
        let mut events = None;
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let value: Value = serde_json::from_str(line)?;
            match value["line"].as_u64() {
                Some(line) => broken.push((usize::try_from(line).unwrap_or_default(), value["violations"].to_string())),
                None => events = value["events"].as_u64(),
            }
        }
        if events != Some(lines.len() as u64) {
            let error_output = String::from_utf8_lossy(&output.stderr).replace('\n', " ");
            return Err(io::Error::other(format!(
                "{}, {events:?} events of {}: {error_output}",
                output.status,
                lines.len()
            )));
        }
        Ok(broken)
    }
}
