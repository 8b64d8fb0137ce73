//! An order, as a handwritten struct.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use chrono::{DateTime, FixedOffset, NaiveDate};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct OrderPlaced {
    pub order_id: Uuid,
    pub number: String,
    pub placed_at: DateTime<FixedOffset>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deliver_on: Option<NaiveDate>,
    pub channel: Channel,
    pub currency: String,
    pub customer: Customer,
    pub shipping: Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing: Option<Address>,
    pub items: Vec<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discounts: Option<Vec<DiscountsItem>>,
    pub total: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax: Option<f64>,
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub note: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Address {
    pub street: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub house: Option<String>,
    pub postcode: String,
    pub city: String,
    pub country: String,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub enum Channel {
    #[serde(rename = "web")]
    Web,
    #[serde(rename = "app")]
    App,
    #[serde(rename = "phone")]
    Phone,
    #[serde(rename = "branch")]
    Branch,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Customer {
    pub id: String,
    pub name: String,
    pub email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vip: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<Ipv4Addr>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct DiscountsItem {
    pub code: String,
    pub percent: f64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Item {
    pub sku: String,
    pub title: String,
    pub quantity: u64,
    pub unit_price: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_grams: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gift: Option<bool>,
}
