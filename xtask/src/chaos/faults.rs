//! The faults: actions on the broker, the network and the consumers while events are in progress.

use std::thread;
use std::time::Duration;

use super::children::Pool;
use super::error::Error;
use super::proxy::Mode;
use super::stage::Stage;

/// The duration of a stopped broker, a silent peer or a cut-off node: long enough for the children to miss heartbeats of 4 s.
const LONG: Duration = Duration::from_secs(12);

/// The duration of a full queue or of missing permissions.
const SHORT: Duration = Duration::from_secs(6);
/// The broker's `consumer_timeout` during [`Fault::ConsumerTimeout`].
const TIMEOUT: Duration = Duration::from_secs(3);
/// The number of events whose handlers take longer than [`TIMEOUT`].
const SLOW: u32 = 4;
/// The number of events that break their contract.
const BROKEN: u32 = 20;

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    CloseConnections,
    StopApp,
    KillBroker,
    StopProcess,
    SilentPeer,
    HalfOpen,
    MemoryAlarm,
    KillConsumer(&'static str),
    /// The user has no permissions for a while.
    NoRights,
    /// A queue that is bound to the event is full.
    FullQueue,
    /// Events that break their contract, while the dead queues are full.
    FullDeadQueue,
    /// The broker takes deliveries back before their handlers end.
    ConsumerTimeout,
    /// All concurrent handlers of a consumer share one connection to the database, until the consumer is killed.
    PoolOfOne,
    /// Kills the node with this index in a cluster.
    KillNode(usize),
    CutOff(usize),
}

impl Fault {
    /// The faults of a run with one node.
    pub(super) const ONE_NODE: [Self; 15] = [
        Self::CloseConnections,
        Self::StopApp,
        Self::KillBroker,
        Self::StopProcess,
        Self::SilentPeer,
        Self::HalfOpen,
        Self::MemoryAlarm,
        Self::KillConsumer("one"),
        Self::KillConsumer("two"),
        Self::KillConsumer("three"),
        Self::NoRights,
        Self::FullQueue,
        Self::FullDeadQueue,
        Self::ConsumerTimeout,
        Self::PoolOfOne,
    ];
    /// The faults of a run with three nodes.
    pub(super) const CLUSTER: [Self; 6] =
        [Self::KillNode(0), Self::KillNode(1), Self::KillNode(2), Self::CutOff(0), Self::CutOff(1), Self::CutOff(2)];

    pub(super) fn name(self) -> String {
        match self {
            Self::CloseConnections => "all connections closed".to_owned(),
            Self::StopApp => "stop_app, start_app".to_owned(),
            Self::KillBroker => "broker killed -9, restarted".to_owned(),
            Self::StopProcess => "broker stopped for 12 s".to_owned(),
            Self::SilentPeer => "silent peer for 12 s".to_owned(),
            Self::HalfOpen => "half-open connections".to_owned(),
            Self::MemoryAlarm => "memory alarm for 5 s".to_owned(),
            Self::KillConsumer(group) => format!("consumer of group {group} killed -9"),
            Self::NoRights => "all rights taken for 6 s".to_owned(),
            Self::FullQueue => "full queue for 6 s".to_owned(),
            Self::FullDeadQueue => "full dead queues for 6 s".to_owned(),
            Self::ConsumerTimeout => format!("consumer_timeout of {} s", TIMEOUT.as_secs()),
            Self::PoolOfOne => "pool of one connection".to_owned(),
            Self::KillNode(node) => format!("node {} of 3 killed -9", node + 1),
            Self::CutOff(node) => format!("node {} of 3 cut off for 12 s", node + 1),
        }
    }

