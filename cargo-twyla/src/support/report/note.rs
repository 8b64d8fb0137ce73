//! The notes of a report: each has a kind, a level, places, witnesses and options.

use twyla_build::{Problem, Problems};
use twyla_contract::Location;

/// The findings of a command.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// The title, such as `Contracts`.
    pub(crate) title: &'static str,
    /// The result in one sentence.
    pub(crate) summary: String,
    /// Whether the command ran to completion; `false` if an error ended it.
    pub(crate) complete: bool,
    /// The notes, the worst first.
    pub(crate) notes: Vec<Note>,
    /// The lines below the table of a Markdown comment.
    pub(crate) remarks: Vec<String>,
}

/// The severity of a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Error,
    Warning,
}

macro_rules! rules {
    ($($name:ident = $id:literal, $description:literal;)*) => {
        /// The kind of a note: a rule of SARIF.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Rule {
            $($name,)*
        }

        impl Rule {
            pub(crate) const ALL: &[Self] = &[$(Self::$name),*];

            /// Returns the identifier of the kind, which never changes.
            pub(super) fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// Describes the kind in a sentence.
            pub(super) fn describe(self) -> &'static str {
                match self { $(Self::$name => $description,)* }
            }
        }
    };
}

rules! {
    BreakingChange = "breaking-change", "A change of a contract that senders or receivers refuse.";
    UndecidedChange = "undecided-change", "A change of a contract that isn't proven to fit.";
    RemovedContract = "removed-contract", "A contract in the lock without a schema.";
    LostVersion = "lost-version", "A version in the field that was removed from the lock without a reason.";
    NewContract = "new-contract", "A contract that isn't in the lock yet.";
    LockBehind = "lock-behind", "A compatible change that isn't in the lock yet.";
    WaivedBreak = "waived-break", "A breaking change that a waiver in the lock accepts.";
    UnusedWaiver = "unused-waiver", "A waiver that isn't used.";
    InvalidSchema = "invalid-schema", "A schema that can't be compiled.";
    SchemaWarning = "schema-warning", "A part of a schema that doesn't do what it seems to do.";
    ServicesBreak = "services-break", "A service may send a message that another service refuses.";
    ServicesUndecided = "services-undecided", "It isn't proven that a service accepts all messages of another service.";
    QueueNotDrained = "queue-not-drained", "A queue may hold events that its listener refuses.";
    CallNotServed = "call-not-served", "A method that is called but not served.";
    DeploymentBlocked = "deployment-blocked", "A version that can't be deployed.";
    FeaturesBehind = "features-behind", "A domain of a contracts crate without a feature, or a feature without a domain.";
}

/// One finding.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) rule: Rule,
    pub(crate) level: Level,
    pub(crate) place: Option<Location>,
    /// The contracts; for a finding about two services, their event or method.
    pub(crate) subjects: Vec<String>,
    /// The finding in one sentence.
    pub(crate) headline: String,
    /// The lines below the headline, as a terminal shows them.
    pub(crate) details: Vec<String>,
    /// The verdict, such as `breaking`.
    pub(crate) verdict: String,
    pub(crate) witnesses: Vec<Witnessed>,
    /// The affected services, as sentences.
    pub(crate) affected: Vec<String>,
    /// The affected services, by name.
    pub(crate) services: Vec<String>,
    pub(crate) ways: Vec<Way>,
    /// The reason and the last day of the waiver that accepts the finding, if there is one.
    pub(crate) waived: Option<String>,
    /// Identifies the finding in later reports: for example, the digests of the versions.
    pub(crate) identity: String,
}

/// A value that one side sends and another refuses.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Witnessed {
    /// The value, as JSON.
    pub(crate) value: String,
    pub(crate) sender: String,
    pub(crate) receiver: String,
    /// The place in the value, as a JSON Pointer.
    pub(crate) pointer: String,
    pub(crate) rule: String,
    /// The place of the rule.
    pub(crate) place: Option<Location>,
}

/// An option: what can be done about a finding.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Way {
    pub(crate) text: String,
    pub(crate) command: Option<String>,
}

impl Report {
    /// Returns a report of schemas that can't be compiled.
    pub(crate) fn of_problems(title: &'static str, problems: &Problems) -> Self {
        let note = |problem: &Problem| {
            let level = if problem.is_error() { Level::Error } else { Level::Warning };
            let (line, column) = problem.at.map_or((1, 1), |at| (at.line, at.column));
            let text = problem.to_string();
            let place = Location { file: problem.file.clone(), line, column };
            let lead = match problem.at {
                Some(_) => format!("{place}: "),
                None => format!("{}: ", problem.file),
            };
            let headline = text.strip_prefix(&*lead).unwrap_or(&text).to_owned();
            Note {
                rule: if problem.is_error() { Rule::InvalidSchema } else { Rule::SchemaWarning },
                level,
                place: Some(place),
                subjects: vec![problem.file.clone()],
                identity: headline.clone(),
                headline,
                details: Vec::new(),
                verdict: if problem.is_error() { "invalid" } else { "warning" }.to_owned(),
                witnesses: Vec::new(),
                affected: Vec::new(),
                services: Vec::new(),
                ways: Vec::new(),
                waived: None,
            }
        };
        let notes: Vec<Note> = problems.0.iter().map(note).collect();
        let summary = "the schemas can't be compiled, so nothing was checked".to_owned();
        Self { title, summary, complete: false, notes, remarks: Vec::new() }
    }
}

/// Returns an error whose texts are all the same.
#[cfg(test)]
pub(super) fn note_of(text: &str) -> Note {
    Note {
        rule: Rule::BreakingChange,
        level: Level::Error,
        place: Some(Location { file: text.to_owned(), line: 3, column: 7 }),
        subjects: vec![text.to_owned()],
        headline: text.to_owned(),
        details: vec![text.to_owned()],
        verdict: text.to_owned(),
        witnesses: Vec::new(),
        affected: Vec::new(),
        services: Vec::new(),
        ways: Vec::new(),
        waived: None,
        identity: text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_different_identifiers() {
        let mut ids: Vec<&str> = Rule::ALL.iter().map(|rule| rule.id()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), Rule::ALL.len());
    }
}
