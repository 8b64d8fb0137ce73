//! git in a temporary folder.

use std::path::Path;
use std::process::{Command, Stdio};

/// Runs git with a name of its own for the author.
pub(crate) fn git(folder: &Path, args: &[&str]) {
    let who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"];
    let mut git = Command::new("git");
    assert!(git.args(who).args(args).current_dir(folder).stdout(Stdio::null()).status().unwrap().success(), "{args:?}");
}
