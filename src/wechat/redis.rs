//! Tokens that the processes of a fleet share by way of Redis.
//!
//! Under one key per token there is a record: the token, its expiry, a generation. Whoever needs a newer token claims it:
//! one script either answers a record that the caller does not know yet, or gives the caller the lock, or says that
//! somebody else has it. So a caller who gets the lock has looked at the record under the lock. A record is replaced by a
//! newer one only. The lock is a lease: a holder that dies delays the others until it ends, and no longer.

use super::fetch::Fetcher;
use super::stats::Counters;
use super::token::{Held, State};
use crate::retry::random;
use crate::types::GetWechatAccessTokenDto;
use crate::{Client, Error, SecretString, UnixTimestamp};
use hmac::{Hmac, KeyInit as _, Mac as _};
use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use redis::{Cmd, FromRedisValue, RedisError, RedisResult, Value};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// KEYS: record, lock. ARGV: the record that is known, a nonce, the lease in milliseconds.
const CLAIM: &str = "
local record = redis.pcall('GET', KEYS[1])
if type(record) == 'string' and record ~= ARGV[1] then return {record, redis.call('PTTL', KEYS[1])} end
if redis.call('SET', KEYS[2], ARGV[2], 'NX', 'PX', ARGV[3]) then return 1 end
return 0";

/// KEYS: record, lock. ARGV: nonce, the new record, its life in milliseconds, its expiry, generation and token.
/// Answers the record that stays where the new one is not newer.
const PUBLISH: &str = "
if redis.pcall('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
local record = redis.pcall('GET', KEYS[1])
if type(record) == 'string' then
  local ok, old = pcall(cjson.decode, record)
  local function is(kind, field) return type(old[field]) == kind end
  if ok and type(old) == 'table' and is('string', 'token') and is('number', 'expires_at')
    and is('number', 'generation') and is('number', 'lifetime_ms') then
    local expires_at, generation = tonumber(ARGV[4]), tonumber(ARGV[5])
    local newer = expires_at > old.expires_at
    if old.rejected then
      newer = old.token ~= ARGV[6] and (newer or generation > old.generation)
    elseif expires_at == old.expires_at then
      newer = generation > old.generation
    end
    if not newer then return {record, redis.call('PTTL', KEYS[1])} end
  end
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1";

/// KEYS: lock. ARGV: nonce.
const RELEASE: &str = "
if redis.pcall('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1";

/// KEYS: record. ARGV: token.
const REJECT: &str = "
local record = redis.pcall('GET', KEYS[1])
if type(record) ~= 'string' then return 0 end
local ok, old = pcall(cjson.decode, record)
if not ok or type(old) ~= 'table' or old.token ~= ARGV[1] or old.rejected then return 0 end
old.rejected = true
old.generation = (tonumber(old.generation) or 0) + 1
redis.call('SET', KEYS[1], cjson.encode(old), 'PX', math.max(redis.call('PTTL', KEYS[1]), 1000))
return 1";

type Sending = Pin<Box<dyn Future<Output = RedisResult<Value>> + Send>>;

/// A Redis server, or a cluster of them, in which processes share their tokens.
///
/// Tokens are stored as they are: whoever can read that Redis can use them. A WeChat app's secret is not stored; a keyed
/// fingerprint of it is part of the key. Where Redis is down, slow or full of something else, that is logged once, and
/// tokens come from the server as if there were no Redis.
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
    key_prefix: String,
    timeout: Duration,
    /// Whether the last command failed; then it was logged.
    failing: Arc<AtomicBool>,
}

impl RedisStore {
    /// The store behind a connection of the crate `redis`: a `ConnectionManager`, or a cluster's or sentinel's connection,
    /// with TLS, if that crate's features for them are on.
    pub fn new(connection: impl ConnectionLike + Clone + Send + Sync + 'static) -> Self {
        let send = move |command: Cmd| -> Sending {
            let mut connection = connection.clone();
            Box::pin(async move { connection.req_packed_command(&command).await })
        };
        Self {
            send: Arc::new(send),
            key_prefix: "genauth:wechat".to_owned(),
            timeout: Duration::from_secs(1),
            failing: Arc::default(),
        }
    }

    /// The store at a URL such as `redis://127.0.0.1/`. It connects when it is first needed, and again when need be.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for a URL that the crate `redis` does not take.
    pub fn open(url: &str) -> Result<Self, Error> {
        // The URL may hold a password, and the client's own error may quote it.
        let refused = |_: RedisError| {
            Error::configuration(
                "the Redis URL is none; write redis://host:port/, or rediss:// with a TLS feature of the crate redis",
            )
        };
        let client = redis::Client::open(url).map_err(refused)?;
        let settings = ConnectionManagerConfig::new().set_max_delay(Duration::from_secs(1));
        Ok(Self::new(ConnectionManager::new_lazy_with_config(client, settings).map_err(refused)?))
    }

    /// What every key starts with; `genauth:wechat` otherwise.
    #[must_use]
    pub fn key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.key_prefix = prefix.into();
        self
    }

    /// How long a command may take; 1 s otherwise. Callers without a token wait that long for a Redis that hangs, then
    /// for the server.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The place of one token. The key is made of everything that makes it another token.
    pub(super) fn of(&self, client: &Client, operation: &str, app: &GetWechatAccessTokenDto) -> SharedToken {
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
        let mut fingerprint = Hmac::<Sha256>::new_from_slice(app.app_secret.expose_secret().as_bytes())
            .unwrap_or_else(|_| Hmac::new(&Default::default()));
        for part in parts {
            fingerprint.update(&[u8::from(part.is_some())]);
            let part = part.unwrap_or_default();
            fingerprint.update(&u64::try_from(part.len()).unwrap_or_default().to_be_bytes());
            fingerprint.update(&part);
        }
        let fingerprint = hex(&fingerprint.finalize().into_bytes()[..16]);
        // In braces, so that a cluster keeps record and lock together.
        let record = format!("{}:{{{}:{fingerprint}}}", self.key_prefix, app.app_id);
        let lease = client.inner.timeout.saturating_add(Duration::from_secs(1));
        SharedToken { store: self.clone(), lock: format!("{record}:lock"), record, lease }
    }

    /// Runs a script. What goes wrong is logged once, until something goes right again.
    async fn run<T: FromRedisValue>(&self, script: &str, keys: &[&str], arguments: &[&[u8]]) -> Result<T, Trouble> {
        let mut command = redis::cmd("EVAL");
        command.arg(script).arg(keys.len());
        for key in keys {
            command.arg(*key);
        }
        for argument in arguments {
            command.arg(*argument);
        }
        let answer = match tokio::time::timeout(self.timeout, (self.send)(command)).await {
            Ok(answer) => answer.and_then(|value| value.extract_error()).map_err(|error| what_of(&error)),
            Err(_) => Err(format!("no answer within {:?}", self.timeout)),
        };
        let answer =
            answer.and_then(|value| T::from_redis_value(value).map_err(|_| "an answer of another shape".to_owned()));
        match &answer {
            Ok(_) if self.failing.swap(false, Ordering::Relaxed) => {
                tracing::info!("Redis answers again; tokens are shared")
            }
            Err(error) if !self.failing.swap(true, Ordering::Relaxed) => {
                tracing::warn!(error, "Redis fails; tokens come from the server until it answers again");
            }
            _ => {}
        }
        answer.map_err(|_| Trouble)
    }
}

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
struct Trouble;

