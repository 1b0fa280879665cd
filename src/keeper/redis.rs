//! A Redis server as the store of tokens: one key holds the record, another one beside it the lock.

use super::held::{Record, millis};
use super::store::{Claim, Place, Standing, Store, Storing, Trouble};
use crate::{Error, SecretString};
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

/// A script. KEYS: record, lock. ARGV: a nonce, then the script's own arguments. It returns the record that it found
/// and its remaining life, or a number.
///
/// What all scripts share: `run` returns any answer that is not an error, and nothing for a key of another type; it names
/// a command that the user may not run, which not every version of Redis does. `release` tries both commands: if memory
/// is full, only DEL works; if the right to it is missing, only SET.
macro_rules! script {
    ($script:literal) => {
        concat!(
            "
local function run(name, ...)
  local answer = redis.pcall(name, ...)
  if type(answer) ~= 'table' or not answer.err then return answer end
  local function says(text) return string.find(answer.err, text, 1, true) end
  if says('WRONGTYPE') then return nil end
  if says(\"can't run this command\") or says('no permissions to run') then error('may not run ' .. name) end
  return redis.call(name, ...)
end
local function other_than(known)
  local record = run('GET', KEYS[1])
  return record and record ~= known and {record, run('PTTL', KEYS[1])}
end
local function is_holder() return run('GET', KEYS[2]) == ARGV[1] end
local function renew(lease) return is_holder() and run('SET', KEYS[2], ARGV[1], 'PX', lease) end
local function release()
  if is_holder() and type(redis.pcall('DEL', KEYS[2])) == 'table' then run('SET', KEYS[2], ARGV[1], 'PX', 1) end
end
",
            $script
        )
    };
}

/// ARGV: the record that is known, the lease in milliseconds.
const CLAIM: &str = script!(
    "local other = other_than(ARGV[2])
if other then return other end
return (run('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[3]) or renew(ARGV[3])) and 1 or 0"
);

/// ARGV: the lease in milliseconds.
const RENEW: &str = script!("renew(ARGV[2]) return 1");

/// ARGV: the record that is known, the new one, its life in milliseconds.
const PUBLISH: &str = script!(
    "release()
local other = other_than(ARGV[2])
if other then return other end
run('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
return 1"
);

const RELEASE: &str = script!("release() return 1");

/// The commands that are run, directly or by scripts.
const RIGHTS: [&str; 5] = ["eval", "get", "set", "del", "pttl"];

type Sending = Pin<Box<dyn Future<Output = RedisResult<Value>> + Send>>;

/// A Redis server, or a cluster of them, in which processes share their tokens.
///
/// One process fetches, under a lock that it renews; if it dies, the others wait until its [`lease`](Self::lease) ends.
/// A process that shuts down cleanly leaves no lock: [`TokenCache::close`](crate::wechat::TokenCache::close).
///
/// A Redis user needs at least these rights, with the default prefix of keys: `~genauth:wechat:* +eval +get +set +del
/// +pttl`.
///
/// Tokens are stored in plain text: whoever can read that Redis can use them. A WeChat app's secret is not stored; a
/// keyed fingerprint of it is part of the key. If Redis is down, slow or full, that is logged once, and tokens come
/// from the server as if there were no Redis. Two things to know: Redis may show the arguments of a command, tokens
/// among them, to its operators (`MONITOR`, `SLOWLOG`); and a process whose clock is wrong, with a server whose answers
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
    /// Holds the connection, unless that is the caller's own. It is replaced when in doubt.
    link: Arc<Mutex<Link>>,
    key_prefix: String,
    timeout: Duration,
    lease: Duration,
    /// Whether Redis failed last time, which was logged then.
    failing: Arc<AtomicBool>,
}

impl RedisStore {
    /// Creates a store on a connection of the crate `redis`: a `ConnectionManager`, or a connection to a cluster or a
    /// sentinel, with TLS, if that crate's features for them are on. When it connects and reconnects is up to that
    /// connection: if Redis is down, a `ConnectionManager` with its default retries takes up two
    /// [timeouts](Self::timeout) per refresh, and hides the cause; [`open`](Self::open) takes milliseconds.
    pub fn new(connection: impl ConnectionLike + Clone + Send + Sync + 'static) -> Self {
        let send = move |command: Cmd| -> Sending {
            let mut connection = connection.clone();
            Box::pin(async move { connection.req_packed_command(&command).await })
        };
        Self::with(Arc::new(send), Arc::default())
    }

    fn with(send: Arc<dyn Fn(Cmd) -> Sending + Send + Sync>, link: Arc<Mutex<Link>>) -> Self {
        Self {
            send,
            link,
            key_prefix: "genauth:wechat".to_owned(),
            timeout: Duration::from_secs(1),
            lease: Duration::from_secs(3),
            failing: Arc::default(),
        }
    }

    /// Creates a store for a URL such as `redis://127.0.0.1/`. It connects when it is first needed, and again after
    /// anything that goes wrong, such as a failover, or after a minute without a command.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the crate `redis` does not accept the URL.
    pub fn open(url: &str) -> Result<Self, Error> {
        // The URL may hold a password, and the error of `redis` may quote it.
        let client = redis::Client::open(url).map_err(|_| {
            Error::configuration(
                "the Redis URL cannot be read; write redis://host:port/, or rediss:// with a TLS feature of the crate redis",
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
                // A connection that was closed while idle says nothing about the server. The retry may run a command
                // twice, which the scripts allow for.
                if was_open && answer.as_ref().is_err_and(RedisError::is_io_error) {
                    lock(&link).give_up(&used);
                    let used = lock(&link).connection();
                    return send_on(&client, &used, &command).await;
                }
                answer
            })
        };
        Ok(Self::with(Arc::new(send), link))
    }

    /// Sets what every key starts with; `genauth:wechat` by default. In a cluster it must not contain braces.
    #[must_use]
    pub fn key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.key_prefix = prefix.into();
        self
    }

    /// Sets how long a command may take; 1 s by default. If Redis hangs, callers without a token wait that long before
    /// the server is asked, and once more after it.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how long a process that dies with the lock delays the others; 3 s by default, at most an hour. The holder
    /// renews the lock three times per lease.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.clamp(Duration::from_millis(3), Duration::from_secs(3600));
        self
    }

    /// Runs a script, and converts its answer with `what`. A failure is logged once until a command works again.
    fn run<T: 'static>(&self, command: &Cmd, what: fn(Claim) -> T) -> Storing<'_, T> {
        let sending = (self.send)(command.clone());
        Box::pin(async move {
            let problem = match tokio::time::timeout(self.timeout, sending).await {
                Ok(answer) => match answer.and_then(|value| Ok(Claim::from_redis_value(value.extract_error()?)?)) {
                    Ok(claim) => return Ok(what(claim)),
                    Err(error) => self.what_of(&error),
                },
                Err(_) => format!("no answer within {:?}", self.timeout),
            };
            *lock(&self.link) = Link::default();
            if !self.failing.swap(true, Ordering::Relaxed) {
                tracing::warn!(error = problem, "Redis fails; tokens come from the server until it answers again");
            }
            Err(Trouble)
        })
    }

    /// What went wrong, without the server's own words: they may repeat an argument.
    fn what_of(&self, error: &RedisError) -> String {
        let detail = error.detail().unwrap_or_default();
        let says = |text: &str| detail.contains(text);
        let is_missing = |right: &&&str| {
            says(&format!("'{right}' command")) || says(&format!("may not run {}", right.to_uppercase()))
        };
        if let Some(right) = RIGHTS.iter().find(is_missing) {
            return format!("its user may not run {right}; it needs {}", self.rights());
        }
        // The words differ between versions of Redis.
        if ["ermissions to access", "can't access"].iter().any(|text| says(text)) {
            return format!("its user may not touch the keys; it needs {}", self.rights());
        }
        if error.is_connection_refusal() {
            return "the connection is refused; check host and port".to_owned();
        }
        if error.kind() == redis::ErrorKind::AuthenticationFailed || error.code() == Some("NOAUTH") {
            return "the user or the password is wrong or missing".to_owned();
        }
        [error.category(), error.code().unwrap_or_default()].join(" ").trim_end().to_owned()
    }

    fn rights(&self) -> String {
        RIGHTS.iter().fold(format!("~{}:*", self.key_prefix), |rights, right| format!("{rights} +{right}"))
    }
}

fn eval(script: &str, place: &Place) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(script).arg(2).arg(&place.name).arg(format!("{}:lock", place.name)).arg(&place.holder);
    command
}

