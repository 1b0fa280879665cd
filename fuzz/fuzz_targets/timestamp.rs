#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| genauth_fuzz::timestamp(data));
