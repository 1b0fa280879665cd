//! A Redis server as the store of tokens.

use super::shared::SharedToken;
use crate::types::GetWechatAccessTokenDto;
use crate::{Client, Error};
use hmac_sha256::HMAC;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Cmd, FromRedisValue, RedisError, RedisResult, Value};
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::Instant;

type Sending = Pin<Box<dyn Future<Output = RedisResult<Value>> + Send>>;

/// A Redis server, or a cluster of them, in which processes share their tokens.
///
/// One process fetches, under a lock that it renews; where it dies, the others wait until its [`lease`](Self::lease) ends. A
/// process that ends in order leaves no lock: [`TokenCache::close`](super::TokenCache::close).
///
/// The least that a Redis user needs, with the prefix that keys have here: `~genauth:wechat:* +eval +get +set +del +pttl`.
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
    /// Gives up a connection that is in doubt.
    reconnect: Arc<dyn Fn() + Send + Sync>,
    key_prefix: String,
    pub(super) timeout: Duration,
    pub(super) lease: Duration,
    /// Whether Redis failed us; then it was logged.
    failing: Arc<AtomicBool>,
}

impl RedisStore {
    /// The store behind a connection of the crate `redis`: a `ConnectionManager`, or a cluster's or sentinel's connection,
    /// with TLS, if that crate's features for them are on. When it connects, and again after a failover, is its own matter: where
    /// Redis is down, a `ConnectionManager` that retries as it does by default takes up two [timeouts](Self::timeout) a
    /// refresh, and hides why; [`open`](Self::open) takes milliseconds.
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
            lease: Duration::from_secs(3),
            failing: Arc::default(),
        }
    }

    /// The store at a URL such as `redis://127.0.0.1/`. It connects when it is first needed, and anew after whatever goes
    /// wrong, such as a failover, or after a minute without a command.
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
        let link: Arc<Mutex<Link>> = Arc::default();
        let held = Arc::clone(&link);
        let send = move |command: Cmd| -> Sending {
            let (client, link) = (client.clone(), Arc::clone(&held));
            Box::pin(async move {
                let used = lock(&link).connection();
                let was_open = used.initialized();
                let answer = send_on(&client, &used, &command).await;
                // One that was closed while nobody used it says nothing about the server. A command may be run twice by
                // this: the scripts are made for it.
                if was_open && answer.as_ref().is_err_and(RedisError::is_io_error) {
                    lock(&link).give_up(&used);
                    let used = lock(&link).connection();
                    return send_on(&client, &used, &command).await;
                }
                answer
            })
        };
        Ok(Self::with(Arc::new(send), Arc::new(move || *lock(&link) = Link::default())))
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

    /// How long a process that dies with the lock delays the others; 3 s otherwise, and an hour at most. The holder renews it
    /// three times as often.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.clamp(Duration::from_millis(3), Duration::from_secs(3600));
        self
    }

    /// The place of one token. The key is made of everything that makes it another token.
    pub(super) fn of(&self, client: &Client, operation: &str, app: &GetWechatAccessTokenDto) -> SharedToken {
        let credentials = &client.settings.credentials;
        let text = |value: &Option<http::HeaderValue>| value.as_ref().map(|value| value.as_bytes().to_vec());
        let parts = [
            Some(client.settings.host.as_str().as_bytes().to_vec()),
            text(&credentials.app_id.0),
            credentials.access_key_id().map(|id| id.as_bytes().to_vec()),
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
        // By then the other process has its answer; or it died, and a third one has.
        let patience = client.settings.timeout.saturating_add(self.lease).min(LONGEST_PATIENCE);
        let nonce = hex(&getrandom::u64().unwrap_or_default().to_be_bytes());
        SharedToken { store: self.clone(), lock: format!("{record}:lock"), record, nonce, patience }
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
                let answer = answer.and_then(|value| T::from_redis_value(value.extract_error()?).map_err(Into::into));
                answer.map_err(|error| self.what_of(&error))
            }
            Err(_) => Err(format!("no answer within {:?}", self.timeout)),
        };
        if answer.is_err() {
            (self.reconnect)();
        }
        answer.map_err(|error| {
            if !self.failing.swap(true, Ordering::Relaxed) {
                tracing::warn!(error, "Redis fails; tokens come from the server until it answers again");
            }
            Trouble
        })
    }

    /// What went wrong, without the server's own words, which may repeat an argument.
    fn what_of(&self, error: &RedisError) -> String {
        let detail = error.detail().unwrap_or_default();
        let says = |text: &str| detail.contains(text);
        let is_missing = |right: &&&str| {
            says(&format!("'{right}' command")) || says(&format!("may not run {}", right.to_uppercase()))
        };
        if let Some(right) = RIGHTS.iter().find(is_missing) {
            return format!("its user may not run {right}; it needs {}", self.rights());
        }
        // In the words of one version and another.
        if ["ermissions to access", "can't access"].iter().any(|text| says(text)) {
            return format!("its user may not touch the keys; it needs {}", self.rights());
        }
        if error.is_connection_refusal() {
            return "the connection is refused; check host and port".to_owned();
        }
        if error.kind() == redis::ErrorKind::AuthenticationFailed || error.code() == Some("NOAUTH") {
            return "user or password is wrong, or missing".to_owned();
        }
        [error.category(), error.code().unwrap_or_default()].join(" ").trim_end().to_owned()
    }

    fn rights(&self) -> String {
        RIGHTS.iter().fold(format!("~{}:*", self.key_prefix), |rights, right| format!("{rights} +{right}"))
    }

    /// How long a refresh may wait for answers, and for a process that died.
    pub(super) fn patience(&self) -> Duration {
        self.timeout.saturating_mul(4).saturating_add(self.lease)
    }

    /// A token came from Redis, or went there.
    pub(super) fn works(&self) {
        if self.failing.load(Ordering::Relaxed) && self.failing.swap(false, Ordering::Relaxed) {
            tracing::info!("Redis answers again; tokens are shared");
        }
    }
}

