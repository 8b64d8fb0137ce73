//! Runs a build script: prints cargo directives and writes the generated files to `OUT_DIR`.

use std::path::PathBuf;

use twyla_contract::index;

use super::Builder;
use crate::compare::{self, Sources};
use crate::lock::{self, FILE_NAME, Finding, Severity};
use crate::schema::problem::{Problem, Problems};
use crate::schema::settings::Settings;

impl Builder {
    /// Calls [`compile`](Self::compile), and ends the process if it fails, so that cargo stops.
    pub fn compile_or_exit(&self) {
        if !self.compile() {
            // cargo stops because of the printed errors; a nonzero exit code would make it print everything again
            std::process::exit(0);
        }
    }

    /// Generates the files and writes them to `OUT_DIR`, and compares the contracts with their [`lock`]. Prints directives for
    /// cargo. Returns false on errors, and if a contract doesn't fit the accepted version.
    #[must_use]
    pub fn compile(&self) -> bool {
        // report the errors of the settings file together with the errors of the schemas
        let settings = self.settings.or(Settings::read(&self.folder, &self.shown, &mut Vec::new()));
        let documents = settings.documents.iter().map(|(_, file)| file);
        for path in std::iter::once(&self.folder).chain(documents) {
            println!("cargo::rerun-if-changed={}", path.display());
        }
        let made = self.on_stack(|builder| {
            let (schemas, problems) = builder.read();
            let locked = builder.is_locked() && !problems.iter().any(Problem::is_error);
            let sources = locked.then(|| compare::contracts(&schemas, Vec::new()));
            Ok((builder.generated(&schemas, problems)?, sources))
        });
        let (generated, sources) = match made {
            Ok(made) => made,
            Err(problems) => return problems.report_to_cargo(),
        };
        for warning in &generated.warnings {
            println!("cargo::warning={warning}");
        }
        match sources.map_or(Ok(true), |sources| self.check_lock(&sources)) {
            Ok(true) => {}
            Ok(false) => return false,
            Err(problems) => return problems.report_to_cargo(),
        }
        let Some(out) = std::env::var_os("OUT_DIR").map(PathBuf::from) else {
            println!("cargo::error=OUT_DIR is not set: call twyla_build::compile in build.rs, where cargo sets it");
            return false;
        };
        for (name, text) in [("twyla.rs", &generated.code), (index::FILE_NAME, &generated.index)] {
            let path = out.join(name);
            // skip an unchanged file: writing it would make cargo compile it again
            if std::fs::read(&path).is_ok_and(|old| old == text.as_bytes()) {
                continue;
            }
            if let Err(error) = std::fs::write(&path, text) {
                println!("cargo::error={} can't be written: {error}", path.display());
                return false;
            }
        }
        true
    }

    /// Returns whether the folder has a lock.
    fn is_locked(&self) -> bool {
        self.folder.join(FILE_NAME).symlink_metadata().is_ok()
    }

    /// Prints the findings for cargo, and returns whether the build may go on.
    fn check_lock(&self, sources: &Sources) -> Result<bool, Problems> {
        let Some(lock) = self.lock()? else { return Ok(true) };
        for variable in lock::VARIABLES {
            println!("cargo::rerun-if-env-changed={variable}");
        }
        let strict = match lock::strict() {
            Ok(strict) => strict,
            Err(error) => {
                println!("cargo::error={error}");
                return Ok(false);
            }
        };
        let findings = lock::check(sources, &lock, &self.how())?;
        for message in lock::messages(&findings) {
            message.directives(strict).for_each(|line| println!("{line}"));
        }
        let waivers = lock.contracts.values().any(|entry| !entry.waivers.is_empty());
        if waivers && strict {
            // a waiver may end between two builds: a missing file makes cargo run the script for each build
            println!("cargo::rerun-if-changed={}", self.folder.join(".waivers-have-an-end").display());
        }
        let worst = findings.iter().map(Finding::severity).max();
        Ok(worst < Some(Severity::least(strict)))
    }
}
