//! The text of a finding: a headline, and lines below it with the details.

use serde_json::Value;
use twyla_contract::Location;
use twyla_contract::text::shortened;

use super::finding::{
    BreakingChange, ComparedVersion, EditVerdict, EditedContract, Finding, FindingKind, Misfit, WaivedMisfit, WayOn,
};
use super::model::{Direction, Subject, Waiver, short};
use crate::compare::{ContractKind, Verdict, Witness};

/// Limits of the edits and misfits that are shown.
const MOST_EDITS: usize = 5;
const MOST_MISFITS: usize = 4;

/// Returns the lines of a finding. `also` are other contracts that the same edit affects in the same way, and `named`
/// lines that name the affected services.
pub(super) fn lines(finding: &Finding, also: &[&Finding], named: &[String]) -> Vec<String> {
    let Location { file, line, column } = &finding.place;
    let mut text = Text(Vec::new());
    text.0.push(format!("{file}:{line}:{column}: {}", headline(finding, also)));
    match &finding.kind {
        FindingKind::Behind(edited) => text.edits(edited, &[]),
        FindingKind::Broken(broken) => text.edits(&broken.edited, &broken.culprits),
        _ => {}
    }
    text.part("verdict", verdict(finding));
    if let FindingKind::Broken(broken) = &finding.kind {
        broken.misfits.iter().take(MOST_MISFITS).for_each(|misfit| text.misfit(&finding.subject, misfit));
    }
    let affected = affected(finding).into_iter().chain(named.iter().cloned());
    text.prose("affects", "", affected.map(|line| WayOn { text: line, command: None }));
    text.prose("options", "- ", ways(finding, also));
    text.0
}

/// Returns what the change means for the order of upgrades; `None` if the finding doesn't affect it.
pub(super) fn verdict(finding: &Finding) -> Option<String> {
    let (producers, listeners) = sides(&finding.subject);
    let broken = match &finding.kind {
        FindingKind::Removed | FindingKind::Renamed { .. } => return Some("breaking".to_owned()),
        FindingKind::Broken(broken) => broken,
        _ => return None,
    };
    let verdict = match broken.edited.verdict {
        EditVerdict::Additive => "old and new versions fit each other".to_owned(),
        EditVerdict::ConsumerFirst => format!("all {listeners} have to be upgraded before any of the {producers}"),
        EditVerdict::ProducerFirst => format!("all {producers} have to be upgraded before any of the {listeners}"),
        EditVerdict::Breaking => format!("there is no order in which {producers} and {listeners} can be upgraded"),
        EditVerdict::Undecided => "a change that isn't proven to fit counts as breaking".to_owned(),
    };
    Some(format!("{}: {verdict}", broken.edited.verdict.word()))
}

/// Returns the affected services, a sentence for each side.
pub(super) fn affected(finding: &Finding) -> Vec<String> {
    let subject = &finding.subject;
    match &finding.kind {
        FindingKind::Broken(broken) => affected_by_change(subject, broken),
        FindingKind::Removed | FindingKind::Renamed { .. } => {
            let affected: &[&str] = match subject.kind {
                ContractKind::Request => &["callers that aren't upgraded yet: no service answers their calls"],
                ContractKind::Response | ContractKind::Error => {
                    &["callers and services that aren't upgraded yet: upgraded ones don't have this response"]
                }
                ContractKind::Context | ContractKind::Event => &[
                    "listeners that aren't upgraded yet: they wait for events that are no longer sent",
                    "producers that aren't upgraded yet: no listener receives their events",
                ],
            };
            affected.iter().map(|line| (*line).to_owned()).collect()
        }
        _ => Vec::new(),
    }
}

fn affected_by_change(subject: &Subject, broken: &BreakingChange) -> Vec<String> {
    let mut affected: Vec<String> = Vec::new();
    for direction in broken.directions() {
        let misfits: Vec<&Misfit> = broken.misfits.iter().filter(|misfit| misfit.direction == direction).collect();
        let sure = misfits.iter().any(|misfit| matches!(misfit.verdict, Verdict::Breaks(_)));
        let who = match is_repeated(&misfits) {
            true => "callers: they send a call again if it gets no response, so it may take effect twice".to_owned(),
            false => affected_side(subject, direction),
        };
        affected.push(format!("{}{who}", if sure { "" } else { "perhaps " }));
    }
    if subject.kind == ContractKind::Context {
        affected.push("every event is affected, since each carries the context".to_owned());
    }
    affected
}

