//! A Redis server as the store of tokens.

use super::shared::SharedToken;
use crate::types::GetWechatAccessTokenDto;
use crate::{Client, Error};
use hmac_sha256::HMAC;
use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use redis::{Cmd, FromRedisValue, RedisError, RedisResult, Value};
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

type Sending = Pin<Box<dyn Future<Output = RedisResult<Value>> + Send>>;

/// A Redis server, or a cluster of them, in which processes share their tokens.
///
/// Tokens are stored as they are: whoever can read that Redis can use them. A WeChat app's secret is not stored; a keyed
/// fingerprint of it is part of the key. Where Redis is down, slow or full of something else, that is logged once, and
/// tokens come from the server as if there were no Redis. Two things to know: Redis may show the arguments of a command to
/// its operators (`MONITOR`, `SLOWLOG`), tokens among them; and a process whose clock is wrong, on a server whose answers
/// have no `Date`, tells the others a wrong expiry.
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), genauth::Error> {
/// use genauth::Client;
/// use genauth::wechat::{RedisStore, TokenCache};
///
/// let client = Client::builder("https://example.genauth.ai").app("the app's id", "the app's secret").build()?;
/// let store = RedisStore::open("redis://127.0.0.1/")?.key_prefix("shop:wechat");
/// let tokens = TokenCache::builder(client).redis(store).build()?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RedisStore {
    send: Arc<dyn Fn(Cmd) -> Sending + Send + Sync>,
    /// Gives a connection up that does not answer.
    reconnect: Arc<dyn Fn() + Send + Sync>,
    key_prefix: String,
    timeout: Duration,
    /// Whether Redis failed us; then it was logged.
    failing: Arc<AtomicBool>,
    /// How many commands in a row got no answer in time.
    unanswered: Arc<AtomicU32>,
}

impl RedisStore {
    /// The store behind a connection of the crate `redis`: a `ConnectionManager`, or a cluster's or sentinel's connection,
    /// with TLS, if that crate's features for them are on.
    pub fn new(connection: impl ConnectionLike + Clone + Send + Sync + 'static) -> Self {
        let send = move |command: Cmd| -> Sending {
            let mut connection = connection.clone();
            Box::pin(async move { connection.req_packed_command(&command).await })
        };
        Self::with(Arc::new(send), Arc::new(|| {}))
    }

    fn with(send: Arc<dyn Fn(Cmd) -> Sending + Send + Sync>, reconnect: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self {
            send,
            reconnect,
            key_prefix: "genauth:wechat".to_owned(),
            timeout: Duration::from_secs(1),
            failing: Arc::default(),
            unanswered: Arc::default(),
        }
    }

    /// The store at a URL such as `redis://127.0.0.1/`. It connects when it is first needed, and again when need be.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for a URL that the crate `redis` does not take.
    pub fn open(url: &str) -> Result<Self, Error> {
        // The URL may hold a password, and the client's own error may quote it.
        let client = redis::Client::open(url).map_err(|_| {
            Error::configuration(
                "the Redis URL is none; write redis://host:port/, or rediss:// with a TLS feature of the crate redis",
            )
        })?;
        // Made when it is first needed: it wants a Tokio runtime.
        let manager: Arc<Mutex<Option<ConnectionManager>>> = Arc::default();
        let held = Arc::clone(&manager);
        let send = move |command: Cmd| -> Sending {
            let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
            let connection = match &*held {
                Some(connection) => Ok(connection.clone()),
                None => {
                    // The store's own timeout is the one that holds.
                    let settings =
                        ConnectionManagerConfig::new().set_response_timeout(None).set_connection_timeout(None);
                    ConnectionManager::new_lazy_with_config(client.clone(), settings)
                }
            };
            *held = connection.as_ref().ok().cloned();
            Box::pin(async move { connection?.req_packed_command(&command).await })
        };
        let reconnect = move || *manager.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(Self::with(Arc::new(send), Arc::new(reconnect)))
    }

