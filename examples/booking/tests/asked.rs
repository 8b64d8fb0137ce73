//! The service as other clients see it: curl, with the command in the README, and Python programs without Twyla.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// The service, killed when dropped.
struct Service(Child, String);

impl Service {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_booking"));
        command.env("BOOKING_HTTP_ADDRESS", "127.0.0.1:0").env_remove("EVENT_BUS_AMQP_HOST");
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.strip_prefix("serving on ").and_then(|rest| rest.split(';').next());
        let url = url.unwrap_or_else(|| panic!("{line}")).to_owned();
        Self(child, url)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The output of curl, and the status.
fn curl(service: &Service, body: &str) -> (serde_json::Value, String) {
    let url = format!("{}/rpc/get_booking", service.1);
    let output = Command::new("curl")
        .args(["--silent", "--noproxy", "*", "--write-out", "\n%{http_code}", &url])
        .args(["-H", "content-type: application/json", "-d", body])
        .output()
        .expect("curl is there");
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {text}")), status.to_owned())
}

#[test]
fn answers_curl() {
    let service = Service::start();
    let (booking, status) = curl(&service, r#"{"pnr": "A1324B"}"#);
    assert_eq!((status.as_str(), &booking["passengers"][0]), ("200", &"Ada Lovelace".into()));
    let (error, status) = curl(&service, r#"{"pnr": "AAAAAA"}"#);
    assert_eq!((status.as_str(), &error["reason"]), ("409", &"not_found".into()));
    let (problem, status) = curl(&service, r#"{"pnr": "a1324b"}"#);
    assert_eq!(status, "422");
    assert_eq!(
        (&problem["errors"][0]["pointer"], &problem["errors"][0]["keyword"]),
        (&"/pnr".into(), &"pattern".into())
    );
}

/// The response that a Python program with this library gets.
fn python(program: &str) {
    let service = Service::start();
    let python = std::env::var("TWYLA_TEST_PYTHON").unwrap_or_else(|_| "/usr/bin/python3".to_owned());
    let url = format!("{}/rpc/get_booking", service.1);
    let output = Command::new(python).args(["-c", program, &url]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "200 Ada Lovelace\n409 not_found\n422 pattern\n");
}

const SHOW: &str = r#"
import sys
CODES = ["A1324B", "AAAAAA", "a1324b"]
def show(status, body):
    print(status, body.get("reason") or body.get("errors", [{}])[0].get("keyword") or body["passengers"][0])
"#;

#[test]
#[ignore = "needs Python with requests: cargo xtask test installs it"]
fn answers_requests() {
    python(&format!(
        "{SHOW}{}",
        r#"
import requests
with requests.Session() as session:
    session.trust_env = False
    for code in CODES:
        answer = session.post(sys.argv[1], json={"pnr": code}, timeout=10)
        show(answer.status_code, answer.json())
"#
    ));
}

#[test]
#[ignore = "needs Python with aiohttp: cargo xtask test installs it"]
fn answers_aiohttp() {
    python(&format!(
        "{SHOW}{}",
        r#"
import aiohttp, asyncio
async def main():
    async with aiohttp.ClientSession() as session:
        for code in CODES:
            async with session.post(sys.argv[1], json={"pnr": code}) as answer:
                show(answer.status, await answer.json(content_type=None))
asyncio.run(main())
"#
    ));
}
