//! Tokens that the processes of a fleet share by way of Redis.
//!
//! Under one key per token there is a record: the token, its expiry, a generation. Whoever needs a newer token claims it:
//! one script either answers a record that the caller does not know yet, or gives the caller the lock, or says that
//! somebody else has it. So a caller who gets the lock has looked at the record under the lock. A record is replaced by a
//! newer one only. The lock is a short lease, which its holder renews: one that dies delays the others until it ends, and no
//! longer.

use super::fetch::{Fetcher, Wanted};
use super::life::in_seconds;
use super::race::first;
use super::redis::{RedisStore, Trouble};
use super::stats::Counters;
use super::token::{Held, State};
use crate::retry::{random, share};
use crate::{Error, SecretString, UnixTimestamp};
use redis::{FromRedisValue, Value};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A script, with what all of them need. `run` answers what is no error, and nothing for a key of another type; it names
/// the command that the user may not run, which Redis itself does not do everywhere. To release, where memory is full only
/// DEL works; where its right is missing, only SET.
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
local function release(lock, nonce)
  if run('GET', lock) ~= nonce then return end
  if type(redis.pcall('DEL', lock)) == 'table' then run('SET', lock, nonce, 'PX', 1) end
end",
            $script
        )
    };
}

/// KEYS: record, lock. ARGV: the record that is known, a nonce, the lease in milliseconds. A lock that is the caller's
/// already is its own.
const CLAIM: &str = script!(
    "
local record = run('GET', KEYS[1])
if record and record ~= ARGV[1] then return {record, run('PTTL', KEYS[1])} end
if run('SET', KEYS[2], ARGV[2], 'NX', 'PX', ARGV[3]) then return 1 end
if run('GET', KEYS[2]) ~= ARGV[2] then return 0 end
run('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return 1"
);

/// KEYS: lock. ARGV: nonce, the lease in milliseconds.
const EXTEND: &str = script!(
    "
if run('GET', KEYS[1]) == ARGV[1] then run('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return 1"
);

/// KEYS: lock. ARGV: nonce.
const RELEASE: &str = script!(
    "
release(KEYS[1], ARGV[1])
return 1"
);

/// KEYS: record, lock. ARGV: the new record, its life in milliseconds, its expiry, generation and token, what is no record
/// to whoever stores it, and a nonce. Answers the record that stays where the new one is not newer.
const PUBLISH: &str = script!(
    "
release(KEYS[2], ARGV[7])
local record = run('GET', KEYS[1])
if record and record ~= ARGV[6] then
  local ok, old = pcall(cjson.decode, record)
  local function is(kind, field) return type(old[field]) == kind end
  if ok and type(old) == 'table' and is('string', 'token') and is('number', 'expires_at')
    and is('number', 'generation') and is('number', 'lifetime_ms') then
    local expires_at, generation = tonumber(ARGV[3]), tonumber(ARGV[4])
    local newer = expires_at > old.expires_at
    if old.rejected then
      newer = old.token ~= ARGV[5] and (newer or generation > old.generation)
    elseif expires_at == old.expires_at then
      newer = generation > old.generation
    end
    if not newer then return {record, run('PTTL', KEYS[1])} end
  end
end
run('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1"
);

/// KEYS: record. ARGV: token.
const REJECT: &str = script!(
    "
local record = run('GET', KEYS[1])
if not record then return 0 end
local ok, old = pcall(cjson.decode, record)
if not ok or type(old) ~= 'table' or old.token ~= ARGV[1] or old.rejected then return 0 end
old.rejected = true
old.generation = (tonumber(old.generation) or 0) + 1
local encoded, new = pcall(cjson.encode, old)
if not encoded then return 0 end
run('SET', KEYS[1], new, 'PX', math.max(run('PTTL', KEYS[1]), 1000))
return 1"
);

/// One token in the store.
pub(super) struct SharedToken {
    pub(super) store: RedisStore,
    /// Keys.
    pub(super) record: String,
    pub(super) lock: String,
    /// Who holds the lock.
    pub(super) nonce: String,
    /// How long to wait for another process.
    pub(super) patience: Duration,
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

/// What a claim has seen so far.
#[derive(Default)]
struct Seen {
    /// The highest generation.
    generation: u64,
    /// The token of a record that says WeChat has rejected it.
    rejected: Option<SecretString>,
    /// What stands under the key and is no record.
    garbage: Vec<u8>,
    /// A token that is good, but for so short that a newer one is wanted.
    ending: Option<Held>,
}

impl SharedToken {
    /// As [`Fetcher::next`].
    pub(super) async fn next(&self, fetcher: &Fetcher, wanted: &Wanted) -> Result<Held, Error> {
        let mut seen = Seen { generation: wanted.than.generation, ..Seen::default() };
        // A holder that neither answers nor goes away is waited for once. After trouble the server is asked at once; the claim
        // may have come through nevertheless, so that the lock is released below in any case.
        let claim = tokio::time::timeout(self.patience, self.claim(fetcher, wanted, &mut seen)).await;
        let has_lock = matches!(claim, Ok(Ok(None)));
        if let Ok(Ok(Some(held))) = claim {
            self.store.works();
            Counters::count(&fetcher.counters.shared);
            return Ok(held);
        }
        let rejected: Vec<_> = wanted.rejected().into_iter().chain(&seen.rejected).collect();
        let asking = fetcher.ask(rejected, seen.generation.saturating_add(1));
        let asked = if has_lock { first(asking, self.keep_lock()).await } else { asking.await };
        match asked {
            Ok(fetched) => {
                // Where a newer one got there first, that is the one to use; a store in trouble costs nobody the token.
                let stays = self.publish(fetcher, &fetched, &seen.garbage).await.ok().flatten();
                Ok(stays.filter(|stays| wanted.is_met_by(stays)).unwrap_or(fetched))
            }
            Err(error) => {
                self.release().await;
                seen.ending.filter(|ending| ending.state((fetcher.now)()) != State::Dead).ok_or(error)
            }
        }
    }

    /// Lets others have the lock.
    pub(super) async fn release(&self) {
        let _: Result<i64, Trouble> = self.store.run(RELEASE, &[&self.lock], &[self.nonce.as_bytes()]).await;
    }

    /// Renews the lease without end.
    async fn keep_lock<T>(&self) -> T {
        let lease = self.store.lease.as_millis().to_string();
        loop {
            tokio::time::sleep(self.store.lease / 3).await;
            let arguments = [self.nonce.as_bytes(), lease.as_bytes()];
            let _: Result<i64, Trouble> = self.store.run(EXTEND, &[&self.lock], &arguments).await;
        }
    }

    /// Waits for a token that helps, or for the lock.
    async fn claim(&self, fetcher: &Fetcher, wanted: &Wanted, seen: &mut Seen) -> Result<Option<Held>, Trouble> {
        if let Some(rejected) = wanted.rejected() {
            self.store.run::<i64>(REJECT, &[&self.record], &[rejected.expose_secret().as_bytes()]).await?;
        }
        let lease = self.store.lease.as_millis().to_string();
        let longest_life = fetcher.windows.longest_life;
        let mut known = Vec::new();
        loop {
            let arguments = [known.as_slice(), self.nonce.as_bytes(), lease.as_bytes()];
            match self.store.run(CLAIM, &[&self.record, &self.lock], &arguments).await? {
                Found::Record(bytes, left) => {
                    (seen.rejected, seen.ending, seen.garbage) = Default::default();
                    match Record::read(&bytes, left, longest_life) {
                        None => seen.garbage.clone_from(&bytes),
                        Some(record) => {
                            seen.generation = seen.generation.max(record.generation);
                            if record.rejected {
                                seen.rejected = Some(record.token.into());
                            } else {
                                let held = record.token(fetcher, left);
                                match held.state((fetcher.now)()) {
                                    State::Fresh | State::Due if wanted.is_met_by(&held) => return Ok(Some(held)),
                                    State::Ending if wanted.is_met_by(&held) => seen.ending = Some(held),
                                    _ => {}
                                }
                            }
                        }
                    }
                    known = bytes;
                }
                Found::Lock => return Ok(None),
                Found::Nothing => tokio::time::sleep(share(Duration::from_millis(25), 1.0 + random())).await,
            }
        }
    }

    /// Stores what was fetched and releases the lock. Answers what stands there instead, if that is newer.
    async fn publish(&self, fetcher: &Fetcher, fetched: &Held, garbage: &[u8]) -> Result<Option<Held>, Trouble> {
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
            json.as_slice(),
            life.as_bytes(),
            expires_at.as_bytes(),
            generation.as_bytes(),
            record.token.as_bytes(),
            garbage,
            self.nonce.as_bytes(),
        ];
        let found = self.store.run(PUBLISH, &[&self.record, &self.lock], &arguments).await?;
        self.store.works();
        let Found::Record(bytes, left) = found else { return Ok(None) };
        let record = Record::read(&bytes, left, fetcher.windows.longest_life).filter(|record| !record.rejected);
        let held = record.map(|record| record.token(fetcher, left));
        Ok(held.filter(|held| matches!(held.state((fetcher.now)()), State::Fresh | State::Due)))
    }
}

impl Record {
    /// None for what is no record: of another format, out of any range, without a token, without an end or with one that is
    /// further away than a token lives.
    fn read(bytes: &[u8], left: Duration, longest_life: Duration) -> Option<Self> {
        // What Lua and JavaScript can count to.
        const EXACT: u64 = 1 << 53;
        let record: Self = serde_json::from_slice(bytes).ok()?;
        let lifetime = Duration::from_millis(record.lifetime_ms);
        // The year 2001: no token ended before.
        let expires = record.expires_at >= 1_000_000_000 && in_seconds(UnixTimestamp::from_secs(record.expires_at)).1;
        let lives = !left.is_zero() && left <= lifetime && lifetime <= longest_life;
        let is_one = !record.token.trim().is_empty() && record.generation < EXACT && expires && lives;
        is_one.then_some(record)
    }

    /// The token. How long it lives is what Redis says, whose clock measured it.
    fn token(self, fetcher: &Fetcher, left: Duration) -> Held {
        let Self { token, expires_at, generation, lifetime_ms, .. } = self;
        let (now, lifetime) = ((fetcher.now)(), Duration::from_millis(lifetime_ms));
        let expires_at = UnixTimestamp::from_secs(expires_at);
        Held::new(token.into(), expires_at, generation, lifetime, (now, left), &fetcher.windows)
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
