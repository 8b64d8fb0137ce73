//! Arbitrary bytes as the content of an `api.user_input`.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use twyla_fuzz::contract::Contract;
use twyla_fuzz::contracts::api::UserInput;
use twyla_codec::event::{Emit, Listen};

static CONTRACT: LazyLock<Contract<UserInput>> =
    LazyLock::new(|| Contract::new("events/api/user_input.json", UserInput::decode, UserInput::encode));

fuzz_target!(|bytes: &[u8]| CONTRACT.hold(bytes));
