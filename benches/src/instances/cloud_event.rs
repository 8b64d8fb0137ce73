//! CloudEvents with various data and extension attributes.

use super::Random;
use super::text::{Object, array, quoted};

pub(crate) fn event(random: &mut Random) -> String {
    let source = match random.from(0, 2) {
        0 => format!("/sensors/tn-{}/alerts", random.digits(7)),
        1 => format!("https://github.com/cloudevents/spec/pull/{}", random.from(1, 900)),
        _ => format!("urn:uuid:{}", random.uuid()),
    };
    let mut event = Object::new()
        .text("specversion", "1.0")
        .text("type", random.of(&["com.example.order.placed", "com.github.pull_request.opened", "io.sensor.alert"]))
        .text("source", source)
        .text("id", random.uuid());
    if random.percent(80) {
        event = event.text("time", random.time());
    }
    if random.percent(50) {
        event = event.text("subject", format!("warehouse/{}/{}.jpg", random.from(1, 30), random.hex(10)));
    }
    if random.percent(30) {
        let (trace, span) = (random.hex(32), random.hex(16));
        event = event.text("traceparent", format!("00-{trace}-{span}-01")).raw("sequence", random.from(1, 100_000));
    }
    if random.percent(10) {
        let length = random.from(10, 200) * 4;
        let binary = random.letters(length, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
        return event.text("datacontenttype", "image/png").text("data_base64", binary).end();
    }
    if random.percent(90) {
        event = event.text("datacontenttype", "application/json");
        if random.percent(50) {
            event = event.text("dataschema", format!("https://schemas.example.com/alerts/{}.json", random.from(1, 9)));
        }
        event = event.raw("data", data(random));
    }
    event.end()
}

fn data(random: &mut Random) -> String {
    match random.from(0, 9) {
        0 => quoted(&random.words(5, 60)),
        1 => array((0..random.from(3, 30)).map(|_| random.amount(1_000)).collect::<Vec<_>>()),
        _ => {
            let readings = (0..random.from(1, 8)).map(|_| reading(random)).collect::<Vec<_>>();
            Object::new()
                .text("device", format!("tn-{}", random.digits(7)))
                .raw("online", random.percent(90))
                .raw("battery", random.amount(100))
                .raw("location", Object::new().raw("lat", random.amount(90)).raw("lon", random.amount(180)).end())
                .raw("readings", array(readings))
                .text("note", random.words(0, 20))
                .end()
        }
    }
}

fn reading(random: &mut Random) -> String {
    let unit = random.of(&["°C", "hPa", "%"]);
    let value = random.amount(1_100);
    Object::new()
        .text("at", random.time())
        .text("unit", unit)
        .raw("value", value)
        .raw("valid", random.percent(95))
        .end()
}