impl Store for RedisStore {
    /// The key of a token. Its label is for people who look into Redis; the braces make a cluster keep record and lock
    /// together.
    fn name_of(&self, label: &str, secret: &SecretString, parts: &[Option<&[u8]>]) -> String {
        // The fingerprint is keyed with the secret, so that only its owner can tell what it stands for.
        let mut fingerprint = HMAC::new(secret.expose_secret());
        for part in parts {
            fingerprint.update([u8::from(part.is_some())]);
            let part = part.unwrap_or_default();
            fingerprint.update(u64::try_from(part.len()).unwrap_or_default().to_be_bytes());
            fingerprint.update(part);
        }
        let label: String = label.chars().filter(|c| c.is_ascii_alphanumeric()).take(64).collect();
        let fingerprint = fingerprint.finalize();
        let half = u128::from_be_bytes(std::array::from_fn(|at| fingerprint[at]));
        format!("{}:{{{label}:{half:032x}}}", self.key_prefix)
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }

    fn lease(&self) -> Duration {
        self.lease
    }

    fn claim(&self, place: &Place, known: &[u8]) -> Storing<'_, Claim> {
        self.run(eval(CLAIM, place).arg(known).arg(millis(self.lease)), |claim| claim)
    }

    fn renew(&self, place: &Place) -> Storing<'_, ()> {
        self.run(eval(RENEW, place).arg(millis(self.lease)), drop)
    }

    fn publish(&self, place: &Place, record: &Record, life: Duration, known: &[u8]) -> Storing<'_, Option<Standing>> {
        // Every record can be written as JSON.
        let record = serde_json::to_vec(record).unwrap_or_default();
        self.run(eval(PUBLISH, place).arg(known).arg(record).arg(millis(life).max(1)), |claim| match claim {
            Claim::Found(stays) => Some(stays),
            Claim::Lock | Claim::Nothing => None,
        })
    }

    fn release(&self, place: &Place) -> Storing<'_, ()> {
        self.run(&eval(RELEASE, place), drop)
    }

    fn works(&self) {
        if self.failing.load(Ordering::Relaxed) && self.failing.swap(false, Ordering::Relaxed) {
            tracing::info!("Redis answers again; tokens are shared");
        }
    }
}

