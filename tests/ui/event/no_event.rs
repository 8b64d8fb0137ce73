mod contracts {
    twyla_runtime::include_contracts!();
}
use twyla_runtime::event;

#[event()]
#[derive(Debug)]
pub struct Greeting {
    emission: String,
}

fn main() {}
