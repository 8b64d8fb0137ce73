use contracts as platform;
use platform::api::UserInput;
use twyla_runtime::{listener, listeners};

#[listener("api.user_imput", contracts = platform)]
async fn answer(_: UserInput) {}

fn main() {
    let _ = listeners![answer];
}
