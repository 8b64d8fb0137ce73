//! Shared by the tests of the bus: an event per test, scripted listeners, and both transports.

pub mod batch;
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

/// Bounds a test that hangs; a passing test never waits this long.
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

/// Defines the named tests twice: in memory and over RabbitMQ.
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

/// Defines the named tests over RabbitMQ only, each after cleaning up earlier runs.
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
