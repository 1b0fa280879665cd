//! How long a token is good, worked out from what the server says, whatever that is.

use crate::UnixTimestamp;
use std::time::{Duration, SystemTime};

/// What an answer says about a token's life, and when the answer came.
pub(crate) struct Told {
    pub(crate) expires_at: UnixTimestamp,
    /// The answer's `Date`: the server's time to the second, or a gateway's by a clock of its own.
    pub(crate) date: Option<SystemTime>,
    pub(crate) sent_at: SystemTime,
    pub(crate) now: SystemTime,
}

/// What is believed about a token's life.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) left: Duration,
    /// The expiry by the server's clock.
    pub(crate) expires_at: UnixTimestamp,
    pub(crate) doubt: Option<Doubt>,
}

/// What is wrong with an answer that can be used nevertheless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    Unit,
    TooLong,
    Date,
    OurClock,
}

impl Doubt {
    /// What is wrong, and what to do.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Unit => {
                "the server's `expiresAt` is in milliseconds or smaller units and was read as such; it must be Unix seconds"
            }
            Self::TooLong => {
                "the server's `expiresAt` is further away than a token lives, so that the token is renewed every few \
                 minutes; check the server's clock and this machine's, or allow more with `.longest_life(..)`"
            }
            Self::Date => {
                "the answer's `Date` is wrong and was ignored: `expiresAt` and this machine's clock agree; set the clock \
                 of the server or gateway that writes it"
            }
            Self::OurClock => {
                "this machine's clock is wrong and was ignored: `expiresAt` and the answer's `Date` agree; set it (NTP)"
            }
        }
    }
}

impl Told {
    /// The time until the expiry can be measured by two clocks: this machine's, and the answer's `Date`. A clock is
    /// believed if the result is a life that a token can have; if both are, the shorter life counts.
    pub(crate) fn life(&self, longest: Duration) -> Life {
        /// How much two correct clocks may differ.
        const SKEW: Duration = Duration::from_secs(300);
        const WECHATS: Duration = Duration::from_secs(7200);
        let (expires_at, is_seconds) = in_seconds(self.expires_at);
        let unit = if is_seconds { None } else { Some(Doubt::Unit) };
        let expiry = expires_at.to_system_time().unwrap_or(SystemTime::UNIX_EPOCH);
        let ours = expiry.duration_since(self.now).unwrap_or_default();
        let by_date = self.other_now().map(|now| expiry.duration_since(now).unwrap_or_default());
        // A limit below the life of WeChat's tokens does not make that life doubtful.
        let can_be = |left: &Duration| !left.is_zero() && *left <= longest.max(WECHATS).saturating_add(SKEW);
        let (left, doubt) = match (can_be(&ours), by_date.map(|left| (can_be(&left), left))) {
            (true, None) => (ours, unit),
            (true, Some((true, by_date))) => (ours.min(by_date), unit),
            (true, Some((false, _))) => (ours, unit.or(Some(Doubt::Date))),
            (false, Some((true, by_date))) => (by_date, unit.or(Some(Doubt::OurClock))),
            (false, _) if ours.is_zero() || by_date.is_some_and(|left| left.is_zero()) => (Duration::ZERO, unit),
            // Nobody knows how long the token is good.
            (false, _) => {
                let left = longest / 24;
                let end = self.now.checked_add(left).unwrap_or(self.now);
                return Life { left, expires_at: end.into(), doubt: Some(Doubt::TooLong) };
            }
        };
        Life { left: left.min(longest), expires_at, doubt }
    }

    /// The present time by the answer's `Date`, if it differs from this machine's.
    fn other_now(&self) -> Option<SystemTime> {
        let date = self.date?;
        // The `Date` was written between our two looks at the clock, and has lost up to a second.
        let latest = date.checked_add(Duration::from_secs(1)).unwrap_or(date);
        let agrees = date <= self.now && self.sent_at <= latest;
        let took = self.now.duration_since(self.sent_at).unwrap_or_default();
        (!agrees).then(|| latest.checked_add(took).unwrap_or(latest))
    }
}

/// Converts a timestamp of any unit to Unix seconds: a number that would be after the year 5138 is in a smaller unit.
/// Also says whether it was in seconds.
pub(crate) fn in_seconds(told: UnixTimestamp) -> (UnixTimestamp, bool) {
    const NO_SECONDS: i64 = 100_000_000_000;
    let mut seconds = told.as_secs();
    while seconds >= NO_SECONDS {
        seconds /= 1000;
    }
    (UnixTimestamp::from_secs(seconds), seconds == told.as_secs())
}
