//! The service `desk` in a process of its own, for tests that kill it: prints its address, `begun` when it begins a
//! call that it never answers (a note with an id from 500 on), and `ends` for a call that takes a second.

use std::io::Write;
use std::time::Duration;

use twyla_rpc_tests::contracts::shared::Note;
use twyla_rpc_tests::{Script, rpcs};
use twyla_runtime::Bus;
use twyla_runtime::rpc::Serve;

#[tokio::main]
async fn main() -> Result<(), twyla_runtime::Error> {
    let script = Script::new(|call| async move {
        match call.id {
            500.. => {
                say("begun");
                std::future::pending().await
            }
            400.. => {
                say("ends");
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(Note::new(call.id, "ended well"))
            }
            _ => Ok(Note::new(call.id, call.text)),
        }
    });
    let service = Bus::in_memory().service().state(script).rpcs(rpcs()).serve(Serve::on("127.0.0.1:0"));
    let running = service.start().await?;
    say(&running.address().map(|address| address.to_string()).unwrap_or_default());
    running.run().await
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // the test may no longer read
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