/// One token in the store.
pub(super) struct SharedToken {
    store: RedisStore,
    record: String,
    lock: String,
    lease: Duration,
}

/// What stands under the key. Readers take any record with these fields.
#[derive(Serialize, Deserialize)]
struct Record {
    token: String,
    /// Unix seconds by the server's clock.
    expires_at: i64,
    generation: u64,
    /// What the token had left when it was fetched: all processes find it due at the same time, but for the random part.
    lifetime_ms: u64,
    /// WeChat has rejected it. It stays so that an answer which was slow cannot bring it back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    rejected: bool,
}

/// What a claim got.
enum Claim {
    Token(Held),
    /// The lock, or no more time to wait for it.
    Fetch,
}

impl SharedToken {
    /// As [`Fetcher::next`].
    pub(super) async fn next(
        &self,
        fetcher: &Fetcher,
        before: &Held,
        rejected: Option<&SecretString>,
    ) -> Result<Held, Error> {
        let nonce = hex(&getrandom::u64().unwrap_or_default().to_be_bytes());
        let mut generation = before.generation;
        let claim = self.claim(&nonce, fetcher, before, rejected, &mut generation);
        // A holder that neither answers nor goes away is given its lease, once.
        let claimed = tokio::time::timeout(self.lease, claim).await.unwrap_or(Ok(Claim::Fetch));
        match claimed {
            Ok(Claim::Token(held)) => {
                Counters::count(&fetcher.counters.shared);
                return Ok(held);
            }
            Ok(Claim::Fetch) => {}
            Err(Trouble) => return fetcher.ask(before, rejected, generation + 1).await,
        }
        match fetcher.ask(before, rejected, generation + 1).await {
            Ok(fetched) => {
                // Where a newer one got there first, that is the one to use; a store in trouble costs nobody the token.
                let newer = self.publish(&nonce, fetcher, &fetched).await.ok().flatten();
                Ok(newer.filter(|newer| rejected.is_none_or(|rejected| !newer.is(rejected))).unwrap_or(fetched))
            }
            Err(error) => {
                let _: Result<i64, Trouble> = self.store.run(RELEASE, &[&self.lock], &[nonce.as_bytes()]).await;
                Err(error)
            }
        }
    }

