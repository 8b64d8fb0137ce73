//! `cargo twyla validate`: checks events against their contract. [`events`] reads them from a stream.

mod events;

use std::error::Error as StdError;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::path::PathBuf;

use clap_complete::engine::ArgValueCompleter;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use twyla_codec::validate::sensitive::masked_message;
use twyla_codec::{envelope, json as strict, validate};

use crate::support::contracts::{Contract, Contracts, Violation};
use crate::support::options::FormatArgs;
use crate::support::paint::{BAD, EscapedOutput, FAINT, GOOD, HEAD, paint, tame};
use crate::support::run::{Outcome, Run};
use crate::support::schemas::SchemasArgs;
use events::{At, Item, Shape};

/// Check events against their contract.
///
/// Reads an event in each line, one array of events, or documents one after another, of any length. Reports each broken rule with
/// its place in the event and in the schema. JSON is an object for each invalid event, and one with the counts at the end.
#[derive(clap::Args)]
#[command(after_help = "\
For example:
  cargo twyla validate api.user_input events.jsonl
  cargo twyla sample api.user_input | cargo twyla validate api.user_input -
  cargo twyla validate api.user_input --envelope messages.jsonl    whole messages, as they are on the wire
  cargo twyla validate context context.json                        the context that every event carries

Exit codes: 0 all events are valid; 1 some are not; 2 they can't be read.")]
pub(crate) struct Args {
    /// An event (api.user_input), context, or a contract of an RPC (navitaire-api.get_booking/request, /response or /error).
    #[arg(add = ArgValueCompleter::new(crate::commands::completions::events))]
    event: String,
    /// The file with the events; `-` is standard input.
    file: PathBuf,
    /// Read events that are in their envelopes: {"event_name", "content", "context", "meta"}.
    #[arg(long)]
    envelope: bool,
    /// How the events are separated.
    #[arg(long = "as", value_name = "SHAPE", default_value = "auto")]
    shape: Shape,
    /// The number of invalid events to report; 0 for all.
    #[arg(long, value_name = "N", default_value_t = 100)]
    show: u64,
    #[command(flatten)]
    format: FormatArgs,
    /// Show sensitive values (`x-sensitive`) too.
    #[arg(long)]
    reveal: bool,
    #[command(flatten)]
    place: SchemasArgs,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{path} can't be read: {error}")]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Run for Args {
    fn run(self) -> Result<Outcome, Box<dyn StdError + Send + Sync>> {
        let contracts = Contracts::open(&self.place)?;
        let contract = contracts.contract(&self.event)?;
        let context = self.envelope.then(|| contracts.around(&contract)).transpose()?;
        let (input, progress) = self.input()?;
        let out = EscapedOutput::new(BufWriter::new(anstream::stdout().lock()));
        let mut report = Report { args: &self, out, events: 0, broken: 0 };
        events::each(progress.wrap_read(input), self.shape, |at, item| {
            let violations = match item {
                Item::Bad(why) => vec![broken("", "json", why)],
                Item::Event(text) => violations(text, &contract, context.as_ref(), self.reveal),
            };
            progress.suspend(|| report.event(at, &violations))
        })
        .map_err(|error: Error| match error {
            Error::Io(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Error::Unreadable { path: self.file.clone(), error }
            }
            error => error,
        })?;
        progress.finish_and_clear();
        report.sum()?;
        Ok(if report.broken > 0 { Outcome::Found } else { Outcome::Fine })
    }
}

impl Args {
    /// Returns the input, with a progress bar on standard error if that is a terminal.
    fn input(&self) -> Result<(Box<dyn Read>, ProgressBar), Error> {
        // only a file has a known length
        let spinner = || {
            let spinner = ProgressBar::no_length();
            match ProgressStyle::with_template("{spinner} {bytes} read, {bytes_per_sec}") {
                Ok(style) => spinner.with_style(style),
                Err(_) => spinner,
            }
        };
        if self.file.as_os_str() == "-" {
            let typed = io::stdin().is_terminal();
            return Ok((Box::new(io::stdin().lock()), if typed { ProgressBar::hidden() } else { spinner() }));
        }
        let unreadable = |error| Error::Unreadable { path: self.file.clone(), error };
        let file = File::open(&self.file).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Ok((Box::new(file), spinner()));
        }
        let bar = ProgressBar::new(metadata.len());
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left") {
            bar.set_style(style);
        }
        Ok((Box::new(file), bar))
    }

    fn shown(&self) -> String {
        if self.file.as_os_str() == "-" { "-".to_owned() } else { self.file.display().to_string() }
    }
}

