mod contracts {
    twyla_runtime::include_contracts!();
}
use twyla_runtime::event;

#[event("api.user_input")]
pub struct Greeting<T> {
    emission: T,
}

fn main() {}
