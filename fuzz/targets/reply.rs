//! Arbitrary bytes as the content of a `bot.reply`.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use twyla_fuzz::contract::Contract;
use twyla_fuzz::contracts::bot::Reply;
use twyla_codec::event::{Emit, Listen};

static CONTRACT: LazyLock<Contract<Reply>> =
    LazyLock::new(|| Contract::new("events/bot/reply.json", Reply::decode, Reply::encode));

fuzz_target!(|bytes: &[u8]| CONTRACT.hold(bytes));
