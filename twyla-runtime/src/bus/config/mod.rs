//! The configuration of the connection to RabbitMQ. Host, user and password have no defaults in the environment.

use std::ffi::OsString;
use std::fmt;
use std::time::Duration;

mod tls;

pub use tls::Tls;

/// Effectively infinite; safe to add to `Instant::now()`.
pub(crate) const FOREVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// The configuration of a connection to RabbitMQ: its nodes, credentials and deadlines.
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    /// The host of each node of the cluster, and its port if the configured text contains one.
    pub(crate) nodes: Vec<(String, Option<u16>)>,
    /// The port for nodes whose text contains none. `None` is the protocol's default: 5672, or 5671 with TLS.
    port: Option<u16>,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) vhost: String,
    pub(crate) app_id: String,
    pub(crate) connect_deadline: Duration,
    pub(crate) emit_deadline: Duration,
    pub(crate) heartbeat: Duration,
    pub(crate) max_event: usize,
    pub(crate) tls: Option<Tls>,
}

/// The error of a variable that is missing or has an invalid value. It never shows a password.
///
/// Its `Debug` is its `Display`, so that a `main` that returns it prints a sentence.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The environment variable, or the name of the value if it doesn't come from the environment.
    pub variable: String,
    /// The problem, and the expected value.
    pub problem: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.variable, self.problem)
    }
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ConfigError {}

/// Returns `<prefix>_<name>`, or `name` if the prefix is empty. The prefix may end in an underscore.
pub(crate) fn variable(prefix: &str, name: &str) -> String {
    match prefix.strip_suffix('_').unwrap_or(prefix) {
        "" => name.to_owned(),
        prefix => format!("{prefix}_{name}"),
    }
}

