#![no_main]

use std::sync::Mutex;

/// The last panic, caught or not.
static PANIC: Mutex<String> = Mutex::new(String::new());

libfuzzer_sys::fuzz_target!(
    init: {
        // The loader catches the panics of the parser and of the generator, where libFuzzer's hook would end the process.
        std::panic::set_hook(Box::new(|panic| *PANIC.lock().unwrap() = panic.to_string()));
    },
    |data: &[u8]| {
        if std::panic::catch_unwind(|| genauth_fuzz::loader(data)).is_err() {
            eprintln!("{}", PANIC.lock().unwrap());
            std::process::abort();
        }
    }
);