    /// Waits for a record that helps, or for the lock. `generation` becomes the highest that was seen.
    async fn claim(
        &self,
        nonce: &str,
        fetcher: &Fetcher,
        before: &Held,
        rejected: Option<&SecretString>,
        generation: &mut u64,
    ) -> Result<Claim, Trouble> {
        if let Some(rejected) = rejected {
            self.store.run::<i64>(REJECT, &[&self.record], &[rejected.expose_secret().as_bytes()]).await?;
        }
        let lease = self.lease.as_millis().to_string();
        let mut known = Vec::new();
        loop {
            let arguments = [known.as_slice(), nonce.as_bytes(), lease.as_bytes()];
            match self.store.run(CLAIM, &[&self.record, &self.lock], &arguments).await? {
                Found::Record(bytes, left) => {
                    let record = serde_json::from_slice::<Record>(&bytes).ok();
                    if let Some(record) = record {
                        *generation = (*generation).max(record.generation);
                        let held = record.token(fetcher, left).filter(|held| {
                            let newer = (held.expires_at, held.generation) > (before.expires_at, before.generation);
                            newer && rejected.is_none_or(|rejected| !held.is(rejected))
                        });
                        if let Some(held) = held {
                            return Ok(Claim::Token(held));
                        }
                    }
                    known = bytes;
                }
                Found::Lock => return Ok(Claim::Fetch),
                Found::Nothing => tokio::time::sleep(Duration::from_millis(25).mul_f64(1.0 + random())).await,
            }
        }
    }

    /// Stores what was fetched and releases the lock. Answers what stands there instead, if that is newer.
    async fn publish(&self, nonce: &str, fetcher: &Fetcher, fetched: &Held) -> Result<Option<Held>, Trouble> {
        let record = Record {
            token: fetched.secret.expose_secret().to_owned(),
            expires_at: fetched.expires_at.as_secs(),
            generation: fetched.generation,
            lifetime_ms: u64::try_from(fetched.lifetime.as_millis()).unwrap_or(u64::MAX),
            rejected: false,
        };
        let Ok(json) = serde_json::to_vec(&record) else { return Ok(None) };
        let (life, expires_at) = (record.lifetime_ms.max(1).to_string(), record.expires_at.to_string());
        let generation = record.generation.to_string();
        let arguments = [
            nonce.as_bytes(),
            json.as_slice(),
            life.as_bytes(),
            expires_at.as_bytes(),
            generation.as_bytes(),
            record.token.as_bytes(),
        ];
        Ok(match self.store.run(PUBLISH, &[&self.record, &self.lock], &arguments).await? {
            Found::Record(bytes, left) => {
                serde_json::from_slice::<Record>(&bytes).ok().and_then(|record| record.token(fetcher, left))
            }
            _ => None,
        })
    }
}

impl Record {
    /// The token, if it can be handed out. How long it lives is what Redis says, whose clock measured it.
    fn token(self, fetcher: &Fetcher, left: Duration) -> Option<Held> {
        let Self { token, expires_at, generation, lifetime_ms, rejected } = self;
        let (now, lifetime) = ((fetcher.now)(), Duration::from_millis(lifetime_ms));
        let expires_at = UnixTimestamp::from_secs(expires_at);
        let held = Held::new(token.into(), expires_at, generation, lifetime, (now, left), &fetcher.windows);
        Some(held).filter(|held| !rejected && matches!(held.state(now), State::Fresh | State::Due))
    }
}

/// What a script answers.
enum Found {
    Record(Vec<u8>, Duration),
    Lock,
    Nothing,
}

impl FromRedisValue for Found {
    fn from_redis_value(value: Value) -> Result<Self, redis::ParsingError> {
        if let Value::Int(number) = value {
            return Ok(if number == 1 { Self::Lock } else { Self::Nothing });
        }
        let (record, left) = <(Vec<u8>, i64)>::from_redis_value(value)?;
        // Negative where it never expires: then somebody else has written it.
        Ok(Self::Record(record, Duration::from_millis(u64::try_from(left).unwrap_or_default())))
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
