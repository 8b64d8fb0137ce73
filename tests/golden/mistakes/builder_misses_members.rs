use twyla_golden::custom::shop::OrderPlaced;

fn main() {
    let _ = OrderPlaced::builder()
        .placed_at("2026-01-02T03:04:05Z".parse().unwrap())
        .color(twyla_golden::custom::shop::OrderPlacedColor::Red)
        .total(twyla_golden::own::Money::default())
        .tax(twyla_golden::own::Decimal::default())
        .count(1)
        .customer("Ada")
        .build();
}
