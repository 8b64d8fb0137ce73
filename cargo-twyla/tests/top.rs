//! `cargo twyla top` against something that tells figures as a service does, and against what doesn't.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};

/// Answers each connection with what comes next, the last for ever; gives its address.
fn tells(answers: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for (i, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                let mut some = [0; 1024];
                let count = stream.read(&mut some).unwrap();
                assert!(count > 0, "the request ends early: {asked:?}");
                asked.extend_from_slice(&some[..count]);
            }
            assert!(asked.starts_with(b"GET /metrics HTTP/1.1\r\n"));
            stream.write_all(answers[i.min(answers.len() - 1)].as_bytes()).unwrap();
        }
    });
    address
}

fn top(address: &str) -> Output {
    let args = ["twyla", "top", address, "--once", "--interval", "0.1"];
    Command::new(env!("CARGO_BIN_EXE_cargo-twyla")).args(args).output().unwrap()
}

fn ok(figures: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n{figures}")
}

#[test]
fn shows_the_metrics_of_a_service_by_event_and_group() {
    let of = |handled: u32| {
        format!(
            "# TYPE twyla_handled_total counter\n\
             twyla_handled_total{{event=\"api.user_input\",group=\"bot\"}} {handled}\n\
             twyla_parked_total{{event=\"api.user_input\",group=\"bot\"}} 3\n\
             twyla_queue_ready{{event=\"api.user_input\",group=\"bot\"}} 1204\n\
             twyla_emitted_total{{event=\"bot.reply\"}} 9\n\
             twyla_connected{{link=\"publish\"}} 1\n\
             process_cpu_seconds_total 3\n"
        )
    };
    let address = tells(vec![ok(&of(5)), ok(&of(5))]);
    let output = top(&address);
    assert!(output.status.success(), "{output:?}");
    let shown = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].starts_with(&format!("{address}, publish up, over 0.")), "{shown}");
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
    assert_eq!(words(lines[2]), "listens to group handled/s failed/s retried/s dead dropped handling waiting p50 p99");
    assert_eq!(words(lines[3]), "api.user_input bot 0.0 0.0 0.0 3 0 - 1,204 - -");
    assert_eq!(words(lines[6]), "bot.reply 0.0 0 0 - - -");
    assert!(!shown.contains('\u{1b}'), "no colours in a pipe: {shown}");
}

#[test]
fn an_address_without_metrics_is_an_error() {
    let refused = |address: &str| {
        let output = top(address);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let said = refused(&free);
    assert!(said.contains(&format!("{free} doesn't answer (")) && said.contains("Service::operations"), "{said}");
    let said = refused(&tells(vec!["HTTP/1.1 404 Not Found\r\n\r\n".to_owned()]));
    assert!(said.contains("has no metrics (404): build the service with the feature `telemetry`"), "{said}");
    let said = refused(&tells(vec!["SSH-2.0-x\r\n".to_owned()]));
    assert!(said.contains("doesn't answer with HTTP"), "{said}");
    assert!(refused("https://here:1").contains("unsupported scheme `https`: use `http`"));
}

/// A terminal, which `script` makes, with `top` on it and then a shell's word on how that ended.
#[cfg(target_os = "linux")]
struct Terminal {
    child: Child,
    keyboard: ChildStdin,
    screen: ChildStdout,
    seen: String,
}

#[cfg(target_os = "linux")]
impl Terminal {
    fn with_top(address: &str) -> Self {
        let program = env!("CARGO_BIN_EXE_cargo-twyla");
        let top = format!("sh -c 'echo pid $$; exec {program} twyla top {address} --interval 0.1'");
        let mut child = Command::new("script")
            .args(["-qec", &format!("tty; stty cols 200 rows 20; {top}; echo ended $?; stty"), "/dev/null"])
            .env("TERM", "xterm")
            .env("SHELL", "/bin/sh")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("`script` is a part of util-linux");
        let (keyboard, screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, keyboard, screen, seen: String::new() }
    }

    /// Waits for a word that isn't there yet.
    fn until(&mut self, word: &str) {
        let from = self.seen.len();
        while !self.seen[from..].contains(word) {
            self.read();
        }
    }

    /// Reads on.
    fn read(&mut self) {
        let mut some = [0; 4096];
        let count = self.screen.read(&mut some).unwrap();
        assert!(count > 0, "it ended too soon: {}", self.seen);
        self.seen.push_str(&String::from_utf8_lossy(&some[..count]));
    }

    /// The rest of a line that begins with `word`.
    fn after(&self, word: &str) -> &str {
        self.seen.lines().find_map(|line| line.strip_prefix(word)).unwrap().trim()
    }

    /// Holds that it ends well, after it showed `last`, and that the screen, the cursor and the keyboard are as they were.
    fn ends(mut self, last: &str) {
        self.until("ended 0");
        let ends = self.seen.rfind("\u{1b}[?25h\u{1b}[?1049l");
        assert!(ends > self.seen.rfind(last), "{:?}", self.seen);
        let ends = ends.unwrap();
        // some of it may have come with what came before
        while !self.seen[ends..].contains("speed") {
            self.read();
        }
        drop(self.keyboard);
        self.screen.read_to_string(&mut self.seen).unwrap();
        assert!(!self.seen.contains("-icanon"), "{:?}", self.seen);
        assert!(self.child.wait().unwrap().success());
    }
}

#[cfg(target_os = "linux")]
fn parked(count: u32) -> String {
    ok(&format!(
        "twyla_handled_total{{event=\"api.user_input\",group=\"bot\"}} {count}\n\
         twyla_parked_total{{event=\"api.user_input\",group=\"bot\"}} {count}\n"
    ))
}

/// Updated when the metrics change, as wide as the terminal, until q.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_is_updated_until_q() {
    let address = tells(vec![parked(111), "nonsense".to_owned(), parked(222)]);
    let mut terminal = Terminal::with_top(&address);
    terminal.until("111");
    terminal.until("doesn't answer with HTTP");
    terminal.until("222");
    assert!(terminal.seen.contains("\u{1b}[?1049h") && terminal.seen.contains("q ends it"), "{:?}", terminal.seen);
    let tty = format!("/dev/{}", terminal.after("/dev/"));
    assert!(Command::new("stty").args(["-F", &tty, "cols", "40"]).status().unwrap().success());
    terminal.until("…");
    terminal.keyboard.write_all(b"q").unwrap();
    terminal.ends("222");
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_leaves_the_terminal_as_it_was() {
    let address = tells(vec![parked(111), parked(222)]);
    let mut terminal = Terminal::with_top(&address);
    // the second reading: its keys are being read by then
    terminal.until("222");
    let pid = terminal.after("pid ").to_owned();
    assert!(Command::new("kill").arg(pid).status().unwrap().success());
    terminal.ends("222");
}
