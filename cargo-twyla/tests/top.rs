//! `cargo twyla top` against something that tells figures as a service does, and against what doesn't.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

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
            assert!(asked.starts_with(b"GET /metrics HTTP/1.0\r\n"));
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
fn what_a_service_tells_is_shown_by_event_and_group() {
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
    assert_eq!(
        words(lines[2]),
        "listens to group handled/s failed/s retried/s parked dropped handling waiting p50 p99"
    );
    assert_eq!(words(lines[3]), "api.user_input bot 0.0 0.0 0.0 3 0 - 1,204 - -");
    assert_eq!(words(lines[6]), "bot.reply 0.0 0 0 - - -");
    assert!(!shown.contains('\u{1b}'), "no colours in a pipe: {shown}");
}

#[test]
fn what_is_no_service_is_told() {
    let told = |address: &str| {
        let output = top(address);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let said = told(&free);
    assert!(said.contains(&format!("{free} doesn't answer (")) && said.contains("Service::operations"), "{said}");
    let said = told(&tells(vec!["HTTP/1.1 404 Not Found\r\n\r\n".to_owned()]));
    assert!(said.contains("has no figures (404): is the service built with the feature `telemetry`"), "{said}");
    let said = told(&tells(vec!["SSH-2.0-x\r\n".to_owned()]));
    assert!(said.contains("doesn't speak HTTP"), "{said}");
    assert!(told("https://here:1").contains("https is not spoken here"));
}

/// On a terminal, which `script` gives it: shown anew when the service tells something else, as wide as the terminal is, until q.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_shows_them_anew_until_q() {
    let of = |parked: u32| {
        ok(&format!(
            "twyla_handled_total{{event=\"api.user_input\",group=\"bot\"}} {parked}\n\
             twyla_parked_total{{event=\"api.user_input\",group=\"bot\"}} {parked}\n"
        ))
    };
    let address = tells(vec![of(111), "nonsense".to_owned(), of(222)]);
    let program = env!("CARGO_BIN_EXE_cargo-twyla");
    let command =
        format!("tty; stty cols 200 rows 20; '{program}' twyla top {address} --interval 0.1; echo ended $?; stty");
    let mut child = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .env("TERM", "xterm")
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`script` is a part of util-linux");
    let (mut keyboard, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut seen = String::new();
    let mut until = |word: &str, seen: &mut String| {
        let from = seen.len();
        while !seen[from..].contains(word) {
            let mut some = [0; 4096];
            let count = screen.read(&mut some).unwrap();
            assert!(count > 0, "it ended before it showed {word:?}: {seen}");
            seen.push_str(&String::from_utf8_lossy(&some[..count]));
        }
    };
    until("111", &mut seen);
    until("doesn't speak HTTP", &mut seen);
    until("222", &mut seen);
    assert!(seen.contains("\u{1b}[?1049h") && seen.contains("q ends it"), "{seen:?}");
    let tty = seen.lines().find(|line| line.starts_with("/dev/")).unwrap().trim().to_owned();
    assert!(Command::new("stty").args(["-F", &tty, "cols", "40"]).status().unwrap().success());
    until("…", &mut seen);
    keyboard.write_all(b"q").unwrap();
    until("ended 0", &mut seen);
    // the screen, the cursor and the keyboard are as they were
    let ends = seen.rfind("\u{1b}[?25h\u{1b}[?1049l");
    assert!(ends > seen.rfind("222"), "{seen:?}");
    until("speed", &mut seen);
    drop(keyboard);
    let mut rest = String::new();
    screen.read_to_string(&mut rest).unwrap();
    assert!(!(seen + &rest).contains("-icanon"));
    assert!(child.wait().unwrap().success());
}
