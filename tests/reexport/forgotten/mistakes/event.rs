use bus::{Bus, event};
use platform_contracts::Context;

#[event("bot.reply", emit, contracts = platform_contracts)]
struct Mine {
    text: String,
}

async fn emit(bus: &Bus) {
    let _ = bus.emit(Mine { text: "hello".to_owned() }, Context::new("web")).await;
}

fn main() {
    let _ = emit;
}
