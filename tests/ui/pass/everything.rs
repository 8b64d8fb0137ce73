// Every kind of property with every kind of type that fits it both ways, and handlers of every shape. The contracts are those of
// the program that includes this file.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use contracts::{Context, api::UserInput, bot, shared, shop};
use twyla_runtime::rpc::CallMeta;
use twyla_runtime::{Ack, Batch, BatchFail, Bus, Error, Meta, Rpc, State, event, listener, listeners, rpc, rpcs};

type Name = Arc<str>;

#[event("shop.order")]
#[derive(Clone, Debug)]
pub struct Order {
    order_id: Name,
    quantity: Box<u32>,
    price: Option<f64>,
    gift: Option<bool>,
    balance: Option<i64>,
    note: Option<Cow<'static, str>>,
    size: Option<shop::OrderSize>,
    tags: Option<BTreeSet<String>>,
    labels: Option<HashMap<String, Box<str>>>,
    address: Option<Box<shop::OrderAddress>>,
    extra: Option<serde_json::Value>,
    r#type: Option<String>,
}

/// Names of one's own, defaults, and values as they come.
#[event("shop.order")]
pub struct Loose {
    #[serde(rename = "order-id")]
    id: String,
    quantity: i128,
    note: serde_json::Value,
    #[serde(default)]
    size: String,
    #[serde(default)]
    tags: Vec<serde_json::Value>,
    #[serde(default = "no_labels")]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    address: serde_json::Map<String, serde_json::Value>,
}

fn no_labels() -> BTreeMap<String, String> {
    BTreeMap::new()
}

/// A narrow view: fine to read.
#[event("shop.order")]
pub struct View {
    quantity: usize,
}

/// Fine to emit: each value is one that the contract allows.
#[event("shop.order", emit)]
pub struct Small {
    order_id: String,
    quantity: u8,
    note: String,
    price: i32,
}

#[event("bot.reply", contracts = crate::contracts)]
pub struct Answer {
    text: String,
    mood: Option<bot::ReplyMood>,
    suggestions: Option<Vec<shared::Suggestion>>,
}

/// Trusted as it compiles; still held to the contract as it runs.
#[event("api.user_input", listen)]
pub struct Trusted {
    #[event(unchecked)]
    attempt: Option<std::num::NonZeroU8>,
}

#[listener("shop.order", group = "shop", retry = "5x 1s..1m", prefetch = 200, concurrency = 10, rate = "100/s", pause_after = "20 failures in 1m, for 30s", ordered_by = content.note)]
async fn sell(order: Order, context: Context, meta: Meta, State(db): State<Arc<str>>, bus: Bus, ack: Ack) -> Result<(), Error> {
    println!("{order:?} {meta:?} {db} {ack:?}");
    bus.emit(Answer { text: "sold".to_owned(), mood: None, suggestions: None }, &context).await
}

#[listener]
async fn view(View { quantity }: View, #[allow(unused_variables)] mut context: Context) {
    context.user = None;
    println!("{quantity}");
}

#[listener(group = "loose", retry = "never", ordered_by = session)]
async fn loose(Loose { id, quantity, note, size, tags, labels, address }: Loose) -> Result<(), String> {
    Err(format!("{id}{quantity}{note}{size}{tags:?}{labels:?}{address:?}"))
}

/// Batches, of contents alone or with contexts and metadata.
#[listener("api.user_input", group = "ledger", batch = 500, within = "200ms", ordered_by = context.channel)]
async fn book(inputs: Vec<UserInput>, State(db): State<Arc<str>>, bus: Bus, rpc: Rpc) -> Result<(), BatchFail> {
    println!("{} {db} {bus:?} {rpc:?}", inputs.len());
    BatchFail::at(7, "no seventh").into_result()
}

#[listener(group = "archive", batch = 50, concurrency = 2, prefetch = 200, ordered_by = content.note)]
async fn archive(orders: Batch<Order>) -> Result<(), Error> {
    for twyla_runtime::BatchEvent { content, context, meta, .. } in orders {
        println!("{} {} {}", content.order_id, context.channel, meta.session_id);
    }
    Ok(())
}

#[listener(group = "count", batch = 1)]
async fn count(mut views: std::vec::Vec<View>) {
    views.clear();
}

/// None of the properties, and one that an open contract doesn't declare.
#[event("api.user_input", listen)]
pub struct Ping;

#[event("api.user_input")]
pub struct Coloured {
    emission: String,
    #[event(unchecked)]
    colour: Option<u8>,
}

/// Handlers may come out of a macro.
macro_rules! handler {
    ($name:ident, $event:ty, $argument:ident) => {
        #[listener(group = "made")]
        async fn $name(content: $event, $argument: Context) {
            drop((content, $argument));
        }
    };
}

handler!(ping, Ping, parts);
handler!(reply, bot::Reply, incoming);

/// RPCs of every shape.
#[rpc("desk.find", idempotent, concurrency = 3, deadline = "250ms")]
async fn find(
    contracts::rpc::desk::FindRequest { id }: contracts::rpc::desk::FindRequest,
    context: Context,
    meta: CallMeta,
    State(db): State<Arc<str>>,
    bus: Bus,
    rpc: Rpc,
) -> Result<shared::Note, contracts::rpc::desk::FindError> {
    println!("{meta:?} {db} {bus:?}");
    let stored = rpc.call::<contracts::rpc::desk::Store>(shared::Note::new(id, "found"), &context).within(Duration::MAX);
    drop(stored);
    Err(contracts::rpc::desk::FindError::new(contracts::rpc::desk::FindErrorReason::Locked))
}

// the request of one RPC, the response of another
#[rpc("desk.store")]
async fn store(note: shared::Note) -> Result<contracts::rpc::desk::StoreResponse, Box<dyn std::error::Error + Send + Sync>> {
    drop(note);
    Ok(Default::default())
}

macro_rules! serves {
    ($name:ident, $argument:ident) => {
        #[rpc("shop.find")]
        async fn $name(request: contracts::rpc::shop::FindRequest, $argument: Context) -> Result<contracts::rpc::shop::FindResponse, String> {
            drop((request, $argument));
            Err(String::new())
        }
    };
}

serves!(find_in_shop, parts);

pub(crate) mod nested {
    #[twyla_runtime::listener("api.user_input")]
    pub(crate) async fn answer(_: super::Trusted) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Ok(())
    }
}

fn main() {
    #[listener(group = "inner")]
    async fn local(input: UserInput) {
        drop(input)
    }
    let listeners = listeners![sell, view, loose, nested::answer, ping, reply, local, book, archive, count];
    assert_eq!(listeners.len(), 10);
    let bus = Bus::in_memory();
    let context = Context { channel: "c".to_owned(), user: None };
    drop(bus.emit(Small { order_id: String::new(), quantity: 1, note: String::new(), price: 3 }, context));
    drop(Coloured { emission: String::new(), colour: None });
    // the function is still a function
    drop(local(UserInput { emission: String::new(), language: None, attempt: None }));
    drop(listeners![]);
    assert_eq!(rpcs![find, store].len() + rpcs![find_in_shop].len() + rpcs![].len(), 3);
    drop(store(shared::Note::new(1, "")));
}
