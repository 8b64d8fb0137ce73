use twyla_golden::custom::shop::OrderPlaced;

fn main() {
    let _ = OrderPlaced::builder()
        .order("o-1")
        .placed_at("2026-01-02T03:04:05Z".parse().unwrap())
        .color(twyla_golden::custom::shop::OrderPlacedColor::Red)
        .lines(Vec::new())
        .total(twyla_golden::own::Money::default())
        .tax(twyla_golden::own::Decimal::default())
        .count(1)
        .rate(0.19)
        .build();
}