    /// What every key starts with; `genauth:wechat` otherwise. In a cluster, without braces.
    #[must_use]
    pub fn key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.key_prefix = prefix.into();
        self
    }

    /// How long a command may take; 1 s otherwise. Callers without a token wait that long for a Redis that hangs, before the
    /// server is asked and once more after it.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The place of one token. The key is made of everything that makes it another token.
    pub(super) fn of(
        &self,
        client: &Client,
        operation: &str,
        app: &GetWechatAccessTokenDto,
        pause: Duration,
    ) -> SharedToken {
        let credentials = &client.inner.credentials;
        let text = |value: &Option<http::HeaderValue>| value.as_ref().map(|value| value.as_bytes().to_vec());
        let parts = [
            Some(client.baseurl.as_bytes().to_vec()),
            text(&credentials.app_id),
            credentials.access_key.as_ref().map(|(id, _)| id.as_bytes().to_vec()),
            text(&credentials.tenant_id),
            Some(operation.as_bytes().to_vec()),
            Some(app.app_id.as_bytes().to_vec()),
        ];
        // Keyed with the secret, so that only who has it can tell that it is this one.
        let mut fingerprint = HMAC::new(app.app_secret.expose_secret());
        for part in parts {
            fingerprint.update([u8::from(part.is_some())]);
            let part = part.unwrap_or_default();
            fingerprint.update(u64::try_from(part.len()).unwrap_or_default().to_be_bytes());
            fingerprint.update(&part);
        }
        let fingerprint = hex(&fingerprint.finalize()[..16]);
        // In braces, so that a cluster keeps record and lock together. The app is there for whoever looks into Redis.
        let name: String = app.app_id.chars().filter(|c| c.is_ascii_alphanumeric()).take(64).collect();
        let record = format!("{}:{{{name}:{fingerprint}}}", self.key_prefix);
        // What a holder needs, but no more than others can be made to wait.
        let lease = client.inner.timeout.saturating_add(pause).saturating_add(Duration::from_secs(1));
        let lease = lease.min(LONGEST_LEASE);
        SharedToken { store: self.clone(), lock: format!("{record}:lock"), record, lease }
    }

    /// Runs a script. What goes wrong is logged once, until something goes right again.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        script: &str,
        keys: &[&str],
        arguments: &[&[u8]],
    ) -> Result<T, Trouble> {
        let mut command = redis::cmd("EVAL");
        command.arg(script).arg(keys.len());
        for key in keys {
            command.arg(*key);
        }
        for argument in arguments {
            command.arg(*argument);
        }
        let answer = match tokio::time::timeout(self.timeout, (self.send)(command)).await {
            Ok(answer) => {
                self.unanswered.store(0, Ordering::Relaxed);
                answer.and_then(|value| value.extract_error()).map_err(|error| what_of(&error))
            }
            Err(_) => {
                // One may be a pause; after some the connection is dead, though nobody has said so.
                if self.unanswered.fetch_add(1, Ordering::Relaxed) >= 2 {
                    (self.reconnect)();
                }
                Err(format!("no answer within {:?}", self.timeout))
            }
        };
        let answer =
            answer.and_then(|value| T::from_redis_value(value).map_err(|_| "an answer of another shape".to_owned()));
        answer.map_err(|error| {
            if !self.failing.swap(true, Ordering::Relaxed) {
                tracing::warn!(error, "Redis fails; tokens come from the server until it answers again");
            }
            Trouble
        })
    }

    /// How long a refresh may wait for answers.
    pub(super) fn patience(&self) -> Duration {
        self.timeout.saturating_mul(4)
    }

    /// A token came from Redis, or went there.
    pub(super) fn works(&self) {
        if self.failing.load(Ordering::Relaxed) && self.failing.swap(false, Ordering::Relaxed) {
            tracing::info!("Redis answers again; tokens are shared");
        }
    }
}

/// The longest that a lock is held for somebody who does not come back.
const LONGEST_LEASE: Duration = Duration::from_secs(60);

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("key_prefix", &self.key_prefix).finish_non_exhaustive()
    }
}

/// What went wrong, without the server's own words, which may repeat an argument.
fn what_of(error: &RedisError) -> String {
    [error.category(), error.code().unwrap_or_default()].join(" ").trim_end().to_owned()
}

/// A command failed, and that has been logged.
pub(super) struct Trouble;

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
