//! A platform of ten services, as it is deployed, and what is to be deployed.

use crate::manifests::Service;

const USER_INPUT: &str = r#"{ "type": "object", "properties": {
    "emission": { "type": "string", "minLength": 1 }, "attempt": { "type": "integer", "minimum": 1, "maximum": 100 } },
    "required": ["emission"] }"#;
/// More attempts.
pub(crate) const USER_INPUT_WIDER: &str = r#"{ "type": "object", "properties": {
    "emission": { "type": "string", "minLength": 1 }, "attempt": { "type": "integer", "minimum": 1, "maximum": 1000 } },
    "required": ["emission"] }"#;
/// What audit needs of it.
const USER_INPUT_VIEW: &str =
    r#"{ "type": "object", "properties": { "emission": { "type": "string" } }, "required": ["emission"] }"#;
pub(crate) const REPLY: &str = r#"{ "type": "object", "properties": {
    "text": { "type": "string" }, "mood": { "enum": ["cheerful", "neutral", "sorry"] } }, "required": ["text", "mood"] }"#;
/// Another mood.
const REPLY_WIDER: &str = r#"{ "type": "object", "properties": {
    "text": { "type": "string" }, "mood": { "enum": ["cheerful", "neutral", "sorry", "curious"] } },
    "required": ["text", "mood"] }"#;
const ORDER: &str = r#"{ "type": "object", "properties": {
    "id": { "type": "string", "format": "uuid" }, "total": { "type": "number", "minimum": 0 } }, "required": ["id", "total"] }"#;
const CANCELLED: &str =
    r#"{ "type": "object", "properties": { "id": { "type": "string", "format": "uuid" } }, "required": ["id"] }"#;
const RESERVED: &str = r#"{ "type": "object", "properties": {
    "order": { "type": "string" }, "state": { "enum": ["reserved", "sold_out"] } }, "required": ["order", "state"] }"#;
/// As it was: with one state more.
const RESERVED_BEFORE: &str = r#"{ "type": "object", "properties": {
    "order": { "type": "string" }, "state": { "enum": ["pending", "reserved", "sold_out"] } }, "required": ["order", "state"] }"#;
const INVOICED: &str = r#"{ "type": "object", "properties": {
    "order": { "type": "string" }, "amount": { "type": "number" } }, "required": ["order", "amount"] }"#;
/// Mail takes no credit notes.
const INVOICED_POSITIVE: &str = r#"{ "type": "object", "properties": {
    "order": { "type": "string" }, "amount": { "type": "number", "minimum": 0 } }, "required": ["order", "amount"] }"#;
pub(crate) const LEAD: &str = r#"{ "type": "object", "properties": { "name": { "type": "string" } } }"#;
const BOUNCED: &str = r#"{ "type": "object", "properties": { "to": { "type": "string", "format": "email" } } }"#;
pub(crate) const FIND: &str = r#"{ "type": "object", "properties": {
    "pnr": { "type": "string", "pattern": "^[A-Z0-9]{6}$" } }, "required": ["pnr"] }"#;
pub(crate) const BOOKING: &str = r#"{ "type": "object", "properties": {
    "pnr": { "type": "string" }, "seats": { "type": "integer", "minimum": 0 } }, "required": ["pnr"] }"#;

pub(crate) fn web() -> Service {
    Service::new("web", "1.3.0").emits("api.user_input", USER_INPUT).listens("bot.reply", "web", REPLY)
}

/// Sends more attempts, and knows the new mood.
pub(crate) fn web_next() -> Service {
    Service::new("web", "1.4.0").emits("api.user_input", USER_INPUT_WIDER).listens("bot.reply", "web", REPLY_WIDER)
}

pub(crate) fn bot() -> Service {
    Service::new("bot", "2.0.0")
        .listens("api.user_input", "bot", USER_INPUT)
        .emits("bot.reply", REPLY)
        .emits("crm.lead", LEAD)
        .calls("booking.find", FIND, BOOKING)
}

/// Takes more attempts, and has the new mood.
pub(crate) fn bot_next() -> Service {
    Service::new("bot", "2.1.0")
        .listens("api.user_input", "bot", USER_INPUT_WIDER)
        .emits("bot.reply", REPLY_WIDER)
        .emits("crm.lead", LEAD)
        .calls("booking.find", FIND, BOOKING)
}

pub(crate) fn mail() -> Service {
    Service::new("mail", "1.0.0")
        .listens("billing.invoiced", "mail", INVOICED_POSITIVE)
        .listens("stock.reserved", "mail", RESERVED)
        .listens("mail.bounced", "mail", BOUNCED)
}

/// Takes credit notes.
pub(crate) fn mail_next() -> Service {
    Service::new("mail", "1.1.0")
        .listens("billing.invoiced", "mail", INVOICED)
        .listens("stock.reserved", "mail", RESERVED)
        .listens("mail.bounced", "mail", BOUNCED)
}

/// What is deployed: mail refuses what billing may send, and what stock has sent before.
pub(crate) fn deployed() -> Vec<Service> {
    let stock_before = Service::new("stock", "2.9.0").emits("stock.reserved", RESERVED_BEFORE);
    let app_before = Service::new("app", "4.0.0").emits("api.user_input", USER_INPUT);
    vec![
        web(),
        bot(),
        Service::new("shop", "3.1.0")
            .emits("shop.order_placed", ORDER)
            .emits("shop.order_cancelled", CANCELLED)
            .listens("stock.reserved", "shop", RESERVED_BEFORE),
        Service::new("stock", "3.0.0")
            .listens("shop.order_placed", "stock", ORDER)
            .emits("stock.reserved", RESERVED)
            .after(stock_before),
        Service::new("billing", "5.2.0")
            .listens("shop.order_placed", "billing", ORDER)
            .emits("billing.invoiced", INVOICED),
        mail(),
        Service::new("crm", "1.0.0").listens("crm.lead", "crm", LEAD),
        Service::new("audit", "0.9.0")
            .listens("api.user_input", "audit", USER_INPUT_VIEW)
            .listens("shop.order_placed", "audit", ORDER)
            .listens("billing.invoiced", "audit", INVOICED),
        Service::new("app", "4.1.0").in_the_field().emits("api.user_input", USER_INPUT).after(app_before),
        Service::new("booking", "1.0.0").serves("booking.find", FIND, BOOKING).emits("booking.changed", BOOKING),
    ]
}
