//! TLS to RabbitMQ: server verification, client certificates, and errors.

use std::path::PathBuf;
use std::time::Duration;

use twyla_runtime::{Bus, Config, Error, Tls};
use twyla_tests::broker::config;
use twyla_tests::proxy::{Mode, Proxy};
use twyla_tests::{Here, Ping, Place, Script, here, listener};

twyla_tests::with_rabbitmq!(
    emits_over_tls,
    trusts_no_other_certificate,
    refuses_another_name,
    is_refused_without_a_certificate,
    names_the_fault_of_a_file,
    gives_up_on_a_silent_handshake,
    a_handler_that_keeps_its_thread_keeps_its_connection_over_tls,
);

fn file(name: &str) -> PathBuf {
    let files = std::env::var("TWYLA_TEST_TLS_FILES").expect("TWYLA_TEST_TLS_FILES is not set: run `cargo xtask test`");
    PathBuf::from(files).join(name)
}

fn over(tls: Tls) -> Config {
    let port = std::env::var("TWYLA_TEST_TLS_PORT").unwrap().parse().unwrap();
    config().port(port).connect_deadline(Duration::from_secs(2)).tls(tls)
}

fn trusting() -> Tls {
    Tls::new().ca(file("ca.pem"))
}

fn known() -> Tls {
    trusting().client_certificate(file("client.pem"), file("client.key"))
}

async fn why(config: Config) -> String {
    match Bus::connect(config).await {
        Err(Error::Connect { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

async fn emits_over_tls() {
    here!(Mine, "emits_over_tls");
    let bus = Bus::connect(over(known())).await.unwrap();
    bus.emit(Ping::<Mine>::saying(1, "x".repeat(1_000_000)), Here::new("web")).await.unwrap();
    assert!(bus.state().borrow().is_up());
    bus.close().await;
}

async fn trusts_no_other_certificate() {
    let identity = |tls: Tls| tls.client_certificate(file("client.pem"), file("client.key"));
    for tls in [identity(Tls::new()), identity(Tls::new().ca(file("stranger.pem")))] {
        let why = why(over(tls)).await;
        assert!(why.starts_with("TLS: invalid peer certificate"), "{why}");
    }
}

async fn refuses_another_name() {
    let why = why(over(known().server_name("rabbit.example"))).await;
    assert!(why.contains("not valid for name \"rabbit.example\""), "{why}");
}

async fn is_refused_without_a_certificate() {
    // With TLS 1.3 the broker refuses after the handshake and closes: the client reports the alert or the reset,
    // whichever arrives first.
    let why = why(over(trusting())).await;
    assert!(why.to_lowercase().contains("certificate") || why.contains("reset by peer"), "{why}");
}

async fn names_the_fault_of_a_file() {
    let missing = why(over(Tls::new().ca("/nowhere/ca.pem"))).await;
    assert!(missing.starts_with("TLS: can't read the certificate in /nowhere/ca.pem: "), "{missing}");
    let empty = why(over(Tls::new().ca(file("client.key")))).await;
    assert!(empty.starts_with("TLS: ") && empty.ends_with("client.key has no certificate"), "{empty}");
}

async fn gives_up_on_a_silent_handshake() {
    let proxy = Proxy::start(Mode::Silent).await;
    let config = over(known()).port(proxy.port()).connect_deadline(Duration::from_millis(300));
    assert_eq!(why(config).await, "no answer within 0.3 s");
}

/// The test's runtime has one thread.
async fn a_handler_that_keeps_its_thread_keeps_its_connection_over_tls() {
    here!(Mine, "a_handler_that_keeps_its_thread_keeps_its_connection_over_tls");
    let heartbeat = Duration::from_secs(1);
    let bus = Bus::connect(over(known()).heartbeat(heartbeat)).await.unwrap();
    let (sender, mut calls) = tokio::sync::mpsc::unbounded_channel();
    let script = Script::<Mine>::new(move |call| {
        std::thread::sleep(heartbeat * 6);
        let _ = sender.send(call.meta.redelivered);
        async { Ok(()) }
    });
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    let mut state = bus.state();
    state.mark_unchanged();
    bus.emit(Ping::<Mine>::new(1), Here::new("web")).await.unwrap();
    assert_eq!(calls.recv().await, Some(false));
    running.stop().await;
    assert!(!state.has_changed().unwrap(), "the connection was lost: {:?}", state.borrow());
    assert!(calls.try_recv().is_err(), "{} came again", Mine::EVENT);
    bus.close().await;
}
