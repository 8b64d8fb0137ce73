//! Messages with properties that lapin can't read: the consumer continues.

use twyla_runtime::Bus;
use twyla_tests::broker::config;
use twyla_tests::rude::{long, publish};
use twyla_tests::{Place, Script, dead_letters, here, listener};

twyla_tests::with_rabbitmq!(survives_properties_that_no_library_writes);

const GOOD: &[u8] = br#"{"content":{"n":1,"text":"hi"},"context":{"channel":"web"}}"#;
const BAD: &[u8] = br#"{"content":{"n":1,"text":""},"context":{"channel":"web"}}"#;

fn nested(depth: usize) -> Vec<u8> {
    let mut value = vec![b'V'];
    for _ in 0..depth {
        value = [&b"F"[..], &long(&[b"\x01k", &value[..]].concat())].concat();
    }
    [&b"\x20\x00"[..], &long(&[b"\x01k", &value[..]].concat())].concat()
}

async fn survives_properties_that_no_library_writes() {
    here!(Mine, "survives_properties_that_no_library_writes");
    let bus = Bus::connect(config()).await.unwrap();
    let (script, mut calls) = Script::<Mine>::sending(|call| call.meta.message_id);
    let running = bus.service().state(script).listeners([listener::<Mine>("one")]).start().await.unwrap();
    let deep = nested(15_000);
    let properties: [&[u8]; 5] = [
        b"\x00\x80\x02\xff\xfe",                          // a message id that is not UTF-8
        b"\x20\x00\x00\x00\x00\x06\x04\xf0\x28\x8c\x28V", // a header's name likewise
        b"\x80\x08\x01\xff\x01\xff",                      // content type and app id
        &deep,                                            // tables within tables
        b"\x00\x00",                                      // none
    ];
    let state = bus.state();
    for properties in properties {
        publish(Mine::DOMAIN, b"ping", properties, GOOD).await;
        assert_eq!(calls.recv().await.unwrap(), None);
        publish(Mine::DOMAIN, b"ping", properties, BAD).await;
    }
    let letters = dead_letters(&bus, Mine::EVENT, "one", properties.len()).await;
    assert!(letters.iter().all(|letter| &letter.body[..] == BAD));
    assert!(!state.has_changed().unwrap(), "the connection was lost");
    running.stop().await;
    bus.close().await;
}
