//! What the tests of the bus share: an event per test, listeners that do what a test says, and both transports.

pub mod broker;
pub mod log;
pub mod ping;
pub mod proxy;
pub mod rude;
pub mod strict;
pub mod work;

pub use broker::rabbitmq;
pub use ping::{Call, Here, Ping, Place, Script, listener};

use std::future::Future;
use std::time::Duration;

use twyla_runtime::{Bus, DeadLetter};

/// Ends a test that hangs. No test waits for this in good times.
pub async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work).await.expect("the test hangs")
}

/// The dead letters of `<domain>.ping` in `group`, once there are `count`.
pub async fn dead_letters(bus: &Bus, event: &str, group: &str, count: usize) -> Vec<DeadLetter> {
    loop {
        let letters = bus.dead_letters(event, group, count + 10).await.unwrap();
        if letters.len() >= count {
            assert_eq!(letters.len(), count, "more dead letters than expected: {letters:?}");
            return letters;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Makes the tests named twice: in memory, and over RabbitMQ.
#[macro_export]
macro_rules! both_transports {
    ($($test:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $test() {
                $crate::within(super::$test(twyla_runtime::Bus::in_memory())).await;
            })*
        }
        mod rabbitmq {
            $(#[tokio::test]
            #[ignore = "needs RabbitMQ: cargo xtask test starts one"]
            async fn $test() {
                $crate::within(async {
                    let bus = $crate::rabbitmq(stringify!($test)).await;
                    super::$test(bus.clone()).await;
                    bus.close().await;
                })
                .await;
            })*
        }
    };
}

/// Makes the tests named, over RabbitMQ only; each begins with nothing left of an earlier run.
#[macro_export]
macro_rules! with_rabbitmq {
    ($($test:ident),* $(,)?) => {
        mod with_rabbitmq {
            $(#[tokio::test]
            #[ignore = "needs RabbitMQ: cargo xtask test starts one"]
            async fn $test() {
                $crate::within(async {
                    $crate::broker::clean(stringify!($test)).await;
                    super::$test().await;
                })
                .await;
            })*
        }
    };
}
