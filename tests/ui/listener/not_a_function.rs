mod contracts {
    twyla_runtime::include_contracts!();
}

use twyla_runtime::listener;

#[listener("api.user_input")]
struct Answer;

fn main() {}