fn broken(pointer: &str, keyword: &str, message: String) -> Violation {
    let (pointer, keyword) = (pointer.to_owned(), keyword.to_owned());
    Violation { pointer, keyword, place: None, message }
}

/// Returns the rules that an event breaks.
fn violations(text: &[u8], contract: &Contract<'_>, context: Option<&Contract<'_>>, reveal: bool) -> Vec<Violation> {
    let Some(context) = context else { return value_violations(text, contract, "", reveal) };
    match envelope::decode(text, &contract.schema.name) {
        Err(validate::Violation { pointer, keyword, message }) => vec![broken(&pointer, keyword, message)],
        Ok(envelope) => {
            let mut violations = value_violations(envelope.content, contract, "/content", reveal);
            violations.extend(value_violations(envelope.context, context, "/context", reveal));
            violations
        }
    }
}

/// Returns the rules that a value breaks. Duplicate keys are refused and large numbers compared as by a service.
fn value_violations(text: &[u8], contract: &Contract<'_>, below: &str, reveal: bool) -> Vec<Violation> {
    let read = strict::utf8(text).and_then(|text| Ok((text, strict::from_str::<Value>(text)?)));
    let mut violations = match read {
        Ok((text, value)) => contract.violations(text, &value),
        Err(fault) => {
            let validate::Violation { pointer, keyword, message } = fault.into_violation();
            vec![broken(&pointer, keyword, message)]
        }
    };
    for it in &mut violations {
        if !reveal && let Some(message) = masked_message(&it.pointer, &it.keyword, &contract.schema.sensitive) {
            it.message = message;
        }
        it.pointer = format!("{below}{}", it.pointer);
    }
    violations
}

struct Report<'a, W> {
    args: &'a Args,
    out: W,
    events: u64,
    broken: u64,
}

impl<W: Write> Report<'_, W> {
    fn event(&mut self, at: At, violations: &[Violation]) -> Result<(), Error> {
        self.events += 1;
        if violations.is_empty() {
            return Ok(());
        }
        self.broken += 1;
        if self.args.format.is_json() {
            let mut event = match at {
                At::Line(line) => json!({ "line": line }),
                At::Index(index) => json!({ "index": index }),
            };
            event["violations"] = violations.iter().map(json).collect();
            writeln!(self.out, "{event}")?;
            return Ok(());
        }
        if self.args.show > 0 && self.broken > self.args.show {
            return Ok(());
        }
        let at = match at {
            At::Line(line) => format!(":{line}"),
            At::Index(index) => format!("[{index}]"),
        };
        let at = paint(HEAD, format!("{}{at}", tame(&self.args.shown())));
        for it in violations {
            let rule = match &it.place {
                Some(place) => paint(FAINT, tame(&format!(" ({}, {place})", it.keyword))).to_string(),
                None => String::new(),
            };
            writeln!(self.out, "{at}: {}{rule}", tame(&it.to_string()))?;
        }
        Ok(())
    }

    fn sum(&mut self) -> io::Result<()> {
        let Self { args, events, broken, .. } = self;
        if args.format.is_json() {
            let sum = json!({ "events": events, "broken": broken });
            writeln!(self.out, "{sum}")?;
            return self.out.flush();
        }
        let unseen = broken.saturating_sub(args.show);
        if args.show > 0 && unseen > 0 {
            writeln!(self.out, "and {unseen} more, pass --show 0 to see all")?;
        }
        let counted = |count: u64| format!("{count} event{}", if count == 1 { "" } else { "s" });
        let name = &args.event;
        let said = match (*events, *broken) {
            (0, _) => "no events".to_owned(),
            (1, 0) => paint(GOOD, format!("the event satisfies the contract of {name}")).to_string(),
            (_, 0) => paint(GOOD, format!("{} satisfy the contract of {name}", counted(*events))).to_string(),
            (_, 1) => paint(BAD, format!("1 of {} breaks the contract of {name}", counted(*events))).to_string(),
            (_, _) => paint(BAD, format!("{broken} of {} break the contract of {name}", counted(*events))).to_string(),
        };
        writeln!(self.out, "{said}")?;
        self.out.flush()
    }
}

fn json(violation: &Violation) -> Value {
    json!({
        "pointer": violation.pointer,
        "keyword": violation.keyword,
        "rule": violation.place.as_ref().map(ToString::to_string),
        "message": violation.message,
    })
}