/// Returns the alternatives; the command that accepts the change is the last.
pub(super) fn ways(finding: &Finding, also: &[&Finding]) -> Vec<WayOn> {
    match &finding.kind {
        FindingKind::Broken(broken) => ways_of_change(&finding.subject, broken, also),
        FindingKind::Removed => ways_of_removal(finding, also, None),
        FindingKind::Renamed { to } => ways_of_removal(finding, also, Some(to)),
        FindingKind::Lost { digest, .. } => ways_of_loss(&finding.subject, digest),
        _ => Vec::new(),
    }
}

fn ways_of_change(subject: &Subject, broken: &BreakingChange, also: &[&Finding]) -> Vec<WayOn> {
    let mut ways: Vec<WayOn> = broken.ways.iter().map(|way| WayOn { text: way.clone(), command: None }).collect();
    let retire = broken.misfits.iter().find(|misfit| misfit.old.because.is_some());
    ways.extend(retire.map(|misfit| {
        let version = misfit.old.version.short();
        let command = format!("cargo twyla accept {subject} --retire {version} --reason \"…\"");
        WayOn { text: "if that version is no longer in use:".to_owned(), command: Some(command) }
    }));
    let command = broken.command.replacen(&format!("{subject}"), &format!("{subject}{}", others(also)), 1);
    ways.push(WayOn { text: format!("{}:", condition(subject, &broken.directions())), command: Some(command) });
    ways
}

fn ways_of_removal(finding: &Finding, also: &[&Finding], to: Option<&Subject>) -> Vec<WayOn> {
    let subject = &finding.subject;
    let name = |subject: &Subject| if also.is_empty() { subject.to_string() } else { subject.name.clone() };
    let keep = match (to, subject.is_of_rpc()) {
        (Some(to), true) => {
            format!("keep `{}` beside `{}`: serve both until nothing calls the old one", name(subject), name(to))
        }
        (Some(to), false) => {
            format!("keep `{subject}` beside `{to}`: send both until nothing receives the old one")
        }
        (None, true) => "put its schemas back, and remove them once nothing calls the RPC".to_owned(),
        (None, false) => "put the schema back, and remove it once nothing sends or receives the event".to_owned(),
    };
    let command = format!("cargo twyla accept {subject}{} --removed --reason \"…\"", others(also));
    vec![
        WayOn { text: keep, command: None },
        WayOn { text: "if nothing uses it any more:".to_owned(), command: Some(command) },
    ]
}

fn ways_of_loss(subject: &Subject, digest: &str) -> Vec<WayOn> {
    let command = format!("cargo twyla accept {subject} --retire {} --reason \"…\"", short(digest));
    vec![
        WayOn { text: "restore the version in the lock from version control".to_owned(), command: None },
        WayOn {
            text: "if the version is no longer in use, restore it in the lock first, then run:".to_owned(),
            command: Some(command),
        },
    ]
}

/// Returns all edits and all misfits, as lines.
pub(super) fn changes(subject: &Subject, edited: &EditedContract, misfits: &[Misfit]) -> Vec<String> {
    let mut text = Text(Vec::new());
    text.part("changed", edited.edits.iter().map(ToString::to_string));
    misfits.iter().for_each(|misfit| text.misfit(subject, misfit));
    text.0
}

/// The maximum number of contracts that a shared message names.
const MOST_NAMED: usize = 4;

/// Lists the contracts of findings: `` `a.x`, `a.y` and 3 more ``.
fn named(finding: &Finding, also: &[&Finding]) -> String {
    let all: Vec<String> =
        std::iter::once(finding).chain(also.iter().copied()).map(|finding| format!("`{}`", finding.subject)).collect();
    match all.len().checked_sub(MOST_NAMED) {
        Some(more) if more > 0 => format!("{} and {more} more", all[..MOST_NAMED].join(", ")),
        _ => match all.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => String::new(),
        },
    }
}