impl Config {
    /// Creates a configuration for RabbitMQ at `host`, port 5672 (5671 with TLS), virtual host `/`. The host may contain
    /// another port: `host:5673`, `[::1]:5673`.
    #[must_use]
    pub fn new(host: impl Into<String>, user: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            nodes: vec![node(host.into())],
            port: None,
            user: user.into(),
            password: password.into(),
            vhost: "/".to_owned(),
            app_id: program(),
            connect_deadline: Duration::from_secs(10),
            emit_deadline: Duration::from_secs(30),
            heartbeat: Duration::from_secs(20),
            max_event: MAX_EVENT,
            tls: None,
        }
    }

    /// Adds a node of the same cluster. Each connection tries a random node first, and then the next ones.
    #[must_use]
    pub fn or(mut self, host: impl Into<String>) -> Self {
        self.nodes.push(node(host.into()));
        self
    }

    /// Sets the port for nodes whose host contains none. Default: 5672, or 5671 with TLS.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Connects with TLS.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Sets the virtual host. Default: `/`.
    #[must_use]
    pub fn vhost(mut self, vhost: impl Into<String>) -> Self {
        self.vhost = vhost.into();
        self
    }

    /// Sets the name of this service on its connections and messages (`app_id`). Default: the program's file name.
    #[must_use]
    pub fn app_id(mut self, app_id: impl Into<String>) -> Self {
        self.app_id = app_id.into();
        self
    }

    /// Sets the time limit of [`Bus::connect`](crate::Bus::connect), and of each later attempt to reconnect. Default: 10 s.
    #[must_use]
    pub fn connect_deadline(mut self, deadline: Duration) -> Self {
        self.connect_deadline = deadline.min(FOREVER);
        self
    }

    /// Sets how long [`Bus::emit`](crate::Bus::emit) waits for the broker's confirm, reconnecting and sending again as
    /// needed. Default: 30 s.
    #[must_use]
    pub fn emit_deadline(mut self, deadline: Duration) -> Self {
        self.emit_deadline = deadline.min(FOREVER);
        self
    }

    /// Sets the heartbeat timeout, in whole seconds; 20 s unless set. A connection that receives no data for this long is lost.
    #[must_use]
    pub fn heartbeat(mut self, heartbeat: Duration) -> Self {
        self.heartbeat = heartbeat;
        self
    }

    /// Sets the maximum size of an event with its envelope, in bytes; 32 MiB unless set. The broker has a limit too, by default
    /// 16 MiB in RabbitMQ 4 (`max_message_size`): an event that exceeds it fails at once.
    ///
    /// An event above this size is not emitted ([`Error::TooLarge`](crate::Error::TooLarge)). A delivered event above it is dead-lettered
    /// without being read.
    #[must_use]
    pub fn max_event(mut self, bytes: usize) -> Self {
        self.max_event = bytes;
        self
    }

    /// Reads `<PREFIX>_AMQP_HOST`, `_PORT`, `_USER`, `_PASS` and `_VHOST`; the prefix with or without its trailing underscore.
    /// `None` if none of them is set. The host may be a comma-separated list of a cluster's nodes: `one,two:5673`.
    ///
    /// `<PREFIX>_AMQP_TLS` is `on` or `off`. With it, `_TLS_CA` is a file of certificates to trust instead of the system's,
    /// `_TLS_CERT` and `_TLS_KEY` are the files of a client certificate and its key, and `_TLS_NAME` is the name in the
    /// broker's certificate, if it differs from the host.
    ///
    /// # Errors
    /// [`ConfigError`] names the first variable that is missing, empty or invalid, and describes a valid value.
    pub fn from_env(prefix: &str) -> Result<Option<Self>, ConfigError> {
        Self::from_lookup(prefix, |name| std::env::var_os(name))
    }

    /// Reads the configuration like [`from_env`](Self::from_env), from any source of variables.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn from_lookup(prefix: &str, lookup: impl Fn(&str) -> Option<OsString>) -> Result<Option<Self>, ConfigError> {
        let variable = |part: &str| variable(prefix, &format!("AMQP_{part}"));
        let error = |part: &str, problem: String| ConfigError { variable: variable(part), problem };
        let read = |part: &str, should: &str| match lookup(&variable(part)) {
            None => Ok(None),
            Some(value) => match value.into_string() {
                Ok(text) if text.is_empty() => Err(error(part, format!("is empty: set it to {should}, or unset it"))),
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(error(part, format!("is not valid Unicode: it should be {should}"))),
            },
        };

        let Some(hosts) = read("HOST", HOST)? else {
            return match OTHERS.iter().find(|part| lookup(&variable(part)).is_some()) {
                Some(part) => Err(error(
                    "HOST",
                    format!(
                        "is not set, but {} is: set it to {HOST}; to run in memory, unset the others",
                        variable(part)
                    ),
                )),
                None => Ok(None),
            };
        };
        if let Some(bad) = hosts.chars().find(|c| c.is_whitespace() || c.is_control() || matches!(c, '/' | '@')) {
            return Err(error("HOST", format!("contains {bad:?}: it should be {HOST}")));
        }
        let mut nodes = Vec::new();
        for host in hosts.split(',') {
            let node = node(host.to_owned());
            if node.0.is_empty() || node.1 == Some(0) || node.1.is_none() && host.matches(':').count() == 1 {
                return Err(error("HOST", format!("contains {host:?}: it should be {HOST}")));
            }
            nodes.push(node);
        }
        let port = match read("PORT", PORT)? {
            None => None,
            Some(text) => match text.parse() {
                Ok(port) if port != 0 => Some(port),
                _ => return Err(error("PORT", format!("is {text:?}: it should be {PORT}"))),
            },
        };
        let lacks = |other: &str, should: &str| format!("is not set, but {} is: set it to {should}", variable(other));
        let needed = |part: &str, should: &str| read(part, should)?.ok_or_else(|| error(part, lacks("HOST", should)));
        let user = needed("USER", "the user's name")?;
        let password = needed("PASS", "the user's password")?;
        let vhost = read("VHOST", "the virtual host's name, for example /")?.unwrap_or_else(|| "/".to_owned());
        if vhost.len() > 255 {
            return Err(error("VHOST", format!("has {} bytes: a virtual host's name has at most 255", vhost.len())));
        }
        let tls = match read("TLS", SWITCH)?.as_deref() {
            None | Some("off") => match TLS_OTHERS.iter().find(|part| lookup(&variable(part)).is_some()) {
                Some(part) => {
                    return Err(error(
                        "TLS",
                        format!("is not on, but {0} is set: set it to on, or unset {0}", variable(part)),
                    ));
                }
                None => None,
            },
            Some("on") if !cfg!(feature = "tls") => {
                let why = "is on, but twyla-runtime was built without its feature `tls`";
                return Err(error("TLS", why.to_owned()));
            }
            Some("on") => {
                let identity = match (read("TLS_CERT", CERT)?, read("TLS_KEY", KEY)?) {
                    (Some(certificate), Some(key)) => Some((certificate.into(), key.into())),
                    (None, None) => None,
                    (Some(_), None) => return Err(error("TLS_KEY", lacks("TLS_CERT", KEY))),
                    (None, Some(_)) => return Err(error("TLS_CERT", lacks("TLS_KEY", CERT))),
                };
                let ca = read("TLS_CA", "a file of certificates in PEM")?.map(Into::into);
                Some(Tls { ca, identity, server_name: read("TLS_NAME", "the name in the broker's certificate")? })
            }
            Some(other) => return Err(error("TLS", format!("is {other:?}: it should be {SWITCH}"))),
        };
        Ok(Some(Self { nodes, port, tls, ..Self::new("", user, password).vhost(vhost) }))
    }

    /// Returns the host and the port of the node for attempt `turn`, round-robin.
    #[cfg_attr(not(feature = "amqp"), allow(dead_code, reason = "only connections to RabbitMQ use the nodes"))]
    pub(crate) fn node(&self, turn: usize) -> (&str, u16) {
        let (host, port) = &self.nodes[turn % self.nodes.len()];
        let usual = if self.tls.is_some() { 5671 } else { 5672 };
        (host, port.or(self.port).unwrap_or(usual))
    }

    /// Returns the host and port of each node and the virtual host, as text for messages.
    #[cfg_attr(not(feature = "amqp"), allow(dead_code, reason = "only messages about connections use the address"))]
    pub(crate) fn address(&self) -> String {
        let nodes = (0..self.nodes.len()).map(|turn| {
            let (host, port) = self.node(turn);
            let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
            format!("{open}{host}{close}:{port}")
        });
        format!("{} (vhost `{}`)", nodes.collect::<Vec<_>>().join(", "), self.vhost)
    }
}

