use twyla_runtime::event;

#[event("shop.order", listen)]
struct Order {
    quantity: u32,
    ordered: Option<u64>,
}

mod contracts {
    twyla_runtime::include_contracts!();
}

fn main() {}
