//! Shutdown of a service process: SIGTERM and SIGINT drain, no event is lost, and it exits with 0.
#![cfg(unix)]

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use twyla_runtime::Bus;
use twyla_tests::broker::rabbitmq;
use twyla_tests::{Here, Ping, Place, Script, here, listener, within};

struct Service {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Service {
    fn start(what: &str, deadline: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_drain-child"))
            .args([what, deadline])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, stdin, lines: BufReader::new(stdout).lines() }
    }

    async fn says(&mut self, line: &str) {
        assert_eq!(self.lines.next_line().await.unwrap().as_deref(), Some(line));
    }

    /// Lets one handler finish.
    async fn go_on(&mut self) {
        self.stdin.write_all(b"\n").await.unwrap();
    }

    async fn signal(&self, signal: &str) {
        let id = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().await.unwrap().success());
    }

    async fn ends(mut self) {
        self.says("drained").await;
        assert_eq!(self.lines.next_line().await.unwrap(), None);
        assert!(self.child.wait().await.unwrap().success());
    }
}

#[tokio::test]
async fn drains_in_memory() {
    for signal in ["-TERM", "-INT"] {
        within(async {
            let mut service = Service::start("memory", "3600000");
            service.says("begin 1").await;
            service.go_on().await;
            service.says("end 1").await;
            service.says("begin 2").await;
            service.signal(signal).await;
            service.says("draining").await;
            service.go_on().await;
            service.says("end 2").await;
            service.ends().await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_second_signal_ends_the_wait() {
    within(async {
        let mut service = Service::start("memory", "3600000");
        service.says("begin 1").await;
        service.signal("-TERM").await;
        service.says("draining").await;
        service.signal("-TERM").await;
        service.ends().await;
    })
    .await;
}

/// The events left in the group's queue, with whether each was delivered before.
async fn left<P: Place>(bus: &Bus, count: usize) -> Vec<(u32, bool)> {
    let (script, mut calls) = Script::<P>::sending(|call| (call.ping.n, call.meta.redelivered));
    let running = bus.service().state(script).listeners([listener::<P>("one")]).start().await.unwrap();
    let mut left = Vec::new();
    for _ in 0..count {
        left.push(calls.recv().await.unwrap());
    }
    running.stop().await;
    assert_eq!(calls.recv().await, None, "more was left than {left:?}");
    left.sort_unstable();
    left
}

#[tokio::test]
#[ignore = "needs RabbitMQ: cargo xtask test starts one"]
async fn drains_over_rabbitmq() {
    here!(Mine, "signal_drain");
    within(async {
        let bus = rabbitmq("signal_drain").await;
        assert_eq!(left::<Mine>(&bus, 0).await, []);
        for n in 1..=3 {
            bus.emit(Ping::<Mine>::new(n), Here::new("test")).await.unwrap();
        }
        let mut service = Service::start("drain", "3600000");
        service.says("begin 1").await;
        service.go_on().await;
        service.says("end 1").await;
        service.says("begin 2").await;
        service.signal("-TERM").await;
        service.says("draining").await;
        service.go_on().await;
        service.says("end 2").await;
        service.ends().await;
        assert_eq!(left::<Mine>(&bus, 3).await, [(3, false), (101, false), (102, false)]);
        bus.close().await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs RabbitMQ: cargo xtask test starts one"]
async fn requeues_events_whose_handlers_do_not_end_in_time() {
    here!(Mine, "signal_deadline");
    within(async {
        let bus = rabbitmq("signal_deadline").await;
        assert_eq!(left::<Mine>(&bus, 0).await, []);
        bus.emit(Ping::<Mine>::new(1), Here::new("test")).await.unwrap();
        let mut service = Service::start("deadline", "50");
        service.says("begin 1").await;
        service.signal("-INT").await;
        service.says("draining").await;
        service.ends().await;
        assert_eq!(left::<Mine>(&bus, 1).await, [(1, true)]);
        bus.close().await;
    })
    .await;
}
