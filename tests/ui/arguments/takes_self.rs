mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::api::UserInput;
use twyla_runtime::listener;

struct Bot;

impl Bot {
    #[listener]
    async fn answer(self, _: UserInput) {}
}

fn main() {
    let _ = Bot::answer;
}
