//! What several tests share.

#![allow(dead_code, reason = "not every test uses all of it")]

pub mod raw;

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// The events that `tracing` reports on this thread while the guard lives, one per line.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Collects events from `level` up, and the end of every span.
    pub fn start(level: tracing::Level) -> (Self, tracing::subscriber::DefaultGuard) {
        // While a process has one subscriber, `tracing` asks that of the thread which reaches a callsite first, and a
        // thread without a subscriber disables the callsite for all. A second subscriber, which nobody uses, rules that
        // out.
        static SECOND: LazyLock<tracing::Dispatch> = LazyLock::new(|| {
            let nowhere = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(std::io::sink);
            tracing::Dispatch::new(nowhere.finish())
        });
        LazyLock::force(&SECOND);
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::CLOSE)
            .with_ansi(false)
            .without_time()
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    pub fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
    }
}

/// reqwest's own builder, with its own redirect policy, as a caller who brings an HTTP client has it.
pub fn reqwest_client_builder() -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder().no_proxy();
    if cfg!(feature = "native-tls") {
        return builder;
    }
    // The process has no default provider, so reqwest cannot set up rustls by itself.
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    builder.tls_backend_preconfigured(tls)
}