    /// Causes the fault, and repairs what doesn't recover by itself.
    pub(super) fn inject(self, stage: &mut Stage) -> Result<(), Error> {
        match self {
            Self::CloseConnections => drop(stage.nodes[0].ctl(&["close_all_connections", "chaos"])?),
            Self::StopApp => {
                stage.nodes[0].ctl(&["stop_app"])?;
                stage.nodes[0].ctl(&["start_app"])?;
            }
            Self::KillBroker => {
                stage.nodes[0].signal("KILL")?;
                stage.nodes[0].restart()?;
            }
            Self::StopProcess => {
                stage.nodes[0].signal("STOP")?;
                thread::sleep(LONG);
                stage.nodes[0].signal("CONT")?;
            }
            Self::SilentPeer => {
                stage.proxy.set(Mode::Silent);
                thread::sleep(LONG);
                stage.proxy.set(Mode::Open);
            }
            Self::HalfOpen => stage.proxy.halve(),
            Self::MemoryAlarm => {
                stage.nodes[0].ctl(&["set_vm_memory_high_watermark", "0.000001"])?;
                thread::sleep(Duration::from_secs(5));
                stage.nodes[0].ctl(&["set_vm_memory_high_watermark", "0.4"])?;
            }
            Self::KillConsumer(group) => {
                let consumer = stage.consumers.iter_mut().find(|(of, _)| *of == group);
                if let Some((_, consumer)) = consumer {
                    consumer.kill()?;
                    *consumer = stage.nursery.consumer(group, Pool::Usual)?;
                }
                // the next fault of this kind hits the other member
                stage.consumers.rotate_left(1);
            }
            Self::NoRights => {
                stage.nodes[0].ctl(&["set_permissions", "guest", "^$", "^$", "^$"])?;
                // A channel caches its permissions.
                stage.nodes[0].ctl(&["close_all_connections", "chaos"])?;
                thread::sleep(SHORT);
                stage.nodes[0].ctl(&["set_permissions", "guest", ".*", ".*", ".*"])?;
            }
            Self::FullQueue => {
                let full = stage.nursery.helper(&["full"])?;
                thread::sleep(SHORT);
                full.end()?;
            }
            Self::FullDeadQueue => {
                let policy = r#"{"max-length":0,"overflow":"reject-publish"}"#;
                stage.nodes[0].ctl(&["set_policy", "full", r"\.dead$", policy, "--apply-to", "queues"])?;
                stage.broken(BROKEN)?;
                thread::sleep(SHORT);
                stage.nodes[0].ctl(&["clear_policy", "full"])?;
            }
            Self::ConsumerTimeout => {
                // New channels have this timeout, and check it every second.
                let set = format!(
                    "application:set_env(rabbit, channel_tick_interval, 1000), \
                     application:set_env(rabbit, consumer_timeout, {}).",
                    TIMEOUT.as_millis()
                );
                stage.nodes[0].ctl(&["eval", &set])?;
                stage.nodes[0].ctl(&["close_all_connections", "chaos"])?;
                stage.slow(SLOW, 3 * TIMEOUT)?;
                thread::sleep(3 * TIMEOUT);
                let usual = "application:set_env(rabbit, channel_tick_interval, 60000), \
                             application:set_env(rabbit, consumer_timeout, 1800000).";
                stage.nodes[0].ctl(&["eval", usual])?;
            }
            Self::PoolOfOne => {
                for (group, consumer) in stage.consumers.iter_mut().filter(|(group, _)| *group != "one") {
                    consumer.kill()?;
                    *consumer = stage.nursery.consumer(group, Pool::One)?;
                }
            }
            Self::KillNode(node) => {
                stage.nodes[node].signal("KILL")?;
                thread::sleep(Duration::from_secs(3));
                stage.nodes[node].restart()?;
            }
            Self::CutOff(node) => {
                let names: Vec<_> = stage.nodes.iter().map(|node| node.name().to_owned()).collect();
                let others = names.iter().filter(|name| **name != names[node]);
                // Set a wrong cookie for each of the other nodes on this node, so that they can't connect again.
                let cut: String = others
                    .clone()
                    .map(|other| format!("erlang:set_cookie('{other}', cut), erlang:disconnect_node('{other}'), "))
                    .collect();
                stage.nodes[node].ctl(&["eval", &format!("{cut} ok.")])?;
                thread::sleep(LONG);
                // A minority pauses, so a node that still runs was not cut off.
                if stage.nodes[node].ctl(&["eval", "rabbit:is_running()."])?.trim() == "true" {
                    return Err(Error::NotCutOff(node + 1));
                }
                let mend: String = others
                    .map(|other| {
                        format!(
                            "erlang:set_cookie('{other}', erlang:get_cookie()), net_kernel:connect_node('{other}'), "
                        )
                    })
                    .collect();
                stage.nodes[node].ctl(&["eval", &format!("{mend} ok.")])?;
            }
        }
        Ok(())
    }
}