/// Returns the other contracts as arguments of a command.
fn others(also: &[&Finding]) -> String {
    also.iter().map(|other| format!(" {}", other.subject)).collect()
}

/// Returns the first line of a finding's message, without the place.
pub(super) fn headline(finding: &Finding, also: &[&Finding]) -> String {
    let (subject, names) = (&finding.subject, named(finding, also));
    let many = !also.is_empty();
    // if many contracts changed, the command accepts all
    let accept = if many { "`cargo twyla accept`".to_owned() } else { format!("`cargo twyla accept {subject}`") };
    match &finding.kind {
        FindingKind::New => {
            format!("{names} {} new and not in the lock yet: run {accept}", if many { "are" } else { "is" })
        }
        FindingKind::Removed if many => {
            format!("the RPC `{}` is in the lock, but its schemas no longer exist", subject.name)
        }
        FindingKind::Removed => format!("{names} is in the lock, but its schema no longer exists"),
        FindingKind::Renamed { to } if many => format!(
            "the RPC `{}` no longer exists, and `{}` seems to be its new name: a renamed RPC is a new RPC",
            subject.name, to.name
        ),
        FindingKind::Renamed { to } => {
            let noun = noun(subject);
            format!("{names} no longer exists, and `{to}` seems to be its new name: a renamed {noun} is a new {noun}")
        }
        FindingKind::Behind(edited) if edited.verdict == EditVerdict::Additive => {
            let have = if many { "have" } else { "has" };
            format!("{names} {have} an additive change that isn't in the lock yet: run {accept}")
        }
        FindingKind::Behind(edited) => format!(
            "{names} {} a {} change that doesn't affect this service and isn't in the lock yet: run `cargo twyla \
             accept {subject}{} --direction {} --until … --reason \"…\"`",
            if many { "have" } else { "has" },
            edited.verdict.word(),
            others(also),
            match edited.verdict {
                EditVerdict::ConsumerFirst => "new-to-old",
                EditVerdict::ProducerFirst => "old-to-new",
                _ => "both",
            }
        ),
        FindingKind::Broken(broken) => broken_headline(subject, &names, broken),
        FindingKind::Waived(waived) => {
            let WaivedMisfit { misfit, waiver } = &**waived;
            let Waiver { until, reason, .. } = waiver;
            let passes = harm(subject, misfit, "refuse");
            format!("{names}: {passes}, which is waived until {until}, with the reason \"{reason}\"")
        }
        FindingKind::Idle(waiver) => format!(
            "{names}: the waiver of version {} is unused, since nothing breaks: run {accept} to remove it",
            short(&waiver.old)
        ),
        FindingKind::Lost { digest, because } => match because {
            Some(because) => format!(
                "{names}: the version {}, which is in the field ({because}), was removed from the lock without a reason",
                short(digest)
            ),
            None => format!("{names} was removed from the lock without a reason"),
        },
    }
}

fn noun(subject: &Subject) -> &'static str {
    match subject.kind {
        ContractKind::Context => "context",
        ContractKind::Event => "event",
        ContractKind::Request | ContractKind::Response | ContractKind::Error => "RPC",
    }
}

/// Returns the names of the two sides of a contract.
pub(super) fn sides(subject: &Subject) -> (&'static str, &'static str) {
    match subject.kind {
        ContractKind::Context | ContractKind::Event => ("producers", "listeners"),
        ContractKind::Request => ("callers", "services"),
        ContractKind::Response | ContractKind::Error => ("services", "callers"),
    }
}

/// Returns what the first side of a contract sends to the second, in the plural.
fn messages(subject: &Subject) -> &'static str {
    match subject.kind {
        ContractKind::Context | ContractKind::Event => "events",
        ContractKind::Request => "requests",
        ContractKind::Response => "responses",
        ContractKind::Error => "errors",
    }
}

