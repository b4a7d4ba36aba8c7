//! Feeds any bytes to [`cases::entry`].
#![no_main]

#[path = "../cases.rs"]
#[allow(dead_code, reason = "each target feeds one of the cases")]
mod cases;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cases::entry(bytes));