/// Splits a node's text into a host and an optional port: `host`, `host:5673`, `::1`, `[::1]`, `[::1]:5673`.
fn node(text: String) -> (String, Option<u16>) {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => match text.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            _ => (&*text, None),
        },
    };
    match port.map(str::parse) {
        Some(Ok(port)) => (host.to_owned(), Some(port)),
        None => (host.to_owned(), None),
        Some(Err(_)) => (text, None),
    }
}

/// The default of [`Config::max_event`], in bytes.
pub(crate) const MAX_EVENT: usize = 32 << 20;

const HOST: &str = "the name or address of the RabbitMQ host, for example localhost, or several, separated by commas";
const SWITCH: &str = "on or off";
const CERT: &str = "a file with the client's certificate and its chain in PEM";
const KEY: &str = "a file with the client's private key in PEM";
const TLS_OTHERS: [&str; 4] = ["TLS_CA", "TLS_CERT", "TLS_KEY", "TLS_NAME"];
const OTHERS: [&str; 9] = ["PORT", "USER", "PASS", "VHOST", "TLS", "TLS_CA", "TLS_CERT", "TLS_KEY", "TLS_NAME"];
const PORT: &str = "a port number from 1 to 65535";

/// Returns the program's file name.
pub(crate) fn program() -> String {
    std::env::current_exe()
        .ok()
        .and_then(|path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()))
        .unwrap_or_else(|| "twyla".to_owned())
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("nodes", &self.nodes)
            .field("port", &self.port)
            .field("tls", &self.tls)
            .field("user", &self.user)
            .field("password", &format_args!("***"))
            .field("vhost", &self.vhost)
            .field("app_id", &self.app_id)
            .field("connect_deadline", &self.connect_deadline)
            .field("emit_deadline", &self.emit_deadline)
            .field("heartbeat", &self.heartbeat)
            .field("max_event", &self.max_event)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(prefix: &str, set: &[(&str, &str)]) -> Result<Option<Config>, String> {
        Config::from_lookup(prefix, |name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()))
            .map_err(|e| e.to_string())
    }

    #[test]
    fn nothing_set_means_in_memory() {
        assert_eq!(read("BUS", &[("OTHER_AMQP_HOST", "x")]), Ok(None));
    }

    #[test]
    fn the_prefix_may_end_in_an_underscore() {
        let set = [("BUS_AMQP_HOST", "::1"), ("BUS_AMQP_USER", "u"), ("BUS_AMQP_PASS", "p")];
        let config = read("BUS", &set).unwrap().unwrap();
        assert_eq!(config, read("BUS_", &set).unwrap().unwrap());
        assert_eq!((config.node(0), config.vhost.as_str()), (("::1", 5672), "/"));
        assert_eq!(config.address(), "[::1]:5672 (vhost `/`)");
    }

    #[test]
    fn reads_all_five() {
        let set = [
            ("BUS_AMQP_HOST", "rabbit"),
            ("BUS_AMQP_PORT", "65535"),
            ("BUS_AMQP_USER", "u:@/"),
            ("BUS_AMQP_PASS", "p@:/%2f"),
            ("BUS_AMQP_VHOST", "a/b"),
        ];
        let config = read("BUS", &set).unwrap().unwrap();
        assert_eq!((config.user.as_str(), config.password.as_str()), ("u:@/", "p@:/%2f"));
        assert_eq!((config.node(0), config.vhost.as_str()), (("rabbit", 65535), "a/b"));
    }

    #[test]
    fn reads_the_nodes_of_a_cluster() {
        let hosts = ("B_AMQP_HOST", "one,two:5673,[::1]:5674,fe80::2");
        let set = [hosts, ("B_AMQP_USER", "u"), ("B_AMQP_PASS", "p"), ("B_AMQP_PORT", "7")];
        let config = read("B", &set).unwrap().unwrap();
        let nodes = [("one", 7), ("two", 5673), ("::1", 5674), ("fe80::2", 7)];
        assert_eq!([0, 1, 2, 3].map(|turn| config.node(turn)), nodes);
        assert_eq!(config.node(6), nodes[2]);
        assert_eq!(config.address(), "one:7, two:5673, [::1]:5674, [fe80::2]:7 (vhost `/`)");
        let by_hand = Config::new("one", "u", "p").or("two:5673").or("[::1]:5674").or("fe80::2").port(7);
        assert_eq!(config, by_hand);
    }

    #[test]
    fn a_missing_or_bad_value_is_an_error_that_names_the_variable() {
        let good = [("B_AMQP_HOST", "h"), ("B_AMQP_USER", "u"), ("B_AMQP_PASS", "hunter2")];
        for (change, why) in [
            (("B_AMQP_HOST", None), "B_AMQP_HOST is not set, but B_AMQP_USER is"),
            (("B_AMQP_HOST", Some("")), "B_AMQP_HOST is empty: set it to the name"),
            (("B_AMQP_HOST", Some("amqp://h")), "B_AMQP_HOST contains '/'"),
            (("B_AMQP_HOST", Some("h:x")), "B_AMQP_HOST contains \"h:x\": it should be the name"),
            (("B_AMQP_HOST", Some("h:0")), "B_AMQP_HOST contains \"h:0\""),
            (("B_AMQP_HOST", Some("h,,i")), "B_AMQP_HOST contains \"\""),
            (("B_AMQP_USER", None), "B_AMQP_USER is not set, but B_AMQP_HOST is: set it to the user's name"),
            (("B_AMQP_PASS", None), "B_AMQP_PASS is not set"),
            (("B_AMQP_PASS", Some("")), "B_AMQP_PASS is empty"),
            (("B_AMQP_VHOST", Some("")), "B_AMQP_VHOST is empty"),
            (("B_AMQP_PORT", Some("0")), "B_AMQP_PORT is \"0\": it should be a port number from 1 to 65535"),
            (("B_AMQP_PORT", Some("70000")), "B_AMQP_PORT is \"70000\""),
            (("B_AMQP_PORT", Some("abc")), "B_AMQP_PORT is \"abc\""),
            (("B_AMQP_PORT", Some("-1")), "B_AMQP_PORT is \"-1\""),
        ] {
            let mut set: Vec<_> = good.iter().copied().filter(|(key, _)| *key != change.0).collect();
            set.extend(change.1.map(|value| (change.0, value)));
            let error = read("B", &set).unwrap_err();
            assert!(error.starts_with(why), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[cfg(feature = "tls")]
    #[test]
    fn reads_tls() {
        let host = [("B_AMQP_HOST", "h"), ("B_AMQP_USER", "u"), ("B_AMQP_PASS", "p")];
        let with = |more: &[(&'static str, &'static str)]| read("B", &[&host[..], more].concat());
        let on = with(&[("B_AMQP_TLS", "on")]).unwrap().unwrap();
        assert_eq!((on.node(0).1, &on.tls), (5671, &Some(Tls::new())));
        let off = with(&[("B_AMQP_TLS", "off")]).unwrap().unwrap();
        assert_eq!((off.node(0).1, &off.tls), (5672, &None));
        let all = [
            ("B_AMQP_TLS", "on"),
            ("B_AMQP_TLS_CA", "/ca"),
            ("B_AMQP_TLS_CERT", "/c"),
            ("B_AMQP_TLS_KEY", "/k"),
            ("B_AMQP_TLS_NAME", "n"),
        ];
        let tls = Tls::new().ca("/ca").client_certificate("/c", "/k").server_name("n");
        assert_eq!(with(&all).unwrap().unwrap().tls, Some(tls));
        for (more, why) in [
            (&[("B_AMQP_TLS", "yes")][..], "B_AMQP_TLS is \"yes\": it should be on or off"),
            (&[("B_AMQP_TLS_CA", "/ca")], "B_AMQP_TLS is not on, but B_AMQP_TLS_CA is set"),
            (
                &[("B_AMQP_TLS", "on"), ("B_AMQP_TLS_CERT", "/c")],
                "B_AMQP_TLS_KEY is not set, but B_AMQP_TLS_CERT is: set it to a file",
            ),
            (
                &[("B_AMQP_TLS", "on"), ("B_AMQP_TLS_KEY", "/k")],
                "B_AMQP_TLS_CERT is not set, but B_AMQP_TLS_KEY is: set it to a file",
            ),
        ] {
            let error = with(more).unwrap_err();
            assert!(error.starts_with(why), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_unicode_is_an_error() {
        use std::os::unix::ffi::OsStringExt;
        let error =
            Config::from_lookup("B", |name| (name == "B_AMQP_HOST").then(|| OsString::from_vec(vec![b'h', 0xff])));
        assert!(error.unwrap_err().to_string().starts_with("B_AMQP_HOST is not valid Unicode"));
    }

    #[test]
    fn the_password_is_not_in_debug() {
        let config = Config::new("h", "u", "hunter2");
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
