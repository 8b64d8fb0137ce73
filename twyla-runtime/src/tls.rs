//! TLS of outgoing connections with rustls: trusted certificates, and the certificate of this client.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::bus::config::Tls;

/// Returns the client configuration for the settings `tls`; without `ca`, the system's certificates are trusted. `protocols`
/// are offered in the handshake (ALPN).
pub(crate) fn client(tls: Option<&Tls>, protocols: &[&str]) -> Result<ClientConfig, String> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS: {error}"))?
        .with_root_certificates(roots(tls.and_then(|tls| tls.ca.as_deref()))?);
    let mut config = match tls.and_then(|tls| tls.identity.as_ref()) {
        None => config.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = certificates(certificate)?;
            let key = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable("private key", key, &error))?;
            let config = config.with_client_auth_cert(chain, key);
            config.map_err(|error| format!("TLS: the client certificate: {error}"))?
        }
    };
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Ok(config)
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(path) => {
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| unreadable("certificate", path, &error))?;
            }
        }
        None => {
            // some of a system's certificates may be too old to parse; if none can be parsed, the handshake fails with an error
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(certificates) if certificates.is_empty() => {
            Err(format!("TLS: the file {} has no certificate", path.display()))
        }
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(unreadable("certificate", path, &error)),
    }
}

fn unreadable(what: &str, path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("TLS: can't read the {what} in {}: {error}", path.display())
}
