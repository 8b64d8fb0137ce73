//! The TLS handshake with RabbitMQ.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::bus::config::Tls;
use crate::tls;

/// Performs the handshake. Certificate files are read for each connection, so they can be renewed while the service runs.
pub(crate) async fn handshake(tls: &Tls, host: &str, stream: TcpStream) -> Result<TlsStream<TcpStream>, String> {
    let config = tls::client(Some(tls), &[])?;
    let name = tls.server_name.as_deref().unwrap_or(host);
    let name = ServerName::try_from(name.to_owned()).map_err(|_| format!("{name:?} is not a valid TLS server name"))?;
    let connected = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    connected.map_err(|error| format!("TLS: {error}"))
}
