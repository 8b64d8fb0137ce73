//! Writes `docs/trace.svg`: the demo's services as separate processes, and the trace of one input line.
//!
//! `cargo xtask with-broker cargo run -p twyla-telemetry-tests --bin picture`, from the repository's root.

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;
use twyla_telemetry_tests::receiver::Receiver;
use twyla_telemetry_tests::waterfall;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// The time limit of each step.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let programs = built(&root).await?;
    let receiver = Receiver::start().await;
    let program = |name: &str, service: &str| {
        let mut command = Command::new(programs.join(name));
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.endpoint).env("OTEL_SERVICE_NAME", service);
        for part in ["HOST", "PORT", "USER", "PASS", "VHOST"] {
            if let Ok(value) = env::var(format!("TWYLA_TEST_AMQP_{part}")) {
                command.env(format!("EVENT_BUS_AMQP_{part}"), value);
            }
        }
        command.env("PLATFORM_LOG", "warn").kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped());
        command
    };

    let mut booking = program("booking", "booking").env("BOOKING_HTTP_ADDRESS", "127.0.0.1:0").spawn()?;
    let (line, _booking_out) = line(&mut booking, "serving on ").await?;
    let url = line.split([' ', ';']).find(|word| word.starts_with("http")).ok_or("it serves nowhere")?;
    let mut bot = program("chat", "bot").arg("listen").env("PLATFORM_NAVITAIRE_API_URL", url).spawn()?;
    let (_, mut out) = self::line(&mut bot, "the bot listens").await?;
    // the first line opens connections
    for text in ["A1324B", "A1324B"] {
        let mut web = program("chat", "web");
        let said = timeout(PATIENCE, web.args(["say", text]).stdout(Stdio::null()).status()).await??;
        if !said.success() {
            return Err("nothing was said".into());
        }
        found(&mut out, "bot (").await?;
    }
    for child in [&mut bot, &mut booking] {
        end(child).await?;
    }

    let spans = receiver.spans();
    let last = spans.iter().filter(|span| span.name == "publish api:user_input").max_by_key(|span| span.from);
    let trace = &last.ok_or("no trace was received")?.trace;
    let spans: Vec<_> = spans.iter().filter(|span| span.trace == *trace).cloned().collect();
    let file = root.join("docs/trace.svg");
    std::fs::write(&file, waterfall::draw(&spans))?;
    println!("{} spans in docs/trace.svg", spans.len());
    Ok(())
}

/// The folder with the demo's programs.
async fn built(root: &Path) -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root).args(["build", "--quiet", "-p", "chat", "-p", "booking"]);
    command.args(["--features", "chat/http,chat/telemetry,booking/telemetry"]);
    if !command.status().await?.success() {
        return Err("the demo was not built".into());
    }
    // they are beside this program, in the folder of their profile
    Ok(env::current_exe()?.parent().ok_or("no folder")?.to_owned())
}

/// The first line that contains this, and the lines after it.
async fn line(child: &mut Child, part: &str) -> Result<(String, Lines<BufReader<ChildStdout>>)> {
    let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
    Ok((found(&mut lines, part).await?, lines))
}

async fn found(lines: &mut Lines<BufReader<ChildStdout>>, part: &str) -> Result<String> {
    while let Some(line) = timeout(PATIENCE, lines.next_line()).await?? {
        if line.contains(part) {
            return Ok(line);
        }
    }
    Err(format!("it has ended before it said `{part}`").into())
}

/// Shuts a service down, so that it exports its spans.
async fn end(child: &mut Child) -> Result {
    let id = child.id().ok_or("it has ended")?.to_string();
    Command::new("kill").args(["-TERM", &id]).status().await?;
    timeout(PATIENCE, child.wait()).await??;
    Ok(())
}
