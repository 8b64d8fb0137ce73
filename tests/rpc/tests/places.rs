//! The addresses of services: resolvers, and addresses over TLS.

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use twyla_rpc_tests::contracts::rpc::desk::{Look, LookRequest};
use twyla_rpc_tests::{Script, context, rpcs, within};
use twyla_runtime::rpc::{CallError, Config, Resolve, Serve};
use twyla_runtime::{Bus, Rpc, Running, Tls};

type Found<'a> = std::pin::Pin<Box<dyn Future<Output = Result<Vec<String>, Box<dyn Error + Send + Sync>>> + Send + 'a>>;

async fn start(serve: Serve) -> Running {
    Bus::in_memory().service().state(Script::echo()).rpcs(rpcs()).serve(serve).start().await.unwrap()
}

/// Knows these addresses, or why there are none, and counts its calls.
struct Known(Result<Vec<String>, &'static str>, Arc<AtomicU32>);

impl Resolve for Known {
    fn resolve<'a>(&'a self, service: &'a str) -> Found<'a> {
        assert_eq!(service, "desk");
        self.1.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move { Ok(self.0.clone()?) })
    }
}

#[tokio::test]
async fn a_resolver_returns_addresses() {
    let running = start(Serve::on("127.0.0.1:0")).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let unused = listener.local_addr().unwrap();
    drop(listener);
    let asked = Arc::default();
    let addresses = [unused, running.address().unwrap()].map(|address| format!("http://{address}"));
    let resolver = Known(Ok(addresses.to_vec()), Arc::clone(&asked));
    let rpc = Rpc::new(Config::new().resolver(resolver)).unwrap();
    for id in 1..=5 {
        assert_eq!(within(async { rpc.call::<Look>(LookRequest::new(id), context()).await }).await.unwrap().id, id);
    }
    // its answer is cached for some seconds
    assert!(asked.load(Ordering::SeqCst) <= 2);
    running.stop().await;
}

#[tokio::test]
async fn a_resolver_fails() {
    for (found, expected) in [
        (Err("the registry is down"), "the address of `desk` is not known: the registry is down"),
        (Ok(Vec::new()), "`desk` has no address"),
        (Ok(vec!["desk:80".to_owned()]), "an address of `desk` is \"desk:80\""),
    ] {
        let rpc = Rpc::new(Config::new().attempts(1).resolver(Known(found, Arc::default()))).unwrap();
        let error = within(async { rpc.call::<Look>(LookRequest::new(1), context()).await }).await.unwrap_err();
        assert!(matches!(&error, CallError::Unreachable { maybe_begun: false, .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

/// Fails at first, and then knows the address.
struct Late(String, AtomicU32);

impl Resolve for Late {
    fn resolve<'a>(&'a self, _: &'a str) -> Found<'a> {
        let first = self.1.fetch_add(1, Ordering::SeqCst) == 0;
        Box::pin(async move { if first { Err("it has just been started".into()) } else { Ok(vec![self.0.clone()]) } })
    }
}

#[tokio::test]
async fn a_resolver_is_asked_again() {
    let running = start(Serve::on("127.0.0.1:0")).await;
    let resolver = Late(format!("http://{}", running.address().unwrap()), AtomicU32::new(0));
    let rpc = Rpc::new(Config::new().resolver(resolver)).unwrap();
    assert_eq!(within(async { rpc.call::<Look>(LookRequest::new(7), context()).await }).await.unwrap().id, 7);
    running.stop().await;
}

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Serves the routes over TLS, and counts the requests by HTTP version.
async fn behind_tls(folder: &Path, running: &Running, alpn: &[&[u8]]) -> std::net::SocketAddr {
    let certificate = CertificateDer::from_pem_file(folder.join("desk.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("desk.key")).unwrap();
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, routes) = (listener.local_addr().unwrap(), running.router());
    let routes = routes.layer(axum::middleware::map_request(|request: axum::extract::Request| async move {
        // `host` exists only in HTTP/1.1, and `:authority` only in HTTP/2
        let version = request.version();
        assert_eq!(request.headers().contains_key("host"), version < axum::http::Version::HTTP_2);
        request
    }));
    let speaks_http2 = alpn.contains(&&b"h2"[..]);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, routes) = (acceptor.clone(), routes.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let builder = auto::Builder::new(TokioExecutor::new());
                let builder = if speaks_http2 { builder } else { builder.http1_only() };
                let _ = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes)).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn over_tls() {
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("ext"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    openssl(
        folder,
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 2",
    );
    openssl(
        folder,
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout desk.key -out desk.csr -subj /CN=desk",
    );
    openssl(
        folder,
        "x509 -req -in desk.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out desk.pem -days 2 -extfile ext",
    );
    let running = start(Serve::mounted()).await;
    for alpn in [&[&b"h2"[..], b"http/1.1"][..], &[b"http/1.1"], &[]] {
        let address = behind_tls(folder, &running, alpn).await;
        let config = || Config::new().attempts(1).address("desk", [format!("https://{address}")]);
        // `http2` only affects unencrypted connections
        for http2 in [false, true] {
            let rpc = Rpc::new(config().http2(http2).tls(Tls::new().ca(folder.join("ca.pem")))).unwrap();
            for id in 1..=3 {
                let call = within(async { rpc.call::<Look>(LookRequest::new(id), context()).await });
                assert_eq!(call.await.unwrap().id, id);
            }
        }
        // a service with an unknown authority isn't called
        let stranger = Rpc::new(config()).unwrap();
        let error = within(async { stranger.call::<Look>(LookRequest::new(1), context()).await }).await.unwrap_err();
        assert!(matches!(&error, CallError::Unreachable { maybe_begun: false, .. }), "{error}");
        assert!(error.to_string().contains("certificate"), "{error}");
    }
    running.stop().await;
}
