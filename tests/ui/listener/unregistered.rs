#![deny(dead_code)]

mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::api::UserInput;
use twyla_runtime::listener;

#[listener]
async fn answer(_: UserInput) {}

fn main() {}
