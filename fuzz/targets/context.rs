//! Arbitrary bytes as a context.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use twyla_fuzz::contract::Contract;
use twyla_fuzz::contracts::Context;
use twyla_codec::event::EventContext;

static CONTRACT: LazyLock<Contract<Context>> =
    LazyLock::new(|| Contract::new("context.json", Context::decode, Context::encode));

fuzz_target!(|bytes: &[u8]| CONTRACT.hold(bytes));
