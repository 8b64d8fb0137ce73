//! A service that the test kills again and again. It works in the PostgreSQL schema given as its argument.

use sqlx::{Pool, Postgres};
use tokio::io::{AsyncReadExt, stdin};
use twyla_runtime::sql::Outbox;
use twyla_runtime::{Bus, Dedupe};
use twyla_tests::broker::config;
use twyla_tests::here;
use twyla_tests::work::{Shop, postgres, worker};

here!(Mine, "takes_effect_once_whenever_it_is_killed");
here!(Answer, "takes_effect_once_whenever_it_is_killed_answer");

#[tokio::main]
async fn main() {
    let schema = std::env::args().nth(1).expect("the schema");
    let pool = Pool::<Postgres>::connect_with(postgres().options([("search_path", schema)])).await.unwrap();
    let bus = Bus::connect(config()).await.unwrap();
    let outbox = Outbox::sql(pool.clone()).await.unwrap();
    let shop = Shop { outbox: outbox.clone(), calls: Default::default(), fail_first: false };
    let service = bus.service().state(shop).dedupe(Dedupe::sql(pool).await.unwrap()).outbox(outbox).prefetch(8);
    let running = service.listeners([worker::<Mine, Answer, Postgres>("one")]).start().await.unwrap();
    // until the test process no longer runs
    let _ = stdin().read(&mut [0]).await;
    running.stop().await;
    bus.close().await;
}
