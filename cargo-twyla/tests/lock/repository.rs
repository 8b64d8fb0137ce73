//! A git repository with contracts, in a temporary folder, and `cargo twyla` in it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use super::git::git;

/// A repository.
pub(crate) struct Repository(TempDir);

impl Repository {
    /// One with these files, not committed.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let repository = Self(TempDir::new().unwrap());
        git(repository.path(), &["init", "--quiet", "--initial-branch", "main"]);
        files.iter().for_each(|(path, text)| repository.write(path, text));
        repository
    }

    /// One with these files and a lock, committed.
    pub(crate) fn accepted(files: &[(&str, &str)]) -> Self {
        let repository = Self::new(files);
        repository.said(&["accept"]);
        repository.commit();
        repository
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path().join(path)).unwrap();
        assert!(text.contains(from), "{text}");
        self.write(path, &text.replace(from, to));
    }

    pub(crate) fn commit(&self) {
        git(self.path(), &["add", "--all"]);
        git(self.path(), &["commit", "--quiet", "--message", "x"]);
    }

    pub(crate) fn run_in(&self, folder: &str, args: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-twyla"));
        command.arg("twyla").args(args).current_dir(self.path().join(folder)).stdin(Stdio::null());
        command.env_remove("CI").env_remove("TWYLA_LOCK").env_remove("CLICOLOR_FORCE");
        command.envs(variables.iter().copied()).output().unwrap()
    }

    /// What is printed, and the exit code.
    pub(crate) fn twyla(&self, folder: &str, args: &[&str]) -> (String, i32) {
        let Output { status, stdout, stderr } = self.run_in(folder, args, &[]);
        (String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap(), status.code().unwrap())
    }

    #[track_caller]
    pub(crate) fn said(&self, args: &[&str]) -> String {
        let (said, code) = self.twyla(".", args);
        assert_eq!(code, 0, "{said}");
        said
    }
}
