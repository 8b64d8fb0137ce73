//! The service `desk` in a process of its own.

use std::net::SocketAddr;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// A serving process, killed when dropped.
pub struct Desk {
    pub child: Child,
    pub address: SocketAddr,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Desk {
    /// Starts the program, and waits until it serves.
    pub async fn start(program: &str) -> Self {
        let mut child = Command::new(program).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.next_line().await.unwrap().expect("it has ended").parse().unwrap();
        Self { child, address, lines }
    }

    /// Its next line of output.
    pub async fn line(&mut self) -> Option<String> {
        self.lines.next_line().await.unwrap()
    }

    /// Sends it a signal.
    pub async fn signal(&self, signal: &str) {
        let pid = self.child.id().expect("it runs").to_string();
        let status = Command::new("kill").args([signal, &pid]).status().await.unwrap();
        assert!(status.success());
    }
}
