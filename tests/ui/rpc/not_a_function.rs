mod contracts {
    twyla_runtime::include_contracts!();
}
use twyla_runtime::rpc;

#[rpc("desk.find")]
struct Find;

fn main() {}
