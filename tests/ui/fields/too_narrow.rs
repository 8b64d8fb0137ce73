mod contracts {
    twyla_runtime::include_contracts!();
}
use twyla_runtime::{event, listener, listeners};

#[event("shop.order", listen)]
#[derive(Debug)]
pub struct Order {
    quantity: u16,
}

#[listener]
async fn answer(input: Order) {
    println!("{input:?}");
}

fn main() {
    let _ = listeners![answer];
}
