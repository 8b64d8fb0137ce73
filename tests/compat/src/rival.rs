//! The other checkers: their verdicts on the same directions, each from a process of its own.
//!
//! A checker may take minutes for a pair or overflow its stack. Then its process is ended, and the next pair gets a new one.

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;
use std::{fmt, panic};

use jsoncompat::{CompatibilityResult, Role, SchemaDocument, analyze_compat};
use jsonschema::canonical::{self, Containment};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cases::Direction;
use crate::judge::Opinion;
use crate::oracle;

/// A checker beside Twyla.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rival {
    /// The `jsoncompat` crate in strict mode: it calls safe only what it proves. It knows one draft only, so `$schema` is
    /// removed from schemas of others.
    Jsoncompat,
    /// `CanonicalSchema::covers` of the `jsonschema` crate, which has no witness for a break.
    Jsonschema,
    /// The `json-schema-diff` crate, which lists changes: a direction is safe if no change is breaking. It has no witness, and is
    /// undecided only where it refuses a schema, takes too long, or crashes.
    JsonSchemaDiff,
}

impl Rival {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 3] = [Self::Jsoncompat, Self::Jsonschema, Self::JsonSchemaDiff];

    /// The checker of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rival| rival.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Jsoncompat => "jsoncompat",
            Self::Jsonschema => "jsonschema",
            Self::JsonSchemaDiff => "json-schema-diff",
        }
    }

    /// The time limit for one direction; a pair that takes longer is undecided. `json-schema-diff` answers at once, or explodes.
    fn patience(self) -> Duration {
        match self {
            Self::JsonSchemaDiff => Duration::from_millis(500),
            Self::Jsoncompat | Self::Jsonschema => Duration::from_secs(10),
        }
    }

    /// The bytes of its thread's stack. `json-schema-diff` follows recursive schemas until the stack is full: a small one is full sooner.
    fn stack(self) -> usize {
        match self {
            Self::JsonSchemaDiff => 8 << 20,
            Self::Jsoncompat | Self::Jsonschema => 256 << 20,
        }
    }

    fn decide(self, inner: &str, outer: &str, draft: &str) -> Option<Opinion> {
        let (inner, outer): (Value, Value) = (serde_json::from_str(inner).ok()?, serde_json::from_str(outer).ok()?);
        match self {
            Self::Jsoncompat => jsoncompat(inner, outer),
            Self::Jsonschema => covers(&inner, &outer, draft),
            Self::JsonSchemaDiff => diff(inner, outer),
        }
    }
}

impl fmt::Display for Rival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A question to a checker's process: one direction of a pair.
#[derive(Serialize, Deserialize)]
struct Question {
    draft: String,
    inner: String,
    outer: String,
}

/// Answers the questions on standard input, a line each. This is what a checker's process does.
///
/// # Errors
/// If a line can't be read or isn't a question, or if the answer can't be written.
pub fn answer(rival: Rival) -> io::Result<()> {
    for line in io::stdin().lock().lines() {
        let Question { draft, inner, outer } = serde_json::from_str(&line?)?;
        let opinion = panic::catch_unwind(|| rival.decide(&inner, &outer, &draft)).ok().flatten();
        let opinion = opinion.unwrap_or_else(|| Opinion::Undecided("it refuses one of the schemas".to_owned()));
        println!("{}", serde_json::to_string(&opinion)?);
    }
    Ok(())
}

/// A checker, with the process that it runs in.
#[derive(Debug)]
pub struct Checker {
    rival: Rival,
    program: PathBuf,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    process: Child,
    questions: ChildStdin,
    answers: Receiver<String>,
}

impl Checker {
    /// A checker that runs in `program`, which calls [`answer`] for the arguments `--answer NAME`.
    #[must_use]
    pub fn new(rival: Rival, program: &Path) -> Self {
        Self { rival, program: program.to_owned(), running: None }
    }

    /// Its verdict on a direction.
    ///
    /// # Errors
    /// If the process can't be started.
    pub fn says(&mut self, direction: &Direction<'_>) -> io::Result<Opinion> {
        let Direction { draft, inner, outer, .. } = direction;
        let question = Question { draft: (*draft).to_owned(), inner: (*inner).to_owned(), outer: (*outer).to_owned() };
        let mut running = match self.running.take() {
            Some(running) => running,
            None => Running::start(self.rival, &self.program)?,
        };
        let asked = writeln!(running.questions, "{}", serde_json::to_string(&question)?);
        match asked.map(|()| running.answers.recv_timeout(self.rival.patience())) {
            Ok(Ok(answer)) => {
                self.running = Some(running);
                Ok(serde_json::from_str(&answer)?)
            }
            Ok(Err(mpsc::RecvTimeoutError::Timeout)) => Ok(Opinion::Undecided("it takes too long".to_owned())),
            Ok(Err(mpsc::RecvTimeoutError::Disconnected)) | Err(_) => Ok(Opinion::Undecided("it crashes".to_owned())),
        }
    }
}

impl Running {
    fn start(rival: Rival, program: &Path) -> io::Result<Self> {
        let mut process = Command::new(program)
            .args(["--answer", rival.name()])
            .env("RUST_MIN_STACK", rival.stack().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let gone = || io::Error::other("a pipe to the process is missing");
        let (questions, output) = (process.stdin.take().ok_or_else(gone)?, process.stdout.take().ok_or_else(gone)?);
        let (send, answers) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { process, questions, answers })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn jsoncompat(inner: Value, outer: Value) -> Option<Opinion> {
    let document = |mut schema: Value| {
        if let Some(members) = schema.as_object_mut() {
            members.remove("$schema");
        }
        SchemaDocument::from_json(&schema).ok()
    };
    let (new, old) = (document(inner)?, document(outer)?);
    // values written under the new schema must be readable under the old one
    Some(match analyze_compat(&old, &new, Role::Serializer).ok()? {
        CompatibilityResult::Compatible => Opinion::Fits,
        CompatibilityResult::Incompatible { counterexample, .. } => Opinion::Breaks(Some(counterexample)),
        CompatibilityResult::Unknown { reason } => Opinion::Undecided(reason),
    })
}

fn covers(inner: &Value, outer: &Value, draft: &str) -> Option<Opinion> {
    // a schema's own `$schema` has priority over the pair's draft
    let canonical = |schema: &Value| {
        let mut options = canonical::options().offline().should_validate_formats(false);
        if schema.get("$schema").is_none() {
            options = options.with_draft(oracle::draft(draft));
        }
        options.canonicalize(schema).ok()
    };
    Some(match canonical(outer)?.covers(&canonical(inner)?) {
        Ok(Containment::Yes) => Opinion::Fits,
        Ok(Containment::No) => Opinion::Breaks(None),
        Ok(Containment::Unknown) => Opinion::Undecided("unknown".to_owned()),
        Err(error) => Opinion::Undecided(error.to_string()),
    })
}

fn diff(inner: Value, outer: Value) -> Option<Opinion> {
    let changes = json_schema_diff::diff(inner, outer).ok()?;
    let breaks = changes.iter().any(|change| change.change.is_breaking());
    Some(if breaks { Opinion::Breaks(None) } else { Opinion::Fits })
}
