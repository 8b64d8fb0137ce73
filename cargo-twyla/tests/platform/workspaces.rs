//! The example's folders below the target folder, as the repositories of a platform are: the contracts in one with git.
//!
//! The folder stays from run to run, and a file is written only if it changed, so that cargo compiles only what changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{example, run};

/// The repository of the contracts in `notifications/Cargo.toml`.
const URL: &str = "https://git.example.com/platform/contracts";

/// The folder with a workspace for each service.
pub(crate) struct Workspaces(PathBuf);

impl Workspaces {
    /// Copies the example. `notifications` takes the contracts from a repository with the tag `v1`.
    pub(crate) fn new() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("platform");
        fs::create_dir_all(&folder).unwrap();
        let folder = folder.canonicalize().unwrap();
        for name in ["contracts", "notifications", "orders", "payments", "shipping"] {
            mirror(&example().join(name), &folder.join(name));
        }
        let workspaces = Self(folder);
        workspaces.repository();
        workspaces.sources();
        workspaces
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Makes the repository of the contracts. Its commit is always the same one, so that cargo knows it from the last run.
    fn repository(&self) {
        let repository = self.path("repository");
        if repository.exists() {
            fs::remove_dir_all(&repository).unwrap();
        }
        mirror(&example().join("contracts"), &repository);
        let git = |args: &[&str]| {
            let mut git = Command::new("git");
            git.args(["-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false", "-c", "core.autocrlf=false"]).args(args);
            for who in ["AUTHOR", "COMMITTER"] {
                git.env(format!("GIT_{who}_NAME"), "platform").env(format!("GIT_{who}_EMAIL"), "platform@example.com");
                git.env(format!("GIT_{who}_DATE"), "2026-01-01T00:00:00Z");
            }
            assert!(git.current_dir(&repository).stdout(Stdio::null()).status().unwrap().success(), "{args:?}");
        };
        git(&["init", "--quiet", "--initial-branch", "main"]);
        git(&["add", "--all"]);
        git(&["commit", "--quiet", "--message", "The contracts of the platform"]);
        git(&["tag", "v1"]);
    }

    /// Names Twyla's crates, the versions of their dependencies, and the repository of the contracts.
    fn sources(&self) {
        let root = example().join("../..").canonicalize().unwrap();
        let config = fs::read_to_string(example().join(".cargo/config.toml")).unwrap();
        fs::create_dir_all(self.path(".cargo")).unwrap();
        write(&self.path(".cargo/config.toml"), config.replace("../..", root.to_str().unwrap()).as_bytes());
        for service in ["orders", "shipping"] {
            fs::copy(root.join("Cargo.lock"), self.path(service).join("Cargo.lock")).unwrap();
        }
        let text = fs::read_to_string(example().join("notifications/Cargo.toml")).unwrap();
        assert_eq!(text.matches(URL).count(), 1, "{text}");
        write(&self.path("notifications/Cargo.toml"), text.replace(URL, &self.url()).as_bytes());
    }

    /// The URL of the repository of the contracts.
    fn url(&self) -> String {
        format!("file://{}", self.path("repository").display())
    }

    /// Writes the lock of `notifications`: that of `orders`, which has the same dependencies, with the contracts from their
    /// repository. Without a lock that has everything, cargo would ask the registry for Twyla's crates.
    fn lock_notifications(&self) {
        let output =
            Command::new("git").args(["rev-parse", "v1"]).current_dir(self.path("repository")).output().unwrap();
        let source = format!("git+{}?tag=v1#{}", self.url(), String::from_utf8(output.stdout).unwrap().trim());
        let lock = fs::read_to_string(self.path("orders/Cargo.lock")).unwrap();
        let contracts = "name = \"platform-contracts\"\nversion = \"1.0.0\"\n";
        assert!(lock.contains(contracts), "{lock}");
        let lock = lock.replace("name = \"orders\"", "name = \"notifications\"");
        let lock = lock.replace(contracts, &format!("{contracts}source = \"{source}\"\n"));
        fs::write(self.path("notifications/Cargo.lock"), lock).unwrap();
    }

    /// `cargo twyla`, in a folder.
    pub(crate) fn twyla(&self, folder: &str, args: &[&str]) -> (String, i32) {
        run(self.command(folder).args(args))
    }

    fn command(&self, folder: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-twyla"));
        command.arg("twyla").current_dir(self.path(folder)).stdin(Stdio::null());
        command.env_remove("CI").env_remove("TWYLA_LOCK").env_remove("CLICOLOR_FORCE");
        command.env("CARGO_TARGET_DIR", self.path("target"));
        command
    }

    /// Builds the services without a warning, and writes their manifests into the fleet. Returns the programs.
    pub(crate) fn manifests(&self) -> [PathBuf; 3] {
        ["orders", "shipping", "notifications"].map(|service| {
            let mut command = self.command(service);
            match service {
                // offline, cargo asks no repository either
                "notifications" => self.lock_notifications(),
                _ => drop(command.env("CARGO_NET_OFFLINE", "true")),
            }
            let out = format!("../fleet/production/{service}.contracts.json");
            let (said, code) = run(command.args(["manifest", "--out", &out]));
            assert!(code == 0 && !said.contains("warning") && !said.contains("crates.io"), "{said}");
            self.path("target/debug").join(service)
        })
    }
}

/// Makes a folder equal to another, apart from what the README's commands make in it.
fn mirror(from: &Path, to: &Path) {
    let made = ["Cargo.lock", "__pycache__", "platform_contracts", "target"];
    let names = |folder: &Path| -> Vec<_> {
        let names = folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !made.contains(&name.as_str())).collect()
    };
    fs::create_dir_all(to).unwrap();
    let wanted = names(from);
    for name in names(to).iter().filter(|name| !wanted.contains(name)) {
        let path = to.join(name);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
    }
    for name in wanted {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            mirror(&from, &to);
        } else if !to.ends_with("notifications/Cargo.toml") {
            write(&to, &fs::read(from).unwrap());
        }
    }
}

/// Writes a file if it isn't there with this text.
fn write(path: &Path, text: &[u8]) {
    if fs::read(path).ok().as_deref() != Some(text) {
        fs::write(path, text).unwrap();
    }
}
