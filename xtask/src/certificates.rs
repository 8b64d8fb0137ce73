//! Makes a CA, a server's certificate and a client's, for the TLS of one private node.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes `ca.pem`, `server.pem`, `server.key`, `client.pem`, `client.key` and `stranger.pem` (another CA) into a folder.
pub(crate) fn write(dir: &Path) -> io::Result<()> {
    let new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    for ca in ["ca", "stranger"] {
        let own = [
            "-x509",
            "-subj",
            &format!("/CN=twyla {ca}"),
            "-keyout",
            &format!("{ca}.key"),
            "-out",
            &format!("{ca}.pem"),
        ];
        openssl(dir, &[&new[..], &own].concat())?;
    }
    for (who, names) in
        [("server", "subjectAltName=DNS:localhost,IP:127.0.0.1"), ("client", "subjectAltName=DNS:client")]
    {
        let signed = ["-x509", "-CA", "ca.pem", "-CAkey", "ca.key", "-subj", &format!("/CN={who}"), "-addext", names];
        let end = ["-addext", "basicConstraints=critical,CA:FALSE"];
        let out = ["-keyout", &format!("{who}.key"), "-out", &format!("{who}.pem")];
        openssl(dir, &[&new[..], &signed, &end, &out].concat())?;
    }
    Ok(())
}

fn openssl(dir: &Path, args: &[&str]) -> io::Result<()> {
    let output = Command::new("openssl").args(args).current_dir(dir).stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("openssl {}: {}", args[0], String::from_utf8_lossy(&output.stderr))))
}
