//! The maximum rate of a service on its own core, compared with FastAPI: each is started alone, with one worker, like a
//! process of uvicorn. The load comes from `wrk` (a Debian package) on another core: a call costs it less than any of
//! the services, so that the service never waits, which would cost more than working.

use std::process::Command;

use crate::child::{Child, one_worker};
use crate::measure::{Result, median};

/// The number of turns of each service.
const ROUNDS: usize = 5;
/// The duration of each load; a load of one second precedes it.
const SECONDS: u32 = 4;
/// The number of concurrent calls.
const TOGETHER: u32 = 32;

/// A service pinned to core 1.
fn alone(program: &str, args: &[&str]) -> Result<Child> {
    let mut command = Command::new("taskset");
    command.args(["-c", "1", program]).args(args);
    Child::of(one_worker(&mut command))
}

/// Returns the number of answered calls.
fn load(service: &Child, seconds: u32) -> Result<u32> {
    let mut wrk = Command::new("taskset");
    wrk.args(["-c", "0", "wrk", "-t", "1", "-c", &TOGETHER.to_string(), "-d", &format!("{seconds}s")]);
    wrk.args(["-s", concat!(env!("CARGO_MANIFEST_DIR"), "/load.lua")]);
    let output = wrk.arg(format!("http://{}/rpc/get_booking", service.address)).output()?;
    let report = String::from_utf8(output.stdout)? + &String::from_utf8(output.stderr)?;
    let count = report.lines().find_map(|line| line.split_once(" requests in ")?.0.trim().parse().ok());
    match count {
        Some(count) if !report.contains("Non-2xx") && !report.contains("Socket errors") => Ok(count),
        _ => Err(format!("wrk (apt-get install wrk) got no answers: {report}").into()),
    }
}

pub(crate) fn run(python: &str) -> Result {
    let this = std::env::current_exe()?.display().to_string();
    let fastapi = concat!(env!("CARGO_MANIFEST_DIR"), "/fastapi_service.py");
    let ways: [(&str, &str, Vec<&str>); 3] = [
        ("Twyla, validated", &this, vec!["--serve", "twyla"]),
        ("axum by hand, serde", &this, vec!["--serve", "bare"]),
        ("FastAPI, pydantic, uvicorn", python, vec![fastapi]),
    ];
    let mut took: [Vec<f64>; 3] = Default::default();
    let mut rates: [Vec<f64>; 3] = Default::default();
    for round in 0..ROUNDS {
        for turn in 0..ways.len() {
            let at = (turn + round) % ways.len();
            let (_, program, args) = &ways[at];
            let service = alone(program, args)?;
            let _warm = load(&service, 1)?;
            let before = service.cpu()?;
            let count = load(&service, SECONDS)?;
            took[at].push((service.cpu()? - before).as_secs_f64() * 1e6 / f64::from(count));
            rates[at].push(f64::from(count) / f64::from(SECONDS));
        }
    }
    println!("\na core and one worker for each, {TOGETHER} calls of `wrk` together, {ROUNDS} rounds of {SECONDS} s\n");
    println!("| way                             | service, µs CPU | calls a second |");
    println!("|---------------------------------|----------------:|---------------:|");
    for (at, (name, ..)) in ways.iter().enumerate() {
        println!("| {name:<31} | {:>15.1} | {:>14.0} |", median(took[at].clone()), median(rates[at].clone()));
    }
    let by = median(took[0].iter().zip(&took[2]).map(|(twyla, fastapi)| fastapi / twyla).collect());
    let held = if by >= 10.0 { "ok" } else { "MISSED" };
    println!("\ncalls in a second of CPU, Twyla by FastAPI: {by:.1} (>= 10: {held})");
    Ok(())
}
