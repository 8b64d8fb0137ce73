//! Reads a lock file, and reports all its errors at once, each with line and column.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use twyla_contract::similar;

use super::error::LockError;
use super::model::{Earlier, Entry, KnownForm, Lock, Retired, Subject, Version, Waiver};
use super::print;
use crate::compare::{Bundle, WrittenDocuments};
use crate::schema::load::{self, At, Json, Node};
use crate::schema::problem::{Problem, ProblemKind, Problems};
use crate::stack;

impl Lock {
    /// The format version of the file.
    pub(crate) const FORM: u32 = 1;

    /// Reads the text of a lock file, which messages show as `shown`.
    ///
    /// The digests of forms aren't checked here; [`verify`](Self::verify) checks them.
    ///
    /// # Errors
    /// [`Problems`] with all errors, each with line and column.
    pub fn parse(shown: &str, text: &[u8]) -> Result<Self, Problems> {
        let mut reader = LockReader { shown, problems: Vec::new() };
        let lock = match conflict(text) {
            Some(line) => {
                reader.report(At { line, column: 1 }, LockError::Conflict);
                None
            }
            None => load::parse(shown, text.to_vec(), &mut reader.problems).and_then(|node| reader.lock(&node)),
        };
        match lock {
            Some(lock) if reader.problems.is_empty() => Ok(lock),
            _ => Err(Problems(reader.problems)),
        }
    }

    /// Checks every form against its digest, to detect manual edits.
    ///
    /// # Errors
    /// [`Problems`] with each form that isn't valid, or has another digest.
    pub fn verify(&self, shown: &str) -> Result<(), Problems> {
        let versions: Vec<&Version> = self.contracts.values().flat_map(Entry::versions).collect();
        let checked = stack::each(&versions, |version| version.bundle(shown).err()).map_err(|error| {
            let kind = ProblemKind::Uncompilable { error: format!("a thread can't be started: {error}") };
            Problems(vec![Problem { file: shown.to_owned(), at: None, kind }])
        })?;
        let wrong: Vec<Problem> = checked.into_iter().flatten().map(|problem| *problem).collect();
        if wrong.is_empty() { Ok(()) } else { Err(Problems(wrong)) }
    }
}

impl Version {
    /// Returns the form of this version as written in the lock; `None` if it wasn't read from a lock, or was changed
    /// since.
    pub(crate) fn as_written(&self, known: &WrittenDocuments) -> Option<Bundle> {
        match &self.known {
            KnownForm::Node(form) if print::compact(form) == self.form => Bundle::as_written(form, known),
            _ => None,
        }
    }

    /// Parses the form of this version, and checks it against the digest.
    pub(crate) fn bundle(&self, shown: &str) -> Result<Bundle, Box<Problem>> {
        let problem = |error: LockError| {
            let kind = ProblemKind::Lock { message: error.to_string() };
            Box::new(Problem { file: shown.to_owned(), at: Some(self.at), kind })
        };
        if let KnownForm::Bundle(bundle) = &self.known
            && bundle.digest() == self.digest
            && bundle.line() == self.form
        {
            return Ok(bundle.clone());
        }
        let bundle = Bundle::parse(&self.form).map_err(|problems| {
            let first = problems.0.iter().find(|problem| problem.is_error());
            problem(LockError::BadForm { error: first.map(ToString::to_string).unwrap_or_default() })
        })?;
        let is = bundle.digest();
        // an earlier release kept keywords without meaning in the form
        if is == self.digest || Bundle::digest_as_written(&self.form).is_some_and(|digest| digest == self.digest) {
            return Ok(bundle);
        }
        Err(problem(LockError::WrongDigest { written: self.digest.clone(), is }))
    }
}

/// Returns the line of the first conflict marker.
fn conflict(text: &[u8]) -> Option<u32> {
    let mark = |line: &[u8]| [&b"<<<<<<<"[..], b">>>>>>>", b"|||||||"].iter().any(|mark| line.starts_with(mark));
    text.split(|byte| *byte == b'\n').position(mark).and_then(|index| u32::try_from(index + 1).ok())
}

