//! TLS to RabbitMQ: the trusted certificates and the client certificate.

use std::path::PathBuf;

/// TLS settings of a connection to RabbitMQ, for [`Config::tls`](crate::bus::config::Config::tls).
///
/// rustls provides TLS 1.2 and 1.3. The broker's certificate is always checked: against the system's certificates, or
/// against the CA that [`ca`](Self::ca) sets. Files are PEM. They are read for each connection, so they can be replaced while the
/// program runs.
///
/// ```
/// use twyla_runtime::{Config, Tls};
///
/// let tls = Tls::new().ca("/etc/rabbitmq/ca.pem").client_certificate("/etc/me.pem", "/etc/me.key");
/// let config = Config::new("rabbitmq.internal", "me", "secret").tls(tls);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "tls"), allow(dead_code, reason = "only the TLS handshake reads the fields"))]
pub struct Tls {
    pub(crate) ca: Option<PathBuf>,
    /// The certificate with its chain, and its private key.
    pub(crate) identity: Option<(PathBuf, PathBuf)>,
    pub(crate) server_name: Option<String>,
}

impl Tls {
    /// Creates settings that trust the system's certificates and have no client certificate.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts only the certificates in this file, and not the certificates of the system.
    #[must_use]
    pub fn ca(mut self, file: impl Into<PathBuf>) -> Self {
        self.ca = Some(file.into());
        self
    }

    /// Authenticates with this client certificate, its chain and its private key.
    #[must_use]
    pub fn client_certificate(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.identity = Some((certificate.into(), key.into()));
        self
    }

    /// Sets the name that the broker's certificate must have; the host unless set.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }
}
