//! What `cargo xtask` leaves on the machine when it ends: no process, no mount, no file.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long everything may take to end.
const END: Duration = Duration::from_secs(120);

/// The command that runs with a private broker: says that it runs, and goes on until its standard input ends.
const COMMAND: [&str; 3] = ["sh", "-c", "echo it runs; exec cat"];

/// A run of `with-broker` whose files are all in a temporary folder of its own, which every process of it has in its environment.
struct Run {
    xtask: Child,
    temporary: tempfile::TempDir,
}

impl Run {
    /// Starts it, and waits until the command runs.
    fn start() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        // PostgreSQL runs as a user of its own
        fs::set_permissions(temporary.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .arg("with-broker")
            .args(COMMAND)
            .env("TMPDIR", temporary.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(xtask.stdout.take().unwrap());
        assert!(out.lines().map_while(Result::ok).any(|line| line == "it runs"), "the command didn't run");
        let run = Self { xtask, temporary };
        let processes = run.processes();
        for name in ["xtask", "beam.smp", "epmd", "postgres"] {
            assert!(processes.iter().any(|process| process.contains(name)), "no {name} among {processes:?}");
        }
        assert!(!run.files().is_empty());
        run
    }

    /// The processes of the run, as `pid name`.
    fn processes(&self) -> Vec<String> {
        let marker = [b"TMPDIR=", self.temporary.path().as_os_str().as_bytes()].concat();
        let of_run = |pid: &Path| {
            let environment = fs::read(pid.join("environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == marker)
        };
        let processes = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
        let name = |pid: &Path| fs::read_to_string(pid.join("comm")).unwrap_or_default().trim().to_owned();
        processes.filter(|pid| of_run(pid)).map(|pid| format!("{} {}", pid.display(), name(&pid))).collect()
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.temporary.path()).unwrap();
        entries.map(|entry| entry.unwrap().path().display().to_string()).collect()
    }

    /// What every process of the machine sees mounted in the run's temporary folder or in that of its RabbitMQ.
    fn mounts(&self) -> Vec<String> {
        let rabbitmq = env::var_os("TWYLA_RABBITMQ").filter(|folder| !folder.is_empty()).map(PathBuf::from);
        let folders = [Some(self.temporary.path().to_owned()), rabbitmq].into_iter().flatten();
        let folders: Vec<_> = folders.map(|folder| folder.canonicalize().unwrap()).collect();
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let points = mounts.lines().filter_map(|mount| mount.split(' ').nth(4)).map(str::to_owned);
        points.filter(|point| folders.iter().any(|folder| Path::new(point).starts_with(folder))).collect()
    }

    /// Waits until nothing of the run is there any more.
    fn leaves_nothing(mut self) {
        drop(self.xtask.stdin.take());
        self.xtask.wait().unwrap();
        let until = Instant::now() + END;
        while !(self.processes().is_empty() && self.files().is_empty()) {
            let left = (self.processes(), self.files());
            assert!(Instant::now() < until, "processes and files are left: {left:?}");
            thread::sleep(Duration::from_millis(100));
        }
    }
}

#[test]
#[ignore = "needs RabbitMQ: cargo xtask test starts one"]
fn a_run_that_is_killed_leaves_nothing_and_mounts_nothing() {
    let mut run = Run::start();
    assert_eq!(run.mounts(), Vec::<String>::new());
    run.xtask.kill().unwrap();
    run.leaves_nothing();
}

#[test]
#[ignore = "needs RabbitMQ: cargo xtask test starts one"]
fn a_run_whose_command_ends_leaves_nothing() {
    let mut run = Run::start();
    drop(run.xtask.stdin.take());
    assert!(run.xtask.wait().unwrap().success());
    // all has ended before it ends
    assert_eq!((run.processes(), run.files()), (Vec::new(), Vec::new()));
}

#[test]
#[ignore = "needs RabbitMQ: cargo xtask test starts one"]
fn a_node_that_cannot_start_is_reported_at_once_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("rabbitmq-server", "#!/bin/sh\necho no license; exit 3\n"), ("rabbitmqctl", "#!/bin/sh\n")] {
        let program = folder.path().join(name);
        fs::write(&program, text).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let temporary = tempfile::tempdir().unwrap();
    let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let broker = folder.path().to_str().unwrap();
    let output =
        xtask.args(["with-broker", "--broker", broker, "true"]).env("TMPDIR", temporary.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("ended before it was ready:\nno license"), "{said}");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}