struct LockReader<'a> {
    shown: &'a str,
    problems: Vec<Problem>,
}

impl LockReader<'_> {
    fn report(&mut self, at: At, error: LockError) {
        let kind = ProblemKind::Lock { message: error.to_string() };
        self.problems.push(Problem { file: self.shown.to_owned(), at: Some(at), kind });
    }

    fn lock(&mut self, node: &Node) -> Option<Lock> {
        if !node.is_object() || node.get("lock").is_none() {
            self.report(node.at, LockError::NoLock);
            return None;
        }
        let number = node.get("lock")?;
        if !matches!(&number.json, Json::Number(text) if *text == Lock::FORM.to_string()) {
            let error = match &number.json {
                Json::Number(text) => LockError::Newer { number: text.clone() },
                _ => LockError::Wrong { name: "lock".to_owned(), wanted: "a number", found: number.described() },
            };
            self.report(number.at, error);
            return None;
        }
        self.known(node, &["lock", "note", "contracts"]);
        let mut contracts = BTreeMap::new();
        for member in self.member(node, "contracts", "the lock", "an object", Node::is_object)?.members() {
            match member.key.parse::<Subject>() {
                Ok(subject) => {
                    if let Some(entry) = self.entry(&member.value) {
                        contracts.insert(subject, entry);
                    }
                }
                Err(error) => {
                    self.report(
                        member.key_at,
                        LockError::BadSubject { name: member.key.clone(), error: error.to_string() },
                    );
                }
            }
        }
        Some(Lock { contracts })
    }

    fn entry(&mut self, node: &Node) -> Option<Entry> {
        const OF: &str = "this contract";
        if !self.object(node, OF) {
            return None;
        }
        self.known(node, &["accepted", "removed", "in_the_field", "waivers", "retired"]);
        let accepted = self.member(node, "accepted", OF, "an object", Node::is_object);
        let accepted = accepted.and_then(|node| {
            self.known(node, &["digest", "form"]);
            self.version(node, "this version")
        });
        let removed = node.get("removed").and_then(|_| self.text(node, "removed", OF));
        let earlier = self.list(node, "in_the_field", |reader, node| {
            const OF: &str = "this version";
            reader.known(node, &["because", "sides", "digest", "form"]);
            let version = reader.version(node, OF);
            let because = reader.text(node, "because", OF);
            let sides = reader.word(node, "sides", OF, "`producers`, `listeners` or `both`");
            Some(Earlier { version: version?, sides: sides?, because: because? })
        });
        let waivers = self.list(node, "waivers", |reader, node| {
            const OF: &str = "this waiver";
            reader.known(node, &["old", "new", "direction", "reason", "until"]);
            let (old, new) = (reader.digest(node, "old", OF), reader.digest(node, "new", OF));
            let direction = reader.word(node, "direction", OF, "`old-to-new` or `new-to-old`");
            let reason = reader.text(node, "reason", OF);
            let until = reader.word(node, "until", OF, "a day such as 2026-03-31");
            Some(Waiver { old: old?, new: new?, direction: direction?, reason: reason?, until: until?, at: node.at })
        });
        let retired = self.list(node, "retired", |reader, node| {
            const OF: &str = "this version";
            reader.known(node, &["digest", "reason"]);
            let (digest, reason) = (reader.digest(node, "digest", OF), reader.text(node, "reason", OF));
            Some(Retired { digest: digest?, reason: reason? })
        });
        for (index, one) in earlier.iter().enumerate() {
            if earlier.iter().take(index).any(|other| other.version.digest == one.version.digest) {
                self.report(one.version.at, LockError::Twice { digest: one.version.digest.clone() });
            }
        }
        Some(Entry { accepted: accepted?, removed, earlier, waivers, retired })
    }

    fn version(&mut self, node: &Node, of: &'static str) -> Option<Version> {
        let digest = self.digest(node, "digest", of);
        let form = self.member(node, "form", of, "an object", Node::is_object);
        let form = form.map(|node| (print::compact(node), KnownForm::Node(Arc::new(node.clone()))));
        let (digest, (form, known)) = (digest?, form?);
        Some(Version { digest, form, at: node.at, known })
    }

    /// Reads each object of the list `name`; without the list, the result is empty.
    fn list<T>(
        &mut self,
        node: &Node,
        name: &'static str,
        mut each: impl FnMut(&mut Self, &Node) -> Option<T>,
    ) -> Vec<T> {
        let Some(list) = node.get(name) else { return Vec::new() };
        if !matches!(list.json, Json::Array(_)) {
            self.report(list.at, LockError::Wrong { name: name.to_owned(), wanted: "a list", found: list.described() });
        }
        let objects: Vec<&Node> = list.items().iter().filter(|item| self.object(item, name)).collect();
        objects.into_iter().filter_map(|item| each(self, item)).collect()
    }

    fn object(&mut self, node: &Node, name: &str) -> bool {
        if !node.is_object() {
            let error = LockError::Wrong { name: name.to_owned(), wanted: "an object", found: node.described() };
            self.report(node.at, error);
        }
        node.is_object()
    }

    fn known(&mut self, node: &Node, names: &[&'static str]) {
        for member in node.members() {
            if !names.contains(&member.key.as_str()) {
                let near = similar::nearest(&member.key, names.iter().copied()).map(str::to_owned);
                self.report(member.key_at, LockError::Unknown { name: member.key.clone(), near });
            }
        }
    }

    fn member<'a>(
        &mut self,
        node: &'a Node,
        name: &'static str,
        of: &'static str,
        wanted: &'static str,
        is: impl Fn(&Node) -> bool,
    ) -> Option<&'a Node> {
        let Some(member) = node.get(name) else {
            self.report(node.at, LockError::Missing { name, of });
            return None;
        };
        if !is(member) {
            self.report(member.at, LockError::Wrong { name: name.to_owned(), wanted, found: member.described() });
            return None;
        }
        Some(member)
    }

    fn text(&mut self, node: &Node, name: &'static str, of: &'static str) -> Option<String> {
        let full = |node: &Node| node.str().is_some_and(|text| !text.trim().is_empty());
        let node = self.member(node, name, of, "a string with the reason", full)?;
        node.str().map(str::to_owned)
    }

    fn digest(&mut self, node: &Node, name: &'static str, of: &'static str) -> Option<String> {
        let digest = |text: &str| text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let is = |node: &Node| node.str().is_some_and(digest);
        let node = self.member(node, name, of, "a SHA-256 digest of 64 hexadecimal digits", is)?;
        node.str().map(str::to_owned)
    }

    fn word<T: FromStr>(
        &mut self,
        node: &Node,
        name: &'static str,
        of: &'static str,
        wanted: &'static str,
    ) -> Option<T> {
        let parsed = |node: &Node| node.str().and_then(|text| text.parse().ok());
        self.member(node, name, of, wanted, |node| parsed(node).is_some()).and_then(parsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Draft;

    #[test]
    fn a_form_that_was_changed_after_reading_is_no_longer_the_one_of_the_lock() {
        let subject: Subject = "a.x".parse().unwrap();
        let version = Version::of(&Bundle::schema(r#"{ "type": "string" }"#, Draft::default()).unwrap());
        let lock = Lock { contracts: BTreeMap::from([(subject.clone(), Entry::new(version))]) };
        let mut read = Lock::parse("lock", lock.to_string().as_bytes()).unwrap();
        let version = &mut read.contracts.get_mut(&subject).unwrap().accepted;
        assert!(version.as_written(&WrittenDocuments::default()).is_some_and(|form| form.digest() == version.digest));
        version.form = version.form.replace("string", "integer");
        assert!(version.as_written(&WrittenDocuments::default()).is_none());
        assert!(version.bundle("lock").is_err());
    }
}