/// The commands that are run, by scripts or at all.
const RIGHTS: [&str; 5] = ["eval", "get", "set", "del", "pttl"];

/// The longest that another process is waited for.
const LONGEST_PATIENCE: Duration = Duration::from_secs(60);

/// A connection of its own, which is made when it is first needed: that wants a Tokio runtime.
#[derive(Default)]
struct Link {
    connection: Arc<OnceCell<MultiplexedConnection>>,
    used_at: Option<Instant>,
}

impl Link {
    /// Networks forget a connection that is idle, and tell nobody: one that was is not used again.
    fn connection(&mut self) -> Arc<OnceCell<MultiplexedConnection>> {
        const IDLE: Duration = Duration::from_secs(60);
        if self.used_at.is_some_and(|used_at| used_at.elapsed() > IDLE) {
            self.connection = Arc::default();
        }
        self.used_at = Some(Instant::now());
        Arc::clone(&self.connection)
    }

    /// Has the next command make a new one, unless another command has seen to that.
    fn give_up(&mut self, used: &Arc<OnceCell<MultiplexedConnection>>) {
        if Arc::ptr_eq(&self.connection, used) {
            self.connection = Arc::default();
        }
    }
}

fn lock(link: &Mutex<Link>) -> MutexGuard<'_, Link> {
    link.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn send_on(client: &redis::Client, on: &OnceCell<MultiplexedConnection>, command: &Cmd) -> RedisResult<Value> {
    let connect = || async {
        // The store's own timeout is the one that holds.
        let settings = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
        client.get_multiplexed_async_connection_with_config(&settings).await
    };
    on.get_or_try_init(connect).await?.clone().req_packed_command(command).await
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("key_prefix", &self.key_prefix).finish_non_exhaustive()
    }
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
