//! RabbitMQ for the tests: configured through TWYLA_TEST_AMQP_*, inspected and cleaned with plain lapin.

use std::env;

use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use lapin::uri::{AMQPAuthority, AMQPUri, AMQPUserInfo};
use lapin::{Channel, Connection, ConnectionProperties};
use twyla_runtime::{Bus, Config};

/// The configuration of the broker that `cargo xtask test` has started.
pub fn config() -> Config {
    Config::from_env("TWYLA_TEST").unwrap().expect("TWYLA_TEST_AMQP_HOST is not set: run `cargo xtask test`")
}

/// A bus over RabbitMQ, after cleaning up earlier runs of the test `domain`.
pub async fn rabbitmq(domain: &str) -> Bus {
    clean(domain).await;
    Bus::connect(config()).await.unwrap()
}

/// Removes everything that a test has left.
pub async fn clean(domain: &str) {
    let mut queues = Vec::new();
    for group in ["one", "two"] {
        let of_group = ["ping", "pong"].map(|event_type| format!("{domain}.{event_type}.{group}"));
        let beside =
            |queue: &String| ["", ".dead", ".retry.1s", ".retry.2s", ".retry.1h"].map(|end| format!("{queue}{end}"));
        queues.extend(of_group.iter().flat_map(beside));
    }
    remove(&queues, &[domain]).await;
}

/// Removes queues and exchanges, if they are there.
pub async fn remove(queues: &[String], exchanges: &[&str]) {
    let (_connection, channel) = lapin().await;
    for queue in queues {
        channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await.unwrap();
    }
    for &exchange in exchanges {
        channel.exchange_delete(exchange.into(), ExchangeDeleteOptions::default()).await.unwrap();
    }
}

/// A connection and channel beside the bus.
pub async fn lapin() -> (Connection, Channel) {
    let var = |part: &str| env::var(format!("TWYLA_TEST_AMQP_{part}")).ok();
    let uri = AMQPUri {
        authority: AMQPAuthority {
            userinfo: AMQPUserInfo { username: var("USER").unwrap(), password: var("PASS").unwrap() },
            host: var("HOST").unwrap(),
            port: var("PORT").map_or(5672, |port| port.parse().unwrap()),
        },
        vhost: var("VHOST").unwrap_or_else(|| "/".to_owned()),
        ..AMQPUri::default()
    };
    let connection = Connection::connect_uri(uri, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    (connection, channel)
}

/// Runs `rabbitmqctl` against the broker, which takes a second or two. Returns its output.
pub async fn ctl(args: &[&str]) -> String {
    let program =
        env::var("TWYLA_TEST_RABBITMQCTL").expect("TWYLA_TEST_RABBITMQCTL is not set: run `cargo xtask test`");
    let output = tokio::process::Command::new(program).args(args).output().await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "rabbitmqctl {args:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Creates a user for the test, with these permissions: configure, write, read.
pub async fn user(name: &str, permissions: [&str; 3]) -> Config {
    // a user of an earlier run is reused
    let make = format!(
        "rabbit_auth_backend_internal:put_user(#{{name => <<\"{name}\">>, password => <<\"secret\">>, tags => <<>>}}, <<\"t\">>)."
    );
    ctl(&["eval", &make]).await;
    permit(name, permissions).await;
    let host = env::var("TWYLA_TEST_AMQP_HOST").unwrap();
    let port = env::var("TWYLA_TEST_AMQP_PORT").unwrap().parse().unwrap();
    Config::new(host, name, "secret").port(port)
}

/// Changes a user's permissions: configure, write, read.
pub async fn permit(name: &str, [configure, write, read]: [&str; 3]) {
    ctl(&["set_permissions", name, configure, write, read]).await;
}

/// Makes the broker close a connection of the bus with this app id: the one to `publish` or to `consume`.
pub async fn close_connection(app_id: &str, role: &str) {
    let listed = ctl(&["list_connections", "pid", "client_properties"]).await;
    let named = listed.lines().find(|line| line.contains(&format!("\"{app_id} {role}\"")));
    let pid = named.and_then(|line| line.split('\t').next()).expect("the broker has no such connection");
    ctl(&["close_connection", pid, "closed by a test"]).await;
}

/// The number of the broker's connections from the bus with this app id.
pub async fn connections(app_id: &str) -> usize {
    let listed = ctl(&["list_connections", "user", "state", "client_properties"]).await;
    let roles = ["publish", "consume", "dead letters"];
    let named = |line: &&str| roles.iter().any(|role| line.contains(&format!("\"{app_id} {role}\"")));
    listed.lines().filter(named).count()
}
