//! A service under ten times its capacity: the calls that it still answers, and the time until it refuses others. The
//! load comes from `hey` (a Debian package), which keeps a rate and records each answer.

use std::process::Command;
use std::time::{Duration, Instant};

use twyla_runtime::rpc::Serve;
use twyla_runtime::{Bus, State, rpc, rpcs};

use crate::child::{self, Child};
use crate::contracts::rpc::navitaire_api::GetBookingRequest;
use crate::contracts::shared::Booking;
use crate::measure::Result;
use crate::twylas;

/// The maximum number of concurrent calls of the service.
const PLACES: u32 = 16;
/// The duration of a call: it waits, as for a database, or computes.
const TAKES: [Duration; 2] = [Duration::from_millis(10), Duration::from_millis(1)];
/// The duration of each load.
const SECONDS: u32 = 6;

/// Whether the handler computes or waits.
#[derive(Clone, Copy)]
struct Works(bool);

#[rpc("navitaire-api.get_booking")]
async fn get_booking(request: GetBookingRequest, State(works): State<Works>) -> Result<Booking> {
    if works.0 {
        let begun = Instant::now();
        while begun.elapsed() < TAKES[1] {
            std::hint::spin_loop();
        }
    } else {
        tokio::time::sleep(TAKES[0]).await;
    }
    Ok(Booking { pnr: request.pnr, ..twylas::booking()? })
}

/// Serves until standard input ends.
pub(crate) async fn serve(works: bool) -> Result {
    let service = Bus::in_memory().service().state(Works(works)).rpcs(rpcs![get_booking]);
    let settings = Serve::on("127.0.0.1:0").concurrency(PLACES as usize);
    let running = service.serve(settings).start().await?;
    child::serving(running.address().ok_or("nothing is served")?).await;
    running.stop().await;
    Ok(())
}

/// One answer: its status and duration.
type Answered = (u16, Duration);

/// The answers that `hey` receives with this many workers; `each` limits the calls per second of one worker.
fn load(service: &Child, workers: u32, each: Option<u32>) -> Result<Vec<Answered>> {
    let mut hey = Command::new("hey");
    hey.args(["-z", &format!("{SECONDS}s"), "-c", &workers.to_string(), "-o", "csv", "-m", "POST"]);
    hey.args(["-T", "application/json", "-d", r#"{"pnr":"A1324B"}"#]);
    if let Some(each) = each {
        hey.args(["-q", &each.to_string()]);
    }
    let output = hey.arg(format!("http://{}/rpc/get_booking", service.address)).output();
    let output = output.map_err(|error| format!("hey could not be run ({error}): apt-get install hey"))?;
    let text = String::from_utf8(output.stdout)?;
    // response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset
    let answered = text.lines().skip(1).filter_map(|line| {
        let mut fields = line.split(',');
        let took: f64 = fields.next()?.parse().ok()?;
        let status: u16 = fields.nth(5)?.parse().ok()?;
        Some((status, Duration::from_secs_f64(took)))
    });
    let answered: Vec<Answered> = answered.collect();
    if answered.is_empty() { Err(format!("hey got no answers: {text}").into()) } else { Ok(answered) }
}

fn at(of: &[Answered], status: u16, part: f64) -> f64 {
    let mut took: Vec<Duration> = of.iter().filter(|(found, _)| *found == status).map(|(_, took)| *took).collect();
    took.sort();
    let index = (took.len().saturating_sub(1) as f64 * part) as usize;
    took.get(index).map_or(f64::NAN, |took| took.as_secs_f64() * 1e3)
}

fn rate(of: &[Answered], status: u16) -> f64 {
    of.iter().filter(|(found, _)| *found == status).count() as f64 / f64::from(SECONDS)
}

pub(crate) async fn run() -> Result {
    println!("{PLACES} places; `hey` for {SECONDS} s each\n");
    println!(
        "| a call           | load                 | answered a second | of the peak | p50, p99 of those, ms | turned away a second | p50, p99 of those, ms |"
    );
    println!(
        "|------------------|----------------------|------------------:|------------:|----------------------:|---------------------:|----------------------:|"
    );
    for (way, name) in [("waiting", "waits 10 ms"), ("working", "works for 1 ms")] {
        let service = Child::serving(way)?;
        let _warm = load(&service, PLACES, None)?;
        let peak = load(&service, PLACES, None)?;
        let row = |what: String, of: &[Answered]| {
            let share = rate(of, 200) / rate(&peak, 200);
            let pair = |status| format!("{:.1}, {:.1}", at(of, status, 0.5), at(of, status, 0.99));
            println!(
                "| {name:<16} | {what:<20} | {:>17.0} | {share:>11.2} | {:>21} | {:>20.0} | {:>21} |",
                rate(of, 200),
                pair(200),
                rate(of, 503),
                pair(503)
            );
            share
        };
        row(format!("its peak: {PLACES} callers"), &peak);
        // ten times as many calls as it can answer, from ten times as many callers
        let workers = PLACES * 10;
        let each = (rate(&peak, 200) * 10.0 / f64::from(workers)).ceil() as u32;
        let over = load(&service, workers, Some(each))?;
        let share = row(format!("{} a second", each * workers), &over);
        let held = if share >= 0.8 { "ok" } else { "MISSED" };
        let others = over.iter().filter(|(status, _)| !matches!(status, 200 | 503)).count();
        println!(
            "|                  | >= 0.8: {held:<12} | {others:>10} others |             |                       |                      |                       |"
        );
    }
    Ok(())
}
