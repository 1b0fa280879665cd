//! A token as a keeper holds it and hands it out.

use super::windows::Windows;
use crate::retry::random;
use crate::secret::Exposed;
use crate::{SecretString, UnixTimestamp};
use arc_swap::Guard;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A token that is handed out. It does not change while its user has it.
pub(crate) struct Held(pub(crate) Guard<Arc<HeldToken>>);

/// What a source has made of a token, for its users.
pub(crate) type Extra = Arc<dyn Any + Send + Sync>;

impl Held {
    pub(crate) fn secret(&self) -> &SecretString {
        &self.0.record.secret
    }

    pub(crate) fn expose_secret(&self) -> &str {
        self.secret().expose_secret()
    }

    pub(crate) fn expires_at(&self) -> UnixTimestamp {
        self.0.record.expires_at
    }

    pub(crate) fn remaining(&self, now: SystemTime) -> Duration {
        self.0.left(now)
    }

    /// What its source has made of it; `None` if the token came from a store.
    pub(crate) fn made<T: 'static>(&self) -> Option<&T> {
        self.0.made.as_ref()?.downcast_ref()
    }

    /// Whether both came from the same request.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("expires_at", &self.expires_at()).finish_non_exhaustive()
    }
}

impl Clone for Held {
    fn clone(&self) -> Self {
        Arc::clone(&self.0).into()
    }
}

impl From<Arc<HeldToken>> for Held {
    fn from(held: Arc<HeldToken>) -> Self {
        Self(Guard::from_inner(held))
    }
}

/// What a fleet knows of a token: as JSON, the record in a store. Readers accept any record with these fields.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    #[serde(rename = "token", serialize_with = "Exposed::serialize_exposed")]
    pub(crate) secret: SecretString,
    /// The expiry by the server's clock.
    pub(crate) expires_at: UnixTimestamp,
    /// Tells tokens apart that expire in the same second, and the successor of a rejected token from what came before.
    pub(crate) generation: u64,
    /// How long the token was still good when it was fetched: but for the random part, all processes find it due at the
    /// same time.
    #[serde(rename = "lifetime_ms", serialize_with = "serialize_millis", deserialize_with = "deserialize_millis")]
    pub(crate) lifetime: Duration,
    /// Whether it was rejected. It is kept so that a slow answer cannot bring it back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) rejected: bool,
}

impl Record {
    pub(crate) fn is(&self, secret: &SecretString) -> bool {
        self.secret.expose_secret() == secret.expose_secret()
    }
}

pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn serialize_millis<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(millis(*time))
}

fn deserialize_millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

/// A token and its times by this machine's clock.
pub(crate) struct HeldToken {
    pub(crate) record: Record,
    made: Option<Extra>,
    /// When it was fetched, by any process.
    born_at: SystemTime,
    /// When this process got it.
    since: SystemTime,
    due_at: SystemTime,
    wait_from: SystemTime,
    dead_at: SystemTime,
}

/// What use a token can be put to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Fresh,
    /// It is good, and a new one is to be fetched.
    Due,
    /// It is good, but for such a short time that callers wait for a new one.
    Ending,
    Dead,
}

impl HeldToken {
    /// What is held before there is a token: a token that is dead at any time.
    pub(crate) fn nothing() -> Self {
        let (secret, expires_at) = (SecretString::from(""), UnixTimestamp::from_secs(0));
        let record = Record { secret, expires_at, generation: 0, lifetime: Duration::ZERO, rejected: false };
        Self::new(record, None, (SystemTime::UNIX_EPOCH, Duration::ZERO), &Windows::default())
    }

    /// A token that dies `left` after `now`.
    pub(crate) fn new(
        record: Record,
        made: Option<Extra>,
        (now, left): (SystemTime, Duration),
        windows: &Windows,
    ) -> Self {
        let lifetime = record.lifetime;
        let before_end = |window| now.checked_add(left.saturating_sub(window)).unwrap_or(now);
        let wait_from = before_end(windows.mandatory_of(lifetime));
        let due_at = match windows.fresh {
            Some(fresh) => now.checked_add(fresh).unwrap_or(now),
            None => before_end(windows.refresh_of(lifetime, random())),
        };
        Self {
            born_at: now.checked_sub(lifetime.saturating_sub(left)).unwrap_or(now),
            since: now,
            due_at: due_at.min(wait_from),
            wait_from,
            dead_at: before_end(Duration::ZERO),
            record,
            made,
        }
    }

    /// The same token once it was rejected: it is dead, and kept until there is another.
    pub(crate) fn rejected(&self) -> Self {
        let record = Record { rejected: true, ..self.record.clone() };
        Self { record, made: self.made.clone(), due_at: self.since, ..*self }
    }

    /// Whether it is fresh. Every call on the hot path asks this.
    pub(crate) fn is_fresh(&self, now: SystemTime) -> bool {
        now >= self.since && now < self.due_at
    }

    pub(crate) fn state(&self, now: SystemTime) -> State {
        if self.record.rejected { State::Dead } else { self.state_by_time(now) }
    }

    /// The state it would have if it were not rejected: the server may send it again for that long.
    pub(crate) fn state_by_time(&self, now: SystemTime) -> State {
        if let Ok(set_back) = self.since.duration_since(now)
            && !set_back.is_zero()
        {
            // The clock was set back, and all that is known is that asking the server helps. If it was set back by more
            // than the token's life, the token may not even be good any more.
            return if set_back < self.left(self.since) { State::Due } else { State::Dead };
        }
        if self.is_fresh(now) {
            State::Fresh
        } else if now < self.wait_from {
            State::Due
        } else if now < self.dead_at {
            State::Ending
        } else {
            State::Dead
        }
    }

    pub(crate) fn age(&self, now: SystemTime) -> Duration {
        now.duration_since(self.born_at).unwrap_or_default()
    }

    /// Keeps the age of `before` if it is the same token: being sent again does not make a token new.
    pub(crate) fn older_than(mut self, before: &Self) -> Self {
        if before.record.is(&self.record.secret) {
            self.born_at = self.born_at.min(before.born_at);
        }
        self
    }

    /// How long it is still good; never more than at first, whatever the clock says.
    pub(crate) fn left(&self, now: SystemTime) -> Duration {
        self.dead_at.duration_since(now.max(self.since)).unwrap_or_default()
    }
}