/// Describes a direction that doesn't fit: `new listeners refuse events of old producers`.
fn refusal(subject: &Subject, direction: Direction, verb: &str) -> String {
    let ((producers, listeners), messages) = (sides(subject), messages(subject));
    match direction {
        Direction::OldToNew => format!("new {listeners} {verb} {messages} of old {producers}"),
        Direction::NewToOld => format!("old {listeners} {verb} {messages} of new {producers}"),
    }
}

/// Returns whether all misfits are calls that callers repeat although the service's contract doesn't allow that.
fn is_repeated(misfits: &[&Misfit]) -> bool {
    let repeated = |misfit: &&Misfit| matches!(&misfit.verdict, Verdict::Breaks(witness) if witness.is_repeated());
    !misfits.is_empty() && misfits.iter().all(repeated)
}

/// Describes a misfit: `new listeners refuse events of old producers`, or a repeated call.
fn harm(subject: &Subject, misfit: &Misfit, verb: &str) -> String {
    match misfit.direction {
        direction if !is_repeated(&[misfit]) => refusal(subject, direction, verb),
        Direction::OldToNew => "old callers may repeat the call, which the new contract doesn't allow".to_owned(),
        Direction::NewToOld => "new callers may repeat the call, which the old contract doesn't allow".to_owned(),
    }
}

fn broken_headline(subject: &Subject, names: &str, broken: &BreakingChange) -> String {
    let ended = broken.misfits.iter().find_map(|misfit| Some((misfit, misfit.ended.as_ref()?)));
    if let Some((misfit, Waiver { until, reason, .. })) = ended {
        let passed = harm(subject, misfit, "refuse");
        return format!("{names}: {passed}, and the waiver for that ended on {until}; its reason was \"{reason}\"");
    }
    let sure = |direction| {
        let first = broken.misfits.iter().find(|misfit| misfit.direction == direction);
        first.filter(|misfit| matches!(misfit.verdict, Verdict::Breaks(_)))
    };
    let what = match (sure(Direction::OldToNew), sure(Direction::NewToOld)) {
        (Some(one), Some(other)) if is_repeated(&[one]) || is_repeated(&[other]) => {
            format!("{}, and {}", harm(subject, one, "would refuse"), harm(subject, other, "would refuse"))
        }
        (Some(_), Some(_)) => format!("each version would refuse {} of the other", messages(subject)),
        (Some(misfit), None) | (None, Some(misfit)) => harm(subject, misfit, "would refuse"),
        (None, None) => format!("it is undecided whether each version accepts all {} of the other", messages(subject)),
    };
    format!("{names} can't change like this: {what}")
}

/// Lines of text, with a label before each part.
struct Text(Vec<String>);

impl Text {
    fn part(&mut self, word: &str, lines: impl IntoIterator<Item = String>) {
        for (index, line) in lines.into_iter().enumerate() {
            let word = if index == 0 { word } else { "" };
            self.0.push(format!("  {word:<7}  {line}"));
        }
    }

    fn edits(&mut self, edited: &EditedContract, culprits: &[usize]) {
        // breaking edits come first, edits of identifiers last
        let names = |index: &usize| edited.edits.get(*index).is_some_and(|edit| edit.is_of_name());
        let harmless = (0..edited.edits.len()).filter(|index| !culprits.contains(index));
        let (named, harmless): (Vec<usize>, Vec<usize>) = harmless.partition(names);
        let order: Vec<usize> = culprits.iter().copied().chain(harmless).chain(named).collect();
        let mut lines: Vec<String> = order
            .iter()
            .take(MOST_EDITS)
            .filter_map(|index| edited.edits.get(*index))
            .map(ToString::to_string)
            .collect();
        if let Some(more) = order.len().checked_sub(MOST_EDITS).filter(|more| *more > 0) {
            lines.push(format!("and {more} more: `cargo twyla diff` shows them all"));
        }
        self.part("changed", lines);
    }

