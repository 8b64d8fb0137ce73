//! The RabbitMQ that a chore runs: the distribution's, or the one in a folder.

use std::os::unix::fs::PermissionsExt;
use std::path::{self, Path, PathBuf};
use std::{env, fs, io};

/// The variable that names the folder when `--broker` doesn't.
pub(crate) const VARIABLE: &str = "TWYLA_RABBITMQ";
/// The folder in which Debian keeps the scripts that `/usr/sbin` wraps: they don't ask for a particular user.
const DISTRIBUTION: &str = "/usr/lib/rabbitmq/bin";
/// The wrapper that Debian's `/usr/sbin/rabbitmq-server` leads to. It changes to the user `rabbitmq`, who can't read a
/// private node's files.
const WRAPPER: &str = "rabbitmq-script-wrapper";
const SERVER: &str = "rabbitmq-server";
const CTL: &str = "rabbitmqctl";

/// A folder without a usable RabbitMQ.
#[derive(Debug, thiserror::Error)]
#[error(
    "no RabbitMQ in {}: {why}\n  --broker and {VARIABLE} take a folder that has rabbitmq-server and rabbitmqctl in it, in its `bin` or in its \
     `sbin`\n  `cargo xtask broker 4` makes such a folder on Debian; without --broker, the distribution's RabbitMQ runs",
    folder.display()
)]
pub(crate) struct Error {
    folder: PathBuf,
    why: String,
}

/// The programs of one RabbitMQ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RabbitMq {
    folder: PathBuf,
}

impl RabbitMq {
    /// Returns the RabbitMQ that the distribution's package installs.
    pub(crate) fn distribution() -> Self {
        Self { folder: DISTRIBUTION.into() }
    }

    /// Returns the RabbitMQ that `--broker` or the environment names; `None` if neither does.
    pub(crate) fn chosen(argument: Option<&Path>) -> Result<Option<Self>, Error> {
        let variable = env::var_os(VARIABLE).filter(|folder| !folder.is_empty());
        argument.map(Path::to_owned).or(variable.map(PathBuf::from)).map(|folder| Self::at(&folder)).transpose()
    }

    /// Returns the RabbitMQ in a folder, or in its `bin` or `sbin`.
    pub(crate) fn at(folder: &Path) -> Result<Self, Error> {
        let error = |why: String| Error { folder: folder.to_owned(), why };
        let absolute = path::absolute(folder).map_err(|failed| error(failed.to_string()))?;
        fs::read_dir(&absolute).map_err(|failed| match failed.kind() {
            io::ErrorKind::NotFound => error("the folder does not exist".into()),
            io::ErrorKind::NotADirectory => error("it is not a folder".into()),
            _ => error(format!("it could not be read ({failed})")),
        })?;
        let folders = [absolute.clone(), absolute.join("bin"), absolute.join("sbin")];
        let with_server = folders.into_iter().find(|folder| folder.join(SERVER).exists());
        let folder = with_server.ok_or_else(|| error(format!("{SERVER} is missing")))?;
        let wraps = folder.join(SERVER).canonicalize().ok().filter(|server| server.ends_with(WRAPPER));
        let folder = wraps.as_deref().and_then(Path::parent).map_or(folder, Path::to_owned);
        for program in [SERVER, CTL].map(|name| folder.join(name)) {
            match fs::metadata(&program) {
                Err(_) => return Err(error(format!("{} is missing", program.display()))),
                Ok(file) if !file.is_file() || file.permissions().mode() & 0o111 == 0 => {
                    return Err(error(format!("{} is not executable", program.display())));
                }
                Ok(_) => {}
            }
        }
        Ok(Self { folder })
    }

    /// Returns whether the RabbitMQ's programs exist.
    pub(crate) fn is_there(&self) -> bool {
        self.server().exists()
    }

    /// Returns the folder of the RabbitMQ's programs.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the script that starts a node.
    pub(crate) fn server(&self) -> PathBuf {
        self.folder.join(SERVER)
    }

    /// Returns the script that controls a node.
    pub(crate) fn ctl(&self) -> PathBuf {
        self.folder.join(CTL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(programs: &[(&str, u32)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, mode) in programs {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "#!/bin/sh\n").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
        }
        dir
    }

    #[test]
    fn finds_the_programs_in_the_folder_its_bin_or_its_sbin() {
        for inner in ["", "bin", "sbin"] {
            let join = |name: &str| Path::new(inner).join(name).display().to_string();
            let dir = folder(&[(&join(SERVER), 0o755), (&join(CTL), 0o755)]);
            let found = RabbitMq::at(dir.path()).unwrap();
            assert_eq!(found.folder(), dir.path().join(inner).components().as_path());
        }
    }

    #[test]
    fn follows_the_wrapper_that_changes_the_user() {
        let dir = folder(&[(SERVER, 0o755), (CTL, 0o755), (WRAPPER, 0o755), ("sbin/other", 0o755)]);
        for name in [SERVER, CTL] {
            std::os::unix::fs::symlink(dir.path().join(WRAPPER), dir.path().join("sbin").join(name)).unwrap();
        }
        let found = RabbitMq::at(&dir.path().join("sbin")).unwrap();
        assert_eq!(found.folder(), dir.path().canonicalize().unwrap());
    }

    #[test]
    fn an_unusable_folder_is_reported_with_what_is_missing_and_what_to_do() {
        let dir = folder(&[("none/other", 0o755), ("half/rabbitmq-server", 0o755)]);
        fs::create_dir(dir.path().join("file")).unwrap();
        let modes = folder(&[(SERVER, 0o755), (CTL, 0o644)]);
        for (folder, why) in [
            (dir.path().join("gone"), "the folder does not exist"),
            (dir.path().join("none/other"), "it is not a folder"),
            (dir.path().join("none"), "rabbitmq-server is missing"),
            (dir.path().join("half"), "half/rabbitmqctl is missing"),
            (modes.path().to_owned(), "rabbitmqctl is not executable"),
        ] {
            let error = RabbitMq::at(&folder).unwrap_err().to_string();
            assert!(error.contains(&folder.display().to_string()), "{error}");
            assert!(error.contains(why), "{error}");
            assert!(error.contains("cargo xtask broker 4"), "{error}");
        }
    }
}
