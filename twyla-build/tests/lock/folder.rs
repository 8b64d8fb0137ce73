//! A folder of schemas that is edited, accepted and held against its lock.

use std::fs;
use std::path::PathBuf;

use twyla_build::Builder;
use twyla_build::compare::Sources;
use twyla_build::lock::{
    Accepted, Act, CheckOptions, Date, FILE_NAME, Keep, Lock, Refused, Request, Severity, Subject, accept, messages,
};

/// The day on which all of this takes place.
pub(crate) fn today() -> Date {
    "2026-03-01".parse().unwrap()
}

/// The same as what is demanded of contracts.
pub(crate) fn how() -> CheckOptions {
    CheckOptions { today: today(), ..CheckOptions::new("schemas") }
}

pub(crate) struct Folder(PathBuf);

impl Folder {
    /// An empty one, besides a plain context.
    pub(crate) fn new(name: &str) -> Self {
        let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("lock").join(name);
        let _ = fs::remove_dir_all(&root);
        let folder = Self(root);
        folder.write("context.json", r#"{ "type": "object" }"#);
        folder
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.0.join(path)).unwrap();
    }

    pub(crate) fn builder(&self) -> Builder {
        Builder::new(&self.0).shown_as("schemas").today(today())
    }

    pub(crate) fn sources(&self) -> Sources {
        self.builder().contracts().unwrap_or_else(|problems| panic!("{problems}"))
    }

    pub(crate) fn lock(&self) -> Lock {
        self.builder().lock().unwrap_or_else(|problems| panic!("{problems}")).unwrap_or_default()
    }

    pub(crate) fn put(&self, lock: &Lock) {
        self.write(FILE_NAME, &lock.to_string());
    }

    /// Everything as it is, accepted for the first time.
    pub(crate) fn accepted(self) -> Self {
        let first = self.accept(Act::Fitting, &[], None).unwrap();
        assert!(first.left.is_empty());
        self
    }

    /// Accepts something and writes the lock.
    pub(crate) fn accept(&self, act: Act, subjects: &[&str], keep: Option<Keep>) -> Result<Accepted, Refused> {
        let subjects: Vec<Subject> = subjects.iter().map(|subject| subject.parse().unwrap()).collect();
        let accepted = accept(&self.sources(), &self.lock(), &Request { subjects, act, keep }, &how())?;
        self.put(&accepted.lock);
        Ok(accepted)
    }

    /// What a build says, each line with how serious it is.
    pub(crate) fn said(&self) -> String {
        said(&self.builder())
    }
}

/// What a build says.
pub(crate) fn said(builder: &Builder) -> String {
    match builder.check() {
        Ok(findings) => {
            let lines = messages(&findings).into_iter().flat_map(|message| {
                let word = match message.severity {
                    Severity::Warning => "warning",
                    Severity::Behind => "behind",
                    Severity::Error => "error",
                };
                message.lines.into_iter().map(move |line| format!("{word}: {line}\n"))
            });
            lines.collect()
        }
        Err(problems) => format!("{problems}\n"),
    }
}
