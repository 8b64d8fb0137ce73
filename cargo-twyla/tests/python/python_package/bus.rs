//! A service in Python and one in Rust, both ways over RabbitMQ.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use twyla_runtime::Bus;
use twyla_tests::broker::{clean, config};
use twyla_tests::rude::publish;
use twyla_tests::{Here, Ping, Place, Script, dead_letters, here, listener, within};

use super::{python, twyla, write};

here!(Asked, "python_asked");
here!(Answered, "python_answered");

const PING: &str = r#"{
    "type": "object", "required": ["n", "text"],
    "properties": { "n": { "type": "integer", "maximum": 100 }, "text": { "type": "string", "minLength": 1 }, "a-b": { "type": "string" } }
}"#;
const CONTEXT: &str =
    r#"{ "type": "object", "required": ["channel"], "properties": { "channel": { "type": "string" } } }"#;
const SERVICE: &str = r#"from __future__ import annotations

import asyncio
import os
import sys

from ping_contracts import Context, Meta, Service
from ping_contracts.models import PythonAnsweredPing, PythonAskedPing

service = Service("pong", "1.0.0", emits=[PythonAnsweredPing])


@service.listener(PythonAskedPing, group="one")
async def answer(content: PythonAskedPing, context: Context, meta: Meta) -> None:
    await service.emit(PythonAnsweredPing(n=content.n + 1, text=content.text), context, meta.session_id)


async def main() -> None:
    e = {name: os.environ[f"TWYLA_TEST_AMQP_{name}"] for name in ("USER", "PASS", "HOST", "PORT")}
    running = asyncio.create_task(service.run(f"amqp://{e['USER']}:{e['PASS']}@{e['HOST']}:{e['PORT']}/"))
    ready = asyncio.create_task(service.ready())
    await asyncio.wait([running, ready], return_when=asyncio.FIRST_COMPLETED)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    service.stop()
    await running


asyncio.run(main())
"#;

#[tokio::test]
#[ignore = "needs RabbitMQ and Python's libraries: cargo xtask test has both"]
async fn a_service_in_python_and_one_in_rust_talk_both_ways() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "schemas/context.json", CONTEXT);
        write(folder.path(), "schemas/events/python_asked/ping.json", PING);
        write(folder.path(), "schemas/events/python_answered/ping.json", PING);
        let (said, code) = twyla(folder.path(), &["python", "ping_contracts"]);
        assert_eq!(code, 0, "{said}");
        write(folder.path(), "pong.py", SERVICE);
        for domain in ["python_asked", "python_answered"] {
            clean(domain).await;
        }

        let bus = Bus::connect(config()).await.unwrap();
        let (script, mut heard) = Script::<Answered>::numbers();
        let running = bus.service().state(script).listeners([listener::<Answered>("one")]).start().await.unwrap();
        let mut service =
            python(folder.path()).arg("pong.py").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(service.stdout.take().unwrap());
        let ready = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            out.read_line(&mut line).unwrap();
            line
        });
        assert_eq!(ready.await.unwrap(), "ready\n");

        for n in 0..20 {
            bus.emit(Ping::<Asked>::new(n), Here::new("web")).await.unwrap();
        }
        let mut answers = Vec::new();
        while answers.len() < 20 {
            answers.push(heard.recv().await.unwrap());
        }
        answers.sort_unstable();
        assert_eq!(answers, (1..=20).collect::<Vec<_>>());

        // what breaks the contract of the service in Python is in its dead queue, for Twyla's tools
        bus.emit(Ping::<Asked>::new(500), Here::new("web")).await.unwrap();
        let letters = dead_letters(&bus, Asked::EVENT, "one", 1).await;
        assert_eq!(letters[0].reason, Some(twyla_runtime::Reason::Contract));
        assert_eq!(letters[0].error, "python_asked.ping: /n: the value is greater than the maximum of 100");

        // what Python reads and can't hold, or finds another meaning in, is settled too
        let odd = |content: String| {
            format!(
                r#"{{"event_name":"python_asked.ping","content":{content},"context":{{"channel":"web"}},"meta":{{"version":1,"timestamp":"2026-11-30T00:00:00+00:00","session_id":"6f2c1f9e-6b5c-4b5e-9a52-0a8f5d3b8a11"}}}}"#
            )
        };
        let nested = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
        for content in [r#"{"n":1,"text":"a","\ud800":1}"#.to_owned(), format!(r#"{{"n":1,"text":"a","x":{nested}}}"#)] {
            publish(Asked::DOMAIN, b"ping", &[0, 0], odd(content).as_bytes()).await;
        }
        let undeclared = odd(r#"{"n":30,"text":"a","a_b":5}"#.to_owned());
        publish(Asked::DOMAIN, b"ping", &[0, 0], undeclared.as_bytes()).await;
        assert_eq!(heard.recv().await.unwrap(), 31);
        assert_eq!(dead_letters(&bus, Asked::EVENT, "one", 3).await.len(), 3);

        drop(service.stdin.take());
        assert!(service.wait().unwrap().success());
        running.stop().await;
    })
    .await;
}
