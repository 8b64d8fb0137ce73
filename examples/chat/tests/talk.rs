//! The demo as a user starts it: with piped lines, without input, and as two processes over RabbitMQ.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use std::thread::JoinHandle;

fn chat() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat"));
    command.env_remove("EVENT_BUS_AMQP_HOST").env_remove("PLATFORM_NAVITAIRE_API_URL").env("USER", "ada");
    command
}

fn talk(input: &str) -> Output {
    let mut child = chat().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn answers_each_piped_line_in_turn() {
    let output = talk("Hello\nIs anybody there?\nfine\n");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        text(&output.stdout),
        "ada (terminal): Hello\n\
         bot (terminal): Hello! What can I do for you?\n      [Book]\n\
         ada (terminal): Is anybody there?\n\
         bot (terminal): I don't know: Is anybody there?\n      [Ask a person]\n\
         ada (terminal): fine\n\
         bot (terminal): You said: fine\n"
    );
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn shows_a_sample_without_input() {
    let output = chat().stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let shown = text(&output.stdout);
    assert_eq!(shown.lines().filter(|line| line.starts_with("ada")).count(), 4, "{shown}");
    assert_eq!(shown.lines().filter(|line| line.starts_with("bot")).count(), 4, "{shown}");
}

#[test]
fn calls_the_booking_service_for_a_code() {
    let output = talk("a1324b\nGONE99\nAAAA11\nabcdef\n");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        text(&output.stdout),
        "ada (terminal): a1324b\n\
         bot (terminal): Ada Lovelace and Charles Babbage fly TW512 from BER to LIS on 04 May, 08:15, then TW513 from LIS \
         to BER on 11 May, 17:40.\n\
         ada (terminal): GONE99\n\
         bot (terminal): I am sorry, GONE99 was cancelled.\n\
         ada (terminal): AAAA11\n\
         bot (terminal): I am sorry, there is no booking AAAA11.\n\
         ada (terminal): abcdef\n\
         bot (terminal): You said: abcdef\n"
    );
    assert_eq!(text(&output.stderr), "");
}

/// Answers one call with a booking that the demo lacks; returns the request.
fn booking_service() -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = Vec::new();
        while !asked.ends_with(br#"{"pnr":"A1324B"}"#) {
            let mut some = [0; 1024];
            let count = stream.read(&mut some).unwrap();
            assert!(count > 0, "{}", String::from_utf8_lossy(&asked));
            asked.extend_from_slice(&some[..count]);
        }
        let flight = r#"{"number":"TW1","from":"VIE","to":"ZRH","departs":"2026-05-04T08:15:00+02:00"}"#;
        let booking = format!(r#"{{"pnr":"A1324B","passengers":["Emmy Noether"],"flights":[{flight}]}}"#);
        let length = booking.len();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all(format!("{head}{booking}").as_bytes()).unwrap();
        String::from_utf8(asked).unwrap()
    });
    (url, answering)
}

#[test]
fn asks_a_booking_service_elsewhere_over_http() {
    let (url, answering) = booking_service();
    let mut command = chat();
    command.env("PLATFORM_NAVITAIRE_API_URL", url).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"A1324B\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        text(&output.stdout),
        "ada (terminal): A1324B\nbot (terminal): Emmy Noether fly TW1 from VIE to ZRH on 04 May, 08:15.\n"
    );
    let asked = answering.join().unwrap();
    assert!(asked.starts_with("POST /rpc/get_booking HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains(r#"twyla-context: {"channel":"terminal","user":"ada"}"#), "{asked}");
}

#[test]
fn reports_an_invalid_line_and_continues() {
    let output = talk("\nHello\n");
    assert!(output.status.success(), "{output:?}");
    assert!(text(&output.stdout).contains("ada (terminal): Hello"), "{output:?}");
    let error = text(&output.stderr);
    assert!(error.contains("api.user_input") && error.contains("/emission"), "{error}");
}

#[test]
fn reports_what_two_processes_need() {
    let output = chat().args(["say", "Hello"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("EVENT_BUS_AMQP_HOST"), "{output:?}");
}

#[test]
#[ignore = "needs RabbitMQ: `cargo xtask test` starts one"]
fn two_processes_talk_over_rabbitmq() {
    let over_rabbitmq = || {
        let mut command = chat();
        for name in ["HOST", "PORT", "USER", "PASS", "VHOST"] {
            let value =
                std::env::var(format!("TWYLA_TEST_AMQP_{name}")).expect("cargo xtask test sets TWYLA_TEST_AMQP_*");
            command.env(format!("EVENT_BUS_AMQP_{name}"), value);
        }
        command
    };
    let mut listen = over_rabbitmq().arg("listen").stdout(Stdio::piped()).spawn().unwrap();
    let mut shown = BufReader::new(listen.stdout.take().unwrap()).lines();
    let mut next = || shown.next().unwrap().unwrap();
    assert_eq!(next(), "the bot listens; ctrl-C ends");

    let said = over_rabbitmq().args(["say", "Hello", "you"]).output().unwrap();
    assert_eq!(text(&said.stdout), "said: Hello you\n", "{said:?}");
    assert_eq!(next(), "ada (terminal): Hello you");
    assert_eq!(next(), "bot (terminal): Hello! What can I do for you?");
    assert_eq!(next(), "      [Book]");

    let pid = listen.id().to_string();
    assert!(Command::new("sh").args(["-c", "kill -TERM \"$1\"", "kill", &pid]).status().unwrap().success());
    assert!(listen.wait().unwrap().success(), "the bot drains and ends well");
}