impl FromRedisValue for Claim {
    fn from_redis_value(value: Value) -> Result<Self, redis::ParsingError> {
        if let Value::Int(number) = value {
            return Ok(if number == 1 { Self::Lock } else { Self::Nothing });
        }
        let (version, left) = <(Vec<u8>, i64)>::from_redis_value(value)?;
        let record = serde_json::from_slice(&version).ok();
        // The time is negative for a key that never expires; no process of ours has written that.
        let left = Duration::from_millis(u64::try_from(left).unwrap_or_default());
        Ok(Self::Found(Standing { record, left, version }))
    }
}

/// The store's own connection, made when it is first needed; that requires a Tokio runtime.
#[derive(Default)]
struct Link {
    connection: Arc<OnceCell<MultiplexedConnection>>,
    used_at: Option<Instant>,
}

impl Link {
    /// The network may drop an idle connection without telling either end, so one that was idle is not used again.
    fn connection(&mut self) -> Arc<OnceCell<MultiplexedConnection>> {
        const IDLE: Duration = Duration::from_secs(60);
        if self.used_at.is_some_and(|used_at| used_at.elapsed() > IDLE) {
            self.connection = Arc::default();
        }
        self.used_at = Some(Instant::now());
        Arc::clone(&self.connection)
    }

    /// Has the next command make a new connection, unless another command has seen to that.
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
        // The store's own timeout applies instead.
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
