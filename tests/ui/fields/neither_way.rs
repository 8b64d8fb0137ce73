mod contracts {
    twyla_runtime::include_contracts!();
}
use twyla_runtime::event;

#[event("shop.order")]
#[derive(Debug)]
pub struct Order {
    order_id: Option<String>,
    quantity: u8,
    note: Option<String>,
}

fn main() {}
