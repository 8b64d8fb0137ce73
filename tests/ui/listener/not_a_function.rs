use twyla_runtime::listener;

#[listener("api.user_input")]
struct Answer;

fn main() {}