    fn misfit(&mut self, subject: &Subject, misfit: &Misfit) {
        let (sender, reader) = ends(subject, misfit);
        match &misfit.verdict {
            Verdict::Breaks(witness) => {
                let Witness { event, pointer, keyword, path, rule, .. } = &**witness;
                let (sent, refused) = match witness.is_repeated() {
                    true => ("sent again", "twice"),
                    false => ("sent", "refused"),
                };
                self.part("witness", [format!("{} may be {sent} by {sender}", brief(event))]);
                // the rule of an old reader is no longer in the files
                let stands = misfit.place.as_ref().map_or_else(|| format!("in the lock: {path}"), ToString::to_string);
                let at = if pointer.is_empty() { String::new() } else { format!(" at {pointer}") };
                self.part(refused, [format!("by {reader}{at}, for `{keyword}` ({stands}): {rule}")]);
            }
            Verdict::Undecided(why) => {
                self.part("unknown", [format!("whether {reader} accept all {} of {sender}: {why}", messages(subject))]);
            }
            Verdict::Fits => {}
        }
    }

    /// Adds wrapped sentences, each followed by its command, if it has one, in a separate line.
    fn prose(&mut self, word: &str, bullet: &str, items: impl IntoIterator<Item = WayOn>) {
        let indent = " ".repeat(bullet.len());
        let mut lines = Vec::new();
        for WayOn { text, command } in items {
            for (index, line) in wrapped(&text).into_iter().enumerate() {
                lines.push(format!("{}{line}", if index == 0 { bullet } else { &indent }));
            }
            lines.extend(command.map(|command| format!("{indent}{command}")));
        }
        self.part(word, lines);
    }
}

/// The maximum length of a line of prose, in characters.
const WIDTH: usize = 96;

/// Wraps a text between words.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut().filter(|line| line.chars().count() + 1 + word.chars().count() <= WIDTH) {
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Returns the two sides of a misfit: `old producers` and `new listeners`.
pub(super) fn ends(subject: &Subject, misfit: &Misfit) -> (String, String) {
    let (producers, listeners) = sides(subject);
    let version = |ComparedVersion { because, version, .. }: &ComparedVersion| match because {
        Some(because) => format!(" (version {}: {because})", version.short()),
        None => String::new(),
    };
    match misfit.direction {
        Direction::OldToNew => (format!("old {producers}{}", version(&misfit.old)), format!("new {listeners}")),
        Direction::NewToOld => (format!("new {producers}"), format!("old {listeners}{}", version(&misfit.old))),
    }
}

fn affected_side(subject: &Subject, direction: Direction) -> String {
    let ((producers, listeners), messages) = (sides(subject), messages(subject));
    match direction {
        Direction::OldToNew if subject.kind.way().is_some() => {
            format!("{producers} that aren't upgraded yet: their {messages} are refused")
        }
        Direction::OldToNew => {
            format!("{producers} that aren't upgraded yet: their {messages}, also those in queues, are refused")
        }
        Direction::NewToOld => {
            format!("{listeners} that aren't upgraded yet: they refuse {messages} of new {producers}")
        }
    }
}

/// Describes the condition under which a change may be accepted although it doesn't fit in `directions`.
fn condition(subject: &Subject, directions: &[Direction]) -> String {
    let (producers, listeners) = sides(subject);
    let has = |direction| directions.contains(&direction);
    match (has(Direction::OldToNew), has(Direction::NewToOld)) {
        (true, false) => format!("if all {producers} are upgraded first"),
        (false, true) => format!("if all {listeners} are upgraded first"),
        _ => format!("if all {producers} and {listeners} are stopped, upgraded and started together"),
    }
}

/// The maximum number of characters shown of a string in an event.
const TEXT: usize = 24;
/// The maximum number of characters shown of an event.
const EVENT: usize = 160;

/// Returns an event in one line, shortened.
pub(crate) fn brief(event: &Value) -> String {
    shortened(&cut(event).to_string(), EVENT).into_owned()
}

fn cut(value: &Value) -> Value {
    match value {
        Value::String(text) => match text.chars().count() {
            count if count > TEXT => format!("{} ({count} characters)", shortened(text, TEXT)).into(),
            _ => value.clone(),
        },
        Value::Array(items) => items.iter().map(cut).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), cut(value))).collect(),
        _ => value.clone(),
    }
}
