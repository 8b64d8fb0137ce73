//! Orders of a shop, about 1.5 kB each.

use super::Random;
use super::text::{Object, array, quoted};

const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const UPPER_AND_DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

pub(crate) fn event(random: &mut Random) -> String {
    let number = format!("{}-{}-{}", random.letters(2, UPPER), random.digits(4), random.digits(6));
    let mut event =
        Object::new().text("order_id", random.uuid()).text("number", number).text("placed_at", random.time());
    if random.percent(50) {
        event = event.text("deliver_on", random.date());
    }
    event = event
        .text("channel", random.of(&["web", "app", "phone", "branch"]))
        .text("currency", random.of(&["EUR", "USD", "GBP", "JPY"]))
        .raw("customer", customer(random))
        .raw("shipping", address(random));
    if random.percent(40) {
        event = event.raw("billing", address(random));
    }
    let items = random.from(2, 7);
    event = event.raw("items", array((0..items).map(|_| item(random))));
    if random.percent(30) {
        let discounts = random.from(0, 3);
        event = event.raw("discounts", array((0..discounts).map(|_| discount(random))));
    }
    event = event.raw("total", random.amount(20_000));
    if random.percent(80) {
        event = event.raw("tax", random.amount(2_000));
    }
    match random.from(0, 3) {
        0 => event = event.raw("note", "null"),
        1 => event = event.text("note", random.words(3, 30)),
        _ => {}
    }
    if random.percent(50) {
        let count = random.from(1, 6);
        let labels = (0..count).fold(Object::new(), |labels, index| {
            let key = format!("{}{index}", random.of(&["team", "origin", "risk", "warehouse", "campaign"]));
            labels.text(&key, random.of(&["north", "checked by hand", "low", "Lager Süd", "spring-26"]))
        });
        event = event.raw("labels", labels.end());
    }
    if random.percent(60) {
        let callback = format!("https://shop.example.com/hooks/{}?order={}", random.hex(16), random.digits(8));
        event = event.text("callback", callback);
    }
    if random.percent(60) {
        event = event.text("source", format!("web-{}.eu-{}.shop.example.com", random.from(1, 40), random.from(1, 3)));
    }
    event.end()
}

fn customer(random: &mut Random) -> String {
    let name = random.of(&["Ada Lovelace", "Jörg Müller", "Σοφία Παπαδοπούλου", "Jean-Luc d'Artagnan", "山田 太郎"]);
    let email = format!("{}.{}@mail.example.org", random.of(&["ada", "jm", "sofia", "jean-luc"]), random.digits(4));
    let id = format!("c_{}", random.letters(12, "0123456789abcdefghijklmnopqrstuvwxyz"));
    let mut customer = Object::new().text("id", id).text("name", name).text("email", email);
    if random.percent(60) {
        customer = customer.text("phone", format!("+49{}", random.digits(10)));
    }
    if random.percent(30) {
        customer = customer.raw("vip", random.percent(50));
    }
    if random.percent(70) {
        let ip =
            format!("{}.{}.{}.{}", random.from(1, 223), random.from(0, 255), random.from(0, 255), random.from(1, 254));
        customer = customer.text("ip", ip);
    }
    customer.end()
}

fn address(random: &mut Random) -> String {
    let street = random.of(&["Hauptstraße", "Rue de l'Église", "Baker Street", "Calle de Alcalá", "Unter den Linden"]);
    let mut address = Object::new().text("street", street);
    if random.percent(80) {
        address = address.text("house", format!("{}{}", random.from(1, 250), random.of(&["", "", "a", "b"])));
    }
    address
        .text("postcode", random.digits(5))
        .text("city", random.of(&["Berlin", "København", "London", "Zürich", "San Sebastián"]))
        .text("country", random.letters(2, UPPER))
        .end()
}

fn item(random: &mut Random) -> String {
    let mut sku = format!("{}{}", random.letters(3, UPPER), random.digits(5));
    if random.percent(40) {
        let size = random.from(1, 4);
        sku = format!("{sku}-{}", random.letters(size, UPPER_AND_DIGITS));
    }
    let mut item = Object::new()
        .text("sku", sku)
        .text("title", random.words(2, 9))
        .raw("quantity", random.from(1, 20))
        .raw("unit_price", random.amount(900));
    if random.percent(60) {
        item = item.raw("weight_grams", random.from(10, 9_000));
    }
    if random.percent(60) {
        let tags = ["new", "sale", "größe-xl", "fragile", "gift-wrap", "bio"];
        let tags: Vec<&str> = tags.into_iter().filter(|_| random.percent(40)).collect();
        item = item.raw("tags", array(tags.into_iter().map(quoted)));
    }
    if random.percent(20) {
        item = item.raw("gift", random.percent(50));
    }
    item.end()
}

fn discount(random: &mut Random) -> String {
    let length = random.from(4, 12);
    let code = random.letters(length, UPPER_AND_DIGITS);
    Object::new().text("code", code).raw("percent", format!("{}.5", random.from(1, 60))).end()
}
